#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kdbg check next to LeakSanitizer, memcheck and heaptrack on the same programs.

Usage: bench_check.py KDBG LIBRARY SOURCE COMPILER... [-- BUFFERS...]

A table in Markdown, in milliseconds: the whole run; the time from the end of
main to the end of the command, which is the verdict's; the processors' time,
which a busy machine changes least. The best of some runs. Figures are printed,
never judged: they are the machine's. That the lost buffers are found is judged.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROUNDS = 5


def processor_time():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Tool:
    def __init__(self, name, command, found, env=None):
        self.name, self.command, self.found, self.env = name, command, found, env or {}

    def run(self, buffers):
        """Seconds of all, of what comes after main, and of the processors."""
        used, start = processor_time(), time.monotonic()
        done = subprocess.run([*self.command, str(buffers)], capture_output=True, text=True,
                              env={**os.environ, **self.env}, check=False)
        end = time.monotonic()
        text = done.stdout + done.stderr
        if self.found and not re.search(self.found, text):
            sys.exit(f"bench_check.py: {self.name} found no leak:\n{text}")
        main_end = re.search(r"^\d+\.\d{9}$", done.stdout, re.MULTILINE)
        if not main_end:
            sys.exit(f"bench_check.py: {self.name} did not run:\n{text}")
        return end - start, end - float(main_end.group()), processor_time() - used

    def best(self, buffers):
        results = [self.run(buffers) for _ in range(ROUNDS if buffers < 10 ** 5 else 3)]
        return [min(column) for column in zip(*results)]


def compile_program(folder, source, compiler, *flags):
    path = os.path.join(folder, "load" + "".join(flags).replace("=", ""))
    subprocess.run([*compiler, "-O1", "-g", "-o", path, source, *flags], check=True)
    return path


def tools(folder, kdbg, library, source, compiler):
    plain = compile_program(folder, source, compiler)
    yield Tool("plain", [plain], None)
    yield Tool("audit alone", [plain], None, {"LD_PRELOAD": library, "KMA_DEBUG": "audit"})
    yield Tool("kdbg check", [kdbg, "check", "--", plain], "300 bytes leaked in 3 buffers")
    leak = compile_program(folder, source, compiler, "-fsanitize=leak")
    yield Tool("LeakSanitizer", [leak], "300 byte.s. leaked in 3 alloc")
    if shutil.which("valgrind"):
        yield Tool("memcheck", ["valgrind", "--leak-check=full", plain],
                   "definitely lost: 300 bytes in 3 blocks")
    if shutil.which("heaptrack"):
        yield Tool("heaptrack", ["sh", "-ec", 'rm -f "$0"*; heaptrack -o "$0" "$1" "$2"; '
                                 'heaptrack_print "$0"*',
                                 os.path.join(folder, "track"), plain], "total memory leaked")


def main():
    kdbg, library, source = sys.argv[1:4]
    rest = sys.argv[4:]
    cut = rest.index("--") if "--" in rest else len(rest)
    compiler, sizes = rest[:cut], [int(word) for word in rest[cut + 1:]] or [0, 10 ** 5, 10 ** 6]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        all_tools = list(tools(folder, kdbg, library, source, compiler))
        print("| live buffers |", " | ".join(f"{tool.name}" for tool in all_tools), "|")
        print("|---|" + "---:|" * len(all_tools))
        for size in sizes:
            cells = []
            for tool in all_tools:
                cells.append(" / ".join(f"{1000 * value:.0f}" for value in tool.best(size)))
            print(f"| {size:,} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
