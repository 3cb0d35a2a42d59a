#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dump with names is read where the program's file is not.

Usage: saved_names.py KDBG PRELOAD PROGRAM. The program is a copy that is taken
away, and then replaced by another; what was told before must be told after.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def run(arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True,
                          timeout=60, **options)


def fail(text):
    sys.exit(text)


def rows(kdbg, target, command):
    result = run([kdbg, "--no-rc", "-j", "-e", command, target])
    if result.returncode != 0:
        fail(f"{command} of {target}: {result.stderr}")
    return [json.loads(line) for line in result.stdout.splitlines()]


def told(kdbg, target):
    """Who leaked, and where the threads are; guessed frames may be too many."""
    stacks = [row for row in rows(kdbg, target, "::walk thread | ::stack")]
    return ([(row["class"], row["caller"]) for row in rows(kdbg, target, "::findleaks")],
            [(row["function"], row["offset"], row["file"], row["line"])
             for row in stacks if row["function"] == "wait_below"])


def names_alone(facts):
    """Without file and line; where no source is known the module is named."""
    leaks, frames = facts
    return ([(kind, re.sub(r" \(.*\)|.*`", "", caller)) for kind, caller in leaks],
            [frame[:2] for frame in frames])


def start(preload, program, dump, options):
    process = subprocess.Popen(
        [program, "a-secret"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ, LD_PRELOAD=preload, KMA_DEBUG="default",
                 KMA_DUMP=f"path={dump},on=fatal{options}"))
    if process.stdout.readline() != b"ready\n":
        fail("the program did not start")
    return process


def make(kdbg, preload, program, folder):
    """Dumps of one process by what of names they have: all, functions, none."""
    def path(name):
        return os.path.join(folder, name)
    process = start(preload, program, path("own"), ",symbols")
    for name, options in ("asked", ()), ("stopped", ("--stop",)):
        result = run([kdbg, "dump", "-p", str(process.pid), "-o", path(name),
                      "--symbols", *options])
        if result.returncode != 0:
            fail(f"kdbg dump --symbols {options}: {result.stderr}")
    process.send_signal(signal.SIGQUIT)
    process.wait(timeout=30)
    plain = start(preload, program, path("plain"), "")
    plain.send_signal(signal.SIGQUIT)
    plain.wait(timeout=30)
    for core in pathlib.Path(folder).glob("core*"):
        core.unlink()
    for source, name, options in (
            ("plain", "converted", ("--symbols",)), ("converted", "again", ()),
            ("own", "kept", ()), ("own", "meta", ("--level", "meta"))):
        result = run([kdbg, "convert", "--to", "dump", *options, path(source), path(name)])
        if result.returncode != 0:
            fail(f"convert {options}: {result.stderr}")
    return ([path(name) for name in ("stopped", "converted", "again")],
            [path(name) for name in ("own", "asked", "kept")],
            [path("plain")], path("meta"))


def check(kdbg, dumps, expected, why):
    whole, functions, none, meta = dumps
    for dump in whole:
        if told(kdbg, dump) != expected:
            fail(f"{dump} {why}: {told(kdbg, dump)}, not {expected}")
    for dump in functions:
        if names_alone(told(kdbg, dump)) != names_alone(expected):
            fail(f"{dump} {why}: {told(kdbg, dump)}, not {expected}")
    for dump in none:
        if names_alone(told(kdbg, dump)) == names_alone(expected):
            fail(f"{dump} {why} has names: this test tests nothing")
    users = [row["caller"] for row in rows(kdbg, meta, "::kmausers")] + \
        [line for row in rows(kdbg, meta, "::kmausers") for line in row.get("stack") or []]
    if not any("leak_some+" in str(user) for user in users):
        fail(f"{meta} {why}: {users}")
    status = [row["symbols"] for row in rows(kdbg, whole[0], "::objects")
              if "only the names saved" in str(row["symbols"])]
    if len(status) != 1 or why not in status[0]:
        fail(f"::objects: {status}")


def main():
    kdbg, preload, original = map(os.path.abspath, sys.argv[1:4])
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "program")
        shutil.copy(original, program)
        dumps = make(kdbg, preload, program, folder)
        expected = told(kdbg, dumps[2][0])
        if "leak_some+" not in str(expected) or "paused.c" not in str(expected) \
                or len(expected[1]) != 3:
            fail(f"with its file: {expected}")
        os.unlink(program)
        check(kdbg, dumps, expected, "No such file")
        shutil.copy("/bin/true", program)
        check(kdbg, dumps, expected, "build id")
    print("names with and without lines, of", sum(map(len, dumps[:2])), "dumps")


if __name__ == "__main__":
    main()
