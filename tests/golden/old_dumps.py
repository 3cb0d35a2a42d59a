#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps of earlier versions of libkma stay readable.

Usage: old_dumps.py KDBG FOLDER [--write]

FOLDER has a dump for each revision of the layout that was ever released, and
beside it what kdbg said of it then (.json). Neither is ever changed; --write
makes the text of a dump that has none.
"""
import json
import pathlib
import subprocess
import sys

# Names of frames need the files of the machine it was made on.
COMMANDS = {
    "::kmastat": ["cache_name", "buf_in_use", "memory_in_use"],
    "::findleaks": ["class", "cache", "leaked", "bytes", "retained", "bufctl"],
    "::kmem_verify": None,
    "::kma_error": ["name", "address", "message"],
    "::threads": ["tid", "name", "sp", "pc"],
}


def rows(kdbg, dump, command, columns):
    done = subprocess.run([kdbg, "--no-rc", "-j", "-e", command, str(dump)],
                          capture_output=True, text=True, timeout=120, check=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode not in (0, 23) or not found:  # 23: damage, which there is
        sys.exit(f"{dump}: {command}: {done.returncode} {done.stderr}")
    return [row if columns is None else {key: row.get(key) for key in columns} for row in found]


def main():
    kdbg, folder = sys.argv[1:3]
    dumps = sorted(pathlib.Path(folder).glob("*.kdump"))
    for dump in dumps:
        text = dump.with_suffix(".json")
        found = {command: rows(kdbg, dump, command, columns) for command, columns in COMMANDS.items()}
        if "--write" in sys.argv and not text.exists():
            text.write_text(json.dumps(found, indent=1) + "\n")
        expected = json.loads(text.read_text())
        for command in COMMANDS:
            if found[command] != expected[command]:
                sys.exit(f"{dump}: {command}:\n  {found[command]}\nnot\n  {expected[command]}")
        print("as ever:", dump.name)
    if not dumps:
        sys.exit(f"no dumps in {folder}")


main()
