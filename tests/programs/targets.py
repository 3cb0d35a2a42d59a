#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One state of one program, looked at through every kind of target.

Usage: targets.py KDBG PRELOAD PROGRAM. The program waits and does not change.
What kdbg tells of the living process, it must tell of gdb's core, the kernel's
core and libkma's own dump; and the process must not notice.
"""
import gzip
import json
import lzma
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

COMMANDS = {
    "::kmastat": [],
    "::kmem_cache": [],
    "::kmausers": [],
    "::kmausers -e": [],
    "::kmem_verify": [],
    "::kmem_slabs": [],
    "::kmguard": [],
    "::kmalog": [],
    "::malloctypes": [],
    "::percpu": [],
    "::vmem": [],
    "::umem_malloc_dist": [],
    "::umem_malloc_info": [],
    "::walk kmem": [],
    "::walk freemem": [],
    "::walk bufctl | ::bufctl": ["timestamp"],
    "::walk bufctl | ::bufctl -v": ["timestamp", "free_timestamp"],
    "::walk leak": [],
    "::walk leakbuf | ::refs": [],
    "::walk kmem | ::head -n 0t20 | ::whylive": [],
    "::walk kmem | ::head -n 0t20 | ::retained": [],
    "::topusers": [],
    "::kma_error": [],
    "::auxv": [],
    "::getenv -t": [],
    # the dump's writer has compared the clocks once more
    "::walk leakbuf | ::whatis": ["timestamp"],
    "::findleaks": ["first_ns", "last_ns"],
    # which thread took the signal; a core has no names
    "::threads": ["state", "name"],
    "::threads -v": ["state", "name", "created"],
}
SECRET = "a-word-nobody-else-has"
OVERRUN = "qXvQzJwK"
LONG_ARGUMENTS = ["", "two words", *map(str, range(100))]


# A shell starts what is in its background with these ignored; the programs
# that are ended with them here must not inherit that.
for number in (signal.SIGQUIT, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)


def run(arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True,
                          errors="replace", timeout=60, **options)


def fail(text):
    sys.exit(text)


def start(preload, program, dump=None, cwd=None, arguments=(SECRET,), level="full"):
    environment = dict(os.environ, LD_PRELOAD=preload, PLANTED="env-" + SECRET,
                       KMA_DEBUG="default,noabort")
    if dump:
        environment["KMA_DUMP"] = f"path={dump},on=fatal,level={level}"
    process = subprocess.Popen([program, *arguments], env=environment, cwd=cwd,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    if process.stdout.readline() != b"ready\n":
        fail("the program did not start")
    return process


def rows(kdbg, target, command):
    result = run([kdbg, "--no-rc", "-j", "-e", command] + target)
    if result.returncode != 0:
        fail(f"{command} of {target}: {result.stderr}")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    for row in found:
        for column in COMMANDS.get(command, []):
            row.pop(column, None)
    return found


def look(kdbg, target):
    return {command: sorted(rows(kdbg, target, command), key=json.dumps)
            for command in COMMANDS}


def is_restarting(expected, found):
    """A system call that a signal of libkma's interrupts is begun anew: the thread
    stands before its instruction of two bytes, not behind it."""
    return (expected["tid"], expected["sp"]) == (found["tid"], found["sp"]) and \
        int(expected["pc"], 16) == int(found["pc"], 16) + 2


def check_same(expected, found, what):
    for command, rows_expected in expected.items():
        if found[command] == rows_expected:
            continue
        for a, b in zip(rows_expected, found[command]):
            if a != b and not (command.startswith("::threads") and is_restarting(a, b)):
                fail(f"{what}: {command} differs:\n  {a}\n  {b}")
        if len(found[command]) != len(rows_expected):
            fail(f"{what}: {command}: {len(found[command])} rows, not "
                 f"{len(rows_expected)}")


def state_of(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0]


def is_traced(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return "TracerPid:\t0\n" not in status


def check_untouched(process, what):
    for _ in range(200):
        if not is_traced(process.pid) and state_of(process.pid) == "S":
            return
        time.sleep(0.01)
    fail(f"{what}: the process is left as {state_of(process.pid)}")


def convert(kdbg, source, target, *options):
    result = run([kdbg, "convert", *options, source, target])
    if result.returncode != 0:
        fail(f"convert {options} {source}: {result.stderr}")
    return target


def arguments_of(kdbg, target):
    return [row["value"] for row in rows(kdbg, target, "::status")
            if row["field"] == "arguments"]


def segments(core):
    """(address, bytes) of the memory that a core has."""
    data = pathlib.Path(core).read_bytes()
    offset, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    for i in range(count):
        kind, _, at, address, _, size, _, _ = struct.unpack_from(
            "<IIQQQQQQ", data, offset + 56 * i)
        if kind == 1 and size and address < 1 << 63:
            yield address, data[at:at + size]


def pages(core):
    """Of a process that goes on, pages that were compared."""
    return {address + i: data[i:i + 4096] for address, data in segments(core)
            for i in range(0, len(data), 4096)}


def gdb_stacks(program, core):
    result = run(["gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off",
                  "-ex", "thread apply all bt", program, core])
    stacks, frames = {}, None
    for line in result.stdout.splitlines():
        match = re.match(r"Thread \d+ .*LWP (\d+)", line)
        if match:
            frames = stacks.setdefault(int(match[1]), [])
        elif line.startswith("#") and frames is not None:
            frames.append(line)
    return stacks


def environment_bytes(kdbg, dump):
    found = re.search(r"environment +\d+ +(\d+)", run([kdbg, "info", dump]).stdout)
    return int(found[1]) if found else None


def check_creations(pid, threads):
    """main created them all but itself."""
    for thread in threads:
        by, stack = thread["created_by"], thread["creation_stack"] or []
        if thread["tid"] == pid and not by and not stack:
            continue
        if thread["tid"] == pid or by != pid or not stack[0].startswith("pthread_create") or \
                not any(line.startswith("main") for line in stack):
            fail(f"who created it: {thread}")


def test_same_on_all(kdbg, preload, program, folder):
    dump = os.path.join(folder, "own.dump")
    process = start(preload, program, dump, folder, [SECRET, *LONG_ARGUMENTS])
    live = look(kdbg, ["-p", str(process.pid)])
    arguments = arguments_of(kdbg, ["-p", str(process.pid)])
    check_untouched(process, "after looking")
    if len(live["::threads"]) != 4 or len(live["::findleaks"]) < 2:
        fail(f"the live process: {live}")
    check_creations(process.pid, live["::threads -v"])

    targets = {}
    core = os.path.join(folder, "gcore")
    for what, options in ("kdbg dump", ()), ("kdbg dump --stop", ("--stop",)):
        targets[what] = os.path.join(folder, what)
        result = run([kdbg, "dump", "-p", str(process.pid), "-o",
                      targets[what], *options])
        if not re.match(r"the process stood still for \d+\.\d+ ms\n",
                        result.stderr) or result.returncode != 0:
            fail(f"{what}: {result.stderr}")
        check_untouched(process, f"after {what}")
    made = run(["gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off",
                "-ex", f"generate-core-file {core}", "-p", str(process.pid)])
    if os.path.exists(core):
        targets["gcore"] = core
    else:
        print("no gcore:", made.stderr[-500:])
    size = len(pathlib.Path(f"/proc/{process.pid}/environ").read_bytes())
    process.send_signal(signal.SIGQUIT)
    process.wait(timeout=30)
    targets["own dump"] = dump
    for path in pathlib.Path(folder).glob("core*"):
        targets["kernel core"] = str(path)
    for what, path in list(targets.items()):
        target = os.path.join(folder, "converted-" + what.replace(" ", "-"))
        targets[what + ", converted"] = convert(kdbg, path, target)
    for what, path in targets.items():
        check_same(live, look(kdbg, [path]), what)
        if arguments_of(kdbg, [path]) != arguments:
            fail(f"{what}: arguments {arguments_of(kdbg, [path])}, not {arguments}")
        if environment_bytes(kdbg, path) not in (None, size):
            fail(f"{what}: an environment of {environment_bytes(kdbg, path)} bytes, "
                 f"not {size}")
    print("as the live process:", ", ".join(targets))


def ended_core(preload, program, folder):
    """libkma's dump, the kernel's core and gdb's stacks of it. libkma has waited
    until all threads had left the handler that the dump stopped them in."""
    dump = os.path.join(folder, "own.dump")
    process = start(preload, program, dump, folder)
    process.send_signal(signal.SIGQUIT)
    process.wait(timeout=30)
    cores = list(pathlib.Path(folder).glob("core*"))
    if not cores:
        return dump, None, None
    stacks = gdb_stacks(program, str(cores[0]))
    if re.search("on_stop|signal handler called", str(stacks)):
        fail(f"a thread is in the dump's handler: {stacks}")
    return dump, str(cores[0]), stacks


def test_there_and_back(kdbg, preload, program, folder):
    """A core is the same core after it was a dump, for gdb, too."""
    dump, core, expected = ended_core(preload, program, folder)
    if not core:
        print("no kernel core: skipped")
        return
    back = os.path.join(folder, "back")
    convert(kdbg, convert(kdbg, core, back + ".dump"), back)
    if pages(core) != pages(back):
        fail("memory differs after core, dump, core")
    if len(expected) != 4 or min(map(len, expected.values())) < 2:
        fail(f"gdb of the kernel's core: {expected}")
    own = convert(kdbg, dump, os.path.join(folder, "own.core"))
    for core in back, own:
        if gdb_stacks(program, core) != expected:
            differing = [(tid, stack, gdb_stacks(program, core).get(tid))
                         for tid, stack in expected.items()
                         if gdb_stacks(program, core).get(tid) != stack]
            fail(f"gdb of {core}: {differing}")


def test_meta_has_no_byte_of_the_program(kdbg, preload, program, folder):
    dump = os.path.join(folder, "own.dump")
    process = start(preload, program, dump, folder, (SECRET, OVERRUN))
    metas = []
    for options in (), ("--stop",):
        metas.append(os.path.join(folder, "live.meta" + "".join(options)))
        result = run([kdbg, "dump", "-p", str(process.pid), "-o", metas[-1],
                      "--level", "meta", *options])
        if result.returncode != 0:
            fail(f"kdbg dump {options}: {result.stderr}")
    metas.append(os.path.join(folder, "own.meta"))
    other = start(preload, program, metas[-1], folder, (SECRET, OVERRUN), "meta")
    other.send_signal(signal.SIGQUIT)
    other.wait(timeout=30)
    for core in pathlib.Path(folder).glob("core*"):
        core.unlink()
    process.send_signal(signal.SIGQUIT)
    process.wait(timeout=30)
    full = [dump] + list(map(str, pathlib.Path(folder).glob("core*")))
    for source in full:
        metas.append(convert(kdbg, source, source + ".meta", "--level",
                             "meta"))
    if "message" not in str(rows(kdbg, [dump], "::kma_error")):
        fail("nothing was reported that could quote")
    planted = [SECRET[:8].encode(), OVERRUN.encode()]
    raw = [convert(kdbg, path, path + ".raw", "--to", "core") for path in full]
    for path in raw:
        data = pathlib.Path(path).read_bytes()
        for word in planted:
            if word not in data:
                fail(f"{word} is not even in {path}: this test tests nothing")
    for path in metas:
        raw = convert(kdbg, path, path + ".raw", "--to", "core")
        data = pathlib.Path(path).read_bytes() + pathlib.Path(raw).read_bytes()
        for word in planted:
            if word in data:
                fail(f"{word} is still in {path}, at {data.index(word)}")
        # own.meta is another process's
        expected, found = ([dict(row, address=None, vmem_address=None) for row in
                            rows(kdbg, [target], "::kmastat")]
                           for target in (dump, path))
        if found != expected:
            fail(f"::kmastat of {path}: {found}, not {expected}")


def test_packed_cores(kdbg, preload, program, folder):
    process = start(preload, program, None, folder)
    core = os.path.join(folder, "gcore")
    run(["gdb", "-nx", "-batch", "-ex", f"generate-core-file {core}", "-p",
         str(process.pid)])
    process.kill()
    if not os.path.exists(core):
        print("no gcore: skipped")
        return
    expected = look(kdbg, [core])
    data = pathlib.Path(core).read_bytes()
    half = len(data) // 2
    packed = {"core.gz": gzip.compress(data[:half]) + gzip.compress(data[half:]),
              "core.xz": lzma.compress(data, preset=1)}
    for name, content in packed.items():
        pathlib.Path(folder, name).write_bytes(content)
    for command in ["zstd", "-q", "-k"], ["lz4", "-q", "-k", "-m"]:
        if shutil.which(command[0]):
            run(command + [core])
    for path in sorted(pathlib.Path(folder).glob("*core.*")):
        check_same(expected, look(kdbg, [path]), path.name)
        cut = pathlib.Path(folder, "cut")
        cut.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
        result = run([kdbg, "--no-rc", "-e", "::echo open", cut])
        if result.stdout != "open\n" or "is cut" not in result.stderr:
            fail(f"half of {path.name}: {result.stderr}")
        result = run([kdbg, "--no-rc", "--max-size", "64K", "-e", "::status",
                      path])
        if "allow more by --max-size" not in result.stderr:
            fail(f"--max-size: {result.stderr}")
        print("as the core:", path.name)


def with_more_segments(core, count):
    """The core with count more pages, of which every tenth is in the file: more
    than e_phnum can tell, so that a section header does."""
    data = bytearray(pathlib.Path(core).read_bytes())
    offset, = struct.unpack_from("<Q", data, 32)
    before, = struct.unpack_from("<H", data, 56)
    headers = data[offset:offset + 56 * before]
    data += bytes(-len(data) % 4096)
    page = len(data)
    data += b"more" * 1024
    for i in range(count):
        headers += struct.pack("<IIQQQQQQ", 1, 6, page, 0x100000000000 + i * 0x2000,
                               0, 4096 if i % 10 == 0 else 0, 4096, 4096)
    struct.pack_into("<QQ", data, 32, len(data), len(data) + len(headers))
    struct.pack_into("<HHHHH", data, 54, 56, 0xffff, 64, 1, 0)
    section = bytearray(64)
    struct.pack_into("<I", section, 44, before + count)
    return bytes(data + headers + section), before + count


def test_more_program_headers_than_16_bits(kdbg, preload, program, folder):
    process = start(preload, program, None, folder)
    core = os.path.join(folder, "gcore")
    made = run(["gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off",
                "-ex", f"generate-core-file {core}", "-p", str(process.pid)])
    process.kill()
    if not os.path.exists(core):
        fail(f"no gcore: {made.stderr}")
    large = os.path.join(folder, "large")
    content, count = with_more_segments(core, 70000)
    pathlib.Path(large).write_bytes(content)
    check_same(look(kdbg, [core]), look(kdbg, [large]), "70000 more segments")
    read = "0x100000000000/X; 0x100000014000/X; 0x100000002000/X"
    for path in large, convert(kdbg, large, large + ".dump"):
        result = run([kdbg, "--no-rc", "-e", read, path])
        if result.stdout.count("65726f6d") != 2 or result.returncode != 1:
            fail(f"{path}: {result.stdout}{result.stderr}")
    back = convert(kdbg, large + ".dump", large + ".core")
    told = run(["readelf", "-h", back]).stdout
    found = re.search(r"Number of program headers: +65535 \((\d+)\)", told)
    if not found or abs(int(found[1]) - count) > 100:
        fail(f"{count} segments: {told}")
    check_same(look(kdbg, [core]), look(kdbg, [back]), "and back")


def bare_core(address, memory):
    """A core of that memory and nothing else."""
    header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 6, 4096, address, 0, len(memory),
                          len(memory), 4096)
    return (header + segment).ljust(4096, b"\0") + memory


def test_pages_of_zeros_are_holes(kdbg, _, __, folder):
    """Wherever they lie in what is written at once, and whatever lies about."""
    generator = random.Random(8)
    for length in 1, 700, 1800:
        memory, kept = bytearray(), 0
        while len(memory) < length << 12:
            zero, count = generator.random() < 0.5, generator.choice((1, 2, 30, 600))
            kept += 0 if zero else count
            memory += bytes(count << 12) if zero else generator.randbytes(count << 12)
        core, back = os.path.join(folder, "bare"), os.path.join(folder, "back")
        pathlib.Path(core).write_bytes(bare_core(0x100000, memory))
        convert(kdbg, core, back, "--to", "core")
        if b"".join(data for _, data in segments(back)) != memory:
            fail(f"{len(memory)} bytes differ")
        used = os.stat(back).st_blocks * 512
        if not kept << 12 <= used <= (kept + 8) << 12:
            fail(f"{used} bytes of the disk for {kept} pages that are not zeros")
        os.unlink(back)


def test_foreign_files_are_named(kdbg, _, program, folder):
    path = pathlib.Path(folder, "file")
    elf = pathlib.Path(program).read_bytes()[:64]
    core = elf[:16] + b"\4\0" + elf[18:]
    cases = {
        b"MDMP" + bytes(60): "minidump",
        core[:4] + b"\1" + core[5:18] + b"\3\0" + core[20:]: "32-bit i386",
        core[:5] + b"\2" + core[6:18] + b"\0\x16" + core[20:]:
            "big-endian z/Architecture",
        core[:18] + b"\xb7\0" + core[20:]: "aarch64",
        elf: "not a core",
        b"": "empty file",
        bytes(100): "not a dump or core",
    }
    for content, text in cases.items():
        path.write_bytes(content)
        result = run([kdbg, "--no-rc", "-e", "::status", path])
        if result.returncode != 1 or text not in result.stderr:
            fail(f"{content[:20]}: {result.stderr}")


def test_info_tells_what_is_whole(kdbg, preload, program, folder):
    dump = os.path.join(folder, "own.dump")
    process = start(preload, program, dump, folder)
    process.send_signal(signal.SIGQUIT)
    process.wait(timeout=30)
    for path in [dump] + list(map(str, pathlib.Path(folder).glob("core*"))):
        result = run([kdbg, "info", path])
        if result.returncode != 0 or "whole\n" not in result.stdout:
            fail(f"info of {path}: {result.stdout}{result.stderr}")
        parts = [json.loads(line)
                 for line in run([kdbg, "info", "-j", path]).stdout.splitlines()]
        if sum(part.get("damaged", 0) for part in parts) != 0:
            fail(f"info -j of {path}: {parts}")
    data = pathlib.Path(dump).read_bytes()
    damaged = pathlib.Path(folder, "damaged")
    for i in range(40):  # runs longer than what fills up between records
        at = len(data) * i // 40
        damaged.write_bytes(data[:at] + bytes(b ^ 255 for b in data[at:at + 64])
                            + data[at + 64:])
        if run([kdbg, "info", damaged]).returncode != 1:
            fail(f"info does not see 64 damaged bytes at {at}")
    damaged.write_bytes(data[:len(data) // 2])
    if run([kdbg, "info", damaged]).returncode != 1:
        fail("info does not see that half of the file is missing")


def test_killed_kdbg_lets_go(kdbg, preload, program, _):
    process = start(preload, program)
    debugger = subprocess.Popen([kdbg, "--no-rc", "-p", str(process.pid)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    debugger.stdin.write(b"::stop\n::echo stopped\n")
    debugger.stdin.flush()
    if debugger.stdout.readline() != b"stopped\n":
        fail("::stop")
    if state_of(process.pid) != "t":
        fail(f"stopped, and yet {state_of(process.pid)}")
    debugger.kill()
    debugger.wait()
    check_untouched(process, "after the end of kdbg")
    process.stdin.close()
    if process.wait(timeout=10) != 0:
        fail("the program ended otherwise than alone")


def test_a_line_is_a_stop(kdbg, preload, program, _):
    process = start(preload, program)
    debugger = subprocess.Popen([kdbg, "--no-rc", "-p", str(process.pid)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)
    for line in b"::echo one", b"::echo two":
        debugger.stdin.write(line + b"\n")
        debugger.stdin.flush()
        if debugger.stdout.readline().split() != line.split()[1:]:
            fail("::echo")
        check_untouched(process, "between lines")
    process.kill()
    process.wait()
    _, told = debugger.communicate(b"::threads\n", timeout=30)
    if b"has ended" not in told:
        fail(f"of a process that is gone: {told}")


def test_refusals(kdbg, preload, program, _):
    zombie = subprocess.Popen([sys.executable, "-c", "import os; "
                               "print(os.fork() or os._exit(0), flush=True); "
                               "input()"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child = int(zombie.stdout.readline())
    process = start(preload, program)
    thread = max(map(int, os.listdir(f"/proc/{process.pid}/task")))
    cases = {
        "4194304": "there is no process",
        "x": "wants a process's number",
        str(child): "is a zombie",
        str(thread): f"is a thread of process {process.pid}",
    }
    if os.path.exists("/proc/2/stat") and os.geteuid() == 0:
        if "(kthreadd)" in pathlib.Path("/proc/2/stat").read_text():
            cases["2"] = "is a thread of the kernel"
    for pid, text in cases.items():
        result = run([kdbg, "--no-rc", "-e", "::status", "-p", pid])
        if result.returncode == 0 or text not in result.stderr:
            fail(f"-p {pid}: {result.stderr}")
    tracer = subprocess.Popen([kdbg, "--no-rc", "-p", str(process.pid)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    tracer.stdin.write(b"::stop\n::echo stopped\n")
    tracer.stdin.flush()
    tracer.stdout.readline()
    result = run([kdbg, "--no-rc", "-e", "::status", "-p", str(process.pid)])
    if f"is traced by process {tracer.pid} (kdbg)" not in result.stderr:
        fail(f"traced: {result.stderr}")
    tracer.communicate(timeout=30)
    if os.geteuid() == 0:
        with tempfile.TemporaryDirectory() as place:
            os.chmod(place, 0o755)  # the build may lie where others cannot go
            copy = shutil.copy(kdbg, place)
            result = run([copy, "--no-rc", "-e", "::status", "-p",
                          str(process.pid)], user=65534, cwd="/")
        if "belongs to user 0" not in result.stderr:
            fail(f"another user: {result.stderr}")
    process.kill()
    zombie.kill()


def main():
    paths = [os.path.abspath(path) for path in sys.argv[1:4]]
    limit = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (limit[1], limit[1]))
    tests = [value for name, value in globals().items()
             if name.startswith("test_")]
    for test in tests:
        with tempfile.TemporaryDirectory() as folder:
            test(*paths, folder)
        print("ok", test.__name__)


if __name__ == "__main__":
    main()
