#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types on a real dump: the allocator's own structures, which kdbg also knows
from its schema, seen through debug information.

Usage: types.py KDBG PROGRAM
"""
import json
import os
import re
import subprocess
import sys
import tempfile

KDBG, PROGRAM = (os.path.abspath(path) for path in sys.argv[1:3])
HEADER = """
/* What a stripped program's header might say. */
#define NAME_SIZE 8
enum state { IDLE, BUSY = 4 };
struct item { struct item *next; enum state state : 3; unsigned rest : 29; char name[NAME_SIZE]; };
typedef struct { int count; struct item *items[]; } table_t;
"""


def kdbg(dump, *commands, arguments=()):
    words = [word for command in commands for word in ("-e", command)]
    return subprocess.run([KDBG, "--no-rc", *arguments, *words, dump], capture_output=True, text=True,
                          timeout=60, check=False)


def text(dump, *commands):
    done = kdbg(dump, *commands)
    if done.returncode != 0:
        sys.exit(f"{commands}: {done.stderr}")
    return done.stdout


def rows(dump, command):
    done = kdbg(dump, command, arguments=["-j"])
    if done.returncode != 0:
        sys.exit(f"{command}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def equal(got, wanted, what):
    if got != wanted:
        sys.exit(f"{what}: got\n{got}\nwanted\n{wanted}")


def check_examples(dump):
    for name in ("array", "enum", "list", "offsetof", "print", "printf", "sizeof", "typedef"):
        example = re.search(r"^example: (.*)", text(dump, "::help " + name), re.M)[1]
        text(dump, example)


def check_caches(dump):
    """The list of caches, found by type, is the walker's."""
    listed = text(dump, "kma_root::print caches | ::list 'struct kma_cache' next").split()
    equal(sorted(listed), sorted(text(dump, "::walk kmem_cache").split()), "caches")
    names = text(dump, "kma_root::print caches | ::list 'struct kma_cache' next | "
                       "::printf '%s' 'struct kma_cache' name").split()
    known = [row["name"] for row in rows(dump, "::kmem_cache")]
    equal(sorted(names), sorted(known), "names of caches")


def check_rows(dump):
    """Every member's row has the address that its offset says."""
    root = int(text(dump, "kma_root=K"), 16)
    found = rows(dump, "kma_root::print")
    if len(found) < 40:
        sys.exit(f"kma_root has {len(found)} rows")
    for row in found:
        equal(int(row["address"], 16), root + row["offset"], row["path"])
    by_path = {row["path"]: row for row in found}
    head = rows(dump, "::offsetof struct kma_root pid")[0]
    equal(head["offset"], by_path["pid"]["offset"], "pid")


def check_declared(dump, folder):
    header = os.path.join(folder, "items.h")
    with open(header, "w", encoding="utf-8") as stream:
        stream.write(HEADER)
    said = text(dump, f"::typedef -r {header}", "::offsetof struct item name", "::offsetof struct item rest",
                "::enum state BUSY", "::sizeof table_t", "4::print -i 'enum state'")
    equal(said,
          "3 types declared\n"
          "offsetof (struct item, name) = 0xc\n"
          "offsetof (struct item, rest) = 0x8, bits 3 to 31\n"
          "   VALUE NAME\n"
          "       4 BUSY\n"
          "sizeof (table_t) = 0x8\n"
          "0x4 (BUSY)\n", "declared types")


def main():
    with tempfile.TemporaryDirectory(prefix="kdbg-types-") as folder:
        dump = os.path.join(folder, "a.kdump")
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("KMA_", "UMEM_", "LD_PRELOAD"))}
        subprocess.run([KDBG, "run", "-o", dump, "--", PROGRAM], env=environment, check=True,
                       stdout=subprocess.DEVNULL, timeout=60)
        check_examples(dump)
        check_caches(dump)
        check_rows(dump)
        check_declared(dump, folder)


main()
