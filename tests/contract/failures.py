#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""mtbf=N[:SEED]: about one call in N fails, the same ones in every run.

Usage: failures.py LIBRARY PROGRAM
"""
import os
import subprocess
import sys

LIBRARY, PROGRAM = map(os.path.abspath, sys.argv[1:])


def failed(debug):
    return subprocess.run([PROGRAM], env={**os.environ, "LD_PRELOAD": LIBRARY, "KMA_DEBUG": debug},
                          capture_output=True, text=True, timeout=60, check=True).stderr.split()


first = failed("mtbf=20:7")
if not 50 < len(first) < 200:
    sys.exit(f"{len(first)} of 2000 calls failed at one in 20")
if failed("mtbf=20:7") != first or failed("audit,mtbf=20:7") != first:
    sys.exit("another run fails at other calls")
if failed("mtbf=20:8") == first:
    sys.exit("the seed makes no difference")
if failed("mtbf=0"):
    sys.exit("mtbf=0 lets calls fail")
