#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option of every command, alone and in pairs, on a dump.

Usage: option_pairs.py BUILD [COMMAND]...

Options and their arguments come from the help pages. Each runs as text and as
JSON. None may crash, hang, or print what is no row; alone, each must work; of a
pair, what is refused must be on the list of what excludes what.
"""
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import commands

LIMIT = 300
# What stands before :: and behind the options; "" where the command needs neither.
CALLS = {
    "array": ("table", "'struct item' 2"), "bufctl": ("*list", ""), "dem": ("", "main"), "diff": ("", "DUMP"),
    "dis": ("main", ""), "dump": ("bytes", ""), "echo": ("", "1"), "enum": ("", "enum colour"), "eval": ("", "1=D"),
    "grep": ("1", "."), "hash": ("list", "'struct item' next 1"), "help": ("", "echo"), "list": ("list", "next"),
    "map": ("1", "."), "offsetof": ("", "struct item next"), "print": ("table", ""),
    "printf": ("table", "'%d' 'struct item' number"), "sizeof": ("", "struct item"), "source": ("", "script"),
    "tls": ("", "own"), "tree": ("list", "next next"), "ugrep": ("*list", ""), "whatis": ("*list", ""),
    "whatthread": ("*list", ""), "which": ("", "kmastat"), "refs": ("*list", ""), "whylive": ("*list", ""),
    "whyleak": ("<leaked", ""), "retained": ("*list", ""), "nmadd": ("table", "name"), "typeset": ("", "one"),
    "vmem_seg": ("<segment", ""), "head": ("1", ""), "tail": ("1", ""), "sort": ("1", ""), "uniq": ("1", ""),
    "top": ("1", ""), "typedef": ("", ""),
}
# The same for one option alone.
OPTION_CALLS = {("regs", "-u"): ("bytes", ""), ("regs", "--ucontext"): ("bytes", "")}
# Sample arguments, by what the help page calls them; by command where that is not enough.
ARGUMENTS = {
    "address": "*list", "bins": "4", "bits": "7", "buffers": "2", "bytes": "8", "content": "meta", "count": "2",
    "end": "table+8", "fields": "val,name", "file": "scratch", "function": "main", "hex": "7477656e", "key": "3",
    "mask": "ff", "model": "lp64", "module": "transcript", "n": "2", "name": "begin", "object": "cv",
    "paragraphs": "2", "prefix": "scratch", "size": "10", "state": "crashed", "steps": "xor=1", "substring": "alloc",
    "text": "twenty", "thread": "<thread", "time": "1", "type": "ALLOC", "types": "objt,func", "what": "cache",
    "-N name": "kmem_alloc_1344", "-r file": "header.h", "-A address": "<rsp", "-b address": "*list",
}
# Options that stand for a whole call of their own: what goes with the others must not come along.
ALONE = {("ugrep", "--string"), ("ugrep", "--bytes"), ("nm", "-P"), ("typedef", "-r"), ("typedef", "-w"),
         ("typedef", "-d"), ("typedef", "-l"), ("whatis", "-l")}
# What a command refuses, and how it says so.
REFUSED = re.compile(r"one of -f, -t, --sizes and --ages|at most one of -d, -m and -M, and with a value only|"
                     r"either --string or --bytes")
# What cannot work on this dump, and how that is told.
EXCUSED = {
    "findleaks": r"no checkpoint begin among 0: the program makes one by kma_checkpoint\(\"begin\"\)",
    # Nothing in the program is linked so (programs/linked.py).
    "list": "it leads through a pointer", "hash": "bucket: ", "tree": "not in the dump, not mapped",
}
FILES = commands.FILES | {"header.h": "struct from_header { int a; };\n", "scratch": ""}


class Option:
    def __init__(self, command, text):
        words = text.split("  ")[0].replace(",", "").split()
        self.argument = words[-1] if not words[-1].startswith("-") else None
        flags = [word for word in words if word.startswith("-")]
        self.names = flags
        self.flag = flags[0]
        key = f"{self.flag} {self.argument}"
        self.value = ARGUMENTS[key if key in ARGUMENTS else self.argument] if self.argument else None
        self.command = command

    def text(self, name=None):
        name = name or self.flag
        if self.value is None:
            return name
        return f"{name} '{self.value}'" if not name.startswith("--") else f"{name}='{self.value}'"


def run(kdbg, dump, folder, script, options):
    return subprocess.run([kdbg, "--no-rc", *options, dump], cwd=folder, input=script, text=True, check=False,
                          capture_output=True, timeout=LIMIT, env={**os.environ, "LC_ALL": "C"})


def lines_of(name, options, dump):
    """(line, must it work) for each option, each of its names, and each pair."""
    usual = tuple(text.replace("DUMP", str(dump)) for text in CALLS.get(name, ("", "")))

    def line(*texts):
        before, behind = next((OPTION_CALLS[name, text] for text in texts if (name, text) in OPTION_CALLS), usual)
        alone = any((name, text.split("=")[0].split(" ")[0]) in ALONE for text in texts)
        return " ".join([f"{'' if alone else before}::{name}", *texts, "" if alone else behind]).strip()

    single = [(line(option.text(flag)), True) for option in options for flag in option.names]
    pairs = [(line(a.text(), b.text()), False) for a, b in itertools.combinations(options, 2)]
    return [(line(), True), *single, *pairs]


def check(name, options, kdbg, dump, folder, prelude):
    lines = lines_of(name, options, dump)
    script = prelude + "".join(f"{line}\n" for line, _ in lines)
    first = prelude.count("\n") + 1
    for json_or_text in ([], ["-j"]):
        done = run(kdbg, dump, folder, script, json_or_text)
        if done.returncode not in (0, 1, 23):
            return f"::{name}: status {done.returncode}\n{done.stderr[-2000:]}"
        for row in done.stdout.splitlines() if json_or_text else ():
            json.loads(row)
        for number, told in re.findall(r"^kdbg: stdin:(\d+): (.*)", done.stderr, re.M):
            line, must = lines[int(number) - first]
            if name in EXCUSED and re.search(EXCUSED[name], told):
                continue
            if must or not REFUSED.search(told):
                return f"{line}: {told}"
    return None


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    kdbg = build / "kdbg" / "kdbg"
    with tempfile.TemporaryDirectory(prefix="options-") as name:
        folder = pathlib.Path(name)
        dump, _ = commands.make_dump(build, folder)
        for file, text in FILES.items():
            (folder / file).write_text(text)
        names = sys.argv[2:] or [json.loads(row)["name"] for row in
                                 commands.ask(kdbg, dump, folder, "::dcmds", ["-j"]).splitlines()]
        pages = {}
        for row in map(json.loads, commands.ask(kdbg, dump, folder, "::help " + " ".join(names), ["-j"]).splitlines()):
            if row["part"] == "option":
                pages.setdefault(row["name"], []).append(Option(row["name"], row["text"]))
        prelude = ("::walk leak leaked | ::head 1 ! true\n"
                   "::walk vmem | ::walk vmem_alloc segment | ::head 1 ! true\n")
        with ThreadPoolExecutor(2) as pool:
            wrong = [text for text in pool.map(
                lambda item: check(item[0], item[1], kdbg, dump, folder, prelude), pages.items()) if text]
        count = sum(len(lines_of(item, options, dump)) for item, options in pages.items())
    print(*wrong, sep="\n")
    print(f"{count} calls of {len(pages)} commands with options, {len(wrong)} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
