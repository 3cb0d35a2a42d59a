# SPDX-License-Identifier: GPL-3.0-or-later
"""A fixture that runs a program under kdbg check."""
import os
import shlex
import subprocess

import pytest

CHECK = shlex.split(os.environ.get("KDBG_CHECK", "kdbg check")) + ["--"]


@pytest.fixture
def run_checked():
    def run(*command, **options):
        return subprocess.run([*CHECK, *command], check=True, **options)
    return run


@pytest.fixture
def program(tmp_path):
    """A C program out of a line of source: your suite has its own."""
    def build(source):
        path = tmp_path / "program"
        subprocess.run(["cc", "-g", "-o", path, "-x", "c", "-"], check=True,
                       input=f"#include <stdlib.h>\n{source}\n", text=True)
        return str(path)
    return build
