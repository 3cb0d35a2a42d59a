#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sampled audit: few buffers are audited, and ::kmausers estimates the rest.

Usage: sampled.py KDBG LIBRARY PROGRAM. At one sample in 4 KiB the estimate of
either user has a standard deviation of less than 2.6 %; six of them are allowed.
Of buffers that grow and shrink where they lie it is 1.9 and 0.9 %. Of freed samples the beginning is looked at alone, whatever their size.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

KDBG, LIBRARY, PROGRAM = map(os.path.abspath, sys.argv[1:])
TRUTH = {64: 200000, 5000: 2000}
RESIZED = [  # how, sampled one in, size, count, tolerance
    ("grown", "512K", 1100000, 400, 0.12),
    ("shrunk", "64K", 140000, 1600, 0.06),
]


def dump_of(folder, debug, *arguments):
    dump = pathlib.Path(folder) / "dump"
    dump.unlink(missing_ok=True)
    subprocess.run([PROGRAM, *arguments], stderr=subprocess.DEVNULL, timeout=60, check=True,
                   env={**os.environ, "LD_PRELOAD": LIBRARY, "KMA_DEBUG": debug,
                        "KMA_DUMP": f"path={dump},on=exit"})
    return dump


def damaged(folder, debug, *arguments):
    """Buffers that ::kmem_verify finds changed, and its exit status."""
    done = subprocess.run([KDBG, "-j", "-e", "::kmem_verify",
                           dump_of(folder, debug, *arguments)],
                          capture_output=True, text=True, timeout=60)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return sum(row["damaged"] for row in rows), done.returncode


def users(folder, debug, *arguments):
    dump = dump_of(folder, debug, *arguments)
    done = subprocess.run([KDBG, "-j", "-e", "::kmausers -e", dump], capture_output=True,
                          text=True, timeout=60, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {r["size"]: r["count"] for r in rows}, done.stderr


with tempfile.TemporaryDirectory() as name:
    for tier, tolerance in ("audit", 0), ("audit=1/4096", 0.16):
        counts, notes = users(name, tier)
        for size, truth in TRUTH.items():
            if abs(counts.get(size, 0) - truth) > tolerance * truth:
                sys.exit(f"{tier}: {counts} for {TRUTH}")
        if ("estimates" in notes) != (tolerance > 0):
            sys.exit(f"{tier}: {notes}")
    counts, notes = users(name, "guard=1/50")
    if abs(counts.get(64, 0) - 200000) > 0.16 * 200000:
        sys.exit(f"guard=1/50: {counts}")
    counts, notes = users(name, "guard=1/1", "few")
    if counts.get(5000) != 2000:  # each, not 1 - 1/e of them
        sys.exit(f"guard=1/1: {counts}")
    counts, notes = users(name, "guard=1/2", "few")
    if abs(counts.get(5000, 0) - 2000) > 270 or counts[5000] % 2:
        sys.exit(f"guard=1/2: {counts}")

    for tier in "off", "audit=1/32M":  # samples alone would need twice the room
        subprocess.run([PROGRAM, "limited"], timeout=60, check=True,
                       env={**os.environ, "LD_PRELOAD": LIBRARY, "KMA_DEBUG": tier,
                            "KMA_OPTIONS": "limit=100M"})
    for how, rate, size, truth, tolerance in RESIZED:
        count = users(name, f"audit=1/{rate}", how)[0].get(size, 0)
        if abs(count - truth) > tolerance * truth:
            sys.exit(f"{how}: {count} for {truth}")
    # 21 sizes, 8 of them larger than any class; of samples so large the last
    # few wait for their pages to go, and none that is larger than 256 KiB.
    for tier, stale in ("audit,noabort", 21), ("audit=1/1,noabort", 14):
        found = damaged(name, tier, "freed"), damaged(name, tier, "stale")
        if found != ((0, 0), (stale, 23)):
            sys.exit(f"{tier}: {found}")
