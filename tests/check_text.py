#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every source file must have and must not have.

Usage: check_text.py ROOT. An SPDX line with the folder's licence; no
trailing space; formatted as .clang-format says; no file over 700 lines; no
"to do" left without an owner.
"""
import pathlib
import re
import shutil
import subprocess
import sys

LICENCE = {
    "alloc": "BSD-2-Clause",
    "dumpfmt": "BSD-2-Clause",
    "corpus": "BSD-2-Clause",
    "kdbg": "GPL-3.0-or-later",
    "tests": "GPL-3.0-or-later",
}
MAX_LINES = 700
LEFT_OVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")


def problems(root, path):
    name = path.relative_to(root).as_posix()
    text = path.read_text()
    lines = text.splitlines()
    wanted = f"SPDX-License-Identifier: {LICENCE[name.split('/')[0]]}"
    if not any(wanted in line for line in lines[:3]):
        yield f"{name}:1: no line '{wanted}'"
    for number, line in enumerate(lines, 1):
        if line.rstrip() != line:
            yield f"{name}:{number}: space at the end of the line"
        if LEFT_OVER.search(line):
            yield f"{name}:{number}: left over: {line.strip()}"
    if path.suffix in (".c", ".h") and len(lines) > MAX_LINES:
        yield f"{name}: {len(lines)} lines: more than one noun"


def main():
    root = pathlib.Path(sys.argv[1])
    sources = sorted(path for folder in LICENCE
                     for pattern in ("**/*.c", "**/*.h", "**/*.cc", "**/*.cpp", "**/*.py")
                     for path in (root / folder).glob(pattern))
    found = [text for path in sources for text in problems(root, path)]
    code = [str(path) for path in sources if path.suffix in (".c", ".h", ".cc", ".cpp")]
    if shutil.which("clang-format"):
        style = subprocess.run(["clang-format", "--dry-run", "--ferror-limit=1", *code],
                               capture_output=True, text=True, check=False)
        found += [line for line in style.stderr.splitlines() if "warning:" in line or "error:" in line]
    else:
        found.append("clang-format is not installed: tools/setup --tests")
    print("\n".join(found))
    if len(sources) < 10:
        sys.exit(f"only {len(sources)} sources under {root}: wrong folder?")
    sys.exit(bool(found))


main()
