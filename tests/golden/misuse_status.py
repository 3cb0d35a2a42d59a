#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every misuse program leaves a dump; ::status and ::kmem_verify show the error.

Usage: misuse_status.py KDBG LIBRARY PROGRAM...

The name of the error and its first line are those of the report that the
program itself printed. With on=error alone: damage that only the end finds, and
what does not end the program, is in a dump of the exit. Damaged bytes are there
still, so ::kmem_verify finds the heap damaged.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

DAMAGE = re.compile(r"^(REDZONE|UNDERFLOW|MODIFIED): ")
FIRST = re.compile(r"^kma: ([A-Z]+: .*)$", re.MULTILINE)


def judge(kdbg, library, program, folder):
    dump = os.path.join(folder, "dump")
    env = {**os.environ, "LD_PRELOAD": library, "KMA_DEBUG": "default",
           "KMA_DUMP": f"path={dump},on=error"}
    report = subprocess.run([program], env=env, capture_output=True, text=True,
                            timeout=60, check=False).stderr
    told = FIRST.findall(report)
    if not told:
        return "reported nothing"
    done = subprocess.run([kdbg, "-j", "-e", "::status", dump], capture_output=True,
                          text=True, timeout=60, check=False)
    if done.returncode:
        return f"::status ended with {done.returncode}: {done.stderr}"
    errors = [row["value"] for row in map(json.loads, done.stdout.splitlines())
              if row["field"] == "error"]
    if len(errors) != len(told):
        return f"{len(told)} reports, {len(errors)} in ::status"
    for line, error in zip(told, errors):
        if not error.startswith(line):
            return f"reported {line!r}, ::status has {error!r}"
    verify = subprocess.run([kdbg, "-e", "::kmem_verify", dump], capture_output=True,
                            text=True, timeout=60, check=False)
    if any(map(DAMAGE.match, told)) and verify.returncode != 23:
        return f"::kmem_verify ended with {verify.returncode}: {verify.stdout}"
    return None


def main():
    kdbg, library, *programs = sys.argv[1:]
    failed = 0
    for program in programs:
        with tempfile.TemporaryDirectory(prefix="kdbg-misuse-") as folder:
            wrong = judge(os.path.abspath(kdbg), os.path.abspath(library),
                          os.path.abspath(program), folder)
        print(f"{'FAIL' if wrong else 'ok  '} {pathlib.Path(program).name}{': ' + wrong if wrong else ''}")
        failed += wrong is not None
    sys.exit(failed != 0 or len(programs) < 20)


main()
