#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kdbg shows every family of a process that has all of them, and totals agree.

Usage: families.py KDBG PROGRAM [--regenerate]. What the commands print is held
against families.txt, in which addresses and what differs from run to run are
masked; --regenerate writes it anew.
"""
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TRANSCRIPT = pathlib.Path(__file__).resolve().with_name("families.txt")
OWN_PAGES = 64 << 10  # of the pool that brings its pages
# What depends on how many processors there are is left out.
COMMANDS = [
    "::pools", "::poolcache", "{fam_limited}::pool", "::malloctypes", "::malloctypes -b ! grep -E 'Size|fam_type'",
    "::vmem ! grep -E 'NAME|fam_|kernel_map'", "{fam_numbers}::walk vmem_seg | ::vmem_seg",
    "{fam_my_ids}::walk vmem_seg | ::vmem_seg", "{kernel_map}::walk vmem_alloc | ::vmem_seg", "::kmguard", "::waiters",
    "{percpu}::percpu ! head -n 2", "::kmastat ! grep -E '^(cache|name)|fam_|imported'", "{item}::whatis",
    "{plain}::whatis", "{typed}::whatis",
]


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


def mask(line):
    line = re.sub(r"\b(?!0{8})(0x)?[0-9a-f]{11,16}\b", "ADDRESS", line)
    line = re.sub(r"(\w+\.[ch]):\d+", r"\1", line)
    return re.sub(r"\+0x[0-9a-f]+", "", line).rstrip()


def mask_waiter(line):
    """Threads and milliseconds are of the run."""
    line = re.sub(r"^(ADDRESS +)\d+( .*?)\d+$", r"\1TID\2MS", line)
    return re.sub(r"  +", "  ", line)


def transcript(dump, places):
    lines = []
    for command in COMMANDS:
        run = subprocess.run([dump.kdbg, "-e", "::set wide=on; " + command.format(**places), dump.path], capture_output=True,
                             text=True, check=True)
        lines.append("> " + command)
        for line in map(mask, run.stdout.splitlines()):
            if not line.startswith(" ") or "start_thread" not in line and "clone" not in line:
                lines.append(mask_waiter(line) if command == "::waiters" else line)
    return lines


def check_transcript(lines, regenerate):
    text = "".join(line + "\n" for line in lines)
    if regenerate:
        TRANSCRIPT.write_text(text)
    if TRANSCRIPT.read_text() == text:
        return
    sys.exit("\n".join(difflib.unified_diff(TRANSCRIPT.read_text().splitlines(), lines, TRANSCRIPT.name, "kdbg",
                                            lineterm="")))


def check_totals(dump):
    """What is below adds up to what is above, all the way."""
    rows = dump.rows("::kmastat")
    arenas = {row["vmem_name"].strip(): row for row in rows if "vmem_name" in row}
    caches = {row["cache_name"]: row["memory_in_use"] for row in rows if "cache_name" in row}
    above = list(caches).index("kmem_metadata_other")
    metadata = {name: caches[name] for name in list(caches)[above:]}
    quantum = {name for name in caches if name.startswith(("kmem_va_", "fam_my_ids_"))}
    slabs = {name: caches[name] for name in list(caches)[:above] if name not in quantum}

    def used(name):
        return arenas[name]["memory_in_use"]

    same("imported", slabs.pop("fam_own"), OWN_PAGES)
    same("kmem_oversize", slabs.pop("kmem_oversize"), used("kmem_oversize"))
    same("kmem_default", sum(slabs.values()), used("kmem_default"))
    same("kmem_metadata", sum(metadata.values()), used("kmem_metadata"))
    children = dump.rows("::vmem")
    for parent in "reserve", "heap", "fam_ids":
        same(f"below {parent}", sum(row["import"] for row in children if row["source"] == parent), used(parent))
    for row in children:
        if row["segments"] is not None:  # the others have none
            segments = dump.rows(f"{row['addr']}::walk vmem_seg | ::vmem_seg")
            for kind, key in ("ALLC", "inuse"), ("SPAN", "total"):
                same(f"{kind} of {row['name']}", sum(s["size"] for s in segments if s["type"] == kind), row[key])
    types = dump.rows("::malloctypes")
    same("bytes of types", sum(row["memuse"] for row in types), 6 * 48 + 6 * 4096 + 30 * 224)


def check(dump, places, used):
    pools = dump.named("::pools")
    same("pools", {name: pools[name]["inuse"] for name in pools},
         {"fam_pool": 50, "fam_limited": 5, "fam_own": 20, "fam_cache": 20, "fam_object": 20})
    same("size", pools["fam_pool"]["size"], 100)
    caches = dump.named("::poolcache")
    same("pool caches", sorted(caches), ["fam_cache", "fam_object"])
    same("requests", caches["fam_cache"]["cachelayer"], 40)
    one = dump.rows(f"{pools['fam_limited']['address']}::pool")[0]
    same("limit", (one["kind"], one["hardlimit"], one["nout"]), ("pool", 5, 5))
    types = dump.named("::malloctypes", "type")
    same("types", {name: types[name]["inuse"] for name in types}, {"mount": 20, "temp": 10, "fam_type": 12})
    same("buckets", sum(row["inuse"] for row in dump.rows("::malloctypes -b")), 42)
    waiters = dump.rows("::waiters")
    same("waiters", [(w["kind"], w["for"], w["size"]) for w in waiters],
         [("arena", "fam_numbers", 1), ("cache", "fam_limited", 64)])
    parts = dump.rows(f"{places['percpu']}::percpu")
    same("parts", [row["cpu"] for row in parts], list(range(len(parts))))
    same("guards", dump.rows("::kmguard")[0]["live"], 0)
    same("an item", "allocated from fam_pool" in dump.rows(f"{places['item']}::whatis")[0]["what"], True)
    same("plain", dump.rows(f"{places['plain']}::whatis")[0]["what"], "allocated from kmem_alloc_896")
    same("walkers", len(dump.rows("::walk pool | ::pool")), 5)
    same("walkers", len(dump.rows("::walk pool_cache | ::pool")), 2)
    rows = dump.rows("::kmastat")
    for row in rows:
        if "buf_total" in row:
            same(f"in use and total of {row.get('cache_name')}",
                 row["buf_in_use"] <= row["buf_total"], True)
    names = {"fam_pool", "fam_limited", "fam_own", "fam_cache", "fam_object"}
    same("in kmastat", names <= {row.get("cache_name") for row in rows}, True)
    memory = sum(row["memory_in_use"] for row in rows if row.get("slabs") is not None)
    same("memory of all slabs", memory, used + OWN_PAGES)
    check_totals(dump)


def main():
    kdbg, program = sys.argv[1:3]
    for tier in "lite", "audit":
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "dump")
            run = subprocess.run([program, path], capture_output=True, text=True, check=True,
                                 env={**os.environ, "KMA_DEBUG": tier})
            words = run.stdout.split()
            places = dict(zip(("item", "plain", "typed", "percpu"), words))
            dump = Dump(kdbg, path)
            check(dump, places, int(words[4]))
            for row in dump.rows("::vmem"):
                places[row["name"].strip()] = row["addr"]
            for row in dump.rows("::pools"):
                places[row["name"]] = row["address"]
            if tier == "lite":
                check_transcript(transcript(dump, places), "--regenerate" in sys.argv)


main()
