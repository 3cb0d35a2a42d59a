#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kdbg run and kdbg check on real processes.

Usage: check.py KDBG LIBRARY LIBDIR SUPERVISED STATIC OWN_MALLOC
                WRAPPED_MALLOC FIXED ASAN [TEST]...

Every test is a function test_NAME; its docstring is what it holds.
"""
import collections
import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

LIBDIR = sys.argv.pop(3)  # under the prefix, as lib/x86_64-linux-gnu
KDBG, LIBRARY, SUPERVISED, STATIC, OWN_MALLOC, WRAPPED_MALLOC, FIXED, ASAN = (
    os.path.abspath(path) for path in sys.argv[1:9])
with open(KDBG, "rb") as binary:
    SANITIZED = b"__asan_init" in binary.read()  # then nothing may be preloaded into kdbg
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIMIT = 60  # seconds that anything may take before it counts as hung

# Whoever runs the tests may ignore a signal (nohup does); children would too.
for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
    if signal.getsignal(ignored) == signal.SIG_IGN:
        signal.signal(ignored, signal.SIG_DFL)

Result = collections.namedtuple("Result", "status out err rows")


def clean_environment():
    drop = ("KMA_", "UMEM_", "LD_PRELOAD")
    return {name: value for name, value in os.environ.items() if not name.startswith(drop)}


def run(arguments, stdin=b"", env=None, cwd=None):
    done = subprocess.run(arguments, input=stdin, capture_output=True, timeout=LIMIT,
                          env=env or clean_environment(), cwd=cwd)
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Result(status, done.stdout.decode(), done.stderr.decode(), [])


def check(*command, options=(), **more):
    """Run kdbg check; rows are what --jsonl tells."""
    with tempfile.TemporaryDirectory() as folder:
        jsonl = os.path.join(folder, "rows")
        done = run([KDBG, "check", "--jsonl", jsonl, *options, "--", *command], **more)
        rows = []
        if os.path.exists(jsonl):
            with open(jsonl) as lines:
                rows = [json.loads(line) for line in lines]
        return done._replace(rows=rows)


def supervised(*actions, options=(), **more):
    return check(SUPERVISED, *[str(word) for word in actions], options=options, **more)


@contextlib.contextmanager
def started(*arguments):
    """A process of its own session, of which nothing is left afterwards."""
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=clean_environment(), start_new_session=True) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def of_type(result, kind):
    return [row for row in result.rows if row["type"] == kind]


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def expect(result, status, leaks=None, processes=None, unchecked=None):
    """leaks: pids do not matter, the number of buffers lost in each process."""
    summary = of_type(result, "summary")
    context = f"stderr {result.err!r}"
    equal(result.status, status, f"status; {context}")
    if not summary:
        raise AssertionError(f"no summary; {context}")
    if leaks is not None:
        equal(sorted(row["leaked"] for row in of_type(result, "process") if row["leaked"]),
              sorted(leaks), f"leaked buffers of each process; {context}")
    if processes is not None:
        equal(summary[0]["processes"], processes, f"processes checked; {context}")
    if unchecked is not None:
        equal(summary[0]["unchecked"], unchecked, f"processes unchecked; {context}")


# --- transparency -----------------------------------------------------------------

def test_clean_program_says_nothing():
    """Status 0, nothing on stdout and stderr."""
    result = supervised("hold", 100)
    expect(result, 0, leaks=[], processes=1, unchecked=0)
    equal((result.out, result.err), ("", ""))


def test_exit_status_is_the_programs():
    """Through exit, _exit, _Exit and quick_exit."""
    for how in ("exit", "_exit", "_Exit", "quick_exit"):
        expect(supervised(how, 7), 7, processes=1, unchecked=0)


def test_killed_by_signal():
    """128 and the signal."""
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM):
        result = supervised("raise", int(number))
        equal(result.status, 128 + number, f"signal {number}; stderr {result.err!r}")


def test_crash_of_the_command_is_told():
    """The signal and the stack, as a shell tells it; a child's is its parent's to tell."""
    result = supervised("raise", int(signal.SIGFPE))
    expect(result, 128 + signal.SIGFPE, processes=1, unchecked=0)
    contains(result.err, "killed by SIGFPE")
    contains(result.err, "main (")
    crash = of_type(result, "crash")[0]
    equal(crash["signal"], "FPE")
    contains([frame["function"] for frame in crash["stack"]], "main")
    result = supervised("null")
    equal(result.status, 128 + signal.SIGSEGV, result.err)
    contains(result.err, "killed by SIGSEGV at 0x10: a null pointer, or near one")
    equal(of_type(result, "crash")[0]["stack"][0]["function"], "read_null")
    contains(supervised("far").err, ": in the heap's address space, far from any buffer")
    result = supervised("leak", 1, "null")
    expect(result, 23, leaks=[1])
    contains(result.err, "killed by SIGSEGV at 0x10")
    for quiet in (supervised("fork", "null", "--"), supervised("raise", int(signal.SIGTERM))):
        equal(quiet.err, "")
    # What is reported as a misuse ends by SIGABRT: one story is enough.
    result = supervised("double-free")
    equal((of_type(result, "crash"), "killed by" in result.err), ([], False), result.err)


def test_ended_by_signal_is_checked():
    """SIGTERM and the like are a way to end: what is left then is judged."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGPIPE, signal.SIGHUP):
        expect(supervised("raise", int(number)), 128 + number, processes=1, unchecked=0)
        expect(supervised("leak", 1, "raise", int(number)), 23, leaks=[1])
    result = check("/bin/sh", "-c", "yes | head -n 1")
    expect(result, 0, unchecked=0)
    equal((result.out, result.err), ("y\n", ""))


def test_killed_hard_is_not_green():
    """SIGKILL leaves no dump: unchecked, by name."""
    result = supervised("raise", int(signal.SIGKILL))
    expect(result, 3, processes=0, unchecked=1)
    contains(result.err, "killed by signal 9")


def test_not_found_and_not_executable():
    for command in ("run", "check"):
        result = run([KDBG, command, "--", "/no/such/program"])
        equal(result.status, 127, command)
        contains(result.err, "/no/such/program: No such file")
        equal(run([KDBG, command, "--", "/etc/passwd"]).status, 126, command)


def test_glib_asks_malloc():
    """GSlice's blocks would hide what is lost in them; the user's word stands."""
    equal(check("/bin/sh", "-c", "echo $G_SLICE").out, "always-malloc\n")
    equal(check("/bin/sh", "-c", "echo $G_SLICE", env={**clean_environment(), "G_SLICE": "all"}).out,
          "all\n")


def test_standard_input_is_the_programs():
    result = supervised("input", stdin=b"one\ntwo\n")
    expect(result, 0)
    equal(result.out, "one\ntwo\n")


def test_signals_are_forwarded_once():
    """To kdbg alone: the program gets each signal, once."""
    with started(KDBG, "check", "--", SUPERVISED, "signals", "3", "exit", "5") as process:
        equal(process.stdout.readline(), b"ready\n")
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            process.send_signal(number)
            equal(process.stdout.readline(), b"signal %d\n" % number)
        out, err = process.communicate(timeout=LIMIT)
        equal((process.returncode, out), (5, b""), err)


def run_on_terminal(arguments):
    """What the program prints with a terminal of its own."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(arguments[0], arguments, clean_environment())
    text = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            break
        if not part:
            break
        text += part
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), text.decode()


def test_terminal_is_the_programs():
    """A terminal in the foreground, as without kdbg."""
    wanted = "tty 1 foreground 1"
    for command in ("run", "check"):
        with tempfile.TemporaryDirectory() as folder:
            dump = os.path.join(folder, "dump")
            options = ["-o", dump] if command == "run" else []
            status, text = run_on_terminal([KDBG, command, *options, "--", SUPERVISED, "terminal"])
        contains(text, wanted)
        if command == "check":
            equal(status, 0, text)


def test_terminal_interrupt_ends_program_and_kdbg():
    """Ctrl-C reaches the program by its process group; kdbg lives to tell."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(KDBG, [KDBG, "check", "--", SUPERVISED, "signals", "1", "exit", "6"],
                  clean_environment())
    text = b""
    while b"ready" not in text:
        text += os.read(terminal, 100)
    os.write(terminal, b"\x03")
    while b"signal 2" not in text:
        text += os.read(terminal, 100)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    equal(os.waitstatus_to_exitcode(status), 6, text)


def test_existing_preload_is_kept():
    """Ours first, theirs behind it."""
    if SANITIZED:
        return
    env = clean_environment()
    env["LD_PRELOAD"] = "libdl.so.2"
    result = check("/bin/sh", "-c", "echo $LD_PRELOAD", env=env)
    if not re.fullmatch(r"/\S+/libkma_malloc\.so:libdl\.so\.2\n", result.out):
        raise AssertionError(result.out)


# --- findings ---------------------------------------------------------------------

def test_leak_is_found_and_named():
    result = supervised("leak", 3)
    expect(result, 23, leaks=[3], processes=1, unchecked=0)
    contains(result.err, "300 bytes leaked in 3 buffers")
    leak = of_type(result, "leak")[0]
    equal((leak["class"], leak["leaked"], leak["bytes"]), ("definite", 3, 300))
    equal(leak["caller"]["function"], "lose_one")
    contains(leak["caller"]["file"], "supervised.c")
    with open(os.path.join(os.path.dirname(__file__), "supervised.c")) as source:
        contains(source.readlines()[leak["caller"]["line"] - 1], "malloc(100)")
    contains(result.err, f"supervised.c:{leak['caller']['line']})")
    contains([frame["function"] for frame in leak["stack"]], "main")


def test_possible_leaks_fail_on_request():
    """corpus/leaks/interior: one buffer lost, one held by its middle."""
    program = os.path.join(os.path.dirname(os.path.dirname(SUPERVISED)), "corpus", "interior")
    result = check(program)
    expect(result, 23, leaks=[1])
    contains(result.err, "referred to from inside only, no failure: 300 bytes in 1 buffer")
    possible = [row["caller"]["function"] for row in of_type(result, "leak")
                if row["class"] == "possible"]
    equal(possible, ["keep_middle"])
    result = supervised("hold-middle", 100)
    expect(result, 0, leaks=[])
    equal(result.err, "")
    result = supervised("hold-middle", 100, options=["--fail-on=possible"])
    expect(result, 23, leaks=[])
    contains(result.err, "a failure as asked: 100 bytes in 1 buffer")


def test_error_exitcode_is_the_users():
    expect(supervised("leak", 1, options=["--error-exitcode", "42"]), 42, leaks=[1])
    expect(supervised("leak", 1, "exit", 4, options=["--error-exitcode", "0"]), 4, leaks=[1])


def test_leak_beats_the_programs_status():
    expect(supervised("leak", 1, "exit", 9), 23, leaks=[1])


def test_leak_is_found_however_it_ends():
    for how in ("exit", "_exit", "_Exit", "quick_exit"):
        expect(supervised("leak", 2, how, 0), 23, leaks=[2])


def test_leak_of_the_last_moment():
    """No frame of libkma's own way to the end keeps an old word alive."""
    for end in (["exit", 0], ["_exit", 0]):
        expect(supervised("leak-last", *end), 23, leaks=[1])


def test_leak_of_a_thread():
    expect(supervised("thread-leak", 4), 23, leaks=[4])


def test_misuse_stops_the_program():
    """Status 23, the error by name, with its stacks."""
    for what, name in (("double-free", "DUPFREE"), ("overrun", "REDZONE"),
                       ("bad-free", "BADBASE")):
        result = supervised(what)
        expect(result, 23)
        error = of_type(result, "error")[0]
        equal(error["name"], name, what)
        contains([frame["function"] for frame in error["reported"]], "main")
        contains([frame["function"] for frame in error["allocated"]], "main")
        contains(result.err, "heap error")


def test_error_says_which_byte():
    """Where the damage is, what was there, and no frame of who found it at the end."""
    result = supervised("overrun")
    error = of_type(result, "error")[0]
    contains(result.err, f"{error['address']} is 0 bytes after the {error['size']}-byte buffer "
                         f"{error['buffer']}: ")
    result = supervised("overrun-kept")
    expect(result, 23)
    contains(result.err, "REDZONE: found at exit")
    contains(result.err, "-byte buffer")
    equal(of_type(result, "error")[0]["reported"], [])
    result = supervised("double-free")
    contains(result.err, f"{of_type(result, 'error')[0]['address']} is the start of a ")


def test_fault_is_told_from_where_it_happened():
    """Not from our handler of the signal."""
    result = supervised("guard-overrun", options=["--tier", "guard"])
    expect(result, 23)
    error = of_type(result, "error")[0]
    equal((error["name"], error["reported"][0]["function"]), ("GUARDFAULT", "overrun_guard"))


def test_sources_are_named_from_here():
    """Debug information has "../tests/...", which is no path in any other folder."""
    source = "tests/programs/supervised.c"
    for cwd, options, name in ((ROOT, [], source), (ROOT + "/tests", [], source[6:]),
                               ("/", [], ROOT + "/" + source),
                               ("/", ["--src-root", ROOT + "/tests"], source[6:])):
        result = supervised("leak", 1, options=options, cwd=cwd)
        expect(result, 23)
        contains(result.err, f" ({name}:")
        equal("(../" in result.err, False, result.err)


def test_keep_going_goes_on():
    """A misuse is reported and the program's end is its own."""
    result = supervised("double-free", "hold", 10, "exit", 0, options=["--keep-going"])
    expect(result, 23, processes=1, unchecked=0)
    equal(len(of_type(result, "error")), 1)


def test_misuse_that_is_repeated_is_told_once():
    """By the program's report with its stacks, and by ours; JSON lines have each."""
    result = supervised(*["double-free"] * 5, options=["--keep-going"])
    expect(result, 23)
    equal(len(of_type(result, "error")), 5)
    equal(result.err.count("(as before)\n"), 4, result.err)
    equal(result.err.count("kma:   reported by"), 1, result.err)
    equal(result.err.count("heap error, and 4 more like it: DUPFREE"), 1, result.err)
    equal(result.err.count("heap error:"), 0, result.err)


# --- accounting -------------------------------------------------------------------

MAKERS = ("fork", "fork-exec", "vfork-exec", "cleared-exec", "cleared-vfork", "spawn",
          "cleared-spawn", "system", "popen")


def test_leak_in_the_child_only():
    """However it was made, and whatever its environment."""
    for maker in MAKERS:
        result = supervised(maker, "leak", 2, "--", "hold", 10)
        expect(result, 23, leaks=[2], unchecked=0)


def test_leak_in_the_parent_only():
    for maker in MAKERS:
        result = supervised("leak", 2, maker, "hold", 10, "--")
        expect(result, 23, leaks=[2], unchecked=0)


def test_forks_that_read_the_same_are_told_once():
    """With how many there are; one that differs by a number is told by itself."""
    forks = [word for _ in range(5) for word in ("fork", "leak", 2, "--")]
    result = supervised(*forks, "fork", "leak", 3, "--")
    expect(result, 23, leaks=[2] * 5 + [3], processes=7)
    equal(len(re.findall("^  definite leak", result.err, re.M)), 2, result.err)
    equal(len(re.findall(r"forked, and 4 more like it\): each 200 bytes leaked in 2 buffers$",
                         result.err, re.M)), 1, result.err)
    equal(len(re.findall(r"forked\): 300 bytes leaked in 3 buffers$", result.err, re.M)), 1, result.err)
    still = [word for _ in range(3) for word in ("spawn", "=", STATIC, "--")]
    result = supervised(*still)
    expect(result, 3, processes=1, unchecked=3)
    equal(len(re.findall(r"still \(pid \d+, and 2 more like it\): it is statically", result.err)), 1,
          result.err)


def test_clean_children():
    for maker in MAKERS:
        expect(supervised(maker, "hold", 10, "--", "hold", 10), 0, leaks=[], unchecked=0)


def test_child_has_not_leaked_what_it_inherited():
    """The parent leaks three before it forks, the child one of its own."""
    result = supervised("leak", 3, "fork", "leak", 1, "--")
    expect(result, 23, leaks=[3, 1], processes=2, unchecked=0)
    forked = [row for row in of_type(result, "process") if row["forked"]]
    equal([row["leaked"] for row in forked], [1])


def test_cleared_environment_of_shells():
    """clearenv, then system and popen: still followed."""
    for maker in ("system", "popen"):
        expect(supervised("clearenv", maker, "leak", 2, "--"), 23, leaks=[2], unchecked=0)


def test_env_i():
    expect(check("env", "-i", SUPERVISED, "leak", "1"), 23, leaks=[1], unchecked=0)


def test_closed_descriptors():
    """A program that closes all it has inherited is followed all the same."""
    expect(supervised("close-fds", 3, "fork", "leak", 1, "--", "fork-exec", "leak", 2, "--"),
           23, leaks=[1, 2], unchecked=0)


def test_exec_of_what_cannot_be_read():
    """The exec family fails with EFAULT as the kernel does, announces nothing, also after vfork."""
    expect(supervised("exec-unreadable", "exit", 5), 5, processes=1)


def test_exec_is_judged_for_errors_only():
    """What an image held when it was replaced is no leak."""
    result = supervised("leak", 3, "exec", "hold", 10)
    expect(result, 0, leaks=[], processes=1, unchecked=0)
    expect(supervised("exec", "leak", 1), 23, leaks=[1], processes=1)


def test_error_before_exec_is_kept():
    result = supervised("double-free", "exec", "hold", 10, options=["--keep-going"])
    expect(result, 23)
    equal(len(of_type(result, "error")), 1, result.err)


def test_daemonised_grandchild_is_waited_for():
    result = supervised("daemon", "leak", 1, "--")
    expect(result, 23, leaks=[1], unchecked=0)


def test_daemon_of_libc_leaves_its_parent_checked():
    """daemon(3) ends the process that called it from inside of libc."""
    result = supervised("libc-daemon", "leak", 1)
    expect(result, 23, leaks=[1], processes=2, unchecked=0)


def test_daemon_of_libc_leaves_no_stale_word():
    """What its own frame never wrote hides nothing that its caller lost."""
    for _ in range(4):
        result = supervised("strewn-daemon", "exit", 0)
        expect(result, 23, leaks=[1], processes=2, unchecked=0)


def test_clone_is_a_fork():
    """Its child ends by returning from a function, which libc ends by a system call."""
    result = supervised("clone", "leak", 1, "--", "leak", 2)
    expect(result, 23, leaks=[1, 2], processes=2, unchecked=0)


def test_static_child_is_unchecked_by_name():
    for maker in ("fork-exec", "vfork-exec", "spawn", "exec"):
        result = supervised(maker, "=", STATIC, "--")
        expect(result, 3, unchecked=1)
        contains(result.err, os.path.basename(STATIC))
        contains(result.err, "statically linked")


def test_static_command_is_unchecked():
    result = check(STATIC, "0")
    expect(result, 3, processes=0, unchecked=1)
    contains(result.err, "No process was checked")


def test_own_malloc_is_unchecked():
    result = check(OWN_MALLOC)
    expect(result, 3, processes=0, unchecked=1)
    contains(result.err, "malloc of its own")
    equal("killed by" in result.err, False, result.err)
    expect(check(FIXED), 23, leaks=[1])
    expect(check(WRAPPED_MALLOC), 23, leaks=[1], processes=1, unchecked=0)


def test_roster_is_not_read_ahead():
    """Nobody reads it in order; what is reserved of it takes a third of a short program's time to read."""
    result = check("sh", "-c", "sed -n '/roster/,/VmFlags/p' /proc/$$/smaps")
    contains(result.out, "roster")
    contains(result.out.splitlines()[-1].split(), "rr")


def test_truncated_stack_says_so():
    shallow = check(SUPERVISED, "leak", "1", env=clean_environment() | {"KMA_DEBUG": "audit=2"})
    contains(shallow.err, "\n        ...\n")
    equal("main (" in shallow.err, False, shallow.err)
    whole = check(SUPERVISED, "leak", "1")
    contains(whole.err, "main (")
    equal("\n        ...\n" in whole.err, False, whole.err)


def test_report_of_a_deep_stack():
    """audit=0 keeps all of it; of each leak enough is told."""
    deep = check(SUPERVISED, "leak-below", "3000", env=clean_environment() | {"KMA_DEBUG": "audit=0"})
    contains(deep.err, "\n        ...\n")
    equal(deep.err.count("lose_below") < 520, True, deep.err)
    some = check(SUPERVISED, "leak-below", "300", env=clean_environment() | {"KMA_DEBUG": "audit=0"})
    contains(some.err, "main (")


def test_path_with_a_newline():
    """The list of mappings writes it otherwise."""
    with tempfile.TemporaryDirectory(suffix="new\nline") as folder:
        result = check(shutil.copy(SUPERVISED, folder), "leak", "1")
        dump = os.path.join(folder, "dump")
        run([KDBG, "run", "-o", dump, "--", os.path.join(folder, "supervised"), "leak", "1"])
        found = run([KDBG, "--no-rc", "-e", "::findleaks", dump])
    expect(result, 23, leaks=[1])
    contains(result.err, "allocated by lose_one (")
    contains(found.out, "lose_one+")


def test_tool_with_a_malloc_is_unchecked():
    """memcheck has its own malloc run where libkma's is called."""
    result = check("valgrind", "-q", "--log-file=/dev/null", SUPERVISED, "leak", "1")
    expect(result, 3, processes=0, unchecked=1)
    contains(result.err, "runs under a tool that has")
    expect(check("valgrind", "-q", "--log-file=/dev/null", WRAPPED_MALLOC), 3, processes=0, unchecked=1)


def test_tool_without_a_malloc_is_unchecked():
    """What it keeps of the program would hold leaks; misuses are told all the same."""
    command = ["valgrind", "-q", "--tool=none", "--log-file=/dev/null", SUPERVISED]
    result = check(*command, "leak", "1")
    expect(result, 3, leaks=[], processes=0, unchecked=1)
    contains(result.err, "it runs under valgrind, whose own memory would hold leaks")
    expect(check(*command, "fork", "leak", "1", "--"), 3, leaks=[], processes=0, unchecked=2)
    misused = check(*command, "double-free")
    expect(misused, 23, leaks=[], processes=0, unchecked=1)
    equal(of_type(misused, "summary")[0]["errors"], 1)


def test_sanitized_command_runs_and_is_unchecked():
    """It would refuse to start behind a preload."""
    result = check(ASAN, "0")
    expect(result, 3, processes=0, unchecked=1)
    if "sanitizer's runtime" not in result.err:  # clang links it in
        contains(result.err, "malloc of its own")
    equal(run([KDBG, "check", "--quiet", "--error-exitcode", "0", "--", ASAN, "0"]).err, "")


def test_allow_unchecked():
    """Named, and no reason for 3; but one process must have been checked."""
    options = ["--allow-unchecked", os.path.basename(STATIC)]
    result = supervised("spawn", "=", STATIC, "--", options=options)
    expect(result, 0, processes=1, unchecked=0)
    equal(result.err, "")
    allowed = [row for row in of_type(result, "process") if row["verdict"] == "allowed"]
    equal([row["reason"] for row in allowed], ["it is statically linked"])
    expect(check(STATIC, options=options), 3, processes=0)


def test_killed_program_of_the_system():
    """Its leaks would not have failed the check; what it started has accounts of its own."""
    killed = ["sh", "-c", "sh -c 'kill -9 $$'; true"]
    result = check(*killed)
    expect(result, 0, unchecked=0)
    equal(result.err, "Killed\n")  # says the outer shell
    contains([row["verdict"] for row in of_type(result, "process")], "allowed")
    expect(check(*killed, options=["--strict-children"]), 3, unchecked=1)
    own = ["sh", "-c", 'sh -c "$0 leak 1; $0 raise 9; kill -9 \\$\\$"; true', SUPERVISED]
    expect(check(*own), 23, leaks=[1], unchecked=1)


def test_skip():
    """Run, not audited, not counted."""
    options = ["--skip", os.path.basename(SUPERVISED)]
    result = check("/bin/sh", "-c", f"{SUPERVISED} leak 2; exit 5", options=options)
    expect(result, 5, leaks=[], processes=1, unchecked=0)


def test_children_none():
    result = supervised("fork", "leak", 1, "--", "spawn", "leak", 1, "--", "spawn", "=", STATIC,
                        "--", options=["--children=none"])
    expect(result, 0, leaks=[], processes=1, unchecked=0)
    expect(supervised("leak", 1, options=["--children=none"]), 23, leaks=[1])


def test_child_killed_hard():
    """Nobody but its parent has seen its status: unchecked all the same."""
    result = supervised("fork", "raise", int(signal.SIGKILL), "--")
    expect(result, 3, processes=1, unchecked=1)


def test_child_that_crashes():
    """It leaves its dump; the crash is the program's own affair."""
    result = supervised("fork", "raise", int(signal.SIGSEGV), "--", "exit", 4)
    expect(result, 4, processes=2, unchecked=0)


def test_raw_exit_is_not_green():
    """An exit that nothing sees leaves no dump."""
    result = supervised("raw-exit", 0)
    expect(result, 3, processes=0, unchecked=1)


def test_timeout():
    start = time.monotonic()
    result = supervised("sleep", 50, options=["--timeout", "1"])
    expect(result, 3)
    contains(result.err, "ended by --timeout")
    if time.monotonic() - start > 20:
        raise AssertionError("took too long")


def test_timeout_ends_children_too():
    result = supervised("fork", "sleep", 50, "--", options=["--timeout", "1"])
    expect(result, 3)


def test_daemon_that_stays_is_named():
    """Ctrl-C or SIGTERM while it is waited for ends the wait, not the daemon."""
    with started(KDBG, "check", "--", SUPERVISED, "daemon", "sleep", "20") as process:
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=LIMIT)
        equal(process.returncode, 3, err)
        contains(err.decode(), "still running")


def test_many_processes():
    """More of them than fit the roster's first room."""
    result = check("/bin/bash", "-c", "for i in {1..40}; do (:) ; done")
    expect(result, 0, processes=41, unchecked=0)


def test_roster_that_a_program_damages():
    """Noise in the records, a header of noise, no file any more: never green, never a crash."""
    noise = "dd if=/dev/urandom of=$KMA_ROSTER bs=1024 conv=notrunc status=none "
    for damage in (noise + "seek=5 count=200", noise + "count=1", "truncate -s 100 $KMA_ROSTER",
                   "rm $KMA_ROSTER"):
        result = check("/bin/sh", "-c", damage + "; exit 0", options=["--timeout", "20"])
        wanted = (0,) if damage.startswith("rm") else (3,)
        if result.status not in wanted:
            raise AssertionError(f"{damage}: {result.status}: {result.err}")


def test_limits_of_addresses():
    """The roster's mapping is no burden to a program that has few, by itself or from the start."""
    for megabytes in (100, 250, 1000):
        result = supervised("limit", megabytes, "thread-leak", 4, "fork", "leak", 1, "--",
                            "spawn", "leak", 2, "--")
        expect(result, 23, leaks=[4, 1, 2], processes=3, unchecked=0)
    for kilobytes in (100000, 250000, 1000000):
        result = check("sh", "-c", f"ulimit -v {kilobytes}; exec \"$@\"", "sh", SUPERVISED,
                       "thread-leak", "4", "fork", "leak", "1", "--")
        expect(result, 23, leaks=[4, 1], unchecked=0)


def test_another_supervisors_processes_are_its_own():
    """kdbg check under kdbg check: the inner one's verdict is the outer one's status."""
    if SANITIZED:
        return
    result = check(KDBG, "check", "--", SUPERVISED, "leak", "1")
    expect(result, 23, leaks=[], processes=1, unchecked=0)
    contains(result.err, "100 bytes leaked")


def test_programs_of_the_system_do_not_fail():
    """Told in the reports; with --strict-children they count."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        result = check("bash", "-c", "ls / | tail -1", options=["--log-file", log])
        expect(result, 0, unchecked=0)
        equal(result.err, "")
        lossy = [row["program"] for row in of_type(result, "process") if row["leaked"]]
        with open(log) as text:
            report = text.read()
        for program in lossy:
            contains(report, program)
    result = check("bash", "-c", "ls / | tail -1", options=["--strict-children"])
    expect(result, 23 if lossy else 0, unchecked=0)


# --- reports and options ----------------------------------------------------------

def test_log_file_has_the_summary_when_clean():
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        result = supervised("hold", 10, options=["--log-file", log])
        equal((result.status, result.err), (0, ""))
        with open(log) as text:
            contains(text.read(), "1 process, ")


def test_quiet():
    result = supervised("leak", 1, options=["--quiet"])
    equal((result.status, result.err), (23, ""))


def test_dump_dir_keeps_dumps_with_findings():
    with tempfile.TemporaryDirectory() as folder:
        where = os.path.join(folder, "dumps")
        supervised("hold", 10, options=["--dump-dir", where])
        equal(os.listdir(where), [])
        result = supervised("leak", 1, "fork", "hold", 10, "--", options=["--dump-dir", where])
        equal(len(os.listdir(where)), 1, "dumps kept")
        contains(result.err, os.path.join(where, os.listdir(where)[0]))
        supervised("hold", 10, options=["--dump-dir", where, "--keep=always"])
        equal(len(os.listdir(where)), 2, "dumps kept")


def test_nothing_is_left_in_the_temporary_folder():
    with tempfile.TemporaryDirectory() as folder:
        env = clean_environment()
        env["TMPDIR"] = folder
        supervised("leak", 1, "fork", "hold", 10, "--", env=env)
        equal(os.listdir(folder), [])


def test_usage():
    for arguments, text in (([], "no command"), (["--frob", "--", "true"], "frob"),
                            (["--timeout", "x", "--", "true"], "seconds"),
                            (["--error-exitcode", "999", "--", "true"], "0 to 255"),
                            (["--keep=some", "--", "true"], "always"),
                            (["--children=some", "--", "true"], "all or none"),
                            (["--fail-on=some", "--", "true"], "possible"),
                            (["--tier", "some", "--", "true"], "audit"),
                            (["--update-baseline", "--", "true"], "needs --baseline")):
        result = run([KDBG, "check", *arguments])
        equal(result.status, 2, arguments)
        contains(result.err, text)
    for command in ("run", "check"):
        result = run([KDBG, command, "--help"])
        equal((result.status, result.err), (0, ""))
        contains(result.out, "usage: kdbg " + command)
        contains(run([KDBG, command, "--version"]).out, "kdbg ")


def test_library_is_found_where_it_is_installed():
    with tempfile.TemporaryDirectory() as prefix:
        for folder, path in (("bin", KDBG), (LIBDIR, LIBRARY)):
            os.makedirs(os.path.join(prefix, folder))
            shutil.copy(path, os.path.join(prefix, folder))
        kdbg = os.path.join(prefix, "bin", "kdbg")
        result = run([kdbg, "check", "--", SUPERVISED, "leak", "1"])
        equal(result.status, 23, result.err)
        os.remove(os.path.join(prefix, LIBDIR, os.path.basename(LIBRARY)))
        result = run([kdbg, "check", "--", SUPERVISED])
        equal(result.status, 3, result.err)
        contains(result.err, "libkma_malloc.so is neither in")


# --- kdbg run ---------------------------------------------------------------------

def test_run_leaves_dumps():
    """FILE for the command, FILE.PID for a child; replaced when there."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.kdump")
        for _ in range(2):
            result = run([KDBG, "run", "-o", path, "--", SUPERVISED, "fork", "hold", "10", "--",
                          "exit", "4"])
            equal((result.status, result.out, result.err), (4, "", ""))
        names = sorted(os.listdir(folder))
        equal([re.sub(r"\.\d+$", ".PID", name) for name in names],
              ["out.kdump", "out.kdump.PID", "out.kdump.PID"])
        result = run([KDBG, "-e", "::status", path])
        equal(result.status, 0, result.err)
        contains(result.out, "supervised")


def test_run_refuses_where_no_dump_can_go():
    """Before the program has run for nothing."""
    with tempfile.TemporaryDirectory() as folder:
        for output, why in ((os.path.join(folder, "no", "x"), "No such file"),
                            ("/dev/null", "no regular file"), (folder, "no regular file")):
            result = run([KDBG, "run", "-o", output, "--", "echo", "ran"])
            equal((result.status, result.out), (1, ""), result.err)
            contains(result.err, why)
        strange = os.path.join(folder, "100% a dump")
        equal(run([KDBG, "run", "-o", strange, "--", SUPERVISED]).status, 0)
        equal(os.listdir(folder), ["100% a dump"])


def test_small_files_only():
    """A limit on the size of files is told, and no crash."""
    result = run(["/bin/sh", "-c", f"ulimit -f 1; {KDBG} check -- {SUPERVISED}"])
    equal(result.status, 3, result.err)
    contains(result.err, "File too large")


def test_run_says_when_there_is_no_dump():
    with tempfile.TemporaryDirectory() as folder:
        result = run([KDBG, "run", "--", STATIC, "5"], cwd=folder)
        equal(result.status, 5, result.err)
        contains(result.err, "no dump")
        equal(os.listdir(folder), [])


# --- real programs ----------------------------------------------------------------

def test_real_programs_are_checked():
    """Their own status, or findings with a stack; never unchecked."""
    for command in (["python3", "-c", "print(1)"], ["git", "--version"],
                    ["bash", "-c", "ls / | sort | head -1; exit 0"]):
        result = check(*command)
        expect(result, result.status, unchecked=0)
        if result.status not in (0, 23):
            raise AssertionError(f"{command}: {result.status}: {result.err}")
        for leak in of_type(result, "leak"):
            if not leak["stack"]:
                raise AssertionError(f"{command}: leak without a stack")


def give_up(_signal, _frame):
    raise AssertionError("hung")


def main():
    signal.signal(signal.SIGALRM, give_up)
    wanted = sys.argv[9:]
    tests = [(name, function) for name, function in sorted(globals().items())
             if name.startswith("test_") and (not wanted or name in wanted)]
    failed = 0
    for name, function in tests:
        signal.alarm(LIMIT)
        try:
            function()
            print("ok  ", name, flush=True)
        except (AssertionError, subprocess.TimeoutExpired, OSError, IndexError, KeyError) as why:
            failed += 1
            print("FAIL", name, "-", why, flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
