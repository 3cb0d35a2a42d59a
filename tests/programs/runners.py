#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of docs/ci with the real runners, where they are installed.

Usage: runners.py KDBG ROOT. The sound test passes, the leaky one fails, and
each wrote a report of its own.
"""
import glob
import importlib.util
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


def test_make(folder):
    done = run(["make", "-k", "check", f"WRAP={KDBG} check --junit {folder}/kdbg-%p.xml --"],
               folder)
    assert done.returncode == 2 and "Error 23" in done.stderr, done.stderr
    hold_junit(folder)


def test_pytest(folder):
    done = run([sys.executable, "-m", "pytest", "-q"], folder, {"KDBG_CHECK": f"{KDBG} check"})
    assert done.returncode == 0, done.stdout


def main():
    failed = 0
    for name, function, there in (
            ("meson", test_meson, shutil.which("meson")),
            ("ctest", test_ctest, shutil.which("ctest") and shutil.which("cmake")),
            ("make", test_make, shutil.which("make")),
            ("pytest", test_pytest, importlib.util.find_spec("pytest"))):
        if not there:
            print("skip", name, "- not installed")
            continue
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
