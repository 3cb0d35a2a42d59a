#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ::kmem_verify says of a heap that is damaged in known ways.

Usage: damaged.py KDBG LIBRARY PROGRAM
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

KDBG, LIBRARY, PROGRAM = map(os.path.abspath, sys.argv[1:])

# cache, size, state, integrity, offset of the first damaged byte
WANTED = [
    ("kmem_alloc_16", 10, "allocated", "overrun: up to 3 bytes past its end", 10),
    ("kmem_alloc_32", 30, "allocated", "overrun: up to 10 bytes past its end", 30),
    ("kmem_alloc_32", 30, "allocated",
     "overrun by the buffer before it, which is damaged too", -8),
    ("kmem_alloc_32", 32, "free", "modified after it was freed", 3),
    ("kmem_alloc_224", 200, "allocated", "underrun: up to 3 bytes before its start", -3),
    ("kmem_oversize", 300000, "allocated", "overrun: up to 2 bytes past its end", 300001),
]


def dump_of(folder, *arguments):
    dump = folder / "dump"
    dump.unlink(missing_ok=True)
    subprocess.run([PROGRAM, *arguments], env={**os.environ, "LD_PRELOAD": LIBRARY,
                   "KMA_DEBUG": "audit", "KMA_DUMP": f"path={dump}"},
                   cwd=folder, capture_output=True, timeout=60, check=False)
    return [dump, *folder.glob("core*")]


def ask(target, *words):
    return subprocess.run([KDBG, *words, target], capture_output=True, text=True,
                          timeout=60, check=False)


def check(condition, what, done):
    if not condition:
        sys.exit(f"damaged.py: {what}\n{done.stdout}{done.stderr}")


def judge_damaged(target):
    done = ask(target, "-e", "::kmem_verify")
    check(done.returncode == 23, "the status is not 23", done)
    check("kmem_alloc_32 " in done.stdout and "3 corrupt buffers" in done.stdout,
          "the caches are wrong", done)
    done = ask(target, "-e", "::nosuch", "-e", "::kmem_verify", "-e", "::nosuch")
    check(done.returncode == 23, "a failure hides the damage", done)
    done = ask(target, "-j", "-e", "::kmem_verify -v")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    found = [(r["cache"], r["size"], r["state"], r["integrity"],
              int(r["damage"][0].split("offset ")[1].split(")")[0])) for r in rows]
    check(found == WANTED, f"found {found}", done)
    check(all("allocate" in "".join(r["allocated_by"]) for r in rows),
          "an allocation has no stack", done)
    check("main" in "".join(rows[3]["freed_by"]), "who freed it?", done)
    cache = ask(target, "-j", "-e", "::kmem_cache -n kmem_alloc_16")
    address = json.loads(cache.stdout.splitlines()[0])["addr"]
    done = ask(target, "-e", f"{address}::kmem_verify")
    bytes_told = re.search(r"expected (\w\w) .*found (\w\w) ", done.stdout)
    check(done.returncode == 23 and "1 corrupt buffer" in done.stdout, "one cache", done)
    check(bytes_told and int(bytes_told[1], 16) ^ int(bytes_told[2], 16) == 0xff,
          "the program flipped the byte", done)


def judge_intact(target):
    done = ask(target, "-e", "::umem_verify")
    check(done.returncode == 0 and "corrupt" not in done.stdout and
          "clean" in done.stdout, "an intact heap is not clean", done)


with tempfile.TemporaryDirectory() as name:
    for one in dump_of(pathlib.Path(name)):
        judge_damaged(one)
with tempfile.TemporaryDirectory() as name:
    for one in dump_of(pathlib.Path(name), "intact"):
        judge_intact(one)
