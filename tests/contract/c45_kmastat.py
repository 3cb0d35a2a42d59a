#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contract 45: what ::kmastat and ::vmem say of a heap at work adds up.

Usage: c45_kmastat.py KDBG PROGRAM. Per cache, what is in use and what is not is
all there is; per arena, the caches' memory is what is in use, and what the
children import is in use in the parent; the names are Solaris's.
"""
import json
import re
import os
import subprocess
import sys
import tempfile

KDBG, PROGRAM = sys.argv[1:]


def kdbg(dump, *commands, text=False):
    words = [KDBG, "--no-rc"] + ([] if text else ["-j"])
    for command in commands:
        words += ["-e", command]
    done = subprocess.run([*words, dump], capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        sys.exit(f"{commands}: status {done.returncode}: {done.stderr}")
    if text:
        return done.stdout
    return [row for line in done.stdout.splitlines() if "note" not in (row := json.loads(line))]


def equal(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found}, not {wanted}")


def check_names(caches):
    for pattern in (r"kmem_alloc_\d+", r"kmem_magazine_\d+", r"kmem_va_\d+", r"kmem_slab_cache",
                    r"kmem_bufctl_(audit_)?cache", r"kmem_oversize", r"vmem_seg"):
        if not any(re.fullmatch(pattern, name) for name in caches):
            sys.exit(f"no cache {pattern} in {sorted(caches)}")


def check_arenas(caches, arenas):
    slabs = [row for row in caches.values() if row["slabs"] is not None]
    small = sum(row["memory_in_use"] for row in slabs if row["buf_size"])
    large = sum(row["memory_in_use"] for row in slabs if not row["buf_size"])
    metadata = sum(row["memory_in_use"] for name, row in caches.items()
                   if row["slabs"] is None and not re.match(r"kmem_va_\d+", name))
    equal("kmem_default", arenas["kmem_default"]["memory_in_use"], small)
    equal("kmem_oversize", arenas["kmem_oversize"]["memory_in_use"], large)
    equal("kmem_metadata", arenas["kmem_metadata"]["memory_in_use"], metadata)


def check_imports(tree, arenas):
    for name in ("reserve", "heap", "kmem_va"):
        imports = sum(row["import"] for row in tree if row["source"] == name)
        used = arenas[name]["memory_in_use"]
        if name == "kmem_va":  # it serves others beside its children
            if imports > used:
                sys.exit(f"{name}: children import {imports} of {used}")
            continue
        equal(f"imports from {name}", imports, used)


def check_segments(dump, tree):
    for row in tree:
        rows = kdbg(dump, f"{row['addr']}::walk vmem_seg | ::vmem_seg")
        size = {kind: sum(r["size"] for r in rows if r["type"] == kind)
                for kind in ("ALLC", "FREE", "SPAN")}
        if row["segments"] is not None:
            equal(f"{row['name']}: tags", len(rows), row["segments"])
            equal(f"{row['name']}: allocated", size["ALLC"], row["inuse"])
            equal(f"{row['name']}: spans", size["SPAN"], row["total"])
            equal(f"{row['name']}: both", size["ALLC"] + size["FREE"], row["total"])
        elif row["name"] in ("heap", "kmem_default", "kmem_oversize"):
            equal(f"{row['name']}: allocated", size["ALLC"], row["inuse"])


def check_magazines(dump, caches):
    """The walkers below the caches: magazines, partial slabs."""
    for name in ("kmem_alloc_160", "kmem_alloc_4096"):
        row = caches[name]
        magazines = kdbg(dump, f"{row['address']}::walk kmem_magazine")
        if bool(magazines) != bool(row["buf_cached"]):
            sys.exit(f"{name}: {len(magazines)} magazines hold {row['buf_cached']}")
        partial = kdbg(dump, f"{row['address']}::walk kmem_slab_partial")
        told = kdbg(dump, f"{row['address']}::kmem_slabs")[0]
        equal(f"{name}: partial slabs", len(partial), told["partial_slabs"])
        equal(f"{name}: slabs", row["slabs"], told["slabs"])


def check(dump, tier):
    rows = kdbg(dump, "::kmastat")
    caches = {row["cache_name"]: row for row in rows if "cache_name" in row}
    arenas = {row["vmem_name"]: row for row in rows if "vmem_name" in row}
    tree = kdbg(dump, "::vmem")
    check_names(caches)
    for name, row in caches.items():
        if row["buf_in_use"] + (row["buf_cached"] or 0) > row["buf_total"]:
            sys.exit(f"{name}: {row}")
    equal("::vmem", {r["name"]: (r["inuse"], r["total"], r["succeed"], r["fail"]) for r in tree},
          {name: (r["memory_in_use"], r["memory_total"], r["alloc_succeed"], r["alloc_fail"])
           for name, r in arenas.items()})
    check_arenas(caches, arenas)
    check_imports(tree, arenas)
    check_segments(dump, tree)
    check_magazines(dump, caches)
    equal("ids", arenas["ids"]["memory_in_use"], 10)
    indented = kdbg(dump, "::vmem", text=True)
    if not re.search(r"^[0-9a-f]{16}  kmem_default ", indented, re.M) and \
            not re.search(r"^[0-9a-f]{16}   kmem_default ", indented, re.M):
        sys.exit(f"::vmem is no tree:\n{indented}")
    mine = next(row["addr"] for row in tree if row["name"] == "mine")
    first = kdbg(dump, f"{mine}::walk vmem_alloc | ::vmem_seg")[0]
    equal("request", first["request"], 100)
    what = kdbg(dump, f"{int(first['start'], 16) + 5:#x}::whatis")[0]
    equal("::whatis", (what["kind"], what["offset"]), ("segment", 5))
    if tier == "audit" and "use_arenas" not in first["who"]:
        sys.exit(f"who allocated {first}")
    filtered = kdbg(dump, f"{mine}::walk vmem_seg | ::vmem_seg -T SPAN")
    equal("-T SPAN", {row["type"] for row in filtered}, {"SPAN"})


def main():
    for tier in ("off", "lite", "audit"):
        with tempfile.TemporaryDirectory() as folder:
            base = os.path.join(folder, "load")
            done = subprocess.run([PROGRAM, base], env=dict(os.environ, KMA_DEBUG=tier),
                                  capture_output=True, text=True, check=False, timeout=120)
            if done.returncode != 0:
                sys.exit(f"{PROGRAM}: {done.returncode} {done.stderr}")
            for number in range(3):
                check(f"{base}.{number}", tier)


main()
