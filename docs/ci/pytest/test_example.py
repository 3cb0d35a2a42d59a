# SPDX-License-Identifier: GPL-3.0-or-later
"""A test of a program, which fails when the program leaks."""


def test_prints(run_checked):
    done = run_checked("/bin/echo", "hello", capture_output=True)
    assert done.stdout == b"hello\n"
