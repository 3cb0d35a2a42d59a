#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the formats that kdbg check reports in, as far as it uses them.

What a schema would refuse is refused: an element, attribute or property that
the format does not have, one that is missing, of another type, at another
place. SARIF: OASIS Standard 2.1.0, sections 3.13 to 3.58. JUnit: the format of
Jenkins's xunit plugin. valgrind: its XML protocol 4 for memcheck. GitLab: its
code quality report.
"""
import re
import urllib.parse

# --- JSON: property -> rule; "!" after a name: it must be there --------------------

URI = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def text(value):
    return isinstance(value, str) and value != ""


def uri(value):
    return isinstance(value, str) and URI.fullmatch(value) and urllib.parse.urlsplit(value)


def base_uri(value):
    """3.14.14: absolute, a folder's."""
    return uri(value) and value.endswith("/") and urllib.parse.urlsplit(value).scheme != ""


def time(value):
    return isinstance(value, str) and TIME.fullmatch(value)


def whole(least):
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def boolean(value):
    return isinstance(value, bool)


def one_of(*values):
    return lambda value: value in values


class Each:
    """An array, or an object of any names, of what a rule holds for."""

    def __init__(self, kind, rule, unique=False):
        self.kind, self.rule, self.unique = kind, rule, unique


SARIF = {
    "log": {"$schema": uri, "version!": one_of("2.1.0"), "runs!": Each(list, "run")},
    "run": {"tool!": "tool", "invocations": Each(list, "invocation"),
            "originalUriBaseIds": Each(dict, "baseLocation"), "results": Each(list, "result"),
            "columnKind": one_of("utf16CodeUnits", "unicodeCodePoints")},
    "tool": {"driver!": "driver"},
    "driver": {"name!": text, "version": text, "informationUri": uri,
               "rules": Each(list, "rule", unique=True)},
    "rule": {"id!": text, "name": text, "shortDescription": "message", "helpUri": uri},
    "message": {"text!": text},
    "baseLocation": {"uri!": base_uri},
    "invocation": {"executionSuccessful!": boolean, "exitCode": whole(-2 ** 31),
                   "startTimeUtc": time, "endTimeUtc": time, "commandLine": text,
                   "toolExecutionNotifications": Each(list, "notification")},
    "notification": {"message!": "message", "level": one_of("none", "note", "warning", "error"),
                     "locations": Each(list, "location")},
    "result": {"ruleId!": text, "ruleIndex": whole(0), "message!": "message",
               "kind": one_of("fail"), "level": one_of("none", "note", "warning", "error"),
               "locations": Each(list, "location"), "occurrenceCount": whole(1),
               "partialFingerprints": Each(dict, text), "stacks": Each(list, "stack", unique=True),
               "properties": lambda value: isinstance(value, dict),
               "baselineState": one_of("new", "unchanged", "updated", "absent")},
    "stack": {"message": "message", "frames!": Each(list, "frame")},
    "frame": {"location": "location", "module": text},
    "location": {"physicalLocation": "physical", "logicalLocations": Each(list, "logical", True),
                 "message": "message"},
    "physical": {"artifactLocation!": "artifact", "region": "region"},
    "artifact": {"uri!": uri, "uriBaseId": text},
    "region": {"startLine!": whole(1)},
    "logical": {"fullyQualifiedName": text, "name": text, "kind": text},
}

GITLAB = {
    "report": Each(list, "entry"),
    "entry": {"description!": text, "check_name!": text, "fingerprint!": text,
              "severity!": one_of("info", "minor", "major", "critical", "blocker"),
              "location!": "place"},
    "place": {"path!": text, "lines!": "lines"},
    "lines": {"begin!": whole(1)},
}


def hold_json(value, rules, rule, where="$"):
    """Raise ValueError at the first place that breaks a rule."""
    if isinstance(rule, str):
        rule = rules[rule]
    if isinstance(rule, Each):
        if not isinstance(value, rule.kind):
            raise ValueError(f"{where}: no {rule.kind.__name__}")
        if rule.unique and any(value.count(item) > 1 for item in value):
            raise ValueError(f"{where}: one item twice")
        items = value.items() if rule.kind is dict else enumerate(value)
        for key, item in items:
            hold_json(item, rules, rule.rule, f"{where}[{key!r}]")
    elif isinstance(rule, dict):
        hold_object(value, rules, rule, where)
    elif not rule(value):
        raise ValueError(f"{where}: {value!r}")


def hold_object(value, rules, rule, where):
    if not isinstance(value, dict):
        raise ValueError(f"{where}: no object")
    known = {name.rstrip("!"): part for name, part in rule.items()}
    for name in rule:
        if name.endswith("!") and name[:-1] not in value:
            raise ValueError(f"{where}: no {name[:-1]}")
    for name, part in value.items():
        if name not in known:
            raise ValueError(f"{where}: {name} is not in the format")
        hold_json(part, rules, known[name], f"{where}.{name}")


def hold_sarif(log):
    hold_json(log, SARIF, "log")
    for run in log["runs"]:
        bases = run.get("originalUriBaseIds", {})
        for place in artifacts(run):
            absolute = urllib.parse.urlsplit(place["uri"]).scheme != ""
            if "uriBaseId" in place and (absolute or place["uriBaseId"] not in bases):
                raise ValueError(f"{place}: base")


def artifacts(value):
    """Every artifactLocation below."""
    if isinstance(value, list):
        for item in value:
            yield from artifacts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "artifactLocation":
                yield item
            yield from artifacts(item)


def hold_gitlab(entries):
    hold_json(entries, GITLAB, "report")
    for entry in entries:
        if entry["location"]["path"].startswith(("/", "./")):
            raise ValueError(f"{entry['location']['path']}: not relative to the repository")


# --- XML: element -> attributes, and its content as a pattern over its children -----
# In a pattern each child is "name "; "#" alone: text and no children.

JUNIT = {
    "testsuites": ("name time tests failures disabled errors", "(testsuite )*"),
    "testsuite": ("name! tests! failures errors group time skipped timestamp hostname id package "
                  "file log url version", "(properties )?(testcase )*(system-out )?(system-err )?"),
    "testcase": ("name! classname! time group file line",
                 "((skipped )|(error )|(failure ))?(system-out )*(system-err )*"),
    "failure": ("message type", "#"), "error": ("message type", "#"),
    "skipped": ("message type", "#"), "system-out": ("", "#"), "system-err": ("", "#"),
}

STACKS = "stack ((auxwhat )+(stack )?)*"
VALGRIND = {
    "valgrindoutput": ("", "protocolversion protocoltool preamble pid ppid tool (usercomment )*"
                           "args status (error |errorcounts )*status (error )*"
                           "errorcounts (suppcounts )?"),
    "preamble": ("", "(line )+"), "args": ("", "vargv argv "),
    "vargv": ("", "exe (arg )*"), "argv": ("", "exe (arg )*"), "status": ("", "state time "),
    "error": ("", "unique tid (threadname )?kind (what |xwhat )" + STACKS + "(suppression )?"),
    "xwhat": ("", "text leakedbytes leakedblocks "), "stack": ("", "(frame )+"),
    "frame": ("", "ip (obj )?(fn )?(dir )?(file )?(line )?"),
    "errorcounts": ("", "(pair )*"), "suppcounts": ("", "(pair )*"),
    "pair": ("", "count (unique |name )"),
    # The line of a preamble, and of a frame.
    **{name: ("", "#") for name in """protocolversion protocoltool line pid ppid tool usercomment exe
       arg state time unique tid threadname kind what text leakedbytes leakedblocks auxwhat ip obj fn
       dir file count name""".split()},
}
MEMCHECK_KINDS = """InvalidFree MismatchedFree InvalidRead InvalidWrite InvalidJump Overlap
InvalidMemPool UninitCondition UninitValue SyscallParam ClientCheck Leak_DefinitelyLost
Leak_IndirectlyLost Leak_PossiblyLost Leak_StillReachable""".split()


def hold_xml(element, rules, where=""):
    where = f"{where}/{element.tag}"
    if element.tag not in rules:
        raise ValueError(f"{where}: not in the format")
    attributes, content = rules[element.tag]
    known = {name.rstrip("!") for name in attributes.split()}
    needed = {name[:-1] for name in attributes.split() if name.endswith("!")}
    if not needed <= set(element.attrib) <= known:
        raise ValueError(f"{where}: attributes {sorted(element.attrib)}")
    children = "".join(child.tag + " " for child in element)
    if not re.fullmatch("" if content == "#" else content, children):
        raise ValueError(f"{where}: holds {children!r}")
    if content != "#" and (element.text or "").strip():
        raise ValueError(f"{where}: text {element.text!r}")
    for child in element:
        hold_xml(child, rules, where)


def hold_junit(root):
    hold_xml(root, JUNIT)


def hold_valgrind(root):
    hold_xml(root, VALGRIND)
    for error in root.findall("error"):
        if error.findtext("kind") not in MEMCHECK_KINDS:
            raise ValueError(f"{error.findtext('kind')}: no kind of memcheck's")
        leak = error.findtext("kind").startswith("Leak_")
        if leak != (error.find("xwhat/leakedbytes") is not None):
            raise ValueError(f"{error.findtext('unique')}: what was leaked")
