#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is built where only kdbg is to be built needs nothing that tests need.

Usage: check_without_cmocka.py SOURCE_ROOT

Configures the tree with a pkg-config that knows no cmocka, as on a machine
where tools/setup ran without --tests, and looks at all that ninja would
compile: nothing of it may include cmocka's header.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WRAPPER = """#!/bin/sh
case " $* " in *" cmocka "*) exit 1 ;; esac
exec {pkg_config} "$@"
"""
# Nor does cmake, which meson asks next.
NATIVE = """[binaries]
pkgconfig = '{wrapper}'
pkg-config = '{wrapper}'
cmake = 'no-such-program'
"""


def reaches_cmocka(root, path, seen):
    """Does the file, or one of ours that it includes, include the header?"""
    if path in seen or not path.is_file():
        return False
    seen.add(path)
    text = path.read_text()
    return "#include <cmocka.h>" in text or any(
        reaches_cmocka(root, root / name, seen) for name in re.findall(r'^#include "(.+?)"', text, re.M))


def compiled(folder):
    """The sources of ninja's default targets."""
    run = subprocess.run(["ninja", "-C", folder, "-n", "-v"], capture_output=True, text=True, check=True)
    return {(folder / name).resolve() for name in re.findall(r" -c (\S+)", run.stdout)}


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        wrapper = folder / "pkg-config"
        wrapper.write_text(WRAPPER.format(pkg_config=shutil.which("pkg-config")))
        wrapper.chmod(0o755)
        native = folder / "native.ini"
        native.write_text(NATIVE.format(wrapper=wrapper))
        subprocess.run(["meson", "setup", "--native-file", native, folder / "build", root],
                       check=True, capture_output=True)
        sources = compiled(folder / "build")
    if not any(source.name == "main.c" for source in sources):
        sys.exit("nothing would be compiled")
    wrong = sorted(str(source.relative_to(root)) for source in sources if reaches_cmocka(root, source, set()))
    if wrong:
        sys.exit("needs cmocka, and is built without it: " + ", ".join(wrong))


main()
