#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long writing the dump of a large audited heap, the prompt on it and
::findleaks take.

Usage: bench_findleaks.py KDBG LIBRARY PROGRAM [BUFFERS]

Figures are printed, never judged: they are the machine's. What is found is
judged: exactly the buffers that PROGRAM (many_buffers.c) says it lost.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time


def timed(command, **options):
    start = time.monotonic()
    result = subprocess.run(command, check=True, capture_output=True, text=True, **options)
    return time.monotonic() - start, result.stdout


def best_of(runs, command):
    results = [timed(command) for _ in range(runs)]
    return min(t for t, _ in results), results[0][1]


def lost(output):
    """Buffers lost, from the program's own words."""
    count, gone, lists = map(int, re.findall(r"\d+", output))
    return sum(len(range(i, count, lists)) for i in range(0, lists, 100)), gone


def main():
    kdbg, library, program = sys.argv[1:4]
    buffers = sys.argv[4] if len(sys.argv) > 4 else "1000000"
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        dump = pathlib.Path(folder) / "heap.kdump"
        env = {**os.environ, "LD_PRELOAD": library, "KMA_DEBUG": "default"}
        run, output = timed([program, buffers], env=env)
        write, _ = timed([program, buffers], env={**env, "KMA_DUMP": f"path={dump},on=exit"})
        prompt, _ = best_of(3, [kdbg, "-e", "::echo", str(dump)])
        find, rows = best_of(3, [kdbg, "-j", "-e", "::findleaks", str(dump)])
        size = dump.stat().st_size
    found = [json.loads(line) for line in rows.splitlines()]
    wanted, lists = lost(output)
    leaked = sum(row["leaked"] for row in found)
    heads = sum(row["leaked"] for row in found if row["class"] == "definite")
    print(f"{buffers} audited buffers: program {run:.2f} s, "
          f"dump {write - run:.2f} s, {size / 1e6:.0f} MB, prompt {prompt:.3f} s, ::findleaks {find:.2f} s")
    if (leaked, heads) != (wanted, lists):
        sys.exit(f"bench_findleaks.py: {leaked} leaked with {heads} heads, "
                 f"not {wanted} with {lists}")


if __name__ == "__main__":
    main()
