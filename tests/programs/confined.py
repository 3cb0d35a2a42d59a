#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kdbg check where processes may do little: the right verdict, or status 3 and why.

Usage: confined.py KDBG CONFINED [TEST]...

Every test is a function test_NAME; its docstring is what it holds. What needs
root is done in a user namespace by others.
"""
import os
import re
import subprocess
import sys
import tempfile

KDBG, CONFINED = (os.path.abspath(path) for path in sys.argv[1:3])
LIMIT = 60  # seconds that anything may take before it counts as hung
ROOT = os.geteuid() == 0
NOBODY = 65534


def clean_environment(**more):
    drop = ("KMA_", "UMEM_", "LD_PRELOAD", "TMPDIR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    # Where kdbg is built with ASan: its search for leaks needs ptrace, which is missing here.
    kept.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    return {**kept, **more}


def run(command, **more):
    more.setdefault("env", clean_environment())
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT,
                          **more)
    return done.returncode, done.stderr.decode()


def check(*command, around=(), options=(), **more):
    return run([*around, KDBG, "check", *options, "--", *command], **more)


def privileged(*command):
    """The command as root, in a namespace of mounts of its own."""
    return ["unshare", *([] if ROOT else ["--user", "--map-root-user"]), "--mount", *command]


def script(text, *arguments):
    return privileged("sh", "-euc", text, "sh", *arguments)


def equal(got, wanted, text=""):
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}; stderr {text!r}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def expect_both(run_words, lost=2):
    """A clean run is green, one that loses buffers is not, in the same cell."""
    status, text = run_words([])
    equal((status, text), (0, ""), text)
    status, text = run_words(["leak", str(lost)])
    equal(status, 23, text)
    contains(text, f"{100 * lost} bytes leaked in {lost} buffers")


# --- what may not be done from outside ----------------------------------------

def test_no_ptrace():
    """A filter that forbids ptrace and process_vm_readv to kdbg and all it runs."""
    expect_both(lambda words: check(CONFINED, *words, around=[CONFINED, "no-ptrace"]))
    expect_both(lambda words: check(CONFINED, "sitters", "3", *words,
                                    around=[CONFINED, "no-ptrace"]))


def test_no_capabilities():
    """Root in a container without CAP_SYS_PTRACE, or nobody in particular."""
    def cell(words):
        return run(privileged("setpriv", "--bounding-set", "-sys_ptrace",
                              "--inh-caps", "-all", KDBG, "check", "--", CONFINED, *words))
    expect_both(cell)


def test_another_user():
    """kdbg and its program belong to a user with a temporary folder of nobody's."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if ROOT else {}
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copies = copy_build(folder)
        expect_both(lambda words: run([copies[0], "check", "--", copies[1], *words], cwd="/",
                                      **user))


def copy_build(folder):
    """Where every user may read it: a build folder need not be such a place."""
    library = os.path.join(os.path.dirname(os.path.dirname(KDBG)), "alloc", "libkma_malloc.so")
    paths = []
    for source, name in ((KDBG, "kdbg/kdbg"), (CONFINED, "confined"),
                         (library, "alloc/libkma_malloc.so")):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(source, "rb") as data, open(path, "wb") as copy:
            copy.write(data.read())
        for place in (path, os.path.dirname(path)):
            os.chmod(place, 0o755)
        paths.append(path)
    return paths


def test_program_becomes_another_user():
    """A process that gives up its user is read by root; or says why it cannot be."""
    if ROOT:
        expect_both(lambda words: check(CONFINED, "user", str(NOBODY), *words))
    status, text = run(privileged("setpriv", "--bounding-set", "-sys_ptrace,-dac_override,"
                                  "-dac_read_search", "--inh-caps", "-all", KDBG, "check",
                                  "--", CONFINED, "undumpable", "leak", "2"))
    if status != 23:
        equal(status, 3, text)
        contains(text, "Not checked")


def test_not_dumpable():
    """prctl(PR_SET_DUMPABLE, 0): the memory is root's alone; what its own dump lacks is told."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if ROOT else {}
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copies = copy_build(folder)
        status, text = run([copies[0], "check", "--", copies[1], "undumpable"], cwd="/", **user)
        equal(status, 3, text)
        contains(text, "its dump is not whole: writer: page map unreadable")
        status, text = run([copies[0], "check", "--", copies[1], "undumpable", "leak", "2"],
                           cwd="/", **user)
        equal(status, 23, text)


# --- where nothing can be written ---------------------------------------------

FULL = """
mount -t tmpfs -o size=16k none "$1"
dd if=/dev/zero of="$1/filler" bs=1k count=64 2>/dev/null || :
shift
exec "$@"
"""


def test_full_disk():
    """The temporary folder has no room left: the roster goes elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        expect_both(lambda words: run(script(FULL, folder, KDBG, "check", "--", CONFINED, *words),
                                      env=clean_environment(TMPDIR=folder)))


FULL_EVERYWHERE = """
for place in "$TMPDIR" /tmp /dev/shm; do
    mount -t tmpfs -o size=16k none "$place"
    dd if=/dev/zero of="$place/filler" bs=1k count=64 2>/dev/null || :
done
exec "$@"
"""


def test_full_disks_everywhere():
    """No roster can be: status 3, the reason, and the program was not run for nothing."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, \
         tempfile.TemporaryDirectory(dir="/var/tmp") as program:
        copies = copy_build(program)
        status, text = run(script(FULL_EVERYWHERE, copies[0], "check", "--", copies[1], "leak",
                                  "1"), env=clean_environment(TMPDIR=folder))
        equal(status, 3, text)
        contains(text, "No space left on device")


def test_full_disk_of_dumps():
    """--dump-dir is full: the findings stand, the report says what became of the dump."""
    with tempfile.TemporaryDirectory() as folder:
        status, text = run(script(FULL, folder, KDBG, "check", "--dump-dir", folder, "--",
                                  CONFINED, "leak", "2"))
        equal(status, 23, text)
        contains(text, "200 bytes leaked in 2 buffers")
        contains(text, "its dump could not be written: No space left on device")


READ_ONLY = """
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
cd "$1"
shift
exec "$@"
"""


def test_read_only_directory():
    """The working directory, and $TMPDIR with it, take no file."""
    with tempfile.TemporaryDirectory() as folder:
        for env in (clean_environment(), clean_environment(TMPDIR=folder)):
            expect_both(lambda words, env=env: run(script(READ_ONLY, folder, KDBG, "check", "--",
                                                          CONFINED, *words), env=env))


# --- cells that the program builds for itself ----------------------------------

def test_program_in_a_filter():
    """After files are forbidden, and when all but a few calls would be deadly."""
    expect_both(lambda words: check(CONFINED, "deny-files", *words))
    expect_both(lambda words: check(CONFINED, "kill-all-else", *words))


def test_program_whose_filter_refuses_the_end():
    """What cannot be checked is told with its reason; a fork under the filter, too."""
    status, text = check(CONFINED, "refuse-end", "copy", "leak", "2")
    equal(status, 3, text)
    equal(len(re.findall(r"\(pid \d+, and 1 more like it\): its filter of system calls "
                         r"\(seccomp\) leaves none for a check$", text, re.M)), 1, text)


def test_program_in_a_chroot():
    """No /proc, no libraries, no place for a dump; other threads, too."""
    with tempfile.TemporaryDirectory() as folder:
        for before in ([], ["sitters", "3"]):
            expect_both(lambda words, before=before: run(
                privileged(KDBG, "check", "--", CONFINED, *before, "chroot", folder, *words)))


def test_program_in_namespaces():
    """Its pid is another for us; its mounts are its own."""
    expect_both(lambda words: run(privileged(KDBG, "check", "--", CONFINED, "pid-namespace",
                                             *words)))
    expect_both(lambda words: run(privileged(KDBG, "check", "--", CONFINED, "mount-namespace",
                                             *words)))


def test_program_spawned_into_a_namespace():
    """Who started it knows it by another pid than it knows itself."""
    for inner in ((), ("pid-spawn",)):
        expect_both(lambda words, inner=inner: run(privileged(
            KDBG, "check", "--", CONFINED, "pid-spawn", *inner, *words)))
    status, text = run(privileged(KDBG, "check", "--log-file", "/dev/stderr", "--", CONFINED,
                                  "pid-spawn"))
    equal(status, 0, text)
    contains(text, "2 processes")


def test_program_ended_with_its_namespace():
    """The kernel kills who is left when process 1 ends."""
    for start in ("pid-namespace", "pid-spawn"):
        status, text = run(privileged(KDBG, "check", "--", CONFINED, start, "abandon"))
        equal(status, 3, text)
        contains(text, "(pid 2, forked): ended without leaving a dump (killed?)")


def test_equal_pids_in_two_namespaces():
    """Both are process 1 of their own, at the same time, one deeper than the other."""
    inner = "unshare --pid --fork"
    def cell(words):
        program = " ".join([CONFINED, *words])
        text = f"{inner} {program} & {inner} {inner} {program} & wait"
        return run(privileged(KDBG, "check", "--", "sh", "-c", text))
    equal(cell([]), (0, ""))
    status, text = cell(["leak", "2"])
    equal(status, 23, text)
    contains(text, f"{os.path.basename(CONFINED)} (pid 1, and 1 more like it): "
                   "each 200 bytes leaked in 2 buffers")
    contains(text, "400 bytes leaked in 4 buffers")


def test_kdbg_in_a_pid_namespace():
    """As in a container: kdbg is a child of the first process."""
    around = ["unshare", *([] if ROOT else ["--user", "--map-root-user"]), "--pid", "--fork",
              "--mount-proc"]
    expect_both(lambda words: check(CONFINED, *words, around=around))


# --- under a debugger ---------------------------------------------------------

def test_traced_program():
    """gdb and strace run the program that is checked."""
    for tracer in (["strace", "-f", "-o", "/dev/null"],
                   ["gdb", "-q", "-batch", "-return-child-result", "-ex", "run", "--args"]):
        for words in ([], ["sitters", "2"]):
            status, text = check(*tracer, CONFINED, *words, "leak", "2",
                                 options=["--skip", tracer[0]])
            equal(status, 23, text)
            contains(text, "200 bytes leaked in 2 buffers")
            status, text = check(*tracer, CONFINED, *words, options=["--skip", tracer[0]])
            equal(status, 0, text)


def test_traced_kdbg():
    """gdb and strace run kdbg itself."""
    expect_both(lambda words: check(CONFINED, *words,
                                    around=["strace", "-f", "-o", "/dev/null"]))
    status, text = check(CONFINED, "leak", "2", around=[
        "gdb", "-q", "-batch", "-return-child-result", "-ex", "run", "--args"])
    equal(status, 23, text)
    contains(text, "200 bytes leaked in 2 buffers")


def main():
    names = sys.argv[3:]
    tests = [(name, test) for name, test in sorted(globals().items())
             if name.startswith("test_") and (not names or name in names)]
    failed = 0
    for name, test in tests:
        try:
            test()
            print("ok  ", name, flush=True)
        except (AssertionError, subprocess.TimeoutExpired, OSError) as why:
            failed += 1
            print("FAIL", name, "-", why, flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
