#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kdbg check --baseline: what was there before does not fail, what is new or has grown does.

Usage: baseline.py KDBG SUPERVISED COMPILER... [-- TEST...]

Every test is a function test_NAME(folder); its docstring is what it holds.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

KDBG, SUPERVISED = (os.path.abspath(path) for path in sys.argv[1:3])
WORDS = sys.argv[3:]
COMPILER = WORDS[:WORDS.index("--")] if "--" in WORDS else WORDS
LIMIT = 60


def clean_environment():
    drop = ("KMA_", "UMEM_", "LD_PRELOAD")
    return {name: value for name, value in os.environ.items() if not name.startswith(drop)}


def check(folder, *command, update=False, options=()):
    rows = os.path.join(folder, "rows")
    done = subprocess.run(
        [KDBG, "check", "--jsonl", rows, "--baseline", os.path.join(folder, "baseline"),
         *(["--update-baseline"] if update else []), *options, "--", *map(str, command)],
        capture_output=True, text=True, timeout=LIMIT, env=clean_environment())
    found = []
    if os.path.exists(rows):
        with open(rows) as lines:
            found = [json.loads(line) for line in lines]
        os.unlink(rows)
    return done.returncode, done.stderr, found


def states(rows):
    return sorted(row["baseline"] for row in rows if row["type"] == "leak")


def equal(got, wanted, text=""):
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}; {text}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def lines_of(folder):
    with open(os.path.join(folder, "baseline")) as file:
        return [line.split("\t") for line in file.read().splitlines() if line[0] != "#"]


def test_known_new_grown_gone(folder):
    """The four verdicts, and the status each leads to."""
    status, text, rows = check(folder, SUPERVISED, "leak", 3, update=True)
    equal((status, text, states(rows)), (0, "", ["known"]))
    status, text, rows = check(folder, SUPERVISED, "leak", 3)
    equal((status, text, states(rows)), (0, "", ["known"]), "known")
    status, text, rows = check(folder, SUPERVISED, "leak", 2)
    equal((status, states(rows)), (0, ["known"]), "fewer are known too")
    status, text, rows = check(folder, SUPERVISED, "leak", 4)
    equal((status, states(rows)), (23, ["grown"]), text)
    contains(text, "grown, definite leak: 400 bytes in 4 buffers")
    status, text, rows = check(folder, SUPERVISED, "leak", 3, "thread-leak", 1)
    equal((status, states(rows)), (23, ["known", "new"]), text)
    contains(text, "new, definite leak: 100 bytes in 1 buffer")
    contains(text, "100 bytes leaked in 1 buffer\n")
    status, text, rows = check(folder, SUPERVISED, "thread-leak", 1)
    equal([row["caller"] for row in rows if row["type"] == "gone"], ["lose_one"])
    contains(text, "gone: 300 bytes in 3 buffers of supervised, allocated by lose_one")


def test_gone_only_where_it_could_be_seen(folder):
    """A program that did not run, or was not checked, has lost nothing of its baseline."""
    check(folder, SUPERVISED, "leak", 3, update=True)
    for command in (["/bin/true"], [SUPERVISED, "raw-exit", 0]):
        _, text, rows = check(folder, *command)
        equal([row for row in rows if row["type"] == "gone"], [], text)


def test_update_adds_and_raises(folder):
    """Never lowers: tests of a suite share the file."""
    for count in (3, 5, 1):
        equal(check(folder, SUPERVISED, "leak", count, update=True)[0], 0)
    equal([(line[0], line[2], line[3]) for line in lines_of(folder)],
          [("supervised", "5", "500")])
    check(folder, SUPERVISED, "thread-leak", 1, update=True)
    equal(len(lines_of(folder)), 2)


def test_many_update_at_once(folder):
    """Each under its lock: no line is lost."""
    programs = [shutil.copy(SUPERVISED, os.path.join(folder, f"test{i}")) for i in range(8)]
    running = [subprocess.Popen([KDBG, "check", "--baseline", os.path.join(folder, "baseline"),
                                 "--update-baseline", "--", program, "leak", "1"],
                                env=clean_environment()) for program in programs]
    equal([process.wait(LIMIT) for process in running], [0] * len(running))
    equal(sorted(line[0] for line in lines_of(folder)), sorted(map(os.path.basename, programs)))


SOURCE = """
#include <stdlib.h>
#include <string.h>
%s
struct node { struct node *next; char text[%d]; };
void *volatile held;
static __attribute__((noinline)) struct node *make(struct node *next)
{
	struct node *node = malloc(sizeof(*node));
	memset(node, 0, sizeof(*node));
	node->next = next;
	return node;
}
int main(void)
{
	%s
	held = make(make(NULL));
	char space[8192];
	held = NULL;
	memset(space, 0, sizeof(space));
	held = space;
	return 0;
}
"""


def build(folder, flags, *parts):
    source, program = (os.path.join(folder, name) for name in ("lossy.c", "lossy"))
    with open(source, "w") as file:
        file.write(SOURCE % parts)
    subprocess.run([*COMPILER, "-w", "-o", program, source, *flags], check=True)
    return program


def test_stable_across_builds(folder):
    """Other lines, flags, addresses and sizes nearby: the same signatures."""
    program = build(folder, ["-g", "-O1"], "", 40, "")
    status, text, rows = check(folder, program, update=True)
    equal((status, states(rows)), (0, ["known", "known"]), text)
    for flags in (["-g", "-O0"], ["-O1"], ["-g", "-O1", "-fno-pie", "-no-pie"]):
        program = build(folder, flags, "\n\n/* moved */\n", 48, "held = strdup(\"x\"); free(held);")
        status, text, rows = check(folder, program)
        equal((status, states(rows)), (0, ["known", "known"]), f"{flags} {text}")


def test_heap_errors_are_never_known(folder):
    """A baseline is about leaks: a misuse fails as ever."""
    equal(check(folder, SUPERVISED, "double-free", update=True)[0], 23)
    equal(check(folder, SUPERVISED, "double-free")[0], 23)


def test_sarif_has_the_states(folder):
    """baselineState, for pages that show what is new."""
    sarif = os.path.join(folder, "sarif")
    check(folder, SUPERVISED, "leak", 1, update=True)
    check(folder, SUPERVISED, "leak", 1, "thread-leak", 1, options=["--sarif", sarif])
    with open(sarif) as file:
        results = json.load(file)["runs"][0]["results"]
    equal(sorted(result["baselineState"] for result in results), ["new", "unchanged"])
    equal(sorted(result["level"] for result in results), ["error", "note"])


def test_what_is_wrong_is_told(folder):
    """No file, and one that is none: the line and what to do."""
    status, text, _ = check(folder, SUPERVISED)
    equal(status, 3, text)
    contains(text, "no such file: --update-baseline makes it")
    for broken in ("supervised\tnothing\t1\t1\tx\n", "\0\xff\n", "supervised\t12\t-1\t1\tx\n",
                   "supervised\t0\t1\t1\tx\n", "supervised\t12\t1"):
        with open(os.path.join(folder, "baseline"), "w", encoding="latin-1") as file:
            file.write("# kdbg check --baseline, version 1\n" + broken)
        for update in (False, True):
            status, text, _ = check(folder, SUPERVISED, update=update)
            equal(status, 3, text)
            contains(text, "baseline:2: not a line of a baseline")
        with open(os.path.join(folder, "baseline"), encoding="latin-1") as file:
            contains(file.read(), broken)
    done = subprocess.run([KDBG, "check", "--update-baseline", "--", "true"], capture_output=True,
                          text=True, timeout=LIMIT)
    equal(done.returncode, 2, done.stderr)
    contains(done.stderr, "--update-baseline needs --baseline FILE")


def main():
    names = WORDS[WORDS.index("--") + 1:] if "--" in WORDS else []
    tests = [(name, test) for name, test in sorted(globals().items())
             if name.startswith("test_") and (not names or name in names)]
    failed = 0
    for name, test in tests:
        try:
            with tempfile.TemporaryDirectory() as folder:
                test(folder)
            print("ok  ", name, flush=True)
        except (AssertionError, subprocess.SubprocessError, OSError) as why:
            failed += 1
            print("FAIL", name, "-", why, flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
