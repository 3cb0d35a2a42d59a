#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kdbg check on the corpus: 23 for what leaks, 0 for what is clean.

Usage: check_corpus.py KDBG BUILD CORPUS TIER

The truth is corpus/*/NAME.json (corpus/README.md). Every leak that check tells
must be there with its buffers and bytes, and none be missing; the report for
people names the line of each definite one's allocation.
"""
import collections
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

KDBG, BUILD, CORPUS = (pathlib.Path(path).resolve() for path in sys.argv[1:4])
TIER = sys.argv[4]
TIMEOUT = 120


def status_of(truth):
    """As a shell has it."""
    status = truth.get("status", 0)
    return 128 + signal.Signals[status] if isinstance(status, str) else status


def check(name, truth, folder):
    rows = folder / "rows"
    words = [word.format(build=BUILD, corpus=CORPUS, folder=folder)
             for word in truth.get("arguments", [])]
    env = {key: value for key, value in os.environ.items() if not key.startswith("KMA_")}
    done = subprocess.run([KDBG, "check", "--tier", TIER, "--jsonl", rows, "--", BUILD / "corpus" / name, *words],
                          cwd=folder, env=env, timeout=TIMEOUT, capture_output=True, text=True,
                          errors="replace", check=False)
    return done, [json.loads(line) for line in rows.read_text().splitlines()]


def leaks_told(rows, kind):
    """[buffers, bytes] of each function of the program, for one class."""
    told = collections.defaultdict(lambda: [0, 0])
    for row in rows:
        if row["type"] == "leak" and row["class"] == kind:
            function = re.sub(r"\(.*", "", row["caller"]["function"].replace("(anonymous namespace)::", ""))
            told[function][0] += row["leaked"]
            told[function][1] += row["bytes"]
    return dict(told)


def compare(name, truth, folder):
    """What is wrong, or None."""
    done, rows = check(name, truth, folder)
    wanted = 23 if truth.get("definite") else status_of(truth)
    if done.returncode != wanted:
        return f"status {done.returncode}, not {wanted}: {done.stderr}"
    if wanted == 0 and done.stderr:
        return f"clean, yet it says {done.stderr}"
    for kind in ("definite", "indirect"):
        told = leaks_told(rows, kind)
        true = {function: counts[:2] for function, counts in truth.get(kind, {}).items()}
        if told != true:
            return f"{kind} is {told}, not {true}"
    for row in rows:
        if row["type"] == "leak" and row["class"] == "definite":
            place = f"{row['caller']['file']}:{row['caller']['line']})"
            if not row["caller"]["file"] or place not in done.stderr:
                return f"the report does not name {row['caller']}"
    long = [line for line in done.stderr.splitlines()
            if re.search(r"<(?!\.\.\.).*(, |<)", line) and len(line.split(" (/")[0]) > 90]
    if long:
        return f"arguments of templates hide the rest: {long[0]}"
    return None


def main():
    failed = count = 0
    for path in sorted(CORPUS.glob("*/*.json")):
        truth = json.loads(path.read_text())
        if "driver" in truth or path.parent.name == "dumps":  # their own tests run them
            continue
        count += 1
        with tempfile.TemporaryDirectory() as folder:
            wrong = compare(path.stem, truth, pathlib.Path(folder))
        print("FAIL" if wrong else "ok  ", path.stem, wrong or "", flush=True)
        failed += bool(wrong)
    print(f"{count - failed} passed, {failed} failed")
    sys.exit(failed != 0 or count < 10)


main()
