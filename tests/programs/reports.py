#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reports of kdbg check for machines, held to the rules of their readers.

Usage: reports.py KDBG SUPERVISED STATIC SRCROOT [TEST]...

Every test is a function test_NAME; its docstring is what it holds.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree

import report_rules

KDBG, SUPERVISED, STATIC, ROOT = (os.path.realpath(path) for path in sys.argv[1:5])
LIMIT = 60
SOURCE = "tests/programs/supervised.c"
STRANGE = "a <b>&\"'%,:\t\x01\xff|`c"  # a program's name may have it all


def check(*command, options=(), env=(), cwd=None):
    """The status and what was told on stderr."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("KMA_", "UMEM_", "LD_PRELOAD", "GITHUB_", "CI_"))}
    clean.update(env)
    done = subprocess.run([KDBG, "check", *options, "--", *command], capture_output=True,
                          timeout=LIMIT, env=clean, cwd=cwd, check=False)
    return done.returncode, done.stderr.decode(errors="surrogateescape")


def report(option, *command, status, options=("--src-root", ROOT), cwd=None):
    """The bytes of one report."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "report")
        got, err = check(*command, options=[option, path, *options], cwd=cwd)
        equal(got, status, err)
        with open(path, "rb") as file:
            return file.read()


def strange_program(folder):
    path = os.path.join(os.fsencode(folder), STRANGE.encode("latin-1"))
    shutil.copy(SUPERVISED, path)
    return os.fsdecode(path)


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def true(what, why=""):
    if not what:
        raise AssertionError(why)


def line_of(text):
    with open(os.path.join(ROOT, SOURCE), encoding="utf-8") as source:
        return next(number for number, line in enumerate(source, 1) if text in line)


# --- JUnit ------------------------------------------------------------------------

def junit(*command, status):
    root = xml.etree.ElementTree.fromstring(report("--junit", *command, status=status))
    report_rules.hold_junit(root)
    equal((root.tag, [child.tag for child in root]), ("testsuites", ["testsuite"]))
    suite = root[0]
    cases = suite.findall("testcase")
    equal(int(suite.get("skipped")), len(suite.findall("testcase/skipped")))
    for element in (root, suite):
        for attribute, tag in (("failures", "failure"), ("errors", "error")):
            equal(int(element.get(attribute)), len(suite.findall(f"testcase/{tag}")), attribute)
        equal(int(element.get("tests")), len(cases))
        true(float(element.get("time")) > 0)
    true(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp")))
    for case in cases:
        true(case.get("name") and case.get("classname"))
        true(len([child for child in case if child.tag != "system-out"]) <= 1)
    return cases


def test_junit_has_a_case_for_each_process():
    cases = junit(SUPERVISED, "leak", "2", "fork", "hold", "1", "--", status=23)
    equal(len(cases), 2)
    failure = [case.find("failure") for case in cases if case.find("failure") is not None]
    equal(len(failure), 1)
    equal(failure[0].get("type"), "leak")
    true("200 bytes leaked in 2 buffers" in failure[0].get("message"))
    true(f"lose_one ({SOURCE}:{line_of('malloc(100)')})" in failure[0].text, failure[0].text)


def test_junit_of_every_verdict():
    equal([len(case) for case in junit(SUPERVISED, "hold", "1", status=0)], [0])
    case = junit(SUPERVISED, "double-free", status=23)[0]
    equal(case.find("failure").get("type"), "heap-error")
    for title in ("reported by", "allocated by", "freed by"):
        true(title in case.find("failure").text, title)
    cases = junit(SUPERVISED, "spawn", "=", STATIC, "--", status=3)
    equal([case.find("error").get("message") for case in cases if len(case)],
          ["it is statically linked"])
    cases = junit(STATIC, "0", status=3)
    true("no process was checked" in [case.find("error").get("message") for case in cases])


def test_junit_escapes():
    with tempfile.TemporaryDirectory() as folder:
        cases = junit(strange_program(folder), "leak", "1", status=23)
    wanted = STRANGE.replace("\x01", "\ufffd").replace("\xff", "\ufffd")
    true(cases[0].get("name").startswith(wanted + " (pid "), cases[0].get("name"))


# --- SARIF ------------------------------------------------------------------------

def hold_location(location):
    physical = location["physicalLocation"]
    uri = urllib.parse.urlsplit(physical["artifactLocation"]["uri"])
    true(uri.scheme in ("", "file"))
    true(re.fullmatch(r"[A-Za-z0-9._~/%-]*", uri.path), uri.path)
    if "uriBaseId" in physical["artifactLocation"]:
        equal(physical["artifactLocation"]["uriBaseId"], "SRCROOT")
        true(not uri.path.startswith("/"))
        true(os.path.exists(os.path.join(ROOT, urllib.parse.unquote(uri.path))), uri.path)
    if "region" in physical:
        true(physical["region"]["startLine"] >= 1)


def hold_result(result, rules):
    equal(rules[result["ruleIndex"]]["id"], result["ruleId"])
    true(result["level"] in ("error", "warning", "note", "none"))
    true(result["message"]["text"])
    true(result["occurrenceCount"] >= 1)
    for location in result["locations"]:
        hold_location(location)
    for value in result["partialFingerprints"].values():
        true(re.fullmatch(r"[0-9a-f]{16}", value))
    for stack in result["stacks"]:
        true(stack["frames"])
        for frame in stack["frames"]:
            if "physicalLocation" in frame["location"]:
                hold_location(frame["location"])
            true(frame["location"]["logicalLocations"][0]["fullyQualifiedName"])


def sarif(*command, status, options=("--src-root", ROOT), cwd=None):
    log = json.loads(report("--sarif", *command, status=status, options=options, cwd=cwd))
    report_rules.hold_sarif(log)
    equal((log["version"], len(log["runs"])), ("2.1.0", 1))
    true(log["$schema"].endswith("sarif-2.1.0.json"))
    run = log["runs"][0]
    driver = run["tool"]["driver"]
    equal(driver["name"], "kdbg")
    rules = driver["rules"]
    equal(len({rule["id"] for rule in rules}), len(rules))
    if options:
        equal(run["originalUriBaseIds"]["SRCROOT"]["uri"],
              "file://" + urllib.parse.quote(ROOT) + "/")
    equal(run["invocations"][0]["exitCode"], status)
    equal(run["invocations"][0]["executionSuccessful"], status not in (3, 127))
    for result in run["results"]:
        hold_result(result, rules)
    return run


def test_sarif_places_findings():
    result = sarif(SUPERVISED, "leak", "3", status=23)["results"]
    equal(len(result), 1)
    result = result[0]
    equal((result["ruleId"], result["level"], result["occurrenceCount"]),
          ("leak-definite", "error", 3))
    equal(result["locations"], [{"physicalLocation": {
        "artifactLocation": {"uri": SOURCE, "uriBaseId": "SRCROOT"},
        "region": {"startLine": line_of("malloc(100)")}}}])


def test_sarif_of_every_verdict():
    equal(sarif(SUPERVISED, "hold", "1", status=0)["results"], [])
    result = sarif(SUPERVISED, "double-free", status=23)["results"][0]
    equal((result["ruleId"], len(result["stacks"])), ("heap-error", 3))
    notes = sarif(STATIC, "0", status=3)["invocations"][0]["toolExecutionNotifications"]
    true("statically linked" in notes[0]["message"]["text"])
    with tempfile.TemporaryDirectory() as folder:
        results = sarif(strange_program(folder), "leak", "1", status=23, options=(),
                        cwd="/")["results"]
    true("uriBaseId" not in json.dumps(results))


def test_fingerprints_are_stable():
    """From run to run (ASLR), and apart for other stacks."""
    def prints(*command):
        return [result["partialFingerprints"]["kdbgStack/v1"]
                for result in sarif(SUPERVISED, *command, status=23)["results"]]
    one = prints("leak", "1")
    equal(prints("leak", "7"), one)
    true(prints("thread-leak", "1") != one)


# --- GitLab -----------------------------------------------------------------------

def test_gitlab():
    entries = json.loads(report("--gitlab", SUPERVISED, "leak", "1", "fork", "leak", "1", "--",
                                "double-free", "--", status=23, options=("--src-root", ROOT)))
    report_rules.hold_gitlab(entries)
    equal(len({entry["fingerprint"] for entry in entries}), len(entries))
    equal(sorted(entry["severity"] for entry in entries)[0], "critical")
    for entry in entries:
        true(set(entry) == {"description", "check_name", "fingerprint", "severity", "location"})
        true(entry["severity"] in ("info", "minor", "major", "critical", "blocker"))
        equal(entry["location"]["path"], SOURCE)
        true(isinstance(entry["location"]["lines"]["begin"], int))
    equal(json.loads(report("--gitlab", SUPERVISED, status=0)), [])


# --- valgrind's XML ---------------------------------------------------------------

def test_valgrind_xml():
    root = xml.etree.ElementTree.fromstring(report(
        "--valgrind-xml", SUPERVISED, "leak", "2", "double-free", status=23))
    report_rules.hold_valgrind(root)
    equal([root.findtext(tag) for tag in ("protocolversion", "protocoltool", "tool")],
          ["4", "memcheck", "memcheck"])
    equal([state.text for state in root.findall("status/state")], ["RUNNING", "FINISHED"])
    equal(root.findtext("args/argv/exe"), SUPERVISED)
    equal([arg.text for arg in root.findall("args/argv/arg")], ["leak", "2", "double-free"])
    errors = root.findall("error")
    kinds = {error.findtext("kind") for error in errors}
    true(kinds <= {"InvalidFree", "Leak_DefinitelyLost", "Leak_PossiblyLost"}, kinds)
    true("InvalidFree" in kinds, kinds)
    uniques = [error.findtext("unique") for error in errors]
    equal(len(set(uniques)), len(uniques))
    equal([pair.text for pair in root.findall("errorcounts/pair/unique")], uniques)
    for error in errors:
        true(error.find("what") is not None or error.find("xwhat/text") is not None)
        true(error.findall("stack/frame/ip"))
        for frame in error.findall("stack/frame"):
            true(re.fullmatch("0x[0-9A-F]+", frame.findtext("ip")))


def test_valgrind_xml_of_a_leak():
    root = xml.etree.ElementTree.fromstring(report(
        "--valgrind-xml", SUPERVISED, "leak", "2", status=23))
    report_rules.hold_valgrind(root)
    error = root.find("error")
    equal([error.findtext(path) for path in ("kind", "xwhat/leakedbytes", "xwhat/leakedblocks")],
          ["Leak_DefinitelyLost", "200", "2"])
    frame = next(frame for frame in error.findall("stack/frame")
                 if frame.findtext("fn") == "lose_one")
    equal((frame.findtext("dir"), frame.findtext("file"), int(frame.findtext("line"))),
          (os.path.dirname(SOURCE), os.path.basename(SOURCE), line_of("malloc(100)")))
    equal(frame.findtext("obj"), SUPERVISED)


# --- GitHub -----------------------------------------------------------------------

def test_github():
    with tempfile.TemporaryDirectory() as folder:
        summary = os.path.join(folder, "summary")
        with open(summary, "w", encoding="utf-8") as file:
            file.write("before\n")
        env = {"GITHUB_STEP_SUMMARY": summary}
        status, err = check(strange_program(folder), "leak", "1",
                            options=["--github", "--quiet", "--src-root", ROOT], env=env)
        equal(status, 23, err)
        equal(err, f"::error file={SOURCE},line={line_of('malloc(100)')},title=leak::"
              "definite leak: 100 bytes in 1 buffer allocated by lose_one\n")
        with open(summary, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
        true(text.startswith("before\n### kdbg check\n"), text)
        rows = [line for line in text.splitlines() if line.startswith("| failure")]
        equal(len(rows), 1)
        equal(len(re.findall(r"(?<!\\)\|", rows[0])), 5, rows[0])
        shutil.copy(STATIC, os.path.join(folder, "100%\nb"))
        status, err = check(os.path.join(folder, "100%\nb"), "0", options=["--github", "--quiet"])
        equal(status, 3)
        true(err.startswith("::error title=not checked::") and "100%25%0Ab: it is stat" in err, err)
    equal(check(SUPERVISED, options=["--github"]), (0, ""))


# --- paths of sources -------------------------------------------------------------

def build_apart(folder, *flags):
    """A program compiled in a folder beside its source's, as meson and cmake do."""
    for name in ("src", "build"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    with open(os.path.join(folder, "src", "lose.c"), "w", encoding="utf-8") as file:
        file.write("#include <stdlib.h>\nvoid *volatile kept;\n"
                   "int main(void)\n{\nkept = malloc(9);\nkept = 0;\n}\n")
    built = os.path.join(folder, "build")
    subprocess.run(["gcc", "-g", *flags, "-o", "lose", "../src/lose.c"], cwd=built, check=True)
    return os.path.join(built, "lose")


def places(program, **how):
    """Where GitHub, GitLab and SARIF have the finding, and the root that SARIF names."""
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, name) for name in ("gitlab", "sarif")]
        options = ["--github", "--quiet", "--gitlab", files[0], "--sarif", files[1],
                   *how.pop("options", ())]
        status, err = check(program, options=options, **how)
        equal(status, 23, err)
        entry, log = (json.loads(open(path, encoding="utf-8").read()) for path in files)
    sarif_run = log["runs"][0]
    place = sarif_run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    base = sarif_run.get("originalUriBaseIds", {}).get("SRCROOT", {}).get("uri")
    equal(place.get("uriBaseId"), None if place["uri"].startswith("file:") else "SRCROOT")
    return (re.search("file=([^,]*)", err).group(1), entry[0]["location"]["path"],
            place["uri"], base)


def test_paths_relative_to_the_build():
    """Debug information has "../src/lose.c": of the folder where it was compiled."""
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        program, source = build_apart(folder), f"{folder}/src/lose.c"
        inside = ("src/lose.c", "src/lose.c", "src/lose.c", f"file://{folder}/")
        outside = (source, source, f"file://{source}", None)
        for cwd in ("/", folder, f"{folder}/build"):
            equal(places(program, cwd=cwd), outside, cwd)
        equal(places(program, options=["--src-root", folder]), inside)
        for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
            equal(places(program, cwd="/", env={name: folder}), inside, name)
        os.mkdir(f"{folder}/.git")
        for cwd in (folder, f"{folder}/build"):
            equal(places(program, cwd=cwd), inside, cwd)
        mapped = build_apart(folder, f"-ffile-prefix-map={folder}/build=.")
        equal(places(mapped, cwd=folder), inside, "mapped")


def test_paths_of_another_build():
    """That a file of that name lies in the repository makes it no file of the repository's."""
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        build_apart(f"{folder}/ours")
        os.mkdir(f"{folder}/ours/.git")
        theirs = build_apart(f"{folder}/theirs")
        source = f"{folder}/theirs/src/lose.c"
        base = f"file://{folder}/ours/"
        equal(places(theirs, cwd=f"{folder}/ours"), (source, source, f"file://{source}", base))
        shutil.rmtree(f"{folder}/theirs/src")
        equal(places(theirs, cwd=f"{folder}/ours"),
              ("src/lose.c", "src/lose.c", "src/lose.c", base))


def test_blame_passes_over_code_without_lines():
    """A library that is linked in without debug information is not whose leak it is."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text, flags in (
                ("made", "#include <stdlib.h>\nvoid *made(void) { return malloc(9); }\n", []),
                ("main", "void *made(void);\nstatic void *volatile kept;\n"
                         "int main(void)\n{\nkept = made();\nkept = 0;\n}\n", ["-g"])):
            source = os.path.join(folder, name + ".c")
            with open(source, "w", encoding="utf-8") as file:
                file.write(text)
            subprocess.run(["gcc", "-O0", *flags, "-c", source], cwd=folder, check=True)
        program = os.path.join(folder, "program")
        subprocess.run(["gcc", "-o", program, "made.o", "main.o"], cwd=folder, check=True)
        status, err = check(program)
    equal(status, 23, err)
    true(re.search(r"allocated by main \(.*main\.c:5\)", err), err)
    true("        made\n" in err, err)


# --- all of them ------------------------------------------------------------------

def test_command_that_is_not_there():
    """Its reports are whole, and on stderr is the reason alone."""
    missing = os.path.join(ROOT, "no such program")
    cases = junit(missing, status=127)
    equal([case.find("error").get("message") for case in cases][:1], ["No such file or directory"])
    sarif(missing, status=127)
    equal(json.loads(report("--gitlab", missing, status=127)), [])
    xml.etree.ElementTree.fromstring(report("--valgrind-xml", missing, status=127))
    rows = [json.loads(line) for line in report("--jsonl", missing, status=127).splitlines()]
    equal([(row["type"], row.get("reason"), row.get("status")) for row in rows],
          [("process", "No such file or directory", None), ("summary", None, 127)])
    equal(check(missing), (127, f"kdbg check: {missing}: No such file or directory\n"))


def test_report_that_cannot_be_written():
    """Before the program has run for nothing, or 3 when the disk is full."""
    for option in ("--junit", "--sarif", "--gitlab", "--valgrind-xml", "--jsonl"):
        status, err = check("/bin/echo", "ran", options=[option, "/no/such/folder/file"])
        equal(status, 3, err)
        true("/no/such/folder/file: No such file" in err, err)
        status, err = check(SUPERVISED, options=[option, "/dev/full"])
        equal(status, 3, err)
        true("/dev/full: No space left" in err, err)
        equal(check(SUPERVISED, "leak", "1", options=[option, "/dev/full"])[0], 23)
    status, err = check(SUPERVISED, options=["--src-root", "/no/such/folder"])
    equal(status, 3, err)
    true("/no/such/folder" in err, err)


def main():
    wanted = sys.argv[5:]
    tests = [(name, function) for name, function in sorted(globals().items())
             if name.startswith("test_") and (not wanted or name in wanted)]
    failed = 0
    for name, function in tests:
        try:
            function()
            print("ok  ", name, flush=True)
        except (AssertionError, subprocess.TimeoutExpired, OSError, LookupError, ValueError,
                AttributeError, TypeError, StopIteration,
                xml.etree.ElementTree.ParseError) as why:
            failed += 1
            print("FAIL", name, "-", type(why).__name__, why, flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
