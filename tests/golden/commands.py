#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A transcript of every command, as text and as JSON.

Usage: commands.py BUILD [--regenerate] [COMMAND]...

COMMANDS has lines for each command that kdbg knows; a command without is an
error. What they print on the dump of transcript.c is held against
expected/commands/COMMAND.txt and .json, in which addresses, times and ids are
masked and frames of the system's libraries left out. --regenerate writes these
anew; read the difference before you commit it.
"""
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = HERE / "expected" / "commands"
LIMIT = 120
SHOWN = 30  # lines of a difference

LISTED = "table::array 'struct item' 2"
COMMANDS = {
    "allocdby": ["<thread::allocdby ! grep transcript.c"],
    "array": [LISTED, LISTED + " | ::print -d struct item number"],
    "attach": ["::attach DUMP; list=p", "::attach DUMP; <thread=K ! wc -l"],
    "auxv": ["::auxv ! grep -E 'TYPE|PAGESZ|PHENT'"],
    "bufctl": ["*list::bufctl", "*freed::bufctl -v", "::walk bufctl | ::bufctl -c lose"],
    "cat": ["::cat addresses"],
    "count": [LISTED + " | ::count"],
    "dcmds": ["::dcmds ! grep -E '\\b(dcmds|whatis)\\b'"],
    "dem": ["::dem _ZNKSt6vectorIiSaIiEE4sizeEv main _RNvCs4fqI2P2rA04_7mycrate4leak"],
    "diff": ["::diff DUMP"],
    "dis": ["code::dis -a -w -n 2", "code,4/i"],
    "dmods": ["::dmods", "::load MODULE; ::dmods -l; ::dmods -l example"],
    "doctor": ["::set wide=on; ::doctor ! grep -vE '^ *(memory|program|fault)'"],
    "dump": ["bytes,20::dump", "bytes::dump -q -r -g 8 -e -l 20", "bytes+3::dump -u -t -l 5"],
    "echo": ["::echo one 'two  three' $[1+2]"],
    "enum": ["::enum enum colour", "::enum -x enum colour GREEN", "::enum colour 6"],
    "eval": ["::eval '1=D; 2=D'"],
    "files": ["::files transcript ! grep -w transcript.c"],
    "findleaks": ["::findleaks", "::findleaks -d"],
    "formats": ["::formats"],
    "fpregs": ["::fpregs ! grep -E 'mxcsr|fcw'", "::fpregs ! wc -l"],
    "freedby": ["<thread::freedby ! grep transcript.c"],
    "functions": ["::functions"],
    "gcore": ["::gcore -o saved ! grep -c saved", "::gcore -c meta -o saved ! grep -c saved"],
    "getenv": ["::getenv KMA_LOGGING"],
    "globals": ["::globals transcript ! grep -wE 'VALUE|bytes'"],
    "grep": [LISTED + " | ::grep '((struct item *).)->number == 0t10'"],
    "hash": ["list::hash 'struct item' next 1 | ::print -d struct item number"],
    "head": [LISTED + " | ::head -n 1 | ::print -d struct item number"],
    "help": ["::help echo", "::help thread"],
    "kma_error": ["::kma_error"],
    "kmalog": ["*freed::kmalog", "*freed::kmalog contents", "::kmalog slab ! grep 1344", "::kmalog fail"],
    "kmastat": ["::kmastat ! grep -E '^(cache|name)|kmem_alloc_1344'", "::kmastat --threads ! wc -l"],
    "kmausers": ["::kmausers -e kmem_alloc_1344", "*list::kmausers",
                 "::kmausers -t kmem_alloc_1344 ! grep -vE '_start|calloc'",
                 "::kmausers --sizes kmem_alloc_1344",
                 # In whichever milliseconds they are.
                 "::kmausers --ages kmem_alloc_1344 ! grep -c . | sed 's/[1-9].*/rows/'"],
    "kmem_cache": ["::kmem_cache -n alloc_1344"],
    "kmem_log": ["::kmem_log -b *freed"],
    "kmem_slabs": ["::kmem_slabs ! grep -E 'Cache|1344'"],
    "kmem_status": ["::kmem_status ! grep -iE 'transaction|contents|DUPFREE'"],
    "kmem_verify": ["::kmem_cache -n alloc_1344 | ::kmem_verify"],
    "kmguard": ["::kmguard"],
    "list": ["&table[1]::list next", "&table[1]::list struct item next | ::print -d struct item number"],
    "load": ["::load MODULE; ::dmods"],
    "log": ["::log"],
    "malloctypes": ["::malloctypes -b"],
    "map": ["5::map .+1", LISTED + " | ::map '((struct item *).)->number'"],
    "mappings": ["::mappings transcript"],
    "nm": ["::nm -n -t objt -f val,size,type,bind,name transcript ! grep -E '(NAME|list|table|bytes)'", "table::nm -f val,size,type,bind,oth,name,ctype,obj",
           "::nm -hn -t objt,tls -f name,type transcript ! grep -wE '(own|list|bytes)'", "::nm -D -u transcript ! grep -c abort",
           "table::nm -d -h ! wc -w", "::nm -p -t objt transcript ! grep -w freed", "table::nmadd -s 10 mine; ::nm -P -o -v"],
    "nmadd": ["table::nmadd -s 10 mine; mine=p; private`mine=p; ::nmadd"],
    "nmdel": ["table::nmadd mine; ::nmdel mine; ::nmadd"],
    "objects": ["::objects transcript", "::objects -v transcript ! sed -E 's/[0-9a-f]{40}/BUILD_ID/'"],
    "offsetof": ["::offsetof struct item next", "::offsetof struct item text[5]"],
    "percpu": ["::percpu"],
    "pool": ["::walk pool | ::pool"],
    "poolcache": ["::poolcache"],
    "pools": ["::pools"],
    "print": ["table::print -d", "table[1].next::print -a struct item number name", "::print -t -s 0 list",
              "*list::print -c 3 struct item text", "table::print -h [1].colour"],
    "printf": [LISTED + " | ::printf '%-8s %3d %?p %H' struct item name number next number"],
    "quit": ["::quit"],
    "radix": ["::radix", "0t10::radix", "10=K"],
    "refs": ["*list::refs ! grep -E 'list|leaked|main'"],
    "regs": ["::regs ! grep -cE 'rip|rsp'", "bytes::regs -u ! wc -l"],
    "release": ["::release"],
    "retained": ["*list::retained"],
    "set": ["::set", "0t100$s; $s; $G; $g; $V intel; $V", "::set -o repeatlast +o pager -P '% ' repeatlast"],
    "siginfo": ["::siginfo ! grep si_"],
    "sizeof": ["::sizeof struct item", "::sizeof enum colour"],
    "sort": ["::cat addresses | ::sort", "::cat addresses | ::sort -r"],
    "source": ["::source script", "main,5$<handing; 3=D", "$<<handing", "::set macros=/nowhere:.; $<script"],
    "stack": ["::stack", "$C", "$c 1 ! grep -E 'main|abort'"],
    "stackregs": ["::stackregs ! grep transcript.c"],
    "stacks": ["::stacks", "::stacks -c main ! wc -l"],
    "status": ["::status ! grep -E 'reason|threads|damage'"],
    "stop": ["::stop"],
    "sum": ["::cat addresses | ::sum"],
    "tail": ["::cat addresses | ::tail -n 1"],
    "tee": ["::cat addresses | ::tee copy | ::count", "! cat copy"],
    "term": ["::term ! wc -l"],
    "threads": ["::threads", "::threads -v"],
    "tls": ["::tls own", "<thread::tls transcript`own"],
    "top": ["::cat addresses | ::top -n 1"],
    "topusers": ["::topusers ! grep transcript"],
    "tree": ["*list::tree struct item next next | ::count"],
    "tsd": ["<thread::tsd -k 3ff"],
    "typedef": ["::typedef 'unsigned int' word_t; ::typedef -l",
                "::typedef 'struct pair { int a; char *b; }'; ::typedef -w types; ::typedef -d; ::typedef -r types; ::typedef -l"],
    "typeset": ["5>five; ::typeset -r five; ::vars -n", "5>five; 6>six; ::typeset -t five; ::vars -t; ::typeset +t five; ::vars -t"],
    "ucontext": ["bytes::ucontext", "::walk ucontext | ::count"],
    "ugrep": ["*list::ugrep -v ! grep list", "::ugrep --string twenty ! wc -l"],
    "umem_malloc_dist": ["::umem_malloc_dist"],
    "umem_malloc_info": ["::umem_malloc_info ! grep -E 'CACHE|1344'"],
    "uniq": ["::cat addresses | ::uniq"],
    "unload": ["::load MODULE; ::unload example; ::dmods"],
    "unset": ["5>five; ::unset five; ::vars"],
    "vars": ["5>five; ::vars", "5>five; 0>six; $v", "5>five; ::vars -p", "::vars -a ! wc -l", "7=D; <0=D; <m=X"],
    "version": ["::version"],
    "vmem": ["::vmem ! grep -E 'NAME|kmem_oversize'"],
    "vmem_seg": ["::walk vmem | ::head -n 6 | ::walk vmem_seg | ::head -n 1 | ::vmem_seg"],
    "waiters": ["::waiters"],
    "walk": ["::walk kmem_alloc_1344", "::walk thread"],
    "walkers": ["::walkers ! grep -E '^(NAME|thread|leak)|\"(thread|leak)\"'"],
    "whatis": ["*list::whatis", "*freed+8::whatis -q", "table::whatis", "main::whatis", "main::whatis -a", "10::whatis",
               "::whatis -l", "<thread::whatis -i ! cut -d' ' -f4-", "main::whatis -v", "main::whatis -k"],
    "whatthread": ["*list::whatthread"],
    "which": ["::which umastat thread", "::which -v kmastat"],
    "whyleak": ["::walk leak | ::whyleak"],
    "whylive": ["*list::whylive"],
    "xdata": ["::xdata ! grep -E 'NAME|siginfo'"],
}
FILES = {"handing": "<9=D\n$<script\n::echo not run\n", "addresses": "30\n10\n20\n10\n", "script": "1=D\n::echo done\n"}
# Numbers that differ from run to run, by the key of their column.
RUN_KEYS = re.compile(r"(_ns|time|timestamp|thread|tid|pid|held|frame|buf_cached|overhead)$")


def fail(text):
    sys.exit(f"commands.py: {text}")


def make_dump(build, folder):
    dump = folder / "dump"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("KMA_", "UMEM_"))}
    env.update(LD_PRELOAD=str(build / "alloc" / "libkma_malloc.so"), KMA_DEBUG="default,noabort,contents=8",
               KMA_LOGGING="transaction=64k,slab", KMA_DUMP=f"path={dump},on=fatal")
    with subprocess.Popen([build / "tests" / "transcript"], env=env, stderr=subprocess.DEVNULL) as program:
        program.wait(LIMIT)
    if not dump.exists():
        fail(f"no dump; transcript ended with {program.returncode}")
    return dump, program.pid


def ask(kdbg, dump, folder, line, options):
    done = subprocess.run([kdbg, "--no-rc", *options, "-e", line, dump], cwd=folder, check=False,
                          capture_output=True, timeout=LIMIT, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode not in (0, 23):
        fail(f"{line}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def is_foreign(text):
    """A frame that is not of transcript.c, or a row that ends with one."""
    return re.search(r"\+0x[0-9a-f]+( \(.*\))?$", text) and "transcript" not in text


class Mask:
    def __init__(self, names, pid):
        self.names = sorted(names.items(), key=lambda item: -len(item[0]))
        self.pid = str(pid)

    def text(self, text):
        for name, shown in self.names:
            text = text.replace(name, shown)
        text = re.sub(rf"\b({self.pid}|0x{int(self.pid):x}|{int(self.pid):016x})\b", "PID", text)
        text = re.sub(r"\b0x[0-9a-f]{6,16}\b", "ADDRESS", text)
        text = re.sub(r"\bT-\d+\.\d+", "T-TIME", text)
        text = re.sub(r"\b\d+\.\d{3,} s\b", "TIME s", text)
        # Time since boot has nine digits from the fifth second on.
        text = re.sub(r"\b[0-9a-f]{9,16}\b", "ADDRESS", text)
        text = re.sub(r"\+0x[0-9a-f]+", "+0x", text)
        text = re.sub(r"\+[0-9a-f]{4,}\b", "+OFFSET", text)
        text = re.sub(r"\bframe \d+", "frame N", text)
        text = re.sub(r"\d+ KiB held of \d+ KiB in \d+", "N KiB held of N KiB in N", text)
        if text.startswith("roots:"):
            text = re.sub(r"\d+(\.\d)?[KMG]?", "N", text)
        text = re.sub(r"\S+\+0x( \([^)]*\))?$", lambda last: last[0] if self.is_own(last[0]) else "FOREIGN", text)
        return re.sub(r"  +", "  ", text).rstrip()

    @staticmethod
    def is_own(place):
        return "transcript" in place or place.startswith("sp")

    def lines(self, text):
        return [self.text(line) for line in text.splitlines() if not is_foreign(line)]

    def value(self, key, value):
        if isinstance(value, list):
            return [self.text(item) for item in value if not is_foreign(item)]
        if key == "file" and value:
            return pathlib.Path(value).name
        if key in ("build_id", "ndx", "shndx"):
            return key.upper()
        if key == "offset" and isinstance(value, str):
            return "OFFSET"
        if isinstance(value, str):
            return "FOREIGN" if is_foreign(value) else self.text(value)
        return 0 if value is not None and RUN_KEYS.search(key) else value

    def rows(self, text):
        rows = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        rows = [row for row in rows if not str(row.get("module")).startswith("lib")]  # a frame of a library's
        others = [self.text(line) for line in text.splitlines() if not line.startswith("{")]
        return [json.dumps({key: self.value(key, value) for key, value in row.items()})
                for row in rows] + others


def check(name, suffix, lines, regenerate):
    path = EXPECTED / f"{name}.{suffix}"
    if regenerate:
        path.write_text("".join(line + "\n" for line in lines))
        return True
    wanted = path.read_text().splitlines() if path.exists() else []
    if wanted == lines:
        return True
    difference = difflib.unified_diff(wanted, lines, f"expected/commands/{path.name}", "kdbg", lineterm="", n=1)
    print(f"FAIL {path.name}:", *list(difference)[:SHOWN], sep="\n")
    return False


def check_command(name, run, mask, regenerate):
    """Its transcript in both forms."""
    text, rows = [], []
    for line in COMMANDS[name]:
        text += [f"> {line}", *mask.lines(run(line, []))]
        rows += [f"> {line}", *mask.rows(run(line, ["-j"]))]
    return (check(name, "txt", text, regenerate) and check(name, "json", rows, regenerate))


def check_table(kdbg, dump, folder):
    """No command without a transcript, and no transcript of what is no command."""
    known = {json.loads(row)["name"] for row in ask(kdbg, dump, folder, "::dcmds", ["-j"]).splitlines()}
    without = sorted(known - set(COMMANDS))
    if without:
        fail(f"no transcript of {', '.join(without)}: add lines to COMMANDS and run with --regenerate")
    gone = sorted(set(COMMANDS) - known)
    kept = {path.stem for path in EXPECTED.glob("*.*")}
    if gone or kept - set(COMMANDS):
        fail(f"transcripts of what is no command: {', '.join(gone) or sorted(kept - set(COMMANDS))}")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    regenerate = "--regenerate" in sys.argv
    wanted = [word for word in sys.argv[2:] if not word.startswith("-")] or sorted(COMMANDS)
    kdbg = build / "kdbg" / "kdbg"
    module = build / "docs" / "example.so"
    with tempfile.TemporaryDirectory(prefix="golden-") as name:
        folder = pathlib.Path(name)
        dump, pid = make_dump(build, folder)
        for file, text in FILES.items():
            (folder / file).write_text(text)
        check_table(kdbg, dump, folder)
        mask = Mask({str(dump): "DUMP", str(module): "MODULE", str(folder): "FOLDER", str(build): "BUILD"}, pid)

        def run(line, options):
            return ask(kdbg, dump, folder, line.replace("DUMP", str(dump)).replace("MODULE", str(module)), options)

        failed = [name for name in wanted if not check_command(name, run, mask, regenerate)]
    print(f"{len(wanted) - len(failed)} of {len(wanted)} commands as expected")
    sys.exit(len(failed) > 0)


if __name__ == "__main__":
    main()
