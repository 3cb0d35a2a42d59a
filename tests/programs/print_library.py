#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""::print of the C++ library's containers: what they hold.

Usage: print_library.py KDBG PROGRAM (cxx_library.cc)
"""
import json
import os
import re
import subprocess
import sys
import tempfile

KDBG, PROGRAM = sys.argv[1:3]
LIMIT = 120

SHOWN = r"""
empty = ""
short_text = "short"
long_text = "a text that is too long for its own object"
none = []
numbers = [ 1, 2, 3 ]
words = [
    [0] = "one"
    [1] = "two"
]
list = std::list of 2 {
    [0] = 7
    [1] = 8
}
map = std::map of 3 {
    [0] = {
        first = 1
        second = "a"
    }
    [1] = {
        first = 2
        second = "b"
    }
    [2] = {
        first = 3
        second = "c"
    }
}
letters = std::multiset of 3 {
    [0] = 'a'
    [1] = 'z'
    [2] = 'z'
}
table = std::unordered_map of 1 {
    [0] = {
        first = 5
        second = 50
    }
}
names = std::unordered_set of 1 {
    [0] = "only"
}
owned = ADDRESS
shared = ADDRESS
nobody = 0
"""


def ask(dump, line, *options):
    done = subprocess.run([KDBG, "--no-rc", *options, "-e", line, dump], capture_output=True, text=True,
                          timeout=LIMIT, check=False)
    assert not done.returncode, (line, done.stdout, done.stderr)
    return done.stdout


def check(dump):
    members = " ".join(re.findall(r"^(\w+) = ", SHOWN, re.M))
    shown = re.sub(r"0x[0-9a-f]{6,}", "ADDRESS", ask(dump, "*all::print -d " + members))
    assert shown == SHOWN.lstrip(), shown

    # Bits are packed and stay as they are kept; so does all with --raw.
    assert "_M_start" in ask(dump, "*all::print bits")
    assert "_M_header" in ask(dump, "*all::print --raw map")
    assert "{ ... }" in ask(dump, "*all::print -s 0 map")

    # In a pipe each element is a value, or where it lies.
    piped = [int(value, 16) for value in ask(dump, "*all::print deque | ::map .").split()]
    assert piped == list(range(67, 200)), piped
    assert ask(dump, "*all::print -d deque").splitlines()[133] == "    [132] = 199"
    assert ask(dump, "*all::print map | /D").split()[1::2] == ["1", "2", "3"]
    assert ask(dump, "*all::print owned | ::print struct node next->number").split() == ["next->number", "=", "0x2"]
    assert ask(dump, "*all::print numbers[2] words[1]") == 'numbers[2] = 0x3\nwords[1] = "two"\n'
    assert ask(dump, "((struct everything *)*all)->owned->next->number=D").split() == ["2"]
    assert ask(dump, "*all::print long_text | /s").rstrip().endswith("for its own object")

    # A count that lies ends where the tree does.
    lying = subprocess.run([KDBG, "--no-rc", "-e", "*all::print lying", dump], capture_output=True, text=True,
                           timeout=LIMIT, check=True).stdout
    assert lying.startswith("lying = std::map of 1000 {") and len(lying.splitlines()) < 5000, lying

    rows = [json.loads(row) for row in ask(dump, "*all::print words", "-j").splitlines()]
    assert [row["path"] for row in rows] == ["words", "words[0]", "words[1]"], rows
    assert rows[1]["value"] == '"one"', rows

    # Trees of the program's own are walked in order, damaged ones once.
    assert ask(dump, "*root::tree leaf left right | ::print -d leaf number").split()[2::3] == ["1", "2", "3"]
    assert ask(dump, "root::tree left right | ::count").split() == ["3"]
    told = ask(dump, "*damaged::tree leaf left right")
    assert len(told.splitlines()) == 5 and "no tree: 1 links" in told, told

    # Names that the compiler tags, pointers to members.
    assert ask(dump, "tagged::print -d first; ::print tagged second") == \
        'first = 7\nsecond = "of a tagged type"\n'
    assert re.fullmatch(r"\+0xc\nNULL\ncxx_library`counted::ask\(\) const\nvirtual \+0x0\n",
                        ask(dump, "to_member::print; to_none::print; to_function::print; to_virtual::print"))

    # A thread-local variable has its type, too.
    assert ask(dump, "own::print -t; ::print own") == "int 0x9\n0x9\n"


def main():
    with tempfile.TemporaryDirectory(prefix="library-") as folder:
        dump = os.path.join(folder, "dump")
        subprocess.run([KDBG, "run", "-o", dump, "--", PROGRAM], capture_output=True, timeout=LIMIT, check=False)
        check(dump)
    print("containers show what they hold")


main()
