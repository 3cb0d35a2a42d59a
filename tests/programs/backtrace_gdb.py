#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks of real programs at random moments, held against gdb's.

Usage: backtrace_gdb.py PRELOAD SAMPLER [PROGRAM...]. Each program runs under
gdb with libkma and a sampler (backtrace_sampler.c) that takes a backtrace in a
signal handler; gdb stops there and walks the same stack. The chains of return
addresses must be identical, or differ for a reason that is told: code made at
run time or by hand has no unwind tables, and gdb guesses its frames by other
rules. gdb runs this very file for its half.
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SAMPLES = 84  # a program; six make more than 500
LIMIT = 500   # seconds

# --- gdb's half --------------------------------------------------------------


def gdb_chain(gdb):
    """The stack above the handler as (addresses, why it ended, is that the true end)."""
    frame, chain = gdb.newest_frame(), []
    while frame and frame.type() != gdb.SIGTRAMP_FRAME:
        frame = frame.older()
    last = None
    while frame:
        # gdb makes frames of inlined functions, and of those that left by a jump.
        if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
            chain.append(frame.pc())
        last, frame = frame, frame.older()
    return chain, gdb.frame_stop_reason_string(last.unwind_stop_reason()), \
        last.unwind_stop_reason() in (gdb.FRAME_UNWIND_NO_REASON, gdb.FRAME_UNWIND_OUTERMOST)


def gdb_main(gdb):
    """Write a line of JSON for each sample."""
    for command in ("set confirm off", "set pagination off", "set debuginfod enabled off",
                    "set breakpoint pending on", "set backtrace past-main on", "set backtrace past-entry on",
                    "set print thread-events off",
                    "handle SIGPROF nostop noprint pass",
                    f"set exec-wrapper env LD_PRELOAD={os.environ['WITH_PRELOAD']} SAMPLER_SEED=7 KMA_DEBUG=audit",
                    f"set args {os.environ['WITH_ARGUMENTS']} > /dev/null", "break sample_taken", "run"):
        gdb.execute(command, to_string=True)
    with open(os.environ["SAMPLES_FILE"], "w", encoding="utf-8") as out:
        for _ in range(SAMPLES):
            if not gdb.selected_thread():
                break
            count = int(gdb.parse_and_eval("$esi"))
            frames = gdb.selected_inferior().read_memory(int(gdb.parse_and_eval("$rdi")), 8 * count)
            ours = [int.from_bytes(frames[i:i + 8], "little") for i in range(0, 8 * count, 8)]
            theirs, reason, whole = gdb_chain(gdb)
            maps = pathlib.Path(f"/proc/{gdb.selected_inferior().pid}/maps").read_text(encoding="utf-8")
            code = [line.split() for line in maps.splitlines() if "x" in line.split()[1]]
            code = [[int(a, 16) for a in fields[0].split("-")] + [int(fields[2], 16), fields[5:]] for fields in code]
            places = {pc: gdb.execute(f"info symbol {pc}", to_string=True).strip() for pc in set(ours[1:] + theirs)}
            json.dump({"ours": ours[1:], "theirs": theirs, "reason": reason, "whole": whole,
                       "code": code, "places": places}, out)
            out.write("\n")
            gdb.execute("continue", to_string=True)
    if gdb.selected_thread():
        gdb.execute("kill", to_string=True)


# --- the programs ------------------------------------------------------------

PYTHON = """
import json, re
rows = [{"id": i, "name": f"row {i}", "tags": [str(k) for k in range(i % 9)]} for i in range(20000)]
def walk(n):
    return sorted(json.loads(json.dumps(rows[n:n + 50])), key=lambda r: re.sub("[0-9]", "", r["name"])) if n % 7 else walk(n + 1)
while True:
    for n in range(0, 19000, 13):
        walk(n)
"""
SQL = """
create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
insert into t select i, 'row ' || i, i * 0.25 from n;
create index t_b on t(b);
""" + "select count(*), sum(c), min(b), group_concat(substr(b, 1, 3)) from t where b like '%99%';\n" * 200
C = "".join(
    f"struct s{i} {{ int a[{i + 1}]; struct s{i} *next; }};\n"
    f"int f{i}(struct s{i} *s) {{ int n = 0; for (int k = 0; k < {i + 1}; k++)"
    f" if (s->a[k] % {i + 3}) n += s->a[k] * k; else n ^= k << 2; return s->next ? f{i}(s->next) + n : n; }}\n"
    for i in range(1500))
NODE = """
const rows = Array.from({length: 3000}, (_, i) => ({id: i, name: 'row ' + i, tags: [i % 9, String(i)]}));
for (;;) JSON.parse(JSON.stringify(rows)).sort((a, b) => a.name.localeCompare(b.name)).map(r => r.name.replace(/[0-9]/g, ''));
"""
CMAKE = """
set(list "")
foreach(i RANGE 1 100000)
  string(REGEX REPLACE "[0-9]" "x" text "row ${i} of many ${i}")
  list(APPEND list "${text}")
  list(LENGTH list count)
  if(count GREATER 200)
    list(SORT list)
    set(list "")
  endif()
endforeach()
"""


def changed_lines(step):
    return "".join(f"line {i * i % 977} {i % step}\n" for i in range(150000))


def compiler():
    return subprocess.run(["gcc", "-print-prog-name=cc1"], check=True, capture_output=True, text=True).stdout.strip()


# name: command, files. The C++ program is cmake.
PROGRAMS = {
    "python3": ([sys.executable, "load.py"], {"load.py": PYTHON}),
    "sqlite3": (["sqlite3", ":memory:", ".read load.sql"], {"load.sql": SQL}),
    "git": (["git", "--no-pager", "diff", "--no-index", "--minimal", "--word-diff", "a", "b"],
            {"a": changed_lines(7), "b": changed_lines(9)}),
    "gcc": ([compiler(), "-quiet", "-O2", "load.c", "-o", "load.s"], {"load.c": C}),
    "node": (["node", "load.js"], {"load.js": NODE}),
    "cmake": (["cmake", "-P", "load.cmake"], {"load.cmake": CMAKE}),
}

# --- the comparison ----------------------------------------------------------


def code_at(sample, pc):
    """None where no code is, else whether it is a file's."""
    return next((bool(path) for start, end, _, path in sample["code"] if start <= pc < end), None)


def readelf(option, file, pattern):
    """The hexadecimal numbers of each line that matches."""
    out = subprocess.run(["readelf", "-W", option, file], capture_output=True, text=True, check=False).stdout
    return [[int(number, 16) for number in match] for match in re.findall(pattern, out)]


def is_without_row(sample, key):
    """Does the file that the code is of tell nothing of it: as of assembly without CFI?"""
    for start, end, offset, path in sample["code"]:
        if start <= key - 1 < end and path and os.path.isfile(path[0]):
            at = key - 1 - start + offset
            segments = readelf("-l", path[0], r"LOAD +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+)")
            address = next(at - begin + virtual for begin, virtual, size in segments if begin <= at < begin + size)
            rows = readelf("--debug-dump=frames", path[0], r"FDE .*pc=(\w+)\.\.(\w+)")
            return not any(low <= address < high for low, high in rows)
    return False


def difference(sample):
    """None, or (is it explained, what it is)."""
    ours, theirs = sample["ours"], sample["theirs"]
    same = 0
    while same < min(len(ours), len(theirs)) and ours[same] - theirs[same] in (0, 1):
        same += 1
    if same == len(ours) == len(theirs):
        return None

    def place(chain):
        return sample["places"].get(str(chain[same]), "") if same < len(chain) else "the end"

    last = sample["places"].get(str(ours[same - 1]), "") if same else "the handler"
    text = f"after {same} frames, {last}: ours {place(ours)}, gdb's {place(theirs)} ({sample['reason']})"
    if same and (not code_at(sample, ours[same - 1]) or last.startswith("No symbol matches")):
        return True, "code of no module, made or moved at run time: " + text
    if same < len(theirs) and code_at(sample, theirs[same]) is None:
        return True, "gdb went where no code is: " + text
    if same and is_without_row(sample, ours[same - 1]):
        return True, "code without unwind tables: " + text
    if not sample["whole"]:  # by its own word: then its chain is no measure
        return True, "gdb lost its way: " + text
    return False, text


def take_samples(name, preload, sampler):
    command, files = PROGRAMS[name]
    with tempfile.TemporaryDirectory(prefix="backtrace-") as folder:
        for file, text in files.items():
            (pathlib.Path(folder) / file).write_text(text, encoding="utf-8")
        samples = pathlib.Path(folder) / "samples"
        environment = {**os.environ, "WITH_PRELOAD": f"{preload}:{sampler}", "SAMPLES_FILE": str(samples),
                       "WITH_ARGUMENTS": shlex.join(command[1:])}
        done = subprocess.run(["gdb", "-nx", "-batch", "-x", os.path.abspath(__file__), shutil.which(command[0])],
                              cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=LIMIT, check=False)
        if not samples.exists():
            print(f"{name}: gdb cannot say: {done.stdout[-2000:]}{done.stderr[-2000:]}")
            return []
        return [json.loads(line) for line in samples.read_text(encoding="utf-8").splitlines()]


def main(preload, sampler, *names):
    failed = 0
    preload, sampler = os.path.abspath(preload), os.path.abspath(sampler)
    for name in names or PROGRAMS:
        samples = take_samples(name, preload, sampler)
        found = [d for d in map(difference, samples) if d]
        frames = sum(len(s["ours"]) for s in samples)
        print(f"{name}: {len(samples)} samples, {frames} frames, {len(samples) - len(found)} stacks identical")
        for explained, text in found:
            print(f"  {'' if explained else 'NOT EXPLAINED: '}{text}")
        failed += sum(not explained for explained, _ in found) + (len(samples) < SAMPLES)
    return 1 if failed else 0


try:
    import gdb as gdb_module
except ImportError:
    sys.exit(main(*sys.argv[1:]))
else:
    gdb_main(gdb_module)
