#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Suppressions of kdbg check: each form, its limits, and what is told of it.

Usage: suppressions.py KDBG SUPERVISED OWN_SUPPRESSIONS

supervised leaks by malloc <- lose_one <- lose <- act <- run_actions <- main.
"""
import os
import subprocess
import sys
import tempfile

KDBG, SUPERVISED, OWN = (os.path.realpath(path) for path in sys.argv[1:4])
BLOCK = "{\n  a name\n  Memcheck:Leak\n%s}\n"
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "supervised.c"), encoding="utf-8") as source:
    LOST_AT = next(number for number, line in enumerate(source, 1) if "malloc(100)" in line)
ROWS = [  # rules, leaks, status, what the report tells
    ("leak:lose_one\n", 2, 0, "200 bytes in 2 buffers of 1 places"),
    ("# comment\n\n  leak:se_o \n", 1, 0, ""),
    ("leak:^lose_one$\n", 1, 0, ""),
    ("leak:^los*ne$\n", 1, 0, ""),
    ("leak:^ose_one\n", 1, 23, "stale: hit nothing"),
    ("leak:lose_on$\n", 1, 23, "stale: hit nothing"),
    ("leak:supervised.c\n", 1, 0, ""),
    ("leak:/supervised$\n", 1, 0, ""),
    ("leak:lose?one\n", 1, 23, "stale"),
    (BLOCK % "fun:malloc\nfun:lose_one\n", 1, 0, "a name: 100 bytes"),
    (BLOCK % "fun:mal*\n...\nfun:m?in\n", 1, 0, ""),
    (BLOCK % "...\nfun:lose\nfun:act\n", 1, 0, ""),
    (BLOCK % "...\nfun:lose\nfun:main\n", 1, 23, "stale"),
    (BLOCK % "fun:lose_one\n", 1, 23, "stale"),
    (BLOCK % "fun:malloc\nobj:*/supervised\nsrc:supervised.c\n", 1, 0, ""),
    (BLOCK % f"fun:malloc\nsrc:supervised.c:{LOST_AT}\n", 1, 0, ""),
    (BLOCK % f"fun:malloc\nsrc:supervised.c:{LOST_AT + 1}\n", 1, 23, "stale"),
    (BLOCK % "fun:malloc\n...\nfun:(below main)\n", 1, 0, ""),
    (BLOCK % "fun:malloc\nfun:(below main)\n", 1, 23, "stale"),
    (BLOCK % "match-leak-kinds: possible, indirect\nfun:malloc\n", 1, 23, "stale"),
    (BLOCK % "match-leak-kinds: definite\nfun:malloc\n", 1, 0, ""),
    ("{\n x\n Memcheck:Cond\n fun:malloc\n}\n", 1, 23, ""),
    ("suppress fun=lose_* obj=*/supervised src=*.c cache=kmem_alloc_*\n", 1, 0, ""),
    ("suppress fun=lose_* cache=other\n", 1, 23, "stale"),
    ("suppress fun=lose_one max_count=2\n", 2, 0, ""),
    ("suppress fun=lose_one max_count=2\n", 3, 23, "past its limit"),
    ("suppress fun=lose_one max_bytes=300\n", 3, 0, ""),
    ("suppress fun=lose_one max_bytes=299\n", 3, 23, "past its limit"),
    ("suppress fun=lose_one expires=2001-01-01\n", 1, 23, "expired, and not used"),
    ("suppress fun=lose_one expires=2999-12-31\n", 1, 0, ""),
]
REFUSED = ["fun:x\n", "leak:\n", "leak:^$\n", "suppress \n", "suppress max_count=0 fun=x\n",
           "suppress foo=x\n", "suppress fun=x expires=tomorrow\n", "{\n x\n", BLOCK % "",
           BLOCK % "far:x\n", BLOCK % "match-leak-kinds: some\nfun:x\n"]


def check(folder, rules, leaks, *options, action="leak"):
    path, log = os.path.join(folder, "rules"), os.path.join(folder, "log")
    with open(path, "w", encoding="utf-8") as file:
        file.write(rules)
    done = subprocess.run([KDBG, "check", "--suppressions", path, "--log-file", log, *options,
                           "--", SUPERVISED, action, *([str(leaks)] if action == "leak" else [])],
                          capture_output=True, text=True, timeout=60, check=False)
    with open(log, encoding="utf-8") as file:
        return done.returncode, file.read() + done.stderr


def check_own(folder, *arguments):
    """A program that says itself what is known."""
    log = os.path.join(folder, "log")
    done = subprocess.run([KDBG, "check", "--log-file", log, "--", OWN, *arguments],
                          capture_output=True, text=True, timeout=60, check=False)
    with open(log, encoding="utf-8") as file:
        return done.returncode, file.read() + done.stderr


def main():
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for rules, leaks, status, told in ROWS:
            got, text = check(folder, rules, leaks)
            if got != status or told not in text:
                failed.append(f"{rules!r}: {got}, wanted {status} and {told!r}: {text}")
        for rules in REFUSED:
            got, text = check(folder, "# one\n" + rules, 1)
            if got != 3 or "rules:" not in text:
                failed.append(f"{rules!r} is not refused: {got} {text}")
        _, text = check(folder, "", 1, "--gen-suppressions")
        made = text[text.index("{\n"):text.index("}\n") + 2]
        got, text = check(folder, made, 5)
        if got != 0:
            failed.append(f"what was generated does not suppress: {made} {text}")
        log = os.path.join(folder, "log")
        subprocess.run([KDBG, "check", "--gen-suppressions", "--log-file", log, "--", "sh", "-c",
                        "$0 leak 1; $0 leak 1 leak 1", SUPERVISED], capture_output=True, timeout=60, check=False)
        with open(log, encoding="utf-8") as file:
            text = file.read()
        if text.count("definite leak") != 2 or text.count("{\n") != 1:
            failed.append(f"what several processes lost alike makes one rule: {text}")
        # As valgrind writes it down, or as it reads here; versions do not matter.
        for frames, wanted in (("fun:malloc\nfun:lose_inlined\n", 0),
                               ("fun:malloc\nfun:get_inlined\nfun:lose_inlined\n", 0),
                               ("fun:malloc@@GLIBC_2.2.5\nfun:lose_inlined\n...\nfun:main\n", 0),
                               ("fun:lose_inlined\n", 23),
                               ("fun:malloc\nfun:lose_inlined\nfun:main\n", 23)):
            got, text = check(folder, BLOCK % frames, 1, action="leak-inlined")
            if got != wanted:
                failed.append(f"{frames} on what was inlined: {got}, wanted {wanted}: {text}")
        # Of what main() itself lost it hides nothing else.
        _, text = check(folder, "", 1, "--gen-suppressions", action="leak-in-main")
        made = text[text.index("{\n"):text.index("}\n") + 2]
        for action, wanted in (("leak-in-main", 0), ("leak", 23)):
            got, text = check(folder, made, 1, action=action)
            if got != wanted:
                failed.append(f"{made} on {action}: {got}, wanted {wanted}: {text}")
        for arguments, status, told in (([], 23, "50 bytes in 1 buffer"), (["x"], 0, "no leaks")):
            got, text = check_own(folder, *arguments)
            if (got != status or told not in text or "never_there" in text or
                    "__lsan_default_suppressions():2: leak:hidden" not in text):
                failed.append(f"the program's own: {got}, wanted {status} and {told!r}: {text}")
    print("\n".join(failed) or "all as wanted")
    sys.exit(bool(failed))


main()
