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
