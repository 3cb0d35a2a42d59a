#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel-style subsystems, compiled against the dialects' headers.

Usage: ports.py KDBG PROGRAM. Clean, the program ends with 0 and the check finds
nothing and leaves nothing; the leak and the overrun that it plants on request
are found, at the line that made them. A program that links libkma.a has two
heaps then, its own and the preload's, and both are judged.
"""
import os
import subprocess
import sys
import tempfile

FAULTS = 23


def check(kdbg, program, *arguments):
    """The check's status, and what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([kdbg, "check", "--dump-dir", folder, "--", program, *arguments],
                             capture_output=True, text=True, check=False)
        return run.returncode, run.stdout + run.stderr, os.listdir(folder)


def find_in_own_dump(kdbg, program):
    """The leak in the dump that the program writes by itself."""
    with tempfile.TemporaryDirectory() as folder:
        dump = os.path.join(folder, "own")
        subprocess.run([program, "leak"], check=True,
                       env={**os.environ, "KMA_DEBUG": "audit", "KMA_DUMP": f"path={dump},on=exit"})
        return subprocess.run([kdbg, "-e", "::findleaks -dv", dump], capture_output=True, text=True,
                              check=True).stdout


def expect(holds, what, seen):
    if not holds:
        sys.exit(f"{what}\n--- seen:\n{seen}")


def main():
    kdbg, program = sys.argv[1:]
    for tier in "off", "lite", "audit", "guard":
        run = subprocess.run([program], capture_output=True, text=True, check=False,
                             env={**os.environ, "KMA_DEBUG": tier})
        expect(run.returncode == 0 and not run.stderr,
               f"at tier {tier} the program is clean: {run.returncode}", run.stderr)
    status, text, left = check(kdbg, program)
    expect(status == 0, f"a clean run checks clean, not {status}", text)
    expect(not left, f"a clean run leaves no dump: {left}", text)
    status, text, left = check(kdbg, program, "leak")
    expect(status == FAULTS, f"the leak is found, not {status}", text)
    expect("plant_leak" in text, "the leak is named by its function", text)
    blamed = [line for line in text.splitlines() if " allocated by " in line and "definite" in line]
    if "net_driver" in program:
        expect("type packet, allocated by" in blamed[0], "so is its type", text)
    expect(len(blamed) == 1 and ".c:" in blamed[0] and "/kma/" not in blamed[0],
           "the program is to blame, not a header of libkma's", text)
    expect(len(left) == 1, f"one dump is kept: {left}", text)
    status, text, left = check(kdbg, program, "overrun")
    expect(status == FAULTS, f"the overrun is found, not {status}", text)
    expect("REDZONE" in text and "plant_overrun" in text,
           "the overrun is named, and its function", text)
    expect(len(left) == 1, f"one dump is kept: {left}", text)
    text = find_in_own_dump(kdbg, program)
    expect("plant_leak" in text, "the leak is in the program's own dump", text)


main()
