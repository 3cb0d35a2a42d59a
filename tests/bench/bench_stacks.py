#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stack costs in real programs.

Usage: bench_stacks.py LIBRARY KDBG [--perf PERF] [COMMAND...]

Each program (or the command, if there is one) runs at tier audit under perf, which tells how much of its
processor time lies in capturing stacks and naming them, and once more with a
dump at its end, whose counters tell how many stacks that were: one at each
allocation and each free. Nothing is asserted.
"""
import argparse
import importlib.machinery
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
RUN = importlib.machinery.SourceFileLoader("run", str(pathlib.Path(__file__).with_name("run"))).load_module()
# What a stack takes: the repeated one, another one, its frames, its name.
FUNCTIONS = ("kma_stack_intern", "intern_another", "acquire", "kma_seen_put", "note", "kma_kept_update", "innermost_intact",
             "intact_by_saved", "copy", "merge", "merge_fp", "put_fp", "still_kept", "kma_kept_fill", "kma_walk_out", "walk_on",
             "fp_reach", "kma_path_find", "intern", "tell", "kma_depot_find", "kma_depot_intern", "put_stack", "put_name", "add_lines", "kma_depot_alloc",
             "kma_rule_fill", "far_put", "near_evict", "kma_seen_find_second", "kma_stack_intern_walked", "walk_from", "kma_bounds_find")


def share_of_stacks(perf, folder, library):
    """Of all samples, those in our functions, or parts of them (acquire_another.isra.0)."""
    text = subprocess.run([perf, "report", "-i", "data", "--stdio", "--no-children", "-F", "overhead,dso,sym", "-t", ";"],
                          cwd=folder, capture_output=True, text=True, check=True).stdout
    share = 0.0
    for line in text.splitlines():
        fields = line.strip().split(";")
        if len(fields) == 3 and library in fields[1] and fields[2].split()[-1].split(".")[0] in FUNCTIONS:
            share += float(fields[0].strip().rstrip("%"))
    return share / 100


def count_stacks(kdbg, folder):
    out = subprocess.run([kdbg, "--no-rc", "-j", "-e", "::kmastat", str(folder / "dump")],
                         capture_output=True, text=True, check=True).stdout
    rows = [json.loads(line) for line in out.splitlines()]
    return sum(2 * r["alloc_succeed"] - r["buf_in_use"] for r in rows
               if str(r.get("cache", r.get("cache_name", ""))).startswith(("kmem_alloc_", "kmem_oversize")))


def measure(load, options):
    with tempfile.TemporaryDirectory(prefix="stacks-") as name:
        folder = pathlib.Path(name)
        for file, text in (load.files or {}).items():
            (folder / file).write_text(text)
        command = load.command(options.library.parent.parent, "audit", 1)
        env = {**os.environ, "KMA_DEBUG": "audit"}
        loaded = ["env", f"LD_PRELOAD={options.library}", *command]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([options.perf, "record", "-q", "-F", "2000", "-e", "cpu-clock:u", "-o", "data", *loaded], cwd=folder,
                       env=env, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime - before.ru_utime
        subprocess.run(loaded, cwd=folder, env={**env, "KMA_DUMP": "path=dump,on=exit,level=meta"}, check=True,
                       capture_output=True)
        share, stacks = share_of_stacks(options.perf, folder, options.library.name), count_stacks(options.kdbg, folder)
    print(f"{load.name}: {stacks} stacks, {100 * share:.1f} % of {seconds:.2f} s: {share * seconds * 1e9 / stacks:.0f} ns a stack",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=pathlib.Path)
    parser.add_argument("kdbg")
    parser.add_argument("--perf", default="perf")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    options.library = options.library.resolve()
    if options.command:
        program, *arguments = options.command
        loads = [RUN.Load(pathlib.Path(program).name, program, arguments, files={})]
    else:
        loads = [*RUN.PROGRAMS, RUN.Load("fraction", "fraction", [], 20000)]
    for load in loads:
        measure(load, options)


if __name__ == "__main__":
    main()
