#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""::dis of libc's functions, held against objdump's, instruction by instruction.

Usage: disassembly.py KDBG LIBRARY PROGRAM

PROGRAM runs under LIBRARY (libkma_malloc.so) and leaves a dump; libc's functions
are disassembled from it by kdbg, and from libc's file by objdump. Each
instruction must begin at the same place and have the same length, and be called
the same, the disassemblers' different spellings aside. What the disassembler
kdbg uses does not know at all (shown as "(bad)") is counted and printed: those
functions are compared up to there. 2000 functions; all of them with KDBG_TEST_LONG=1.

Who looks at no instruction does not load the disassembler.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

LIMIT = 300
UNKNOWN_MOST = 0.03  # of the functions

# One instruction, called by other names.
SAME = {
    "callq": "call", "jmpq": "jmp", "retq": "ret", "leaveq": "leave", "pushq": "push",
    "popq": "pop", "movabsq": "movabs", "cltq": "cdqe", "cqto": "cqo", "cltd": "cdq",
    "cwtl": "cwde", "ud2a": "ud2", "sall": "shll", "salq": "shlq", "sal": "shl",
    "loope": "loopz", "fwait": "wait",
}
PREFIXES = {"rep", "repz", "repe", "repnz", "repne", "lock", "bnd", "notrack", "data16", "cs", "ds", "es",
            "fs", "gs", "ss", "rex", "rex.w", "rex.W", "addr32", "xacquire", "xrelease"}


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT, **options).stdout


def stem(text):
    """What the instruction is called, without prefixes and size suffixes."""
    words = text.split()
    if words[-2:] == ["xchg", "%ax,%ax"]:
        words = ["nop"]
    while words and words[0] in PREFIXES:
        words.pop(0)
    name = words[0] if words else "nop"
    name = SAME.get(name, name)
    return re.sub(r"(?<=..)[bwlqds]+$", "", name)


def objdump(path):
    """{address: (length, text)} of a file's code."""
    found = {}
    for line in run("objdump", "-d", "-w", path).splitlines():
        match = re.match(r"\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*(?:\t(.*))?$", line)
        if match:
            found[int(match[1], 16)] = (len(match[2].split()), match[3] or "(bad)")
    return found


def compare(name, rows, bias, wanted):
    """The number of instructions compared and, if not all, why."""
    done = 0
    for row in rows:
        at = int(row["addr"], 16) - bias
        if row["instruction"] == "(bad)":
            return done, "unknown"
        if at not in wanted:
            return done, f"{name}: objdump has no instruction at {at:#x}: {row['instruction']}"
        length, text = wanted[at]
        if length != len(row["bytes"]) // 2:
            return done, f"{name} at {at:#x}: {row['instruction']} / {text}: other lengths"
        if stem(row["instruction"])[:3] != stem(text)[:3]:
            return done, f"{name} at {at:#x}: {row['instruction']} / {text}"
        done += 1
    return done, None


def main():
    kdbg, library, program = sys.argv[1:4]
    if "capstone" in run("readelf", "-d", kdbg):
        sys.exit("kdbg starts with capstone, which takes longer than all else")
    most = 10**6 if os.environ.get("KDBG_TEST_LONG") else 2000
    with tempfile.TemporaryDirectory(prefix="dis-") as folder:
        dump = os.path.join(folder, "dump")
        subprocess.run([program], check=True, timeout=60, capture_output=True,
                       env={**os.environ, "LD_PRELOAD": library, "KMA_DUMP": f"path={dump},on=exit"})

        def ask(*lines):
            text = run(kdbg, "--no-rc", "-j", dump, input="\n".join(lines) + "\n")
            return [json.loads(line) for line in text.splitlines()]

        libc = next(row for row in ask("::objects libc.so") if "libc.so" in row["name"])
        functions = [row for row in ask("::nm -t func libc.so.6") if int(row["size"], 16)]
        functions = functions[:: max(1, len(functions) // most)][:most]
        wanted = objdump(libc["name"])
        rows = ask(*(f"{row['value']}::dis" for row in functions))
    bias = int(libc["base"], 16)
    wrong, unknown, total = [], 0, 0
    starts = sorted((int(f["value"], 16), int(f["size"], 16), f["name"]) for f in functions)
    listed = {int(row["addr"], 16): row for row in rows}
    for start, size, name in starts:
        mine = [listed[at] for at in range(start, start + size) if at in listed]
        done, why = compare(name, mine, bias, wanted)
        total += done
        unknown += why == "unknown"
        if not mine or why and why != "unknown":
            wrong.append(why or f"{name}: nothing")
    print(f"{len(starts)} functions, {total} instructions, {unknown} functions with one that is not known")
    print("\n".join(wrong[:30]))
    if wrong or not starts or unknown > UNKNOWN_MOST * len(starts):
        sys.exit(f"{len(wrong)} functions differ")


main()
