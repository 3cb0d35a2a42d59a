#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists, trees and hash tables of a program are walked as it made them.

Usage: linked.py KDBG PROGRAM
"""
import os
import subprocess
import sys
import tempfile

KDBG, PROGRAM = sys.argv[1:3]
LIMIT = 60
NUMBERS = " | ::print -d 'struct item' number"
# What walks them, and the numbers of the items in turn.
WALKS = {
    "&head::list -e 'struct item' node.next": "1 2 3 4 5 6",
    "&head::list -e 'struct item' node.previous": "6 5 4 3 2 1",
    "queue.tqh_first::list queued.tqe_next": "1 2 3 4 5 6",
    "plain.lh_first::list listed.le_next": "6 5 4 3 2 1",
    "singly.slh_first::list 'struct item' single.sle_next": "6 5 4 3 2 1",
    "buckets::hash next": "5 1 6 2 3 4",
    "buckets::hash 'struct item' next": "5 1 6 2 3 4",
    "*table::hash 'struct item' next 2": "5 1 6 2",
    "::hash buckets next": "5 1 6 2 3 4",
    "chains::hash -e 'struct item' chained.next": "1 4 2 5 3 6",
    "*tree::tree 'struct item' left right": "1 2 3 4 5 6",
    "*avl_root::tree -e 'struct item' avl.child[0] avl.child[1]": "1 2 3 4 5 6",
    "*rb_root::tree -e 'struct item' rb.left rb.right": "1 2 3 4 5 6",
    "head::walk list | ::map 'container(., struct item, node)'": "1 2 3 4 5 6",
    "avl_root::walk avl | ::map 'container(., struct item, avl)'": "1 2 3 4 5 6",
    "rb_root::walk rb | ::map 'container(., struct item, rb)'": "1 2 3 4 5 6",
    "buckets::walk list | ::head 1": "5",
}
MISTAKES = {
    "circle::walk list": "the list does not end",
    "&circle[0]::list -e struct node next | ::count": None,
    "::list -e 'struct item' node.next": "needs the address of the list's head",
    "rb_root::hash 'struct item' next": "how many buckets?",
    "10::hash 'struct item' next 1": "bucket",
    "&head::list -e 'struct item' nothing.next": "nothing",
    "circle::walk avl": "no tree",
}


def ask(dump, line):
    return subprocess.run([KDBG, "--no-rc", "-e", line, dump], text=True, capture_output=True, timeout=LIMIT,
                          check=False)


def main():
    with tempfile.TemporaryDirectory(prefix="kdbg-linked-") as folder:
        dump = os.path.join(folder, "dump")
        subprocess.run([KDBG, "run", "-o", dump, "--", PROGRAM], capture_output=True, timeout=LIMIT, check=False)
        for line, wanted in WALKS.items():
            done = ask(dump, line + NUMBERS)
            got = done.stdout.split()[2::3]
            if done.returncode or got != wanted.split():
                sys.exit(f"{line}: {got} and not {wanted}\n{done.stderr}")
        for line, told in MISTAKES.items():
            done = ask(dump, line)
            if told and (done.returncode != 1 or told not in done.stderr):
                sys.exit(f"{line}: status {done.returncode}, {done.stderr}")
        print(f"{len(WALKS)} walks")


main()
