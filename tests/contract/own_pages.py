#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools on pages of their own, as kdbg sees them.

Usage: own_pages.py KDBG PROGRAM. In a dump of each tier, in the core made of it,
in the kernel's where it writes one, in the living process: an item is named
with its pool, kept while something leads to it and lost when nothing does, and
so is what only it leads to; what a free item leads to is lost. An overrun is
found, and `kdbg check` finds it all.
"""
import glob
import json
import os
import resource
import subprocess
import sys
import tempfile

NAMES = ["own_mapped", "own_kmem", "own_uvm", "own_static", "own_chunk", "own_filling"]
CARRIED = {"own_kmem": "kmem_alloc_", "own_chunk": "kmem_alloc_"}
FAULTS = 23


class Target:
    """What kdbg is to look at, by its arguments."""

    def __init__(self, kdbg, *arguments):
        self.kdbg, self.arguments = kdbg, arguments

    def rows(self, command):
        run = subprocess.run([self.kdbg, "-j", "-e", command, *self.arguments], capture_output=True, text=True, check=False)
        return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def same(what, seen, wanted):
    if seen != wanted:
        sys.exit(f"{what}: {seen}, not {wanted}")


def places(text):
    """Of each pool its items, kept, lost and free, the blocks that they had, and the item that is ignored."""
    return {words[0]: words[1:] for words in map(str.split, text.splitlines())}


def first(target, address):
    return target.rows(f"{address}::whatis")[0]


def check_names(target, where, lines, audited):
    for name, items in lines.items():
        for item, state in zip(items, ("allocated", "allocated", "free")):
            seen = first(target, item)
            same(f"{where}: {name}", (seen["cache"], seen["state"]), (name, state))
            same(f"{where}: {name} was recorded", seen["bufctl"] is not None, audited)
        seen = target.rows(f"{items[0]}::whatis -a")
        carriers = [row["cache"] for row in seen if row["kind"] == "carrier"]
        same(f"{where}: {name} has a carrier", len(carriers), int(name in CARRIED))
        same(f"{where}: {name}'s carrier", [c for c in carriers if not c.startswith(CARRIED[name])], [])
        arenas = [row["what"] for row in seen if row["kind"] == "segment" and "kernel_map" in row["what"]]
        same(f"{where}: {name} is of an arena", len(arenas), int(name == "own_uvm"))


def check_lists(target, where, lines):
    pools = {row["name"]: row for row in target.rows("::pools")}
    for name, items in lines.items():
        same(f"{where}: in use of {name}", pools[name]["inuse"], 3)
        same(f"{where}: pages of {name}", pools[name]["npage"], 4 if name == "own_filling" else 1)
        walked = [row["addr"] for row in target.rows(f"{pools[name]['address']}::walk kmem")]
        same(f"{where}: items of {name}", {int(a, 16) for a in walked}, {int(a, 16) for a in (items[0], items[1], items[6])})
        found = [row["in"] for row in target.rows(f"{items[3]}::ugrep -v")]
        same(f"{where}: who has the block of {name}: {found}", any(name in text for text in found), True)


def check_leaks(target, where, lines):
    lost = {int(row["addr"], 16) for row in target.rows("::walk leak | ::walk leakbuf")}
    for name, items in lines.items():
        for address, what, wanted in zip(items, ("kept item", "lost item", "free item", "kept's block", "lost's block",
                                                 "free's block", "ignored item"), (False, True, False, False, True, True, False)):
            same(f"{where}: {what} of {name} is lost", int(address, 16) in lost, wanted)
    same(f"{where}: all that is lost", len(lost), 3 * len(lines))


def check(target, where, lines, audited):
    check_names(target, where, lines, audited)
    check_lists(target, where, lines)
    check_leaks(target, where, lines)
    same(f"{where}: damage", [row for row in target.rows("::kmem_verify") if row.get("damaged")], [])


def environment(tier):
    return {**os.environ, "KMA_DEBUG": tier}


def check_dump(kdbg, program, tier, folder):
    dump, core = os.path.join(folder, "dump"), os.path.join(folder, "made")
    run = subprocess.run([program, "dump", dump], capture_output=True, text=True, check=True, env=environment(tier))
    lines = places(run.stdout)
    same("pools", list(lines), NAMES)
    check(Target(kdbg, dump), f"dump at {tier}", lines, tier == "audit")
    subprocess.run([kdbg, "convert", "--to", "core", dump, core], check=True, capture_output=True)
    check(Target(kdbg, core), f"core of the dump at {tier}", lines, tier == "audit")


def check_level(kdbg, program, folder):
    """Level heap has their bytes, written by libkma, by convert, and from outside."""
    dump = os.path.join(folder, "heap")
    run = subprocess.run([program, "dump", dump], capture_output=True, text=True, check=True,
                         env={**environment("audit"), "KMA_DUMP": "level=heap"})
    check(Target(kdbg, dump), "dump of level heap", places(run.stdout), True)
    full, less = os.path.join(folder, "full"), os.path.join(folder, "less")
    run = subprocess.run([program, "dump", full], capture_output=True, text=True, check=True, env=environment("audit"))
    subprocess.run([kdbg, "convert", "--to", "dump", "--level", "heap", full, less], check=True, capture_output=True)
    check(Target(kdbg, less), "dump made less", places(run.stdout), True)


def check_core(kdbg, program, folder):
    """Where the system writes cores to where the process stands."""
    run = subprocess.run([program, "abort"], capture_output=True, text=True, check=False, cwd=folder, env=environment("audit"),
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE,
                                                               2 * (resource.getrlimit(resource.RLIMIT_CORE)[1],)))
    for core in glob.glob(os.path.join(folder, "core*")):
        check(Target(kdbg, core), "core", places(run.stdout), True)


def check_live(kdbg, program):
    with subprocess.Popen([program, "wait"], stdout=subprocess.PIPE, text=True, env=environment("audit")) as process:
        text = "".join(process.stdout.readline() for _ in NAMES)
        check(Target(kdbg, "-p", str(process.pid)), "live", places(text), True)
        process.kill()


def check_check(kdbg, program, folder):
    run = subprocess.run([kdbg, "check", "--dump-dir", folder, "--", program, "check"], capture_output=True, text=True, check=False)
    same(f"check's status\n{run.stdout}{run.stderr}", run.returncode, FAULTS)
    for name in NAMES:
        same(f"check tells of {name}\n{run.stderr}", name in run.stdout + run.stderr, True)


def check_overrun(kdbg, program, folder):
    dump = os.path.join(folder, "overrun")
    subprocess.run([program, "overrun", dump], capture_output=True, check=True, env=environment("audit"))
    damaged = {row["cache_name"] for row in Target(kdbg, dump).rows("::kmem_verify") if row.get("damaged")}
    same("overrun", damaged, set(NAMES) - {"own_filling"})


def main():
    kdbg, program = map(os.path.abspath, sys.argv[1:])
    for tier in "off", "lite", "audit":
        with tempfile.TemporaryDirectory() as folder:
            check_dump(kdbg, program, tier, folder)
    with tempfile.TemporaryDirectory() as folder:
        check_level(kdbg, program, folder)
        check_core(kdbg, program, folder)
        check_live(kdbg, program)
        check_check(kdbg, program, folder)
        check_overrun(kdbg, program, folder)


main()
