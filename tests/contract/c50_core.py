#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a core of an aborted program tells, without debug information.

Usage: c50_core.py KDBG PROGRAM LIBKMA. The program is aborted for one misuse
after the other, with a stripped library. Of each the error, the buffer, its
cache, its last transaction and who had it are read from the core that the
kernel writes, where it writes one to the folder it is told, and from the one
made of the program's dump.
"""
import glob
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile

# kind: the error, the cache of the buffer, what was last done with it
KINDS = {
    "put_twice": ("DUPFREE", "c50cache", "free"),
    "put_elsewhere": ("BADCACHE", "c50one", "alloc"),
    "free_less": ("BADSIZE", "kmem_alloc_112", "alloc"),
    "write_past": ("REDZONE", "kmem_alloc_112", "alloc"),
    "write_after": ("MODIFIED", "c50after", "free"),
    "lose": ("LEAK", "c50lost", "alloc"),
}


class Core:
    """A core, and kdbg."""

    def __init__(self, kdbg, path):
        self.kdbg, self.path = kdbg, path

    def rows(self, command):
        run = subprocess.run([self.kdbg, "-j", "-e", command, self.path], capture_output=True,
                             text=True, check=False)
        return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def same(what, seen, wanted):
    if seen != wanted:
        sys.exit(f"{what}: {seen}, not {wanted}")


def inside(address, start, size):
    return int(start, 16) <= int(address, 16) < int(start, 16) + size


def check(kind, core, address):
    code, cache, last = KINDS[kind]
    error = core.rows("::kma_error")[-1]
    same(f"{kind}: the error", error["code"], code)
    if code != "LEAK":  # which is about a cache; the report's text lists the objects
        same(f"{kind}: the buffer of the error", error["bufaddr"], address)
        same(f"{kind}: the cache of the error", error["cache"], cache)
    same(f"{kind}: who was aborted", bool(error["stack"]), True)
    what = core.rows(f"{address}::whatis")[0]
    same(f"{kind}: the cache", what["cache"], cache)
    same(f"{kind}: the request", what["size"], 100)
    # What is being freed while it is found wrong is neither.
    states = ("free",) if last == "free" else ("allocated", "changing")
    same(f"{kind}: the state {what['state']}", what["state"] in states, True)
    bufctl = core.rows(f"{what['bufctl']}::bufctl -v")[0]
    same(f"{kind}: who had it", bufctl["thread"], error["thread"])
    same(f"{kind}: from where", len(bufctl["stack"]) >= 2, True)
    log = [row for row in core.rows("::kmalog") if inside(row["addr"], address, 1)]
    same(f"{kind}: the last transaction", (log[0]["operation"], log[0]["cache"],
                                           log[0]["thread"]), (last, cache, error["thread"]))


def run(kind, program, folder):
    """The address that it is about, and the cores."""
    dump, core = os.path.join(folder, "dump"), os.path.join(folder, "made")
    done = subprocess.run(
        [program, kind], capture_output=True, text=True, check=False, cwd=folder,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE,
                                              2 * (resource.getrlimit(resource.RLIMIT_CORE)[1],)),
        env={**os.environ, "KMA_DEBUG": "audit", "KMA_LOGGING": "transaction",
             "LD_LIBRARY_PATH": folder, "KMA_DUMP": f"path={dump},on=error"})
    same(f"{kind}: how it ends", done.returncode, -6)
    return done.stdout.strip(), dump, core, glob.glob(os.path.join(folder, "core*"))


def main():
    kdbg, program, library = (os.path.abspath(path) for path in sys.argv[1:])
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            stripped = os.path.join(folder, os.path.basename(library))
            shutil.copy(library, stripped)
            subprocess.run(["strip", stripped], check=True)
            address, dump, made, cores = run(kind, program, folder)
            subprocess.run([kdbg, "convert", dump, made], check=True, capture_output=True)
            for core in [made, *cores]:
                check(kind, Core(kdbg, core), address)


main()
