#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What functions on a stack were called with, held against gdb.

Usage: arguments_gdb.py KDBG PROGRAM whole|part. The program runs under gdb until
it aborts; gdb says what each of its functions was called with, and writes a core,
of which ::stack -a must say the same. whole: nothing may be unknown; part: what
is told must be right. gdb also works values out from what the caller passed,
kdbg only from what the function has still. gdb runs this very file for its half.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

LIMIT = 120


def gdb_value(gdb, value):
    kind = value.type.strip_typedefs()
    if value.is_optimized_out:
        return None
    if kind.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        return "{...}"
    if kind.code == gdb.TYPE_CODE_FLT:
        return float(value)
    if kind.code == gdb.TYPE_CODE_PTR and kind.target().strip_typedefs().code == gdb.TYPE_CODE_FUNC:
        return re.search(r"<(\w+)>", str(value))[1]
    return int(value) & ((1 << 8 * kind.sizeof) - 1)


def gdb_half():
    import gdb  # pylint: disable=import-error,import-outside-toplevel
    for option in ("pagination off", "confirm off", "debuginfod enabled off"):
        gdb.execute("set " + option)
    gdb.execute("run", to_string=True)
    said, frame = [], gdb.newest_frame()
    while frame:
        table = frame.find_sal().symtab
        if table and table.filename.endswith("arguments.c"):
            block = frame.block()
            while not block.function:
                block = block.superblock
            said.append([block.function.name, [[symbol.name, gdb_value(gdb, symbol.value(frame))]
                                               for symbol in block if symbol.is_argument]])
        frame = frame.older()
    gdb.execute("gcore " + os.environ["ARGUMENTS_CORE"], to_string=True)
    with open(os.environ["ARGUMENTS_SAID"], "w", encoding="utf-8") as stream:
        json.dump(said, stream)


def number(text):
    if text == "?":
        return None
    if text == "{...}":
        return text
    if "`" in text:
        return text.split("`")[1]
    if re.fullmatch(r"-?[\d.]+", text):
        return float(text)
    if text in ("true", "false"):
        return int(text == "true")
    if text[0] == "'":
        return ord(text[1])
    return int(text.split()[0], 16)


def kdbg_arguments(text, names):
    """The values of "a=0x1, text=0x2 "some, text"" by their names."""
    pattern = ", ".join(f"{name}=(.*)" for name in names)
    return [number(value) for value in re.fullmatch(pattern, text or "").groups()]


def check(kdbg, core, said, whole):
    done = subprocess.run([kdbg, "--no-rc", "-j", "-e", "::stack -a", core], text=True, capture_output=True,
                          timeout=LIMIT, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    rows = [row for row in rows if (row["file"] or "").endswith("arguments.c")]
    if [row["function"] for row in rows] != [name for name, _ in said]:
        sys.exit(f"gdb has {[name for name, _ in said]}, kdbg {[row['function'] for row in rows]}")
    told = known = 0
    for row, (name, arguments) in zip(rows, said):
        got = kdbg_arguments(row["arguments"], [argument for argument, _ in arguments])
        for value, (argument, wanted) in zip(got, arguments):
            known += wanted is not None
            told += value is not None
            if value != wanted and (whole or value is not None):
                sys.exit(f"{name}: {argument} is {wanted}, kdbg says {row['arguments']}")
    if not told:
        sys.exit(f"only {told} of {known} arguments are told")
    print(f"{told} arguments as gdb says, of {known}, in {len(rows)} frames")
    # A plain core: that the heap is not known is said once.
    doctor = subprocess.run([kdbg, "--no-rc", "-e", "::doctor", core], text=True, capture_output=True, timeout=LIMIT,
                            check=True).stdout
    if doctor.count("no libkma") != 1 or "findleaks" in doctor or "fault" in doctor or "in_pointers" not in doctor:
        sys.exit(f"::doctor: {doctor}")
    short = subprocess.run([kdbg, "--no-rc", "-e", "$c 2", core], text=True, capture_output=True, timeout=LIMIT,
                           check=True).stdout
    if not re.search(r"many\+0x[0-9a-f]+\(a=\S+, b=\S+, \.\.\.\) \(arguments.c:\d+\)", short):
        sys.exit(f"$c 2: {short}")


def main():
    kdbg, program, how = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="kdbg-arguments-") as folder:
        core, file = os.path.join(folder, "core"), os.path.join(folder, "said")
        done = subprocess.run(["gdb", "-nx", "-batch", "-ex", "python import sys; sys.argv = ['gdb']", "-x", __file__,
                               "--args", program], capture_output=True, text=True, timeout=LIMIT, check=False,
                              env=os.environ | {"ARGUMENTS_CORE": core, "ARGUMENTS_SAID": file})
        if not os.path.exists(file):
            sys.exit(f"gdb: {done.stdout}{done.stderr}")
        with open(file, encoding="utf-8") as stream:
            check(kdbg, core, json.load(stream), how == "whole")


if "ARGUMENTS_SAID" in os.environ:
    gdb_half()
else:
    main()
