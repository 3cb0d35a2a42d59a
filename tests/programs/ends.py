#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way to die leaves a dump, and the kernel's core where the signal makes
one; both say which signal, which thread, which address, and what was there.

Usage: ends.py KDBG PRELOAD ENDS CRASH LINE. LINE is a key of LINES.
"""
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
import time

SKIPPED = 77
AS_LIMIT = 256 << 20
SENT = r" \(sent by a (process|thread)\)"

# line: way, tier, signal, ::status's fault (None: there is none), and what
# follows the signal's name in its reason.
LINES = {
    "segv": ("segv", "audit", "SEGV", "a null pointer", r" \(nothing is mapped there\)"),
    "segv at off": ("segv", "off", "SEGV", "a null pointer", r" \(nothing is mapped there\)"),
    "use after free": ("segv-freed", "guard", "SEGV", "freed .*kmem_alloc_", ""),
    "overrun": ("segv-beyond", "guard", "SEGV", "0 bytes behind the allocated 4096-byte buffer .* of kmem_alloc_",
                ""),
    "bus": ("bus", "audit", "BUS", ".", ""),
    "ill": ("ill", "audit", "ILL", None, ""),
    "fpe": ("fpe", "audit", "FPE", None, r" \(integer division by zero\)"),
    "trap": ("trap", "audit", "TRAP", None, ""),
    "abort": ("abort", "audit", "ABRT", None, SENT),
    "stack overflow": ("stack", "audit", "SEGV", ".", ""),
    "stack overflow in a thread": ("stack-thread", "audit", "SEGV", ".", ""),
    "assert in a thread": ("assert-thread", "audit", "ABRT", None, SENT),
    "damaged heap": ("corrupt-and-crash", "off", "SEGV", "a null pointer", ""),
    "abort in malloc": ("abort-in-malloc", "audit", "ABRT", None, SENT),
    "abort in malloc at off": ("abort-in-malloc", "off", "ABRT", None, SENT),
    "altstack": ("altstack", "audit", "SEGV", "a null pointer", ""),
    "a runtime's handler": ("runtime", "audit", "SEGV", "a null pointer", ""),
    "no memory": ("no-memory", "off", "SEGV", "a null pointer", ""),
    "sent": (["QUIT", "SYS", "XCPU", "XFSZ", "SEGV", "BUS", "FPE", "ILL", "ABRT", "TRAP"],),
    "misuse": (),
    "killed": (["TERM", "INT", "HUP"],),
    "terminate": (),
    "java": (),
    "node": (),
}


def fail(text):
    sys.exit(text)


def rows(kdbg, target, command):
    result = subprocess.run([kdbg, "--no-rc", "-j", "-e", command, target],
                            capture_output=True, text=True, timeout=60, check=False)
    if result.returncode != 0:
        fail(f"{command} of {target}: {result.stderr}")
    return [json.loads(line) for line in result.stdout.splitlines()]


def status(kdbg, target):
    return {row["field"]: row["value"] for row in rows(kdbg, target, "::status")}


def undo_limits():
    """As a program finds it that nobody has started in the background."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    for number in (signal.SIGQUIT, signal.SIGINT, signal.SIGHUP, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)


def limit_memory():
    undo_limits()
    resource.setrlimit(resource.RLIMIT_AS, (AS_LIMIT, AS_LIMIT))


def start(folder, preload, tier, command, on="fatal+error", limit=undo_limits):
    environment = dict(os.environ, LD_PRELOAD=preload, KMA_DEBUG=tier,
                       KMA_DUMP=f"path={folder}/own.dump,on={on}")
    return subprocess.Popen(command, cwd=folder, env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            preexec_fn=limit)


def finish(process, number):
    """What it said of itself, once it has ended by that signal."""
    output, errors = process.communicate(timeout=60)
    if process.returncode != -number:
        fail(f"it ended with {process.returncode}, not {-number}: {output}{errors}")
    said = (line.split() for line in output.splitlines())
    return {words[0]: int(words[1]) for words in said
            if len(words) == 2 and words[1].isdigit()}


def cores_are_left():
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()
    return pattern.strip() == "core" and resource.getrlimit(resource.RLIMIT_CORE)[1]


def targets_in(folder, makes_core):
    """The dump, and the core: of a process of which it is clear that it has one."""
    dump = os.path.join(folder, "own.dump")
    if not os.path.exists(dump):
        fail(f"no dump: {os.listdir(folder)}")
    cores = [str(path) for path in pathlib.Path(folder).glob("core*")]
    if makes_core and not cores and cores_are_left():
        fail("no kernel core")
    return [dump] + cores


def check(kdbg, target, said, name, fault, about=""):
    facts = status(kdbg, target)
    about = about or r" \(.*\)"
    reason = rf"SIG{name}{about}, thread {said.get('tid', '[0-9]+')}\b"
    if not re.match(reason, facts["reason"]):
        fail(f"{target}: reason {facts['reason']}, not {reason}")
    if fault is None:
        if "fault" in facts:
            fail(f"{target}: fault {facts['fault']}")
    elif not re.search(fault, facts.get("fault", "")):
        fail(f"{target}: fault {facts.get('fault')}, not {fault}")
    elif "address" in said and int(facts["fault"].split(":")[0], 16) != said["address"]:
        fail(f"{target}: fault {facts['fault']}, not at {said['address']:#x}")
    if not rows(kdbg, target, f"0t{said['tid']}::stack" if "tid" in said else "::stack"):
        fail(f"{target}: no stack")
    rows(kdbg, target, "::kmastat")


def look_at_line(kdbg, preload, ends, folder, way, tier, name, fault, about):
    process = start(folder, preload, tier, [ends, way],
                    limit=limit_memory if way == "no-memory" else undo_limits)
    said = finish(process, getattr(signal, "SIG" + name))
    for target in targets_in(folder, True):
        check(kdbg, target, said, name, fault, about)


def look_at_sent(kdbg, preload, ends, folder, names, on="fatal+error"):
    for name in names:
        place = os.path.join(folder, name)
        os.mkdir(place)
        process = start(place, preload, "audit", [ends, "wait"], on)
        tid = int(process.stdout.readline().split()[1])
        process.send_signal(getattr(signal, "SIG" + name))
        finish(process, getattr(signal, "SIG" + name))
        for target in targets_in(place, on != "killed"):
            check(kdbg, target, {"tid": tid}, name, None, SENT)


def look_at_misuse(kdbg, preload, ends, folder):
    said = finish(start(folder, preload, "audit", [ends, "corrupt"]), signal.SIGABRT)
    for target in targets_in(folder, True):
        report = str(rows(kdbg, target, "::kma_error"))
        for wanted in f"{said['address']:x}", str(said["tid"]), "corrupt":
            if wanted not in report:
                fail(f"{target}: no {wanted} in {report}")
    reason = status(kdbg, os.path.join(folder, "own.dump"))["reason"]
    if not reason.startswith(f"the heap was misused, thread {said['tid']}"):
        fail(reason)


def look_at_supervised(kdbg, ends, folder):
    """run and check ask for a dump of what a signal ends without a core, too."""
    for name in "TERM", "INT", "HUP":
        dump = os.path.join(folder, "run-" + name)
        process = subprocess.Popen([kdbg, "run", "-o", dump, "--", ends, "wait"],
                                   stdout=subprocess.PIPE, text=True,
                                   preexec_fn=undo_limits)
        tid = int(process.stdout.readline().split()[1])
        os.kill(tid, getattr(signal, "SIG" + name))
        process.communicate(timeout=60)
        if process.returncode != 128 + getattr(signal, "SIG" + name):
            fail(f"kdbg run ended with {process.returncode}")
        check(kdbg, dump, {"tid": tid}, name, None, SENT)
        kept = os.path.join(folder, "kept-" + name)
        process = subprocess.Popen(
            [kdbg, "check", "--keep=always", "--dump-dir", kept, "--", ends, "wait"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=undo_limits)
        tid = int(process.stdout.readline().split()[1])
        os.kill(tid, getattr(signal, "SIG" + name))
        process.communicate(timeout=60)
        dumps = list(pathlib.Path(kept).iterdir())
        if len(dumps) != 1:
            fail(f"kdbg check kept {dumps}")
        check(kdbg, str(dumps[0]), {"tid": tid}, name, None, SENT)


def look_at_terminate(kdbg, preload, crash, folder):
    finish(start(folder, preload, "audit", [crash, "cxx"]), signal.SIGABRT)
    for target in targets_in(folder, True):
        check(kdbg, target, {}, "ABRT", None, SENT)
        frames = str(rows(kdbg, target, "::stack"))
        if "terminate" not in frames or "crash_cxx" not in frames:
            fail(f"{target}: {frames}")


JAVA = """
public class Busy {
    public static void main(String[] words) throws Exception {
        String nothing = words.length > 0 ? "x" : null;
        int caught = 0;
        for (int i = 0; i < 100000; i++)
            try { nothing.length(); } catch (NullPointerException e) { caught++; }
        System.out.println("caught " + caught);
        System.out.flush();
        Thread.sleep(60000);
    }
}
"""
NODE = "console.log('caught 1'); setTimeout(() => {}, 60000);"


def look_at_runtime(kdbg, preload, folder, command, caught, ended_by):
    """One that keeps a handler of its own for SIGSEGV: it works, and a signal
    that is not its own ends it as it would without us."""
    process = start(folder, preload, "off", command)
    line = process.stdout.readline()
    if line != f"caught {caught}\n":
        process.kill()
        fail(f"{command[0]} said {line!r}: {process.communicate()[1]}")
    time.sleep(0.2)
    process.send_signal(signal.SIGSEGV)
    finish(process, getattr(signal, "SIG" + ended_by))
    for target in targets_in(folder, True):
        check(kdbg, target, {}, ended_by, None if ended_by == "ABRT" else "")


def look_at(kdbg, preload, ends, crash, line, folder):
    if line == "sent":
        look_at_sent(kdbg, preload, ends, folder, LINES[line][0])
    elif line == "killed":
        look_at_sent(kdbg, preload, ends, folder, LINES[line][0], "killed")
        look_at_supervised(kdbg, ends, folder)
    elif line == "misuse":
        look_at_misuse(kdbg, preload, ends, folder)
    elif line == "terminate":
        look_at_terminate(kdbg, preload, crash, folder)
    elif line == "java":
        pathlib.Path(folder, "Busy.java").write_text(JAVA)
        look_at_runtime(kdbg, preload, folder, ["java", "-Xmx64m", "Busy.java"],
                        100000, "ABRT")
    elif line == "node":
        look_at_runtime(kdbg, preload, folder, ["node", "-e", NODE], 1, "SEGV")
    else:
        look_at_line(kdbg, preload, ends, folder, *LINES[line])


def main():
    kdbg, preload, ends, crash = map(os.path.abspath, sys.argv[1:5])
    line = sys.argv[5]
    if line in ("java", "node") and not shutil.which(line):
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        look_at(kdbg, preload, ends, crash, line, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
