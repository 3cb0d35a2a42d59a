#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kdbg shows every family of a process that has all of them, and totals agree.

Usage: families.py KDBG PROGRAM.
"""
import json
import os
import subprocess
import sys
import tempfile


class Dump:
    """A dump, and kdbg."""

    def __init__(self, kdbg, path):
        self.kdbg, self.path = kdbg, path

    def rows(self, command):
        run = subprocess.run([self.kdbg, "-j", "-e", command, self.path], capture_output=True,
                             text=True, check=True)
        return [json.loads(line) for line in run.stdout.splitlines()]

    def named(self, command, key="name"):
        return {row[key]: row for row in self.rows(command)}


def same(what, seen, wanted):
    if seen != wanted:
        sys.exit(f"{what}: {seen}, not {wanted}")


def check(dump, item, plain, percpu, used):
    pools = dump.named("::pools")
    same("pools", {name: pools[name]["inuse"] for name in pools},
         {"fam_pool": 50, "fam_limited": 5, "fam_cache": 20, "fam_object": 20})
    same("size", pools["fam_pool"]["size"], 100)
    caches = dump.named("::poolcache")
    same("pool caches", sorted(caches), ["fam_cache", "fam_object"])
    same("requests", caches["fam_cache"]["cachelayer"], 40)
    same("cached", caches["fam_cache"]["cached"] >= 20, True)
    one = dump.rows(f"{pools['fam_limited']['address']}::pool")[0]
    same("limit", (one["kind"], one["hardlimit"], one["nout"]), ("pool", 5, 5))
    types = dump.named("::malloctypes", "type")
    same("types", {name: types[name]["inuse"] for name in types}, {"mount": 20, "temp": 10})
    same("buckets", sum(row["inuse"] for row in dump.rows("::malloctypes -b")), 30)
    waiters = dump.rows("::waiters")
    same("waiters", [(w["kind"], w["for"], w["size"]) for w in waiters],
         [("cache", "fam_limited", 64)])
    parts = dump.rows(f"{percpu}::percpu")
    same("parts", [row["cpu"] for row in parts], list(range(len(parts))))
    same("guards", dump.rows("::kmguard")[0]["live"], 0)
    same("an item", "allocated from fam_pool" in dump.rows(f"{item}::whatis")[0]["what"], True)
    same("plain", dump.rows(f"{plain}::whatis")[0]["what"], "allocated from kmem_alloc_896")
    same("walkers", len(dump.rows("::walk pool | ::pool")), 4)
    same("walkers", len(dump.rows("::walk pool_cache | ::pool")), 2)
    rows = dump.rows("::kmastat")
    for row in rows:
        if "buf_total" in row:
            same(f"in use and total of {row.get('cache_name')}",
                 row["buf_in_use"] <= row["buf_total"], True)
    names = {"fam_pool", "fam_limited", "fam_cache", "fam_object"}
    same("in kmastat", names <= {row.get("cache_name") for row in rows}, True)
    memory = sum(row["memory_in_use"] for row in rows
                 if str(row.get("cache_name", "")).startswith(("kmem_alloc_", "kmem_oversize",
                                                               "fam_")))
    same("memory of all slabs", memory, used)


def main():
    kdbg, program = sys.argv[1:]
    for tier in "lite", "audit":
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "dump")
            run = subprocess.run([program, path], capture_output=True, text=True, check=True,
                                 env={**os.environ, "KMA_DEBUG": tier})
            item, plain, percpu, used = run.stdout.split()
            check(Dump(kdbg, path), item, plain, percpu, int(used))


main()
