#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sampled audit: few buffers are audited, and ::kmausers estimates the rest.

Usage: sampled.py KDBG LIBRARY PROGRAM. At one sample in 4 KiB the estimate of
either user has a standard deviation of less than 2.6 %; six of them are allowed.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

KDBG, LIBRARY, PROGRAM = map(os.path.abspath, sys.argv[1:])
TRUTH = {64: 200000, 5000: 2000}


def users(folder, debug):
    dump = pathlib.Path(folder) / "dump"
    dump.unlink(missing_ok=True)
    subprocess.run([PROGRAM], env={**os.environ, "LD_PRELOAD": LIBRARY, "KMA_DEBUG": debug,
                   "KMA_DUMP": f"path={dump},on=exit"}, timeout=60, check=True)
    done = subprocess.run([KDBG, "-j", "-e", "::kmausers -e", dump], capture_output=True,
                          text=True, timeout=60, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {r["size"]: r["count"] for r in rows if r["size"] in TRUTH}, done.stderr


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
