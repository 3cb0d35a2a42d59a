#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How dumps come to be: asked for from outside, or cut off while they are written.

Usage: dumps.py KDBG PRELOAD PAUSED MANY_BUFFERS SANDBOXED.
"""
import json
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

KILLS = 50
BOXED = os.path.abspath(sys.argv[5])
BUFFERS = "100000"

# A shell starts what is in its background with these ignored.
for number in (signal.SIGQUIT, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)


def run(arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True,
                          errors="replace", timeout=120, check=False, **options)


def fail(text):
    sys.exit(text)


def start(program, *arguments, preload=None, **variables):
    environment = dict(os.environ, **variables)
    if preload:
        environment["LD_PRELOAD"] = preload
    process = subprocess.Popen([program, *arguments], env=environment,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    if not process.stdout.readline():
        fail(f"{program} did not start")
    return process


def end(process):
    process.stdin.close()
    if process.wait(timeout=60) != 0:
        fail(f"{process.args}: ended with {process.returncode}")


def rows(kdbg, target, command):
    result = run([kdbg, "--no-rc", "-j", "-e", command] + target)
    if result.returncode != 0:
        fail(f"{command} of {target}: {result.stderr}")
    return sorted(result.stdout.splitlines())


def facts(kdbg, path):
    found = [json.loads(line) for line in rows(kdbg, [path], "::status")]
    return {row["field"]: row["value"] for row in found}


def info(kdbg, path):
    result = run([kdbg, "info", path])
    if result.returncode != 0 or "\nwhole\n" not in result.stdout:
        fail(f"info of {path}: {result.stdout}{result.stderr}")
    return result.stdout


def dump(kdbg, pid, path, *options):
    result = run([kdbg, "dump", "-p", str(pid), "-o", path, *options])
    if result.returncode != 0:
        fail(f"kdbg dump {options}: {result.stderr}")
    found = re.search(r"stood still for ([\d.]+) ms\n", result.stderr)
    if not found or os.stat(path).st_mode & 0o777 != 0o600:
        fail(f"kdbg dump {options}: {result.stderr}")
    return result.stderr


def test_a_process_with_libkma_writes_its_own(kdbg, preload, paused, _, folder):
    process = start(paused, "a-secret", preload=preload, KMA_DEBUG="audit")
    expected = rows(kdbg, ["-p", str(process.pid)], "::kmastat")
    path = os.path.join(folder, "asked")
    for options in (), ("--workers", "3"), ("--codec", "none"), \
            ("--codec", "zlib", "--workers", "1"), ("--level", "heap"), \
            ("--level", "meta"), ("--stop",):
        said = dump(kdbg, process.pid, path, *options)
        if "does not answer" in said:
            fail(f"{options}: {said}")
        found = facts(kdbg, path)
        writer = "kdbg" if options == ("--stop",) else "libkma"
        level = options[1] if "--level" in options else "full"
        if not re.match(f"{writer} .*level {level}", found["written by"]) or \
                found["reason"] != "snapshot of a running process":
            fail(f"{options}: {found}")
        if rows(kdbg, [path], "::kmastat") != expected:
            fail(f"{options}: ::kmastat differs")
        whole = info(kdbg, path)
        if options == ("--codec", "none") and re.search("zlib|zstd", whole):
            fail(whole)
        if options[:2] == ("--codec", "zlib") and "zstd" in whole:
            fail(whole)
    left = list(pathlib.Path(folder).iterdir())
    if left != [pathlib.Path(path)]:
        fail(f"left behind: {left}")
    end(process)


def test_what_is_read_from_outside_is_not_kept(kdbg, _, __, many, folder):
    process = start(many, "2000000", "hold")
    path = os.path.join(folder, "large")
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    held = int(re.search(r"VmRSS:\s+(\d+)", status)[1])
    reader = subprocess.Popen([kdbg, "dump", "-p", str(process.pid), "-o", path,
                               "--stop"], stderr=subprocess.DEVNULL)
    _, ended, used = os.wait4(reader.pid, 0)
    reader.returncode = ended
    end(process)
    if ended or used.ru_maxrss > held / 2 + 64 * 1024:
        fail(f"{ended}: {used.ru_maxrss} KiB to write {held} KiB")
    info(kdbg, path)


def test_one_that_does_not_answer_is_stopped(kdbg, preload, paused, _, folder):
    process = start(paused, preload=preload)
    path = os.path.join(folder, "stopped")
    os.kill(process.pid, signal.SIGSTOP)
    said = dump(kdbg, process.pid, path)
    if "does not answer: it is stopped and read from outside" not in said:
        fail(said)
    if not facts(kdbg, path)["written by"].startswith("kdbg"):
        fail(str(facts(kdbg, path)))
    # It hears the question later, and must not act on it.
    os.kill(process.pid, signal.SIGCONT)
    time.sleep(0.3)
    info(kdbg, path)
    said = dump(kdbg, process.pid, path)
    if "does not answer" in said:
        fail(said)
    end(process)


def test_one_without_libkma_is_never_sent_a_signal(kdbg, _, paused, __, folder):
    process = start(paused)
    path = os.path.join(folder, "plain")
    dump(kdbg, process.pid, path)
    if not facts(kdbg, path)["written by"].startswith("kdbg"):
        fail(str(facts(kdbg, path)))
    end(process)


def test_a_process_that_cannot_write_says_why(kdbg, preload, paused, _, folder):
    process = start(paused, preload=preload)
    path = os.path.join(folder, "limited")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    for options in (), ("--stop",), ("--stop", "--workers", "1"):
        result = run([kdbg, "dump", "-p", str(process.pid), "-o", path, *options],
                     preexec_fn=limit)
        if options and ("File too large" not in result.stderr or
                        result.returncode != 1):
            fail(f"{options}: {result.returncode} {result.stderr}")
        if options and list(pathlib.Path(folder).iterdir()):
            fail(f"left behind: {os.listdir(folder)}")
        if not options:
            os.unlink(path)  # the limit is kdbg's: the process has none
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, 4096))
    result = run([kdbg, "dump", "-p", str(process.pid), "-o", path])
    if result.returncode != 1 or "could not write its dump: File too large" \
            not in result.stderr or list(pathlib.Path(folder).iterdir()):
        fail(f"{result.returncode} {result.stderr} {os.listdir(folder)}")
    end(process)
    result = run([kdbg, "convert", paused, os.path.join(folder, "none", "x")])
    if result.returncode != 1:
        fail(result.stderr)


def sandboxed(preload, program, folder, *words, tier="audit"):
    dump = os.path.join(folder, "box.kdump")
    done = run([program, *words], env=dict(
        os.environ, LD_PRELOAD=preload, KMA_DEBUG=tier,
        KMA_DUMP=f"path={dump},on=exit+fatal"))
    written = os.path.exists(dump)
    if written:
        os.unlink(dump)
    return done.returncode, written, done.stderr


def test_a_library_without_malloc_says_what_to_preload(kdbg, preload, _, __, folder):
    """libkma.so preloaded: its dump has an empty heap, which is no heap without leaks."""
    says = "preload libkma_malloc.so"
    for library, unserved in (("libkma.so", True), ("libkma_malloc.so", False)):
        dump = os.path.join(folder, library)
        run(["ls"], env=dict(os.environ, LD_PRELOAD=os.path.join(os.path.dirname(preload), library),
                             KMA_DUMP=f"path={dump},on=exit"))
        for command in "::status", "::findleaks", "::kmem_verify":
            done = run([kdbg, "--no-rc", "-e", command, dump])
            if (says in done.stdout + done.stderr) != unserved or done.returncode:
                fail(f"{command} under {library}: {done.stdout}{done.stderr}")
        leaks = run([kdbg, "--no-rc", "-e", "::findleaks", dump])
        if unserved and "no memory leaks" in leaks.stdout:
            fail(f"under {library}: {leaks.stdout}")


def test_a_seccomp_filter_costs_the_dump_alone(_, preload, __, ___, folder):
    program = BOXED
    for way in "prctl", "seccomp":
        for end_, status in ("exit", 5), ("crash", -signal.SIGSEGV):
            bare = run([program, way, "tight", end_]).returncode
            if bare != status:
                fail(f"without libkma {way} tight {end_} is {bare}")
            found = sandboxed(preload, program, folder, way, "tight", end_)
            if found[:2] != (status, False):
                fail(f"{way} tight {end_}: {found}")
            if "seccomp filter does not allow system call" not in found[2]:
                fail(f"{way} tight {end_}: {found}")
            found = sandboxed(preload, program, folder, way, "loose", end_)
            if found[:2] != (status, True):
                fail(f"{way} loose {end_}: {found}")
        # No dump can be written, but the heap is looked at when it ends.
        found = sandboxed(preload, program, folder, way, "pread", "exit")
        if found[:2] != (5, False):
            fail(f"{way} pread: {found}")
        found = sandboxed(preload, program, folder, way, "errno", "exit")
        if found[:2] != (5, False) or "does not allow system call" not in found[2]:
            fail(f"{way} errno: {found}")
    bare = run([program, "strict", "-", "exit"]).returncode
    found = sandboxed(preload, program, folder, "strict", "-", "exit")
    if found[0] != bare:  # exit_group() is what ends it
        fail(f"strict: {bare}, {found}")


def test_threads_start_behind_a_seccomp_filter(_, preload, __, ___, folder):
    bare = run([BOXED, "prctl", "threads", "thread"]).returncode
    if bare != 5:
        fail(f"without libkma: {bare}")
    for way in "prctl", "seccomp":
        for tier in "off", "lite", "audit", "guard":
            found = sandboxed(preload, BOXED, folder, way, "threads", "thread",
                              tier=tier)
            if found[0] != 5:
                fail(f"{way} {tier}: {found}")


def test_a_heap_grows_behind_a_seccomp_filter(_, preload, __, ___, folder):
    """Where madvise() and mprotect() would end the program, as libc does without."""
    for kind in "advice", "protecting", "mapping":
        bare = run([BOXED, "prctl", kind, "heap"]).returncode
        if bare != 5:
            fail(f"without libkma: {bare}")
        for tier in "off", "lite", "audit", "guard", "audit=1/512K":
            found = sandboxed(preload, BOXED, folder, "prctl", kind, "heap", tier=tier)
            if found[0] != 5:
                fail(f"{kind} {tier}: {found}")


def test_what_is_no_filter_costs_nothing(_, preload, __, ___, folder):
    """A question, a filter that the kernel does not take, and one of another thread."""
    for way, kind, dumps in (("asking", "tight", True), ("prctl", "wrong", True),
                             ("seccomp", "wrong", True), ("thread", "ending", False)):
        for end_, status in ("heap", 5), ("crash", -signal.SIGSEGV):
            bare = run([BOXED, way, kind, end_]).returncode
            if bare != status:
                fail(f"without libkma: {way} {kind} {end_}: {bare}")
            for tier in "off", "audit", "guard":
                found = sandboxed(preload, BOXED, folder, way, kind, end_, tier=tier)
                if found[:2] != (status, dumps):
                    fail(f"{way} {kind} {end_} {tier}: {found}")


def check_cut(kdbg, folder, seen):
    """A final file is whole; what is there of another can be looked at."""
    final = os.path.join(folder, "x.kdump")
    if os.path.exists(final):
        info(kdbg, final)
        seen["final"] += 1
    for part in pathlib.Path(folder).glob("*.part-*"):
        if part.stat().st_size == 0:
            continue
        result = run([kdbg, "--no-rc", "-e", "::status", str(part)])
        if result.returncode == 0 and "program " in result.stdout:
            seen["salvaged"] += 1
        elif "is cut or damaged: no section found" in result.stderr or \
                "truncated at byte" in result.stderr:
            seen["nothing yet"] += 1
        else:
            fail(f"{part}: {result.stdout}{result.stderr}")


def write_and_kill(preload, program, folder, after, workers):
    """Seconds the dump took, where it was let write."""
    process = start(program, BUFFERS, "hold", preload=preload, KMA_DEBUG="audit",
                    KMA_DUMP=f"path={folder}/x.kdump,on=fatal,workers={workers}")
    begun = time.monotonic()
    process.send_signal(signal.SIGQUIT)
    if after is None:
        process.wait(timeout=60)
        return time.monotonic() - begun
    time.sleep(after)
    process.kill()
    process.wait(timeout=60)
    return None


def test_kill_9_leaves_a_whole_dump_or_none(kdbg, preload, _, many, folder):
    seen = {"final": 0, "salvaged": 0, "nothing yet": 0}
    with tempfile.TemporaryDirectory() as place:
        whole = max(write_and_kill(preload, many, place, None, w) for w in (1, 2))
        check_cut(kdbg, place, seen)
    generator = random.Random(1)
    for i in range(KILLS):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            write_and_kill(preload, many, place, generator.random() * whole,
                           1 + i % 2)
            check_cut(kdbg, place, seen)
    print(f"{KILLS} kills in {whole:.2f} s:", seen)
    if not seen["salvaged"]:
        fail("no kill came while a dump was written: this test tests nothing")


def main():
    paths = [os.path.abspath(path) for path in sys.argv[1:5]]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            with tempfile.TemporaryDirectory() as folder:
                test(*paths, folder)
            print("ok", name)


if __name__ == "__main__":
    main()
