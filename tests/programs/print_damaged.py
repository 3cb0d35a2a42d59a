#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debug information that lies: kdbg must end, in time, and say little.

Usage: print_damaged.py KDBG PROGRAM. A core of the program is read with copies
of it whose .debug_info and .debug_abbrev have bytes changed; build id and
memory stay. Every command must end by itself, with bounded output. Which bytes
is a matter of a seed, so a failure can be repeated.
"""
import os
import random
import subprocess
import sys
import tempfile

SKIPPED = 77
COPIES = 400 if os.environ.get("KDBG_TEST_LONG") else 16
OUTPUT_MAX = 64 << 20
COMMANDS = ["::print scalars", "nodes::print -at", "arrays::print -L", "::print -h bits", "::print stdout *",
            "::print shapes::diamond", "list_head::list next", "::sizeof struct nested", "::enum color",
            "::offsetof struct nested a.b.c.deep", "nodes::printf '%d' [1].payload"]


def sections(program):
    """Where each section's bytes lie in the file."""
    done = subprocess.run(["readelf", "-SW", program], capture_output=True, text=True, check=True)
    found = {}
    for line in done.stdout.splitlines():
        words = line.replace("[ ", "[").split()
        if len(words) > 5 and words[1].startswith(".debug_"):
            found[words[1]] = (int(words[4], 16), int(words[5], 16))
    return found


def damage(image, places, seed):
    chance = random.Random(seed)
    copy = bytearray(image)
    for _ in range(chance.choice([1, 4, 32, 256])):
        name = chance.choice([".debug_info", ".debug_info", ".debug_abbrev"])
        start, size = places[name]
        copy[start + chance.randrange(size)] = chance.randrange(256)
    return copy


def main():
    kdbg, program = sys.argv[1:3]
    with tempfile.TemporaryDirectory(prefix="kdbg-print-") as folder:
        core, copy = os.path.join(folder, "core"), os.path.join(folder, os.path.basename(program))
        try:
            subprocess.run(["gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "run",
                            "-ex", f"gcore {core}", program], capture_output=True, timeout=120, check=False)
            places = sections(program)
        except FileNotFoundError:
            sys.exit(SKIPPED)
        if not os.path.exists(core):
            sys.exit(SKIPPED)
        with open(program, "rb") as stream:
            image = stream.read()
        arguments = [word for command in COMMANDS for word in ("-e", command)]
        answered = 0
        for seed in range(COPIES + 1):  # the first is whole
            with open(copy, "wb") as stream:
                stream.write(damage(image, places, seed) if seed else image)
            try:
                done = subprocess.run([kdbg, "--no-rc", "-x", copy, *arguments, core], capture_output=True,
                                      timeout=60, check=False)
            except subprocess.TimeoutExpired:
                sys.exit(f"seed {seed}: does not end")
            if done.returncode not in (0, 1):
                sys.exit(f"seed {seed}: status {done.returncode}: {done.stderr[-2000:]!r}")
            if len(done.stdout) > OUTPUT_MAX:
                sys.exit(f"seed {seed}: {len(done.stdout)} bytes of output")
            if seed == 0 and done.returncode != 0:
                sys.exit(f"whole: {done.stderr!r}")
            answered += done.returncode == 0
        print(f"{answered} of {COPIES + 1} were still answered whole")


main()
