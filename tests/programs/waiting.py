#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that is dumped and goes on does not notice: no call that it waits in
returns for that, and its own signals still end its own calls.

Usage: waiting.py KDBG PRELOAD PROGRAM (waiting.c)
"""
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time

ROUNDS = 5
SIGNALS = 60


def start(preload, program, folder, *arguments):
    env = dict(os.environ, LD_PRELOAD=preload, KMA_DEBUG="default",
               KMA_DUMP=f"path={folder}/own.dump,on=request:WINCH")
    process = subprocess.Popen([program, *arguments], env=env,
                               stdout=subprocess.PIPE)
    if process.stdout.readline() != b"ready\n":
        sys.exit("the program did not start")
    return process


def said(process, seconds):
    """What it says within this time; "" if nothing."""
    if not select.select([process.stdout], [], [], seconds)[0]:
        return ""
    return os.read(process.stdout.fileno(), 4096).decode() or "(it has ended)"


def wait_until_all_wait(process):
    tasks = f"/proc/{process.pid}/task"
    for _ in range(1000):
        states = []
        for tid in os.listdir(tasks):
            with open(f"{tasks}/{tid}/syscall", encoding="ascii") as file:
                states.append(file.read().startswith("running"))
        if not any(states):
            return
        time.sleep(0.01)
    sys.exit("threads that do not wait")


def test_nobody_notices(kdbg, preload, program, folder):
    process = start(preload, program, folder)
    for _ in range(ROUNDS):
        wait_until_all_wait(process)
        subprocess.run([kdbg, "dump", "-p", str(process.pid), "-o", folder + "/dump"],
                       check=True, capture_output=True)
        wait_until_all_wait(process)
        process.send_signal(signal.SIGWINCH)
        for _ in range(1000):
            if os.path.exists(folder + "/own.dump"):
                break
            time.sleep(0.01)
        else:
            sys.exit("no dump was written when it was asked for by a signal")
        os.unlink(folder + "/own.dump")
        noticed = said(process, 0.1)
        if noticed:
            sys.exit(f"noticed:\n{noticed}")
    process.kill()
    process.wait()


def test_its_own_signals_count(kdbg, preload, program, folder):
    """Each SIGUSR1 ends the pause(), also one that comes in the middle of a dump."""
    process = start(preload, program, folder, "64")
    for _ in range(SIGNALS):
        wait_until_all_wait(process)
        dump = subprocess.Popen([kdbg, "dump", "-p", str(process.pid), "-o",
                                 folder + "/dump", "--level", "meta"],
                                stderr=subprocess.DEVNULL)
        time.sleep(random.random() * 0.01)
        process.send_signal(signal.SIGUSR1)
        if said(process, 20) != "back\n":
            sys.exit("a signal that came during a dump did not end pause()")
        if dump.wait(60) != 0:
            sys.exit("kdbg dump failed")
        noticed = said(process, 0)
        if noticed:
            sys.exit(f"pause() returned twice for one signal: {noticed}")
    process.kill()
    process.wait()


def main():
    kdbg, preload, program = map(os.path.abspath, sys.argv[1:4])
    for test in test_nobody_notices, test_its_own_signals_count:
        with tempfile.TemporaryDirectory(prefix="waiting-") as folder:
            test(kdbg, preload, program, folder)


if __name__ == "__main__":
    main()
