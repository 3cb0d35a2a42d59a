#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs under the library where addresses or memory are short.

Usage: limits.py LIBRARY TIER. Small RLIMIT_AS: programs start and work; what
cannot be had is refused with ENOMEM, not by a crash.
"""
import os
import resource
import subprocess
import sys

LIBRARY, TIER = os.path.abspath(sys.argv[1]), sys.argv[2]
# Small ones, so that what the caches keep must be given up for another size.
BY_LIMIT = """
held = []
try:
    while True:
        held.append(bytearray(4000))
except MemoryError:
    size = 4000 * len(held)
    held.clear()
more = [bytearray(100000) for _ in range(size // 2 // 100000)]
print('refused above', size >> 20)
"""
GREEDY = """
held = []
try:
    while True:
        held.append(bytearray(10 << 20))
except MemoryError:
    count = len(held)
    held.clear()
    print('refused after', count)
"""
# A limit that the program sets itself: what is left is shared by its own
# mappings (a thread's stack, a file) and the heap, and holds for the heap.
LIMITS_ITSELF = """
import mmap, resource, threading
resource.setrlimit(resource.RLIMIT_AS, (1000 << 20, resource.RLIM_INFINITY))
thread = threading.Thread(target=lambda: print('a thread runs'))
thread.start()
thread.join()
mapping = mmap.mmap(-1, 200 << 20)
""" + GREEDY + """
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
held = [bytearray(10 << 20) for _ in range(120)]
print('no more limit')
"""


def run(limit, *command, options=None, what=resource.RLIMIT_AS):
    def restrict():
        resource.setrlimit(what, (limit, limit))

    environment = dict(os.environ, LD_PRELOAD=LIBRARY, KMA_DEBUG=TIER)
    if options:
        environment["KMA_OPTIONS"] = options
    return subprocess.run(command, env=environment, preexec_fn=restrict,
                          capture_output=True, text=True, timeout=120, check=False)


def expect(limit, wanted, *command, **more):
    got = run(limit, *command, **more)
    if got.returncode != 0 or wanted not in got.stdout or got.stderr:
        sys.exit(f"{command} with {limit >> 20} MiB: status {got.returncode}, "
                 f"stdout {got.stdout!r}, stderr {got.stderr!r}")


for mebibytes in (300, 500, 1000, 4000):
    expect(mebibytes << 20, "hello", "sh", "-c", "echo hello | cat")
    expect(mebibytes << 20, "499500", sys.executable, "-c", "print(sum(list(range(1000))))")
expect(1000 << 20, "refused after", sys.executable, "-c", GREEDY)
got = run(resource.RLIM_INFINITY, sys.executable, "-c", LIMITS_ITSELF)
words = got.stdout.split()
if (got.returncode != 0 or got.stderr or got.stdout.count("\n") != 3 or words[-3:] != ["no", "more", "limit"]
        or not 40 < int(words[-4]) < 80):
    sys.exit(f"RLIMIT_AS set by the program: status {got.returncode}, {got.stdout!r}, {got.stderr!r}")
expect(1000 << 20, "hello", "sh", "-c", "ulimit -v 500000; sh -c 'echo hello'")

# What is reserved does not count, what is made writable does, and is refused
# then: as under vm.overcommit_memory=2, which a test cannot set for itself alone.
for mebibytes in (64, 300):
    expect(mebibytes << 20, "hello", "sh", "-c", "echo hello | cat", what=resource.RLIMIT_DATA)
    expect(mebibytes << 20, "499500", sys.executable, "-c", "print(sum(list(range(1000))))",
           what=resource.RLIMIT_DATA)
expect(200 << 20, "refused after", sys.executable, "-c", GREEDY, what=resource.RLIMIT_DATA)

# KMA_OPTIONS=limit: the heap stays below it, and what was freed is had again in
# another size.
for limit in (48, 96):
    got = run(resource.RLIM_INFINITY, sys.executable, "-c", BY_LIMIT, options=f"limit={limit}M")
    words = got.stdout.split()
    if got.returncode != 0 or words[:2] != ["refused", "above"] or not limit // 4 < int(words[2]) < limit:
        sys.exit(f"limit={limit}M: status {got.returncode}, {got.stdout!r}, {got.stderr!r}")
