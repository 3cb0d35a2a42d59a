#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kdbg at a real terminal: completion, history, pager, Ctrl-C, resize.

Usage: prompt_tmux.py KDBG PROGRAM MANY_BUFFERS

tmux is the terminal: what it shows is what a person would see.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

KDBG, PROGRAM, MANY_BUFFERS = sys.argv[1:4]
LIMIT = 60


class Screen:
    """A tmux server of its own with one window, 100 by 30."""

    def __init__(self, folder, *command):
        self.socket = os.path.join(folder, "tmux")
        env = {name: value for name, value in os.environ.items() if name not in ("TMUX", "PAGER", "LESS")}
        env.update(HOME=folder, KDBG_HISTORY=os.path.join(folder, "history"), PAGER="less", LC_ALL="C.UTF-8")
        self.env = env
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "--", *command)

    def tmux(self, *words):
        return subprocess.run(["tmux", "-S", self.socket, *words], env=self.env, check=True, timeout=LIMIT,
                              capture_output=True, text=True).stdout

    def shown(self):
        return self.tmux("capture-pane", "-p")

    def wait(self, what, told):
        """Until told(screen), a list of lines without empty ends."""
        end = time.time() + LIMIT
        while True:
            text = self.shown()
            lines = [line.rstrip() for line in text.rstrip().splitlines()]
            if lines and told(lines):  # nothing is drawn yet on an empty screen
                return
            if time.time() > end:
                raise AssertionError(f"{what} is not to be seen in:\n{text}")
            time.sleep(0.05)

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", "--", text)

    def prompt(self):
        self.wait("the prompt", lambda lines: lines and lines[-1] == ">")

    def last(self, text):
        self.wait(repr(text), lambda lines: lines and lines[-1] == text)

    def end(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, capture_output=True)


def check_completion(screen):
    screen.type("::ugr")
    screen.keys("Tab")
    screen.last("> ::ugrep")
    screen.type("--str")
    screen.keys("Tab")
    screen.last("> ::ugrep --string")
    screen.type("nowhere to be found")
    screen.keys("C-u")
    screen.last(">")
    for typed, completed in (("::print struct kma_root_he", "::print struct kma_root_head"),
                             ("::print struct kma_root head.sel", "::print struct kma_root head.self"),
                             ("kma_root.head.sel", "kma_root.head.self"),
                             ("::walk kmem_alloc_134", "::walk kmem_alloc_1344")):
        screen.type(typed)
        screen.keys("Tab")
        screen.last("> " + completed)
        screen.keys("C-u")
        screen.last(">")


def check_files_and_settings(screen):
    folder = os.path.dirname(screen.socket)
    pathlib.Path(folder, "some-file").write_text("11=D\n")
    for typed, completed in ((f"::source {folder}/some-f", f"::source {folder}/some-file"),
                             (f"$<{folder}/so", f"$<{folder}/some-file"),
                             ("::set ignor", "::set ignoreeof=o"), ("::set wid", "::set wid"),
                             ("::kmalog cont", "::kmalog contents")):
        screen.type(typed)
        screen.keys("Tab")
        screen.last("> " + completed)
        screen.keys("C-u")
        screen.last(">")


def check_repeating(screen):
    """An empty line goes on where a format left off; a slip is not what is repeated."""
    screen.type("::set repeatlast=on; 1000=K")
    screen.keys("Enter")
    screen.wait("1000", lambda lines: lines[-2:] == ["1000", ">"])
    screen.type("main/B")
    screen.keys("Enter")
    screen.keys("Enter")
    screen.wait("two bytes", lambda lines: lines[-1] == ">" and re.search(r"`main\+0x1: ", lines[-2]))
    screen.type("::nothing")
    screen.keys("Enter")
    screen.keys("Enter")
    screen.wait("the next byte", lambda lines: lines[-1] == ">" and re.search(r"`main\+0x2: ", lines[-2]))
    screen.type("::set repeatlast=off ignoreeof=on")
    screen.keys("Enter")
    screen.keys("C-d")
    screen.wait("that it stays", lambda lines: lines[-1] == ">" and lines[-2].startswith("::quit leaves"))
    screen.type("help echo")
    screen.keys("Enter")
    screen.wait("its page", lambda lines: lines[-1] == ">" and any(line.startswith("usage: [value]::echo") for line in lines))


def check_paste(screen):
    screen.tmux("set-buffer", "1=D\n::echo h\u00e9 \u2713\n3=D\n")
    screen.tmux("paste-buffer", "-p")
    screen.keys("Enter")
    screen.wait("three lines", lambda lines: lines[-4:] == ["1", "h\u00e9 \u2713", "3", ">"])


def check_history(screen):
    screen.type("1+2=D")
    screen.keys("Enter")
    screen.wait("3", lambda lines: lines[-2:] == ["3", ">"])
    screen.type("4=D")
    screen.keys("Enter")
    screen.wait("4", lambda lines: lines[-2:] == ["4", ">"])
    screen.keys("C-r")
    screen.type("1+")
    screen.wait("what was searched", lambda lines: lines[-1].endswith("1+2=D"))
    screen.keys("Enter")
    screen.wait("3 again", lambda lines: lines[-2:] == ["3", ">"])


def check_pager(screen):
    screen.type("::dcmds")
    screen.keys("Enter")
    screen.wait("the first page", lambda lines: lines[-1] == ":")
    screen.keys("G")
    screen.wait("its end", lambda lines: lines[-1] == "(END)")
    screen.keys("q")
    screen.prompt()
    screen.type("::set pager=off; ::dcmds")
    screen.keys("Enter")
    screen.wait("the end of the list on the terminal",  # which the first page has not
                lambda lines: lines[-1] == ">" and any(line.startswith("version ") for line in lines))
    screen.type("::set pager=on")
    screen.keys("Enter")
    screen.wait("the setting", lambda lines: lines[-2:] == ["> ::set pager=on", ">"])


def check_interrupt(screen):
    screen.type("::set pager=off; ,ffffffffffff::echo on")
    screen.keys("Enter")
    screen.wait("output", lambda lines: lines[-3:] == ["on", "on", "on"])
    screen.keys("C-c")
    screen.wait("the prompt",  # behind the terminal's own ^C
                lambda lines: len(lines) > 1 and lines[-1] == ">" and lines[-2].endswith("interrupted"))
    screen.type("::echo alive")
    screen.keys("Enter")
    screen.wait("life", lambda lines: lines[-2:] == ["alive", ">"])


def check_interrupt_of_findleaks(screen):
    """On a heap where one run takes a good part of a second, and more runs than anyone waits for."""
    screen.type("::echo working; ,ffffff::findleaks -f ! tail -1")
    screen.keys("Enter")
    screen.wait("work", lambda lines: "working" in lines)
    screen.keys("C-c")
    screen.wait("the prompt", lambda lines: lines[-1] == ">" and any(line.endswith("interrupted") for line in lines))
    screen.type("::findleaks -f ! grep Total")
    screen.keys("Enter")
    screen.wait("its leaks", lambda lines: lines[-1] == ">" and lines[-2].startswith("Total 10990 buffers"))


def check_progress(screen):
    """What takes a second tells how much longer it will: kdbg is stopped so that it does on any machine."""
    written = os.path.join(os.path.dirname(screen.socket), "written")
    shell = screen.tmux("display-message", "-p", "#{pane_pid}").strip()
    pid = int(pathlib.Path(f"/proc/{shell}/task/{shell}/children").read_text())
    screen.tmux("pipe-pane", f"cat > '{written}'")
    screen.type("::echo under way; 123456789abc,ffffff::ugrep")
    screen.keys("Enter")
    screen.wait("work", lambda lines: "under way" in lines)
    end = time.time() + LIMIT
    while not (os.path.exists(written) and
               re.search(rb"\w: \d+%, \d+ s left", pathlib.Path(written).read_bytes())):
        assert time.time() < end, "no progress:\n" + screen.shown()
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1.2)
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.1)
    screen.tmux("pipe-pane")
    screen.keys("C-c")
    screen.wait("the prompt, and no progress", lambda lines: lines[-1] == ">" and not any(
        line.endswith("left") for line in lines))


def check_resize(screen):
    screen.type("main::nm")
    screen.keys("Enter")
    screen.wait("narrow", lambda lines: len(lines) > 2 and lines[-1] == ">" and lines[-3].endswith("NAME"))
    screen.tmux("resize-window", "-x", "150", "-y", "30")
    screen.type("main::nm")
    screen.keys("Enter")
    screen.wait("wide", lambda lines: len(lines) > 2 and lines[-1] == ">" and lines[-3].endswith("OBJECT"))


def check_all(folder, program, checks):
    dump = os.path.join(folder, "dump")
    subprocess.run([KDBG, "run", "-o", dump, "--", *program], capture_output=True, timeout=LIMIT, check=True)
    # tmux lets its own child go on when it is stopped.
    screen = Screen(folder, "sh", "-c", f"trap : INT; '{KDBG}' '{dump}'; echo $? > '{folder}/status'")
    try:
        screen.prompt()
        for check in checks:
            check(screen)
            print(f"ok   {check.__name__[6:]}")
        status = os.path.join(folder, "status")  # 0, whatever was mistyped
        screen.type("::quit")
        screen.keys("Enter")
        end = time.time() + LIMIT
        while not os.path.exists(status) or not pathlib.Path(status).read_text():
            assert time.time() < end, "it does not leave:\n" + screen.shown()
            time.sleep(0.05)
        assert pathlib.Path(status).read_text() == "0\n", pathlib.Path(status).read_text()
    finally:
        screen.end()


def main():
    with tempfile.TemporaryDirectory(prefix="kdbg-tmux-") as folder:
        check_all(folder, [PROGRAM],
                  (check_completion, check_files_and_settings, check_history, check_repeating, check_paste, check_pager,
                   check_interrupt, check_resize))
    with tempfile.TemporaryDirectory(prefix="kdbg-tmux-") as folder:
        check_all(folder, [MANY_BUFFERS, "1000000"], (check_interrupt_of_findleaks, check_progress))


main()
