#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a core of an aborted program tells, without debug information.

Usage: c50_core.py KDBG PROGRAM. The report, the buffer, its cache and its last
transactions are read from the core alone.
"""
import json
import os
import subprocess
import sys
import tempfile


def kdbg(program, core, command):
    run = subprocess.run([program, "-j", "-e", command, core], capture_output=True, text=True,
                         check=False)
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def main():
    tool, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        dump, core = os.path.join(folder, "d"), os.path.join(folder, "core")
        run = subprocess.run([program], capture_output=True, text=True, check=False,
                             env={**os.environ, "KMA_DEBUG": "audit",
                                  "KMA_DUMP": f"path={dump},on=error"})
        assert run.returncode == -6, (run.returncode, run.stderr)
        subprocess.run([tool, "convert", dump, core], check=True)
        errors = kdbg(tool, core, "::kma_error")
        assert any(row.get("error") == "DUPFREE" or "DUPFREE" in json.dumps(row)
                   for row in errors), errors
        pools = [row for row in kdbg(tool, core, "::poolcache") if row["name"] == "c50cache"]
        assert len(pools) == 1 and pools[0]["cachelayer"] == 1, pools
        buffers = kdbg(tool, core, f"{pools[0]['address']}::walk freemem | ::whatis")
        assert any("freed from c50cache" in row["what"] for row in buffers), buffers
        stacks = [row for row in buffers if row["freed"] or row["allocated"]] \
            if buffers and "freed" in buffers[0] else buffers
        assert stacks, buffers


main()
