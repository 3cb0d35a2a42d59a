#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""::print of real structures, held against gdb.

Usage: print_gdb.py KDBG OBJECTS PROGRAM [ARGUMENT]... The program runs under
gdb until it aborts; gdb says what each of the objects (shapes: of shapes.c and
shapes_cxx.cc; python: of the interpreter) holds, member by member, and writes a
core; kdbg's rows of that core must say the same, in the same order. gdb runs
this very file for its half.
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

MASK = (1 << 64) - 1

SHAPES = [
    "scalars", "bits", "packed", "enums", "arrays", "anonymous", "value", "nodes", "pointers", "nested",
    "holes", "list_head", "wide_integer", "complex_number", "when", "moment", "mutex", "condition",
    "numbers", "numbers.ints", "functions", "*functions.matrix", "overlaid", "quotient", "*flexible", "*map", "*stdout", "*conventions", "_r_debug", "arrays.points[1]",
    "nested.a.b.c", "list_head->next->payload", "bits.e", "shapes::round_one", "shapes::diamond",
    "shapes::small", "shapes::secret", "shapes::pair", "shapes::shape::made", "some_shape",
]
PYTHON = [
    "PyLong_Type", "PyUnicode_Type", "PyDict_Type", "PyBaseObject_Type", "_Py_NoneStruct", "_Py_FalseStruct",
    "_PyRuntime.gilstate", "_PyRuntime.ceval", "_PyRuntime.interpreters", "*_PyRuntime.interpreters.main.modules",
    "_PyRuntime.interpreters.main->gc", "_PyRuntime.interpreters.main->config",
    "*_PyRuntime.interpreters.main->threads.head", "*_PyRuntime.interpreters.main->threads.head->cframe",
    "*PyExc_ValueError", "*PyLong_Type.tp_as_number", "*PyLong_Type.tp_methods", "_PyRuntime.global_objects.singletons.small_ints[5]",
]
OBJECTS = {"shapes": SHAPES, "python": PYTHON}
# A type of each by its name, and what must be said of it.
NAMED = {"shapes": ("::sizeof struct nested; ::enum enum color", "GREEN"),
         "python": ("::sizeof PyTypeObject; ::enum enum _framestate", "FRAME_EXECUTING")}


def single(real):
    """As a float holds it."""
    return struct.unpack("f", struct.pack("f", real))[0]


# --- gdb's half -----------------------------------------------------------

def gdb_fields(gdb, value, leaves):
    """Append what value holds to leaves: [name, value] in the order of gdb's p."""
    for field in value.type.strip_typedefs().fields():
        if not hasattr(field, "bitpos"):
            continue  # all objects share it
        gdb_leaf(gdb, field.name or "", value[field], leaves)


def gdb_leaf(gdb, name, value, leaves):
    kind = value.type.strip_typedefs()
    if kind.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        gdb_fields(gdb, value, leaves)
    elif kind.code == gdb.TYPE_CODE_ARRAY:
        low, high = kind.range() if kind.sizeof else (0, -1)
        element = kind.target().strip_typedefs()
        if element.unqualified().name == "char":
            text = bytes(int(value[i]) & 255 for i in range(low, high + 1))
            leaves.append([name, text.rstrip(b"\0").decode("latin-1")])
        elif element.code in (gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            for i in range(low, high + 1):
                gdb_leaf(gdb, f"[{i}]", value[i], leaves)
        else:
            leaves.append([name, [gdb_scalar(gdb, value[i]) for i in range(low, high + 1)]])
    else:
        leaves.append([name, gdb_scalar(gdb, value)])


def gdb_scalar(gdb, value):
    kind = value.type.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_FLT:
        return single(float(value)) if kind.sizeof == 4 else float(value)
    if kind.code == gdb.TYPE_CODE_COMPLEX:
        return str(value)
    if kind.code == gdb.TYPE_CODE_REF:
        return int(value.address or 0) & MASK
    return int(str(value)) if kind.sizeof > 8 else int(value) & MASK


def gdb_half():
    import gdb  # pylint: disable=import-error,import-outside-toplevel
    for option in ("pagination off", "confirm off", "debuginfod enabled off"):
        gdb.execute("set " + option)
    gdb.execute("run", to_string=True)
    while gdb.selected_frame().name() != "main" and gdb.selected_frame().older():
        gdb.selected_frame().older().select()
    said = {}
    for name in OBJECTS[os.environ["PRINT_OBJECTS"]]:
        leaves = []
        gdb.execute("set language " + ("c++" if "::" in name else "c"))
        gdb_leaf(gdb, "", gdb.parse_and_eval(name), leaves)
        said[name] = leaves
    gdb.execute("gcore " + os.environ["PRINT_CORE"], to_string=True)
    with open(os.environ["PRINT_SAID"], "w", encoding="utf-8") as stream:
        json.dump(said, stream)


# --- kdbg's half ----------------------------------------------------------

ELEMENT = re.compile(r'(-?0x[0-9a-f]+|-?[\d.]+(?:e[-+]\d+)?|true|false)'
                     r'(?: "(?:[^"\\]|\\.)*")?(?: \([^)]*\))?(?:, |$)')


def unescape(text):
    codes = {"a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "0": "\0"}
    return re.sub(r"\\(x[0-9a-f]{2}|.)",
                  lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" else codes.get(m[1], m[1]), text)


def number(text):
    if text in ("true", "false"):
        return int(text == "true")
    return float(text) if re.search(r"[.e]", text) and "x" not in text else int(text, 0) & MASK


def kdbg_value(row):
    value = row["value"]
    string = re.fullmatch(r'\[ "(.*)" \]', value)
    if string:
        return unescape(string[1])
    if value == "[]":
        return []
    if value.startswith("[ "):
        return [number(match[1]) for match in ELEMENT.finditer(value[2:-2])]
    if row["number"] is not None:
        return int(row["number"], 16)
    if value.endswith("i"):
        return value
    if row["type"] == "float":
        return single(float(value))
    return float(value) if re.search("[.ef]", value) or row["type"] == "double" else int(value)


def kdbg_leaves(kdbg, core, name):
    done = subprocess.run([kdbg, "--no-rc", "-j", "-e", f"::print -d -n {name}", core], text=True,
                          capture_output=True, timeout=120, check=False)
    if done.returncode != 0:
        return done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [[row["name"] if row["depth"] else "", kdbg_value(row)] for row in rows
            if row["value"] is not None]


def ask_gdb(objects, program, folder):
    """What gdb says of the program's objects, and the core it wrote."""
    core, said = os.path.join(folder, "core"), os.path.join(folder, "said")
    done = subprocess.run(["gdb", "-nx", "-batch", "-ex", "python import sys; sys.argv = ['gdb']",
                           "-x", __file__, "--args", *program], capture_output=True, text=True, timeout=300, check=False,
                          env=os.environ | {"PRINT_CORE": core, "PRINT_SAID": said, "PRINT_OBJECTS": objects})
    if not os.path.exists(said):
        sys.exit(f"gdb: {done.stdout}{done.stderr}")
    with open(said, encoding="utf-8") as stream:
        return json.load(stream), core


def main():
    kdbg, objects, *program = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="kdbg-print-") as folder:
        wanted, core = ask_gdb(objects, program, folder)
        failed = 0
        for name, leaves in wanted.items():
            got = kdbg_leaves(kdbg, core, name)
            if got != leaves:
                failed += 1
                print(f"FAIL {name}\n  gdb  {leaves}\n  kdbg {got}")
        line, shown = NAMED[objects]
        named = subprocess.run([kdbg, "--no-rc", "-e", line, core], capture_output=True, text=True, timeout=60,
                               check=False)
        if named.returncode != 0 or shown not in named.stdout:
            sys.exit(f"types by name: {named.stdout}{named.stderr}")
        print(f"{len(wanted) - failed} of {len(wanted)} objects are what gdb says")
        sys.exit(failed != 0 or not wanted)


if "PRINT_SAID" in os.environ:
    gdb_half()
else:
    main()
