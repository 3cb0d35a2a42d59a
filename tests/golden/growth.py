#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What grew over four dumps of one program: kdbg diff A B C D.

Usage: growth.py KDBG LIBRARY PROGRAM (growth.c)
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

KDBG, LIBRARY, PROGRAM = (os.path.abspath(path) for path in sys.argv[1:4])


def check(condition, what):
    if not condition:
        sys.exit(f"growth.py: {what}")


def ask(*words):
    done = subprocess.run([KDBG, *words], capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 0, f"{words}: status {done.returncode}\n{done.stderr}")
    return done.stdout


def rows_of(text):
    return [json.loads(line) for line in text.splitlines()]


def at(rows, function):
    """The row of a function of the program."""
    found = [row for row in rows if any(f"`{function}" in line for line in row["stack"] or [])]
    check(len(found) == 1, f"{function}: {len(found)} groups in {rows}")
    return found[0]


def figures(row):
    return row["growth"], row["buffers"], row["per_dump"], row["steps_grown"]


def check_stacks(dumps):
    rows = rows_of(ask("diff", "-j", *dumps))
    leak, cache = at(rows, "leak"), at(rows, "fill_cache")
    check(figures(leak) == (15000, 300, 5000, 3), f"the leak: {leak}")
    # 0, 100000, 100000, 100000: a slope, but one step.
    check(figures(cache) == (100000, 5000, 30000, 1), f"the cache: {cache}")
    check(not any("`take" in line for row in rows for line in row["stack"] or []),
          f"what shrank grew: {rows}")
    text = ask("diff", *dumps)
    check("grew at 3 of 3 steps" in text and "grew at 1 of 3 steps" in text, text)
    check("a dump" not in ask("diff", dumps[0], dumps[3]), "two dumps have no slope")


def check_shrunk(dumps):
    rows = rows_of(ask("-j", "-e", f"::diff -a '{dumps[0]}'", dumps[3]))
    check(at(rows, "take")["growth"] == -48000, "what was given back")


def check_misfits(folder, dumps):
    """Dumps of two programs, and those in the wrong order, are told."""
    other = str(pathlib.Path(folder) / "other.kdump")
    subprocess.run(["/bin/true"], timeout=60, check=True,
                   env={**os.environ, "LD_PRELOAD": LIBRARY, "KMA_DUMP": f"path={other},on=exit"})
    text = ask("diff", dumps[0], other)
    check(f"{dumps[0]} is of growth, but {other} of true" in text, text)
    check("younger" in ask("diff", dumps[3], dumps[0]), "dumps in the wrong order")
    for text in (ask("diff", *dumps), ask("diff", dumps[0], dumps[0])):
        check("younger" not in text and "is of" not in text, text)


def check_other_keys(dumps):
    rows = rows_of(ask("-j", "-e", f"::diff --by cache '{dumps[0]}' '{dumps[1]}'", dumps[3]))
    caches = {row["cache"]: row["growth"] for row in rows}
    check(caches.get("kmem_alloc_64") == 15000 and caches.get("kmem_alloc_32") == 100000,
          f"by cache: {caches}")
    rows = rows_of(ask("-j", "-e", f"::diff -a --by age '{dumps[0]}'", dumps[3]))
    check(rows and all("old" in row["cache"] for row in rows), f"by age: {rows}")
    wrong = subprocess.run([KDBG, "-e", f"::diff --by size '{dumps[0]}'", dumps[3]],
                           capture_output=True, text=True, timeout=60, check=False)
    check(wrong.returncode == 1 and "by stack, cache, type or age" in wrong.stderr, wrong.stderr)


def main():
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        dumps = [str(pathlib.Path(folder) / f"{i}.kdump") for i in range(4)]
        subprocess.run([PROGRAM, *dumps], timeout=60, check=True, cwd=folder,
                       env={**os.environ, "LD_PRELOAD": LIBRARY, "KMA_DEBUG": "default"})
        check_stacks(dumps)
        check_shrunk(dumps)
        check_other_keys(dumps)
        check_misfits(folder, dumps)


main()
