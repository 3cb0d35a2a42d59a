#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules: the example of the documentation works; one that crashes is unloaded
and kdbg goes on.

Usage: module.py KDBG PROGRAM EXAMPLE CRASH NOT_ONE
"""
import json
import os
import subprocess
import sys
import tempfile

KDBG, PROGRAM, EXAMPLE, CRASH, NOT_ONE = sys.argv[1:6]


def fail(text):
    sys.exit(f"module.py: {text}")


def run(dump, *lines, options=()):
    commands = [word for line in lines for word in ("-e", line)]
    return subprocess.run([KDBG, "--no-rc", *options, *commands, dump], capture_output=True, text=True,
                          timeout=60, check=False)


def check_example(dump):
    done = run(dump, f"::load {EXAMPLE}", "::dmods", "<rsp::pointers 0t40", "::help pointers",
               "<rsp::walk chain ! head -1", f"::load {EXAMPLE}", "::unload example", "<rsp::pointers")
    for text in ("example", "ADDR             VALUE            SYMBOL", "words that point to something"):
        if text not in done.stdout:
            fail(f"no {text!r} in:\n{done.stdout}{done.stderr}")
    for text in ("a module example is loaded already", "unknown command ::pointers"):
        if text not in done.stderr:
            fail(f"no {text!r} in:\n{done.stderr}")
    rows = run(dump, f"::load {EXAMPLE}", "<rsp::pointers 0t40", options=["-j"]).stdout.splitlines()
    if not rows or set(json.loads(rows[0])) != {"addr", "value", "symbol"}:
        fail(f"JSON: {rows}")


def check_crashes(dump):
    for command in ("::crash null", "::crash abort", "::crash divide", "::crash overflow",
                    "::crash null thread", "::crash overflow thread", "::walk crashing",
                    "::walk crashing | ::eval '::echo on'"):
        done = run(dump, f"::load {CRASH}", command, "::dmods", "::crash null", f"::load {CRASH}",
                   "::crash x", "::echo alive")
        if done.returncode != 1 or not done.stdout.endswith("alive\n"):
            fail(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
        for text in ("crashed (", "and is unloaded", "unknown command ::crash", "not crashed: x"):
            if text not in done.stderr:
                fail(f"{command}: no {text!r} in:\n{done.stderr}")


def check_others(dump):
    done = run(dump, "::load /nowhere/x.so", f"::load {NOT_ONE}", "::unload x", "::load")
    for text in ("/nowhere/x.so", "does not define kdbg_module", "no module x is loaded", "which module?"):
        if text not in done.stderr:
            fail(f"no {text!r} in:\n{done.stderr}")


def main():
    with tempfile.TemporaryDirectory(prefix="module-") as folder:
        dump = os.path.join(folder, "dump")
        subprocess.run([KDBG, "run", "-o", dump, "--", PROGRAM], capture_output=True, timeout=60, check=True)
        check_example(dump)
        check_crashes(dump)
        check_others(dump)


main()
