# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of programs, which fail when a program leaks."""


def test_sound(run_checked):
    done = run_checked("/bin/echo", "hello", capture_output=True)
    assert done.stdout == b"hello\n"


def test_leaky(run_checked, program):
    run_checked(program("void *volatile kept;"
                        "int main(void) { kept = malloc(10); kept = malloc(20); }"))
