#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a program that does one thing wrong; compare what is said of it.

Usage: misuse.py [--update] LIBRARY WARM EXPECT PROGRAM

EXPECT has a first line "ends: abort" or "ends: N", perhaps lines
"with: VARIABLE=VALUE" for its environment or "after: warm" where warm.c is to
run first, then the report as it must be,
where these stand for what varies: 0xADDR an address, thread N, S.mmm seconds,
XX bytes of a guard. A frame is its module and, for a module with symbols of
ours, its function; frames of one other module in a row are one line.
--update writes EXPECT's report anew.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

FRAME = re.compile(r"^kma:     0x[0-9a-f]+ (\S+)\+0x([0-9a-f]+)$")
EXPECTED = re.compile(r"(?<=expected )[0-9a-f ]+(?=,)")
PLACE = re.compile(r"(?<= at )0x[0-9a-f]+ (\S+)\+0x([0-9a-f]+)$")
MASKS = [
    (re.compile(r"\+0x[0-9a-f]+"), "+0xOFFSET"),
    (re.compile(r"0x[0-9a-f]+"), "0xADDR"),
    (re.compile(r"thread \d+"), "thread N"),
    (re.compile(r"\d+\.\d\d\d s ago"), "S.mmm s ago"),
]
class Report:
    def __init__(self, modules):
        self.modules = modules  # name: path, of those with symbols
        self.guards = True  # the bytes expected are a guard's, not a fill's

    def function(self, module, offset):
        """The function that the call before a return address is in."""
        path = self.modules.get(module)
        if not path:
            return ""
        out = subprocess.run(["addr2line", "-i", "-f", "-e", path, hex(offset - 1)],
                             capture_output=True, text=True, check=True).stdout
        return " " + out.splitlines()[-2]  # what the others are inlined in

    def line(self, line):
        if line.startswith("kma: ") and line[5] != " ":
            self.guards = not line.startswith("kma: MODIFIED")
        self.guards |= " before the " in line or " after the " in line
        frame = FRAME.match(line)
        if frame:
            name = self.function(frame[1], int(frame[2], 16))
            return f"kma:     {frame[1]}{name}"
        place = PLACE.search(line)
        if place:
            name = self.function(place[1], int(place[2], 16))
            line = line[:place.start()] + place[1] + name
        if self.guards:
            line = EXPECTED.sub(lambda m: re.sub("[0-9a-f]{2}", "XX", m[0]), line)
        for pattern, replacement in MASKS:
            line = pattern.sub(replacement, line)
        return line

    def masked(self, text):
        lines = []
        for line in map(self.line, text.splitlines()):
            if not (lines and line == lines[-1] and line.count(" ") == 5):
                lines.append(line)
        return lines


def run(libraries, program, variables):
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, LD_PRELOAD=":".join(libraries), KMA_DEBUG="default")
        for variable in variables:
            name, _, value = variable.partition("=")
            environment[name] = value.replace("DIRECTORY", folder)
        done = subprocess.run([program], env=environment, capture_output=True,
                              text=True, timeout=60, check=False)
    status = done.returncode
    return "abort" if status == -signal.SIGABRT else str(status), done.stderr


def main():
    update = sys.argv[1] == "--update"
    library, warm, expect, program = map(os.path.abspath, sys.argv[-4:])
    wanted = pathlib.Path(expect).read_text().splitlines()
    heading = [line for line in wanted if line.startswith(("ends: ", "with: ", "after: "))]
    variables = [line[6:] for line in heading if line.startswith("with: ")]
    modules = {os.path.basename(path): path for path in (library, program)}

    libraries = [library, warm] if "after: warm" in heading else [library]
    ends, text = run(libraries, program, variables)
    got = heading + Report(modules).masked(text)
    if update:
        pathlib.Path(expect).write_text("\n".join(got) + "\n")
    elif got != wanted:
        sys.exit("\n".join(["wanted:", *wanted, "", "got:", *got, "", text]))
    if f"ends: {ends}" not in heading:
        sys.exit(f"it ended with {ends}\n{text}")


if __name__ == "__main__":
    main()
