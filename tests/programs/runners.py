#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of docs/ci with the real runners.

Usage: runners.py KDBG ROOT. The sound test passes, the leaky one fails, and
each wrote a report of its own.
"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

KDBG, ROOT = (os.path.realpath(path) for path in sys.argv[1:3])


def run(command, cwd, env=None):
    clean = {key: value for key, value in os.environ.items()
             if not key.startswith(("KMA_", "LD_PRELOAD", "MESON_", "MAKE", "MFLAGS"))}
    return subprocess.run(command, cwd=cwd, env={**clean, **(env or {})}, capture_output=True,
                          text=True, timeout=120, check=False)


def hold_junit(folder):
    suites = [xml.etree.ElementTree.parse(path).getroot() for path in
              glob.glob(os.path.join(folder, "kdbg-*.xml"))]
    assert sorted(suite.get("failures") for suite in suites) == ["0", "1"], suites
    assert all(suite.get("tests") == "1" for suite in suites)


def test_meson(folder):
    assert run(["meson", "setup", "build"], folder).returncode == 0
    done = run(["meson", "test", "-C", "build",
                f"--wrap={KDBG} check --junit {folder}/kdbg-%p.xml --"], folder)
    assert done.returncode == 1, done.stdout
    assert "exit status 23" in done.stdout and "Ok:                 1" in done.stdout, done.stdout
    hold_junit(folder)


def test_ctest(folder):
    emulator = f"{KDBG};check;--sarif;{folder}/kdbg-%p.sarif;--"
    done = run(["cmake", f"-DCMAKE_CROSSCOMPILING_EMULATOR={emulator}", "."], folder)
    assert done.returncode == 0, done.stderr
    assert run(["cmake", "--build", "."], folder).returncode == 0
    done = run(["ctest"], folder)
    assert done.returncode != 0 and "1 tests failed out of 2" in done.stdout, done.stdout
    results = []
    for path in glob.glob(os.path.join(folder, "kdbg-*.sarif")):
        with open(path, encoding="utf-8") as file:
            results.append(json.load(file)["runs"][0]["results"])
    assert sorted(map(len, results)) == [0, 1], results
    plain = os.path.join(folder, "plain")
    assert run(["cmake", "-S", folder, "-B", plain], folder).returncode == 0
    assert run(["cmake", "--build", plain], folder).returncode == 0
    done = run([KDBG, "check", "--", "ctest"], plain)
    assert done.returncode == 23, done.stderr
    assert "plain/leaky (pid" in done.stderr and "sound" not in done.stderr, done.stderr


def test_cargo(folder):
    done = run(["cargo", "test", "--offline", "--no-fail-fast"], folder,
               {"CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER":
                f"{KDBG} check --junit {folder}/kdbg-%p.xml --"})
    assert done.returncode != 0, done.stdout
    text = done.stdout + done.stderr
    assert "test is_lost ... ok" in text and "exit status: 23" in text, text
    assert "example::Names::" in text and "leaky::is_lost (tests/leaky.rs:6)" in text, text
    hold_junit(folder)


def test_make(folder):
    done = run(["make", "-k", "check", f"WRAP={KDBG} check --junit {folder}/kdbg-%p.xml --"],
               folder)
    assert done.returncode == 2 and "Error 23" in done.stderr, done.stderr
    hold_junit(folder)


def test_automake(folder):
    assert run(["autoreconf", "-i"], folder).returncode == 0
    assert run(["./configure", "-q"], folder).returncode == 0
    done = run(["make", "check", f"LOG_COMPILER={KDBG} check --junit {folder}/kdbg-%p.xml --"],
               folder)
    assert done.returncode == 2, done.stdout
    assert "PASS: sound" in done.stdout and "FAIL: leaky" in done.stdout, done.stdout
    with open(os.path.join(folder, "leaky.log"), encoding="utf-8") as log:
        text = log.read()
    assert "10 bytes leaked in 1 buffer" in text and "exit status: 23" in text, text
    hold_junit(folder)


def test_pytest(folder):
    """Debian's, whatever python runs this."""
    done = run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider"], folder,
               {"KDBG_CHECK": f"{KDBG} check --junit {folder}/kdbg-%p.xml"})
    assert done.returncode == 1, done.stdout
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    hold_junit(folder)


def test_googletest(folder):
    """Every test in a process of its own; and all in one, which names the test."""
    emulator = f"{KDBG};check;--sarif;{folder}/kdbg-%p.sarif;--"
    done = run(["cmake", f"-DCMAKE_CROSSCOMPILING_EMULATOR={emulator}", "."], folder)
    assert done.returncode == 0, done.stderr
    done = run(["cmake", "--build", "."], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(["ctest"], folder)
    assert done.returncode != 0 and "1 tests failed out of 2" in done.stdout, done.stdout
    assert "Queue.Leaky (Failed)" in done.stdout, done.stdout
    done = run([f"{folder}/queue_test"], folder)
    assert done.returncode == 0, done.stderr
    done = run([KDBG, "check", "--", f"{folder}/queue_test"], folder)
    assert done.returncode == 23, done.stderr
    assert "16 bytes leaked in 1 buffer" in done.stderr, done.stderr
    assert ", in Queue.Leaky" in done.stderr, done.stderr


def main():
    failed = 0
    for name, function in (("meson", test_meson), ("ctest", test_ctest), ("make", test_make), ("cargo", test_cargo),
                           ("automake", test_automake),
                           ("pytest", test_pytest), ("googletest", test_googletest)):
        with tempfile.TemporaryDirectory() as base:
            folder = os.path.join(base, name)
            shutil.copytree(os.path.join(ROOT, "docs", "ci", name), folder)
            try:
                function(folder)
                print("ok  ", name)
            except (AssertionError, OSError, ValueError, subprocess.TimeoutExpired) as why:
                failed += 1
                print("FAIL", name, "-", why)
    sys.exit(failed != 0)


main()
