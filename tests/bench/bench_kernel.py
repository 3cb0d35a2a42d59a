#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernels' interfaces beside malloc at tier off.

    bench_kernel.py PROGRAM LIBRARY [COUNT [ROUNDS]]

PROGRAM is bench_kernel, LIBRARY libkma_malloc.so. Each round runs every load
at every tier once, in the opposite order of the round before; a figure is the
median of its rounds, in processor time. What a tier costs is told as a multiple
of the same round's malloc at off, so that what else the machine does matters
little. Nothing is asserted.
"""
import os
import statistics
import subprocess
import sys

LOADS = [("malloc", "`malloc`, `free`"), ("kmem", "`kmem_alloc`, `kmem_free`"),
         ("pool_cache", "`pool_cache_get`, `pool_cache_put`"), ("pool", "`pool_get`, `pool_put`")]
TIERS = ["off", "lite", "audit"]


def run(program, library, load, tier, count):
    """Nanoseconds of cpu for a pair."""
    environment = {**os.environ, "LD_PRELOAD": library, "KMA_DEBUG": tier}
    done = subprocess.run([program, load, str(count)], env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[0])


def main():
    program, library = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 10000000
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    cells = [(load, tier) for load, _ in LOADS for tier in TIERS]
    times, ratios = {cell: [] for cell in cells}, {cell: [] for cell in cells}
    for number in range(rounds):
        now = {cell: run(program, library, *cell, count // (10 if cell[1] == "audit" else 1))
               for cell in (cells if number % 2 == 0 else reversed(cells))}
        for cell in cells:
            times[cell].append(now[cell])
            ratios[cell].append(now[cell] / now["malloc", "off"])
    print("| 64 bytes | " + " | ".join(f"`{tier}`" for tier in TIERS) + " |")
    print("|---|" + "---:|" * len(TIERS))
    for load, title in LOADS:
        print(f"| {title} | " + " | ".join(
            f"{statistics.median(times[load, t]):.1f} ns, {statistics.median(ratios[load, t]):.2f}" for t in TIERS) + " |")


if __name__ == "__main__":
    main()
