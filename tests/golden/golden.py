#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kdbg must say of the corpus programs.

Usage: golden.py BUILD NAME [--regenerate]

Runs corpus program NAME under libkma, which leaves a dump, and asks kdbg about
it, twice over:

* truth: the leaks by function, as corpus/*/NAME.json has them, or NAME.json here
  for a program run another way. That file is written by hand with the program;
  nothing here ever rewrites it.
* form: the text and the JSON that kdbg prints, as tests/golden/expected/ has
  them, with addresses, times and thread ids masked. --regenerate writes these
  anew; read the difference before you commit it.
"""
import difflib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE.parent.parent / "corpus"
TEXT_COMMANDS = ["::findleaks -dp", "::walk leak ! wc -l", "::walk leakbuf ! wc -l"]
JSON_COMMANDS = ["::findleaks -p"]
TIMEOUT = 60
SHOWN = 20  # lines of a difference


def fail(text):
    sys.exit(f"golden.py: {text}")


def run_program(build, name, truth, folder):
    """Run NAME under libkma, with what drives it; the path of its dump."""
    dump = folder / f"{name}.kdump"

    def filled(words):
        return [w.format(build=build, corpus=CORPUS, folder=folder) for w in words]

    env = {**os.environ, "LC_ALL": "C"}
    kma = {"LD_PRELOAD": str(build / "alloc" / "libkma_malloc.so"),
           "KMA_DEBUG": truth.get("tier", "default"),
           "KMA_DUMP": f"path={dump},on={truth.get('dump', 'exit')}"}
    command = [str(build / "corpus" / truth.get("program", name)), *filled(truth.get("arguments", []))]
    with subprocess.Popen(command, env={**env, **kma}, cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as program:
        if "driver" in truth:
            subprocess.run(filled(truth["driver"]), env=env, timeout=TIMEOUT, check=True)
        try:
            errors = program.communicate(timeout=TIMEOUT)[1].decode(errors="replace")
        except subprocess.TimeoutExpired:
            program.kill()
            fail(f"{name} still runs after {TIMEOUT} seconds")
    wanted = truth.get("status", 0)
    if isinstance(wanted, str):
        wanted = -signal.Signals[wanted]
    if program.returncode != wanted:
        fail(f"{name} ended with {program.returncode}, not {wanted}:\n{errors}")
    if not dump.exists():
        fail(f"{name} left no dump:\n{errors}")
    return dump


def ask(build, dump, commands, *options):
    command = [str(build / "kdbg" / "kdbg"), "--no-rc", *options]
    for line in commands:
        command += ["-e", line]
    result = subprocess.run([*command, str(dump)], timeout=TIMEOUT, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        fail(f"{' '.join(command)}: status {result.returncode}\n{result.stderr}")
    return result.stdout


def places(line):
    """[(function, file)] of one frame, innermost call first, as it was inlined."""
    match = re.match(r"\s*(.*?)\+0x[0-9a-f]+ \((.*)\)$", line)
    if not match:
        return []
    found = []
    for part in match[2].split(", "):
        name, _, where = part.rpartition(" at ")
        found.append((name or match[1], where.rpartition(":")[0]))
    return found


def is_ours(line):
    """Is this frame in a source of the corpus?"""
    return any((CORPUS / kind / file).exists() for _, file in places(line)
               for kind in ("leaks", "clean", "server"))


def function_of(row):
    """The innermost function of the corpus that asked for the buffer."""
    for line in row["stack"] or []:
        for name, file in places(line):
            if any((CORPUS / kind / file).exists() for kind in ("leaks", "clean", "server")):
                name = name.split("`")[-1].replace("(anonymous namespace)::", "")
                return re.sub(r"\(.*\)$", "", name)
    return "?"


def told(rows):
    """{class: {function: [leaked, bytes, retained]}} as kdbg tells it."""
    found = {}
    for row in rows:
        sums = found.setdefault(row["class"], {}).setdefault(function_of(row), [0, 0, 0])
        for i, key in enumerate(("leaked", "bytes", "retained")):
            sums[i] += row[key]
    return found


def check_truth(name, truth, rows):
    wrong = []
    found = told(rows)
    for kind in sorted(set(found) | {"definite", "indirect", "possible"}):
        wanted = truth.get(kind, {})
        for function in sorted(set(wanted) | set(found.get(kind, {}))):
            expected = wanted.get(function)
            actual = found.get(kind, {}).get(function)
            if expected and actual and len(expected) == 2:
                actual = actual[:2]  # retained not stated
            if expected != actual:
                wrong.append(f"{kind} {function}: kdbg says {actual}, the truth is {expected}")
    if wrong:
        fail(f"{name}: [leaked, bytes, retained] differ:\n  " + "\n  ".join(wrong))


def mask_line(line):
    if line.startswith("roots:"):
        line = re.sub(r"\d+(\.\d)?[KMG]?", "N", line).replace("threads", "thread")
    line = re.sub(r"\b0x[0-9a-f]{5,}\b", "ADDRESS", line)
    line = re.sub(r"\b[0-9a-f]{12,16}\b", "ADDRESS", line)
    line = re.sub(r"\+0x[0-9a-f]+", "+0x", line)
    line = re.sub(r"\bthread \d+ frame\b", "thread N frame", line)
    # A bufctl's record: address, address, time, thread. Five hours after the
    # system started a time is as long as an address.
    line = re.sub(r"^(ADDRESS ADDRESS) +(ADDRESS|[0-9a-f]+) +\d+\b", r"\1 TIME THREAD", line)
    return re.sub(r" +", " ", line).rstrip()


def mask_text(text):
    kept = []
    for line in text.splitlines():
        if re.match(r" {8,}\S.*\+0x[0-9a-f]+( \(.*\))?$", line) and not is_ours(line) and "circle:" not in line:
            continue  # a frame of the system's libraries
        if re.match(r" +over [0-9.]+ seconds$", line):
            continue
        row = re.match(r"(.*ADDRESS )(.+)( (?:definite|indirect|possible) .*)$", mask_line(line))
        if row and not is_ours(row[2].replace("+0x", "+0x0")):
            kept.append(f"{row[1]}SYSTEM{row[3]}")
        else:
            kept.append(mask_line(line))
    return kept


def mask_json(rows):
    lines = []
    for row in rows:
        for key in ("first_ns", "last_ns", "thread"):
            row[key] = None if row[key] is None else 0
        row["stack"] = [mask_line(s) for s in row["stack"] or [] if is_ours(s)]
        if row["file"]:
            row["file"] = pathlib.Path(row["file"]).name
        if row["caller"] and not is_ours(row["caller"]):
            row["caller"] = "SYSTEM"
        lines.append(mask_line(json.dumps(row)))
    return lines


def check_form(name, suffix, lines, regenerate):
    path = HERE / "expected" / f"{name}.{suffix}"
    if regenerate:
        path.write_text("".join(line + "\n" for line in lines))
        return
    wanted = path.read_text().splitlines() if path.exists() else []
    if wanted != lines:
        difference = difflib.unified_diff(wanted, lines, "expected", "kdbg", lineterm="", n=0)
        fail(f"{path.name} differs:\n" + "\n".join(list(difference)[:SHOWN]))


def main():
    build, name = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    regenerate = "--regenerate" in sys.argv[3:]
    found = sorted(CORPUS.glob(f"*/{name}.json")) + sorted(HERE.glob(f"{name}.json"))
    if len(found) != 1:
        fail(f"corpus/*/{name}.json: {len(found)} of them")
    truth = json.loads(found[0].read_text())
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:
        dump = run_program(build, name, truth, pathlib.Path(folder))
        rows = [json.loads(line) for line in ask(build, dump, JSON_COMMANDS, "-j").splitlines()]
        check_truth(name, truth, rows)
        text = ask(build, dump, TEXT_COMMANDS + truth.get("commands", [])).replace(str(dump), "DUMP")
    check_form(name, "json", mask_json(rows), regenerate)
    check_form(name, "txt", mask_text(text), regenerate)


if __name__ == "__main__":
    main()
