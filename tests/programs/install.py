#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What meson installs works where it is put, and finds its own libkma.

Usage: install.py MESON BUILD PREFIX LIBDIR PROGRAM
"""
import os
import pathlib
import subprocess
import sys
import tempfile


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, **options).stdout


def main():
    meson, build, prefix, libdir, program = sys.argv[1:6]
    with tempfile.TemporaryDirectory(prefix="install-") as folder:
        run(*meson.split(), "install", "-C", build, "--no-rebuild", "--destdir", folder)
        there = pathlib.Path(folder + prefix)
        kdbg = there / "bin" / "kdbg"
        library = there / libdir / "libkma_malloc.so"
        dump = pathlib.Path(folder) / "dump"
        run(str(kdbg), "run", "-o", str(dump), "--", program)
        objects = run(str(kdbg), "--no-rc", "-e", "::objects libkma", str(dump))
        if str(library) not in objects:
            sys.exit(f"not the installed library, {library}:\n{objects}")
        for page in ("man1/kdbg.1", "man1/kdbg-check.1", "man7/libkma.7"):
            if not list((there / "share" / "man").glob(page + "*")):
                sys.exit(f"{page} is not installed")
        headers = sorted(path.name for path in (there / "include" / "kma").glob("*.h"))
        if "kma.h" not in headers:
            sys.exit(f"kma/kma.h is not installed: {headers}")
        if not os.access(there / "include" / "kdbg" / "kdbg_module.h", os.R_OK):
            sys.exit("kdbg/kdbg_module.h is not installed")
        if not os.access(there / libdir / "libkma.a", os.R_OK):
            sys.exit("libkma.a is not installed")


main()
