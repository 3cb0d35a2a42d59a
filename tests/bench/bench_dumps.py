#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long dumps take to write and to open, and how long a program stands still.

Usage: bench_dumps.py KDBG LIBRARY MANY_BUFFERS [MIB [SIZES]]

The heap is a Python program's, of dictionaries, texts and lists, about MIB large
(1024): what compresses as real heaps do. SIZES (e.g. 4096) are heaps whose dump
and core are opened. Figures are printed, never judged: they are the machine's;
cpu is what all processes took together, which other work disturbs less.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HEAP = r"""
import sys
size = int(sys.argv[1]) << 20
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
rows = []
while resident() < size:
    for i in range(len(rows), len(rows) + 1000):
        rows.append({"id": i, "name": f"customer {i}", "price": i * 0.25, "tags": [str(k) for k in range(i % 9)],
                     "path": f"/srv/data/{i % 100}/item-{i}.json"})
print("ready", flush=True)
sys.stdin.read()
"""
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


class Program:
    def __init__(self, command, library, **variables):
        environment = dict(os.environ, LD_PRELOAD=library, PYTHONMALLOC="malloc", **variables)
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if not self.process.stdout.readline():
            sys.exit(f"{command}: {self.process.stderr.read()}")
        self.pid = self.process.pid
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        self.bytes = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")")[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def dump(self):
        """Seconds and seconds of cpu until the signal that dumps has ended it."""
        before = self.cpu()
        begun = time.monotonic()
        os.kill(self.pid, signal.SIGQUIT)
        _, _, used = os.wait4(self.pid, 0)
        self.process.returncode = 0
        return time.monotonic() - begun, used.ru_utime + used.ru_stime - before

    def end(self):
        self.process.kill()
        self.process.wait()


def timed(command):
    """Seconds, MiB of memory at the most, standard error."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        sys.exit(f"{command}: {said}")
    return time.monotonic() - begun, used.ru_maxrss / 1024, said


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def heads(*cells):
    row(*cells)
    print("|" + "---|" * len(cells))


def heap(mib, library, tier="off", **variables):
    return Program([sys.executable, "-c", HEAP, str(mib)], library, KMA_DEBUG=tier, **variables)


def by_signal(library, folder, mib, tier):
    for codec, workers in ("none", 1), ("zlib", 1), ("zlib", 2), ("zstd", 1), ("zstd", 2):
        path = os.path.join(folder, "x.kdump")
        program = heap(mib, library, tier, KMA_DUMP=f"path={path},on=fatal,codec={codec},workers={workers}")
        seconds, cpu = program.dump()
        size = os.path.getsize(path)
        gigabytes = program.bytes / 1e9
        row(f"{tier}, {codec}, {workers} process{'es' if workers > 1 else ''}", f"{gigabytes:.2f} GB",
            f"{seconds / gigabytes:.2f} s", f"{cpu / gigabytes:.2f} s", f"{program.bytes / size:.1f}")
        os.unlink(path)


def from_outside(kdbg, library, folder, mib):
    program = heap(mib, library)
    path = os.path.join(folder, "x.kdump")
    gigabytes = program.bytes / 1e9
    for options in ["--workers", "2"], ["--stop", "--workers", "2"]:
        seconds, _, said = timed([kdbg, "dump", "-p", str(program.pid), "-o", path, *options])
        pause = float(re.search(r"stood still for ([\d.]+) ms", said)[1])
        row("kdbg dump " + " ".join(options), f"{seconds / gigabytes:.2f} s", f"{pause / gigabytes:.1f} ms")
        os.unlink(path)
    if shutil.which("gcore"):
        seconds = timed(["gcore", "-o", os.path.join(folder, "core"), str(program.pid)])[0]
        row("gcore", f"{seconds / gigabytes:.2f} s", f"about {1000 * seconds / gigabytes:.0f} ms")
        os.unlink(os.path.join(folder, f"core.{program.pid}"))
    program.end()


def meta(kdbg, library, folder, many, buffers):
    path = os.path.join(folder, "x.kdump")
    for workers in 1, 2:
        program = Program([many, str(buffers), "hold"], library, KMA_DEBUG="audit",
                          KMA_DUMP=f"path={path},on=fatal,level=meta,workers={workers}")
        seconds, cpu = program.dump()
        size = os.path.getsize(path)
        row(f"level meta, {buffers} audited buffers, {workers} process{'es' if workers > 1 else ''}",
            f"{seconds:.2f} s", f"{cpu:.2f} s", f"{size / 1e6:.1f} MB")
        timed([kdbg, "--no-rc", "-e", "::kmastat", path])
        os.unlink(path)


def opening(kdbg, library, folder, mib):
    path = os.path.join(folder, "x.kdump")
    program = heap(mib, library)
    timed([kdbg, "dump", "-p", str(program.pid), "-o", path])
    core = os.path.join(folder, "core")
    timed([kdbg, "convert", "--to", "core", path, core])
    program.end()
    for name, target in ("dump", path), ("core", core):
        seconds, memory, _ = min(timed([kdbg, "--no-rc", "-e", "::echo", target]) for _ in range(3))
        row(f"prompt on a {name} of {program.bytes / 1e9:.1f} GB", f"{seconds:.3f} s", f"{memory:.0f} MiB")
    for command in "::kmastat", "::findleaks":
        seconds, memory, _ = timed([kdbg, "--no-rc", "-e", command, path])
        row(f"{command} of the dump", f"{seconds:.2f} s", f"{memory:.0f} MiB")


def main():
    kdbg, library, many = sys.argv[1:4]
    mib = int(sys.argv[4]) if len(sys.argv) > 4 else 1024
    with tempfile.TemporaryDirectory(prefix="bench-", dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        heads("dump by a signal", "heap", "time/GB", "cpu/GB", "ratio")
        by_signal(library, folder, mib, "off")
        by_signal(library, folder, mib, "audit")
        print()
        heads("of a running process", "time/GB", "pause/GB")
        from_outside(kdbg, library, folder, mib)
        print()
        heads("metadata", "time", "cpu", "size")
        meta(kdbg, library, folder, many, 1000000 if mib >= 1024 else 10000)
        print()
        heads("opening", "time", "memory")
        for size in map(int, sys.argv[5:]) if len(sys.argv) > 5 else [mib]:
            opening(kdbg, library, folder, size)


if __name__ == "__main__":
    main()
