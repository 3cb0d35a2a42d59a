#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the include graph of docs/architecture.md.

Usage: check_layers.py ROOT. A folder may include its own headers and those of
the folders below; some edges are open for named headers only.
"""
import pathlib
import re
import sys

SHARED = {"ask.h", "layout.h", "format.h", "roster.h", "stopped.h"}
WRITER = SHARED | {"writer.h", "facts.h", "line.h", "live.h", "live_roots.h", "output.h",
                   "procfs.h"}
READER = WRITER | {"reader.h", "crc.h", "cursor.h", "err.h"}
VIEWS = {
    "address_set.h",
    "arch.h",
    "chains.h",
    "dcmd.h",
    "demangle.h",
    "disassemble.h",
    "format.h",
    "frame_arguments.h",
    "functions.h",
    "growth.h",
    "heap.h",
    "heap_clients.h",
    "heap_unserved.h",
    "heap_verify.h",
    "heap_vmem.h",
    "leaks.h",
    "leaks_details.h",
    "leaks_weak.h",
    "memory_search.h",
    "modules.h",
    "number_text.h",
    "own_variables.h",
    "place.h",
    "radix_hint.h",
    "reach.h",
    "refs.h",
    "retained.h",
    "root_users.h",
    "roots.h",
    "search_path.h",
    "session.h",
    "sink.h",
    "status_reason.h",
    "symbol_records.h",
    "symbols.h",
    "target.h",
    "target_environment.h",
    "target_live.h",
    "target_save.h",
    "target_source.h",
    "terminal.h",
    "thread_local.h",
    "type_container.h",
    "type_place.h",
    "type_value.h",
    "type_words.h",
    "types.h",
    "types_declare.h",
    "unwind.h",
    "usage.h",
    "variables.h",
    "vector.h",
    "whatis.h",
}
ALL = None  # every header of that folder

# (includer, included folder): headers allowed
MAY_USE = {
    ("alloc", "dumpfmt"): WRITER,
    ("alloc", "kma"): ALL,
    ("kdbg", "dumpfmt"): READER,
    ("kdbg/dcmds", "kdbg"): VIEWS,
    ("kdbg/dcmds", "dumpfmt"): {"err.h", "format.h"},
    ("kdbg/main.c", "kdbg/dcmds"): {"dcmds.h"},  # joins core and commands
}
FOLDERS = {"alloc", "dumpfmt", "kdbg", "kdbg/dcmds"}


def allowed(source, folder, target, header):
    for includer in (source, folder):
        names = MAY_USE.get((includer, target), set())
        if names is ALL or header in names:
            return True
    return False


def check(root, path):
    source = path.relative_to(root).as_posix()
    folder = path.parent.relative_to(root).as_posix()
    bad = 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+[<"](.+)/([^/]+)[>"]', line)
        if not match or match[1] not in FOLDERS | {"kma", "tests"}:
            match = re.match(r'\s*#\s*include\s+"([^/]+)"', line)
            if match:
                print(f"{source}:{number}: write includes from the root: {match[1]}")
                bad += 1
            continue
        target, header = match[1], match[2]
        if target != folder and not allowed(source, folder, target, header):
            print(f"{source}:{number}: {folder}/ may not use {target}/{header}")
            bad += 1
    return bad


def main():
    root = pathlib.Path(sys.argv[1])
    sources = [path for folder in FOLDERS for path in sorted((root / folder).glob("*.[ch]"))]
    if len(sources) < 10:
        sys.exit(f"only {len(sources)} sources under {root}: wrong folder?")
    sys.exit(sum(check(root, path) for path in sources) != 0)


main()
