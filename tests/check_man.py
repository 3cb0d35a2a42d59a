#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The man pages are well formed, and tell of every option there is.

Usage: check_man.py ROOT. groff, or mandoc, reads them without a warning; a
long option that kdbg or kdbg check understands stands in its page.
"""
import pathlib
import re
import shutil
import subprocess
import sys

LINTERS = [["mandoc", "-Tlint", "-Wwarning"], ["groff", "-mandoc", "-ww", "-z", "-Tutf8"]]
PATTERN = r'\{ "([a-z-]+)", \w+_argument, NULL, '
OPTIONS = {
    "kdbg.1": [("kdbg/command_line.c", PATTERN, {"help", "version"}),
               # one letter for each of these stands in the page
               ("kdbg/convert.c", PATTERN, {"help", "executable", "pid", "output"})],
    "kdbg-check.1": [("kdbg/check_options.c", PATTERN + "(?!OPTION_LATER)", {"help", "version"})],
}


def main():
    root = pathlib.Path(sys.argv[1])
    pages = sorted((root / "docs").glob("*.[1-9]"))
    linter = next((words for words in LINTERS if shutil.which(words[0])), None)
    found = []
    for page in pages:
        if linter:
            told = subprocess.run([*linter, str(page)], capture_output=True, text=True, check=False)
            found += (told.stdout + told.stderr).splitlines()
        for source, pattern, common in OPTIONS.get(page.name, []):
            text = page.read_text()
            found += [f"{page.name} does not tell of --{name}"
                      for name in re.findall(pattern, (root / source).read_text())
                      if name not in common and f"Fl -{name}" not in text]
    print("\n".join(found))
    if len(pages) < 3:
        sys.exit(f"only {len(pages)} man pages under {root}/docs")
    sys.exit(bool(found))


main()
