#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a target's programs and libraries are looked for, and what is believed.

Usage: files.py KDBG PRELOAD PROGRAM OTHER. OTHER is another program.
"""
import http.server
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

signal.signal(signal.SIGQUIT, signal.SIG_DFL)
FUNCTION = "wait_below"


def run(arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True,
                          errors="replace", timeout=60, check=False, **options)


def fail(text):
    sys.exit(text)


def dump_of(preload, program, folder):
    """A dump of a copy of the program, which is at folder/prog."""
    copy = shutil.copy(program, os.path.join(folder, "prog"))
    dump = os.path.join(folder, "x.kdump")
    process = subprocess.Popen(
        [copy], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=dict(os.environ, LD_PRELOAD=preload, KMA_DUMP=f"path={dump},on=fatal"),
        stderr=subprocess.DEVNULL)
    process.stdout.readline()
    process.send_signal(signal.SIGQUIT)
    process.wait(timeout=30)
    return dump, copy


def stacks(kdbg, dump, *options, **variables):
    """Everything kdbg says of all stacks, and the names of their functions."""
    environment = dict(os.environ, **variables)
    if not variables:
        environment.pop("DEBUGINFOD_URLS", None)
    result = run([kdbg, "--no-rc", *options, "-e", "::walk thread | ::stack", dump],
                 env=environment)
    if result.returncode not in (0, 1):
        fail(f"{options}: {result.returncode} {result.stderr}")
    return result.stdout + result.stderr


def test_a_file_that_is_another_is_not_used(kdbg, preload, program, other, folder):
    dump, copy = dump_of(preload, program, folder)
    if FUNCTION not in stacks(kdbg, dump):
        fail(f"{FUNCTION}: {stacks(kdbg, dump)}")
    shutil.copy(other, copy)
    for options in (), ("-x", other):
        text = stacks(kdbg, dump, *options)
        if FUNCTION in text or not re.search("build id", text):
            fail(f"{options}: a wrong program: {text}")
    os.unlink(copy)
    text = stacks(kdbg, dump)
    if FUNCTION in text or "No such file" not in text:
        fail(f"a program that is gone: {text}")
    if FUNCTION not in stacks(kdbg, dump, "-x", program):
        fail("-x")


def test_sysroot(kdbg, preload, program, _, folder):
    dump, copy = dump_of(preload, program, folder)
    root = os.path.join(folder, "root")
    place = root + os.path.dirname(copy)
    os.makedirs(place)
    os.rename(copy, place + "/prog")
    if FUNCTION in stacks(kdbg, dump):
        fail("without --sysroot the program is found")
    if FUNCTION not in stacks(kdbg, dump, "--sysroot", root):
        fail(f"--sysroot: {stacks(kdbg, dump, '--sysroot', root)}")
    # A link that leads up leads nowhere but into the root.
    os.rename(place + "/prog", folder + "/outside")
    os.symlink("/../../../../../../.." + folder + "/outside", place + "/prog")
    if FUNCTION in stacks(kdbg, dump, "--sysroot", root):
        fail("a link led out of the sysroot")
    os.rename(folder + "/outside", place + "/outside")
    if FUNCTION not in stacks(kdbg, dump, "--sysroot", root):
        fail("an absolute link within the sysroot is not followed")


class Server(http.server.BaseHTTPRequestHandler):
    files = {}  # by the path of a request
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        file = self.files.get(self.path)
        self.send_response(200 if file else 404)
        self.end_headers()
        if file:
            self.wfile.write(pathlib.Path(file).read_bytes())

    def log_message(self, *_):
        pass


def build_id(program):
    return re.search(r"Build ID: (\w+)",
                     run(["readelf", "-n", program]).stdout)[1]


def test_debuginfod(kdbg, preload, program, _, folder):
    dump, copy = dump_of(preload, program, folder)
    os.unlink(copy)
    Server.files[f"/buildid/{build_id(program)}/executable"] = program
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    variables = {"DEBUGINFOD_URLS": f"http://127.0.0.1:{server.server_port}",
                 "DEBUGINFOD_CACHE_PATH": folder + "/cache"}
    if FUNCTION in stacks(kdbg, dump, **variables) or Server.asked:
        fail(f"asked without --debuginfod: {Server.asked}")
    text = stacks(kdbg, dump, "--debuginfod", **variables)
    if FUNCTION not in text or not Server.asked:
        fail(f"--debuginfod: {Server.asked} {text}")
    server.shutdown()
    text = stacks(kdbg, dump, "--debuginfod")
    if FUNCTION in text or "DEBUGINFOD_URLS names no server" not in text:
        fail(f"no DEBUGINFOD_URLS: {text}")


def test_a_small_cache_changes_nothing(kdbg, preload, program, _, folder):
    dump, _ = dump_of(preload, program, folder)
    for command in "::kmastat", "::findleaks", "::walk leakbuf":
        told = [run([kdbg, "--no-rc", "-j", *options, "-e", command, dump],
                    env=dict(os.environ, TMPDIR=folder)).stdout
                for options in ((), ("--cache", "4K"))]
        if told[0] != told[1] or not told[0]:
            fail(f"{command} with a cache of 4 KiB: {told}")
        json.loads(told[0].splitlines()[0])


def main():
    paths = [os.path.abspath(path) for path in sys.argv[1:5]]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            with tempfile.TemporaryDirectory() as folder:
                test(*paths, os.path.realpath(folder))
            print("ok", name)


if __name__ == "__main__":
    main()
