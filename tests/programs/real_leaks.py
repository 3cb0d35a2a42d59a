#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""No leak that kdbg tells of a real program is one that the program still holds.

Usage: real_leaks.py KDBG [NAME...]

The programs of real.py run under kdbg check, and the dumps of those with
findings are kept. Of each definite leak all of the dump is searched for words,
at every byte, that point to it (::refs -au, which knows nothing of how marking
went): a word outside of what is lost itself, freed, left over below a stack or
slack proves that it is no leak. A packed structure's pointer into the middle is
none by marking's rules. corpus/README.md tells what the programs really lose.
"""
import collections
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KDBG = pathlib.Path(sys.argv[1]).resolve()
HOLD_NOTHING = {"leaked", "freed", "slack", "stale"}
GROUPS_MAX = 200  # of one process


def load_real():
    spec = importlib.util.spec_from_file_location("real", HERE / "real.py")
    real = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(real)
    return real


def ask(dump, commands):
    words = [word for command in commands for word in ("-e", command)]
    done = subprocess.run([KDBG, "--no-rc", "-j", *words, dump], capture_output=True, text=True,
                          errors="replace", timeout=600, check=False)
    if done.returncode != 0:
        sys.exit(f"real_leaks.py: {dump.name}: status {done.returncode}\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def holds(ref):
    if ref["kind"] in HOLD_NOTHING:
        return False
    packed = ref["addr"] is not None and int(ref["addr"], 16) % 8 != 0
    return not (packed and ref["into"])


def held_leaks(dump):
    """Words that hold a definite leak, and how many of those there are."""
    groups = [row for row in ask(dump, ["::findleaks"]) if row["class"] == "definite"][:GROUPS_MAX]
    held = []
    if groups:
        held = [ref for ref in ask(dump, [f"{row['buffer']}::refs -au" for row in groups])
                if holds(ref)]
    return held, groups


def check(real, name):
    files, command = real.PROGRAMS[name]
    with tempfile.TemporaryDirectory(prefix="kdbg-leaks-") as folder:
        work, dumps = pathlib.Path(folder) / "work", pathlib.Path(folder) / "dumps"
        work.mkdir()
        for file, text in files.items():
            (work / file).write_text(text)
        subprocess.run([KDBG, "check", "--strict-children", "--quiet", "--dump-dir", dumps,
                        "--keep=findings", "--", "sh", "-c", command],
                       cwd=work, env=real.environment_of(folder), stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=real.TIMEOUT, check=False)
        told, wrong = collections.Counter(), []
        for dump in sorted(dumps.iterdir()) if dumps.exists() else []:
            held, groups = held_leaks(dump)
            told[dump.name.split(".")[1]] += len(groups)
            wrong += [f"{dump.name}: {ref['held_by']} ({ref['kind']}) holds {ref['word']}"
                      for ref in held]
    return told, wrong


def main():
    real = load_real()
    failed = 0
    for name in sys.argv[2:] or list(real.PROGRAMS):
        if not shutil.which(name.split()[0]):
            print(f"{name}: not installed: tools/setup --tests")
            failed += 1
            continue
        told, wrong = check(real, name)
        groups = ", ".join(f"{program} {count}" for program, count in sorted(told.items()) if count)
        print(f"{name}: {'HELD' if wrong else 'ok'}: {groups or 'no leaks'}", flush=True)
        print("".join(f"    {line}\n" for line in wrong[:20]), end="")
        failed += bool(wrong)
    sys.exit(failed != 0)


main()
