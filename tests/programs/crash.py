#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kdbg says of a crash, held against gdb.

Usage: crash.py KDBG PRELOAD PROGRAM PLUGIN HOW. The program dies under libkma
and leaves a dump; the same death under gdb says which frames there are. Frames
of the program's own functions must agree in name, file and line. Where the
kernel leaves a core, kdbg must say of that what it says of the dump.
"""
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

SKIPPED = 77
FRAMES_COMPARED = 12  # of an endless recursion

REASONS = {
    "null": r"SIGSEGV \(nothing is mapped there\)",
    "pointer": r"SIGSEGV \(nothing is mapped there\)",
    "callback": r"SIGSEGV \(nothing is mapped there\)",
    "handler": r"SIGSEGV \(nothing is mapped there\)",
    "thread": r"SIGSEGV \(nothing is mapped there\)",
    "overflow": r"SIGSEGV \(.*\)",
    "abort": r"SIGABRT \(sent by a thread\)",
    "library": r"SIGSEGV \(nothing is mapped there\)",
    "cxx": r"SIGABRT \(sent by a thread\)",
}
FAULTS = {
    "null": r"0x18: a null pointer, or near one",
    "pointer": r"0x123400: nothing is mapped there",
    "library": r"0x20: a null pointer, or near one",
}


def run(arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True,
                          errors="replace", timeout=120, **options)


def is_own(name):
    return name == "main" or "crash" in name


def gdb_frames(program, how, environment):
    """(function, file, line) of the program's own frames, innermost first."""
    limit = f"bt {FRAMES_COMPARED}" if how == "overflow" else "bt"
    result = run(["gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off",
                  "-ex", "set print frame-arguments none",
                  "-ex", "handle SIGUSR1 nostop noprint pass", "-ex", "run",
                  "-ex", limit, "--args", program, how], env=environment)
    frames = []
    for line in result.stdout.splitlines():
        match = re.match(r"#\d+\s+(?:0x[0-9a-f]+ in )?(.+?) \(.*?\)"
                         r" at (.+):(\d+)$", line)
        if match and is_own(match[1]):
            name = re.sub(r"<.*>", "", match[1].split("(")[0])
            frames.append((name, os.path.basename(match[2]), int(match[3])))
    return frames, result.stdout + result.stderr


def kdbg_rows(kdbg, target, command):
    result = run([kdbg, "--no-rc", "-j", "-e", command, target])
    if result.returncode != 0:
        sys.exit(f"{command} of {target}: {result.stderr}")
    return [json.loads(line) for line in result.stdout.splitlines()]


def kdbg_frames(kdbg, target, count):
    frames = []
    for row in kdbg_rows(kdbg, target, f"::stack -n 0t{count}"):
        name = (row["function"] or "").split("(")[0].replace(
            ".constprop.0", "").replace(".isra.0", "")
        if row["kind"] == "guessed":
            sys.exit(f"a frame had to be guessed: {row}")
        if is_own(name):
            frames.append((re.sub(r"<.*>", "", name),
                           os.path.basename(row["file"] or "?"), row["line"]))
    return frames


def check_status(kdbg, target, how):
    facts = {row["field"]: row["value"]
             for row in kdbg_rows(kdbg, target, "::status")}
    if not re.match(REASONS[how] + ", thread ", facts["reason"]):
        sys.exit(f"{target}: reason: {facts['reason']}")
    if how in FAULTS and not re.fullmatch(FAULTS[how], facts["fault"]):
        sys.exit(f"{target}: fault: {facts.get('fault')}")


def is_same(found, expected):
    """gdb shows the line of inlined library code as that of its caller."""
    return (found == expected or found[0] == expected[0]
            and not expected[1].startswith("crash"))


def check_frames(what, found, expected):
    if (len(found) == len(expected)
            and all(map(is_same, found, expected))):
        return
    sys.exit(f"{what}: frames differ\n  found:\n    "
             + "\n    ".join(map(str, found)) + "\n  expected:\n    "
             + "\n    ".join(map(str, expected)))


def check_registers(kdbg, target, how):
    """What a handler interrupted is where its ucontext_t says, and the innermost frame has the thread's registers."""
    frames = kdbg_rows(kdbg, target, "::stackregs")
    stack = kdbg_rows(kdbg, target, "::stack -n 0t100000")
    outer = {row["frame"]: row["pc"] for row in stack}
    if [row["pc"] for row in frames] != list(outer.values()):
        sys.exit(f"{target}: ::stackregs and ::stack have other frames")
    innermost = dict(re.findall(r"(\w+) +([0-9a-f]{16})", " ".join(frames[0]["registers"])))
    for row in kdbg_rows(kdbg, target, "::regs"):
        if row["reg"] in innermost and int(innermost[row["reg"]], 16) != int(row["value"], 16):
            sys.exit(f"{target}: frame 0: {row['reg']} is {row['value']}, not {innermost[row['reg']]}")
    contexts = kdbg_rows(kdbg, target, "::walk ucontext")
    if len(contexts) != (how == "handler"):
        sys.exit(f"{target}: {len(contexts)} ucontexts")
    for row in contexts:
        registers = {row["reg"]: row["value"]
                     for row in kdbg_rows(kdbg, target, f"{row['addr']}::regs -u")}
        facts = {row["field"]: row for row in kdbg_rows(kdbg, target, f"{row['addr']}::ucontext")}
        if registers["rip"] != facts["rip"]["value"] or "pthread_kill" not in facts["rip"]["meaning"]:
            sys.exit(f"{target}: a handler interrupted {facts['rip']}")
        frame = next(row for row in frames if int(row["pc"], 16) == int(registers["rip"], 16))
        for name, value in re.findall(r"(\w+) +([0-9a-f]{16})", " ".join(frame["registers"])):
            if int(registers[name], 16) != int(value, 16):
                sys.exit(f"{target}: {name} was {registers[name]}, but {value} in its frame")


def main():
    kdbg, preload, program, plugin = map(os.path.abspath, sys.argv[1:5])
    how = sys.argv[5]
    environment = dict(os.environ, CRASH_LIBRARY=plugin)
    environment.pop("DEBUGINFOD_URLS", None)
    expected, output = gdb_frames(program, how, environment)
    if len(expected) < 2:
        print(f"gdb cannot say: {output}")
        return SKIPPED
    count, skipped = 1000, 0
    if how == "overflow":
        # Which instruction first touches what lies below the stack (a store,
        # or the push of a call) is another one in every run.
        count, skipped = FRAMES_COMPARED, 1
        expected = expected[skipped:FRAMES_COMPARED]

    with tempfile.TemporaryDirectory() as folder:
        dump = os.path.join(folder, "crash.dump")
        limit = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (limit[1], limit[1]))
        run([program, how], cwd=folder,
            env=dict(environment, LD_PRELOAD=preload, KMA_DEBUG="default",
                     KMA_DUMP=f"path={dump},on=fatal"))
        targets = [dump] + [str(core) for core in
                            pathlib.Path(folder).glob("core*")]
        for target in targets:
            check_status(kdbg, target, how)
            found = kdbg_frames(kdbg, target, count)[skipped:]
            check_frames(target, found, expected)
            if how not in ("overflow", "pointer"):
                check_registers(kdbg, target, how)
        print(f"{len(expected)} frames as gdb's, of {len(targets)} targets")
    return 0


if __name__ == "__main__":
    sys.exit(main())
