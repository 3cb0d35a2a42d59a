#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""KMA_DEBUG and its like: what is understood, what is told, what is ignored.

Usage: options.py LIBRARY PROGRAM. PROGRAM prints the usable size of malloc(100)
and nothing else: 100 where the request is known, the class's size where not.
"""
import os
import subprocess
import sys

LIBRARY, PROGRAM = map(os.path.abspath, sys.argv[1:])
OFF, AUDIT = "112\n", "100\n"
KEPT = {name: value for name, value in os.environ.items()
        if not name.startswith(("KMA_", "UMEM_"))}

CASES = [
    # (environment, what the program prints, what stderr must say, in order)
    ({}, OFF, []),
    ({"KMA_DEBUG": "off"}, OFF, []),
    ({"KMA_DEBUG": "audit"}, AUDIT, []),
    ({"KMA_DEBUG": "default"}, AUDIT, []),
    ({"KMA_DEBUG": "audit=7"}, AUDIT, []),
    ({"KMA_DEBUG": "audit,off"}, OFF, []),
    ({"KMA_DEBUG": ",,default,,noabort,"}, AUDIT, []),
    ({"KMA_DEBUG": "lite"}, AUDIT, []),
    ({"KMA_DEBUG": "guard"}, AUDIT, []),
    ({"KMA_DEBUG": "guard=left,kmguard=10"}, AUDIT, []),
    ({"KMA_DEBUG": "guard=right"}, OFF, ["'guard=right' has a bad value"]),
    ({"KMA_DEBUG": "audit=1/1"}, AUDIT, []),
    ({"KMA_DEBUG": "audit=1/100G"}, OFF, []),
    ({"KMA_DEBUG": "audit=1/0"}, AUDIT, ["has a bad value"]),
    ({"KMA_DEBUG": "guard=1/1000000000"}, OFF, []),
    ({"KMA_OPTIONS": "tier:kmem_alloc_112=audit"}, AUDIT, []),
    ({"KMA_OPTIONS": "tier:kmem_alloc_112=off", "KMA_DEBUG": "audit"}, OFF, []),
    ({"KMA_OPTIONS": "tier:kmem_alloc_128=lite"}, OFF, []),
    ({"KMA_OPTIONS": "tier:kmem_alloc_112=most"}, OFF, ["has a bad value"]),
    ({"KMA_DEBUG": "audit=x"}, AUDIT, ["KMA_DEBUG: 'audit=x' has a bad value"]),
    ({"KMA_DEBUG": "audit,bogus"}, AUDIT, ["KMA_DEBUG: 'bogus' is not known"]),
    ({"KMA_DEBUG": "maxverify=64,audit"}, AUDIT, ["'maxverify=64' is not in this version"]),
    ({"KMA_DEBUG": "firewall=64K,audit"}, AUDIT, []),
    ({"KMA_DEBUG": "firewall=64"}, AUDIT, []),
    ({"KMA_DEBUG": "firewall=0"}, OFF, ["'firewall=0' has a bad value"]),
    ({"KMA_DEBUG": "guard,guard_limit=1M"}, AUDIT, []),
    ({"KMA_DEBUG": "guard_limit=x"}, OFF, ["'guard_limit=x' has a bad value"]),
    ({"UMEM_DEBUG": "firewall=4096"}, OFF, []),
    ({"KMA_DEBUG": "a,b"}, OFF, ["'a' is not known", "'b' is not known"]),
    ({"UMEM_DEBUG": "default"}, AUDIT, []),
    ({"UMEM_DEBUG": "audit=30,guards"}, AUDIT, []),
    ({"UMEM_DEBUG": "off"}, OFF, ["UMEM_DEBUG: 'off' is not known"]),
    ({"UMEM_DEBUG": "default", "KMA_DEBUG": "off"}, OFF, []),
    ({"KMA_LOGGING": "transaction=64K"}, OFF, []),
    ({"KMA_LOGGING": "transaction=64Q"}, OFF, ["'transaction=64Q' has a bad value"]),
    ({"KMA_LOGGING": "fail=64K"}, OFF, []),
    ({"KMA_DEBUG": "mtbf=x"}, OFF, ["'mtbf=x' has a bad value"]),
    ({"KMA_DEBUG": "audit,mtbf=1:x"}, AUDIT, ["'mtbf=1:x' has a bad value"]),
    ({"KMA_LOGGING": "contents=1M,slab=64K"}, OFF, []),
    ({"KMA_DEBUG": "audit,contents=1T"}, AUDIT, ["'contents=1T' has a bad value"]),
    ({"KMA_OPTIONS": "stacks=1M"}, OFF, []),
    ({"KMA_OPTIONS": "stacks=0"}, OFF, ["'stacks=0' has a bad value"]),
    ({"KMA_OPTIONS": "nonsense"}, OFF, ["KMA_OPTIONS: 'nonsense' is not known"]),
    ({"KMA_DUMP": "level=heap"}, OFF, []),
    ({"KMA_DUMP": "on=exit"}, OFF, ["no path=TEMPLATE is given"]),
    ({"KMA_DUMP": "path=/nowhere/%p,on=breakfast"}, OFF, ["'on=breakfast' has a bad value"]),
    ({"KMA_DUMP": "level=most"}, OFF, ["'level=most' has a bad value"]),
    ({"KMA_DUMP": "path=" + "x" * 5000}, OFF, ["has a bad value"]),
    ({"KMA_DEBUG": "y" * 5000}, OFF, ["is not known"]),
]


def check(environment, printed, said):
    got = subprocess.run([PROGRAM], env=dict(KEPT, LD_PRELOAD=LIBRARY, **environment),
                         capture_output=True, text=True, check=False)
    lines = got.stderr.splitlines()
    if (got.returncode == 0 and got.stdout == printed and len(lines) == len(said)
            and all(line.startswith("kma: ") and text in line
                    for line, text in zip(lines, said))):
        return
    sys.exit(f"{environment}: status {got.returncode}, printed {got.stdout!r}, "
             f"said {got.stderr!r}; wanted {printed!r} and {said}")


for case in CASES:
    check(*case)
