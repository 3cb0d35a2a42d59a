#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kdbg's front end on a real dump: command line, scripts, exit statuses,
JSON, closed readers, the prompt on a terminal.

Usage: front_end.py KDBG PROGRAM [TEST]...

Every test is a function test_NAME; its docstring is what it holds.
"""
import json
import os
import pty
import select
import subprocess
import sys
import tempfile
import time

KDBG, PROGRAM = (os.path.abspath(path) for path in sys.argv[1:3])
LIMIT = 60  # seconds that anything may take before it counts as hung


class Place:
    """A home directory of its own, and a dump."""

    def __init__(self, folder):
        self.home = folder
        self.dump = os.path.join(folder, "a.kdump")
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(("KMA_", "UMEM_", "LD_PRELOAD", "KDBG_"))}
        self.env.update(HOME=folder, TERM="dumb", SHELL="/bin/sh")
        subprocess.run([KDBG, "run", "-o", self.dump, "--", PROGRAM], env=self.env, check=True,
                       stdout=subprocess.DEVNULL, timeout=LIMIT)

    def kdbg(self, *arguments, script=None, **more):
        return subprocess.run([KDBG, *arguments], env=self.env, input=script, text=True, timeout=LIMIT,
                              check=False, **({"capture_output": True} | more))

    def rc(self, text):
        with open(os.path.join(self.home, ".kdbgrc"), "w", encoding="utf-8") as stream:
            stream.write(text)


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"no {part!r} in {text!r}")


def test_commands_run_one_after_another(place):
    """-e runs in order; a failing one is told, counted, and stops nothing."""
    done = place.kdbg("-e", "1+1=D", "-e", "::kmastt", "-e", "3=D; (", "-e", "4=D", place.dump)
    equal(done.stdout, "2\n3\n4\n")
    equal(done.stderr, "kdbg: unknown command ::kmastt (did you mean ::kmastat?)\n"
                       "kdbg: a value is missing at the end\n")
    equal(done.returncode, 1)


def test_newcomers_are_told(place):
    """A command without its colons, an address on the wrong side: what was meant is said."""
    for line, told in (("kmastat", "commands begin with ::, as in ::kmastat: 'kmastat': no symbol kmastat"),
                       ("whatis main", "commands begin with ::, as in ::whatis: unexpected 'main'"),
                       ("::whatis main", "the address of a thing stands before ::, as in main::whatis"),
                       ("::bufctl main", "needs the address of a bufctl before ::, as in main::bufctl"),
                       ("info threads", "kdbg: info: in kdbg that is ::threads, ::stacks"),
                       ("bt", "kdbg: bt: in kdbg that is ::stack"),
                       ("p main", "kdbg: p: in kdbg that is ::print VARIABLE, or EXPRESSION=K"),
                       ("::list 'struct kma_cache' next", "needs the address of the first element")):
        contains(place.kdbg("-e", line, place.dump).stderr, told)


def test_script_on_standard_input(place):
    """Without -e and terminal, lines come from stdin; errors name theirs."""
    done = place.kdbg(place.dump, script="1=D // one\n\n::nope x\n5>five\n<five=D; ::quit\n6=D\n")
    equal(done.stdout, "1\n5\n")
    equal(done.stderr, "kdbg: stdin:3: unknown command ::nope\n")
    equal(done.returncode, 1)
    equal(place.kdbg(place.dump, script="").returncode, 0)


def test_rows_as_json(place):
    """With -j, every line of every command is an object; notes go to stderr."""
    names = [row["name"] for row in rows(place.kdbg("-j", "-e", "::dcmds", place.dump))]
    for name in ("status", "kmastat", "kmem_cache", "findleaks", "mappings", "objects", "threads",
                 "stack", "regs", "walkers", "vars", "formats", "version", "radix", "help"):
        assert name in names, name
        done = place.kdbg("-j", "-e", "::" + name, place.dump)
        equal(done.returncode, 0, name)
        rows(done)
        for line in done.stderr.splitlines():
            json.loads(line)["note"]
    assert rows(place.kdbg("-j", "-e", "1000=K", place.dump)) == [
        {"addr": None, "value": "0x1000", "text": "1000"}]


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_pipelines_on_a_real_heap(place):
    """Walkers, filters and shells agree on how many there are."""
    walked = place.kdbg("-e", "::walk kmem_cache", place.dump).stdout.splitlines()
    assert len(walked) > 20
    counted = place.kdbg("-e", "::walk kmem_cache ! wc -l", place.dump).stdout
    equal(int(counted), len(walked))
    some = place.kdbg("-e", "::walk kmem_cache | ::head 3 | ::map .", place.dump).stdout
    equal(some.splitlines(), walked[:3])
    grepped = place.kdbg("-e", f"::walk kmem_cache | ::grep .==0x{walked[5]}", place.dump).stdout
    equal(grepped.splitlines(), [walked[5]])


def test_examples_work(place):
    """The example on every page of ::help runs, on a real dump."""
    for name, text in (("leaks.kdbg", "::findleaks"), ("addresses", "1000")):
        with open(os.path.join(place.home, name), "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
    os.symlink(place.dump, os.path.join(place.home, "old.kdump"))
    names = [row["name"] for row in rows(place.kdbg("-j", "-e", "::dcmds", place.dump))]
    pages = rows(place.kdbg("-j", "-e", "::help " + " ".join(names), place.dump))
    examples = [row for row in pages if row["part"] == "example"]
    equal([row["name"] for row in examples], names)
    for row in examples:
        if row["name"] in ("load", "unload"):
            continue  # programs/module.py has a module to load
        done = place.kdbg("-e", row["text"], place.dump, cwd=place.home)
        equal((done.stderr, done.returncode), ("", 0), row["text"])


def test_doctor_is_one_page(place):
    """It names every first question, and fits a terminal."""
    lines = place.kdbg("-e", "::doctor", place.dump).stdout.splitlines()
    assert len(lines) <= 40 and max(map(len, lines)) <= 80, lines
    for title in "What happened", "Where", "Damage", "Leaks", "Who holds most memory", "What to ask next":
        assert any(line.startswith(title) for line in lines), title


def test_every_subcommand_has_its_help(place):
    """Not kdbg's own."""
    for name in "run", "check", "dump", "diff", "convert", "info":
        done = place.kdbg(name, "--help")
        equal((done.returncode, done.stderr), (0, ""), name)
        equal(done.stdout.startswith(f"usage: kdbg {name} "), True, done.stdout)


def test_usage(place):
    """Mistakes on the command line are status 2, with the usage."""
    for arguments in ([], ["-e"], ["--nope", place.dump], [place.dump, place.dump],
                      ["-p"]):
        done = place.kdbg(*arguments)
        equal(done.returncode, 2, arguments)
        contains(done.stderr, "usage: kdbg")
        equal(done.stdout, "")


def test_help_and_version(place):
    """--help and --version work for kdbg and for what stands behind it."""
    for subcommand in ([], ["run"], ["check"]):
        done = place.kdbg(*subcommand, "--help")
        equal(done.returncode, 0, subcommand)
        contains(done.stdout.lower(), "usage:")
        done = place.kdbg(*subcommand, "--version")
        equal(done.returncode, 0, subcommand)
        contains(done.stdout, "kdbg")


def test_targets_that_are_none(place):
    """What cannot be opened is one line that names it, and status 1."""
    empty = os.path.join(place.home, "empty")
    with open(empty, "w", encoding="utf-8"):
        pass
    for path in ("/nonexistent", place.home, empty, KDBG, __file__, "/dev/null"):
        done = place.kdbg("-e", "::status", path)
        equal(done.returncode, 1, path)
        equal(len(done.stderr.splitlines()), 1, path)
        contains(done.stderr, f"kdbg: opening {path}")
        equal(done.stdout, "")


def test_closed_reader_is_quiet(place):
    """A reader that has seen enough ends kdbg without a word."""
    done = subprocess.run(
        ["bash", "-c", f"'{KDBG}' -e '::echo one' -e '::walk kmem | ::dump' '{place.dump}' | head -1;"
                       'echo "${PIPESTATUS[0]}"'],
        env=place.env, capture_output=True, text=True, timeout=LIMIT, check=False)
    equal(done.stdout, "one\n0\n")
    equal(done.stderr, "")


def test_full_disk_is_told(place):
    """Output that could not be written is an error."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = place.kdbg("-e", "::dcmds", place.dump, capture_output=False, stdout=full,
                          stderr=subprocess.PIPE)
    equal(done.returncode, 1)
    equal(done.stderr, "kdbg: writing output: No space left on device\n")


def test_rc_file(place):
    """~/.kdbgrc runs first; --no-rc leaves it out; its errors name it."""
    place.rc("0t10::radix\n")
    equal(place.kdbg("-e", "10=K", place.dump).stdout, "a\n")
    equal(place.kdbg("--no-rc", "-e", "10=K", place.dump).stdout, "10\n")
    place.rc("\n::nope\n")
    contains(place.kdbg("-e", "10=K", place.dump).stderr, ".kdbgrc:2: unknown command ::nope")


class Terminal:
    """kdbg at a terminal of its own."""

    def __init__(self, place, *arguments):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(KDBG, ["kdbg", *arguments, place.dump], place.env)
        self.seen = ""
        self.wait("> ")

    def wait(self, text):
        """Read on until text is there; what came before, and it."""
        end = time.time() + LIMIT
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.time()))
            if not ready:
                raise AssertionError(f"no {text!r} in {self.seen!r}")
            try:
                self.seen += os.read(self.fd, 65536).decode(errors="replace")
            except OSError:  # the other side is gone
                raise AssertionError(f"no {text!r} in {self.seen!r}") from None
        at = self.seen.index(text) + len(text)
        before, self.seen = self.seen[:at], self.seen[at:]
        return before

    def type(self, keys, wanted):
        os.write(self.fd, keys.encode())
        return self.wait(wanted)

    def end(self):
        while True:
            try:
                if not os.read(self.fd, 65536):
                    break
            except OSError:
                break
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def test_prompt(place):
    """Lines are edited, completed, repeated, kept; mistakes are pointed at."""
    place.env["KDBG_HISTORY"] = os.path.join(place.home, "history")
    terminal = Terminal(place)
    terminal.type("1+1=D\n", "\r\n2\r\n> ")
    terminal.type("5=\x7f=D\n", "\r\n5\r\n> ")  # edited
    terminal.type("::walk kmem_cac\t", "::walk kmem_cache ")
    terminal.type("| ::hea\t", "| ::head ")
    terminal.type("1\n", "\r\n> ")
    terminal.type("1+)\n", "  1+)\r\n    ^\r\n> ")
    terminal.type("10=D\n", "\r\n16\r\n> ")
    terminal.type("20\n", "\r\n32\r\n> ")  # a value alone: the last command on it
    terminal.type("\x10\x10\n", "\r\n16\r\n> ")  # the history
    log = os.path.join(place.home, "log")
    terminal.type(f"$>{log}\n", "\r\n> ")
    terminal.type("7=D\n", "\r\n7\r\n> ")
    terminal.type("::log -d\n", "\r\n> ")
    terminal.type("8=D\n", "\r\n8\r\n> ")
    with open(log, encoding="utf-8") as stream:
        equal(stream.read(), "> 7=D\n7\n> ::log -d\n")
    terminal.type("help\n", "::help NAME explains a command")
    terminal.wait("\r\n> ")
    terminal.type("q\n", "\r\n")
    equal(terminal.end(), 0)  # the mistake was told when it was made
    with open(place.env["KDBG_HISTORY"], encoding="utf-8") as stream:
        equal(stream.read().splitlines()[:2], ["1+1=D", "5=D"])
    terminal = Terminal(place)
    terminal.type("\x10\x10", "help")  # of the session before
    terminal.type("\x0e", "q")
    terminal.type("\n", "\r\n")
    equal(terminal.end(), 0)


def test_headings_stand_out(place):
    """On a terminal headings are bold, and not where NO_COLOR is set."""
    bold = {}
    for no_color in ("", "1"):
        place.env.update(NO_COLOR=no_color, TERM="xterm")
        terminal = Terminal(place)
        bold[no_color] = "\033[1m" in terminal.type("main::nm\n", " main\r\n")
        os.write(terminal.fd, b"::quit\n")
        terminal.end()
    equal(bold, {"": True, "1": False})


def test_interrupt(place):
    """Ctrl-C drops the line, or stops the command, and never the debugger."""
    terminal = Terminal(place)
    terminal.type("::nope\x03", "^C\r\n> ")
    terminal.type(",ffffffffffff::echo on\n", "\r\non\r\non\r\n")
    os.write(terminal.fd, b"\x03")
    terminal.wait("interrupted\r\n> ")
    terminal.type("::echo alive\n", "\r\nalive\r\n> ")
    os.write(terminal.fd, b"\x04")
    equal(terminal.end(), 0)


def main():
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    failed = 0
    for name in sys.argv[3:] or tests:
        with tempfile.TemporaryDirectory(prefix="kdbg-front-") as folder:
            try:
                tests[name](Place(folder))
                print(f"ok   {name}")
            except AssertionError as problem:
                failed += 1
                print(f"FAIL {name}: {problem}")
    sys.exit(failed != 0)


main()
