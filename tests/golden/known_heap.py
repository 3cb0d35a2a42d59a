#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kdbg says of a real dump's heap, against what the program did.

Usage: known_heap.py KDBG KNOWN_HEAP SOURCE [TEST]...

Every test is a function test_NAME; its docstring is what it holds. The dumps
are made once, by kdbg run.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

KDBG, PROGRAM, SOURCE = (os.path.abspath(path) for path in sys.argv[1:4])
LIMIT = 120  # seconds that anything may take before it counts as hung
SMALL, MEDIUM, LARGE, FREED = 137, 5, 3, 21  # as in known_heap.c


class Dump:
    def __init__(self, folder, tier):
        self.path = os.path.join(folder, tier + ".kdump")
        env = {name: value for name, value in os.environ.items()
               if not name.startswith(("KMA_", "UMEM_", "LD_PRELOAD"))}
        env["KMA_LOGGING"] = "transaction=1m"
        done = subprocess.run([KDBG, "run", "--tier", tier, "-o", self.path, "--", PROGRAM], env=env,
                              capture_output=True, timeout=LIMIT, check=True, text=True)
        self.at = {name: int(address, 16) for name, address in
                   (line.split() for line in done.stdout.splitlines())}

    def text(self, *commands):
        return self.run(commands, []).stdout

    def json(self, *commands):
        """Every row, parsed: a line that is not one JSON object is an error."""
        rows = [json.loads(line) for line in self.run(commands, ["-j"]).stdout.splitlines()]
        assert all(isinstance(row, dict) for row in rows)
        return rows

    def run(self, commands, options):
        arguments = [word for command in commands for word in ("-e", command)]
        done = subprocess.run([KDBG, *options, *arguments, self.path], capture_output=True,
                              timeout=LIMIT, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"{commands}: status {done.returncode}: {done.stderr}")
        return done


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def has(text, pattern):
    if not re.search(pattern, text, re.MULTILINE):
        raise AssertionError(f"no match of {pattern!r} in:\n{text}")


def line_of(mark):
    """The number of the source line with this comment."""
    with open(SOURCE) as lines:
        return next(i for i, line in enumerate(lines, 1) if f"line of {mark} " in line)


def cache(dump, name):
    return next(row for row in dump.json("::kmastat") if row.get("cache_name") == name)


def test_kmastat_counts(dump):
    """buf in use is what the program has of each size, and no more"""
    equal(cache(dump, "kmem_alloc_1344")["buf_in_use"], SMALL, "small")
    equal(cache(dump, "kmem_alloc_8192")["buf_in_use"], MEDIUM, "medium")
    equal(cache(dump, "kmem_oversize")["buf_in_use"], LARGE, "large")
    assert cache(dump, "kmem_alloc_1344")["alloc_succeed"] >= SMALL + FREED
    has(dump.text("::kmastat -m"), r"^Total \[libkma_malloc\.so\]\s+\d+M\s+\d+\s+0$")


def test_walkers_agree_with_kmastat(dump):
    """the walkers yield as many buffers as the statistics count"""
    equal(len(dump.json("::walk kmem_alloc_1344")), SMALL)
    caches = {row["name"] for row in dump.json("::kmem_cache")}
    total = sum(row["buf_in_use"] for row in dump.json("::kmastat") if row.get("cache_name") in caches)
    equal(len(dump.json("::walk kmem")), total, "kmem")
    equal(len(dump.json("::walk bufctl")), total, "bufctl")
    equal(len(dump.json("::walk bufctl | ::bufctl -c take_small")), SMALL, "take_small")
    freed = dump.json("::walk freectl | ::bufctl -c give_back")
    equal(len(freed), FREED, "give_back")


def test_history_and_partial_slabs(dump):
    """the log's records of one buffer; the slabs that have both kinds of buffers"""
    freed = f"{dump.at['freed']:x}::whatis -b | ::walk bufctl_history | ::kmem_log"
    equal([row["operation"] for row in dump.json(freed)], ["free", "alloc"])
    partial = {row["addr"] for row in dump.json("::walk kmem_slab_partial")}
    assert partial < {row["addr"] for row in dump.json("::walk kmem_slab")}, partial
    assert len(dump.json("::kmem_cache -n alloc_1344 | ::walk kmem_slab_partial")) == 1


def test_whatis(dump):
    """whatis names each kind of address"""
    small, stack = dump.at["small"], dump.at["stack"]
    cases = [
        (small, r"\+0, allocated from kmem_alloc_1344 \(1200 bytes, bufctl [0-9a-f]+\)$"),
        (small + 1199, r"\+4af, allocated from kmem_alloc_1344 "),
        (small + 1200, r"\+4b0, redzone of a buffer allocated from kmem_alloc_1344 "),
        (small - 1, r"canary after a buffer |in a slab of "),
        (dump.at["freed"] + 8, r"\+8, freed from kmem_alloc_1344 "),
        (dump.at["large"] + 299999, r"\+493df, allocated from kmem_oversize \(300000 bytes"),
        (dump.at["datum"], r"is known_heap`known_datum\+0, data of .*known_heap$"),
        (dump.at["code"] + 4, r"is known_heap`take_small\+4, code of .*known_heap$"),
        (stack, r"stack of the thread \d+ \(known_heap\)$"),
        (16, r"^10 is unknown$"),
    ]
    for address, pattern in cases:
        has(dump.text(f"{address:x}::whatis -q"), pattern)
    bufctl = dump.json(f"{small:x}::whatis")[0]["bufctl"]
    has(dump.text(f"{bufctl}::whatis"), r"\+0, bufctl of the buffer ")
    slab = dump.json("::walk kmem_slab")[0]["addr"]
    has(dump.text(f"{slab}::whatis"), r"\+0, header of the slab ")


def test_whatis_tells_all(dump):
    """-a gives every answer, the most particular first"""
    kinds = [row["kind"] for row in dump.json(f"{dump.at['small']:x}::whatis -a")]
    equal(kinds, ["buffer", "slab", "mapping"])
    kinds = [row["kind"] for row in dump.json(f"{dump.at['stack']:x}::whatis -a")]
    equal(kinds, ["stack", "mapping"])


def test_bufctl_names_function_and_line(dump):
    """both stacks name the right function, file and line"""
    small = f"{dump.at['small']:x}::whatis -b | ::bufctl -v"
    where = rf"take_small\+0x[0-9a-f]+ \(known_heap\.c:{line_of('small')}\)"
    has(dump.text(small), rf"^ +{where}$")
    row = dump.json(small)[0]
    equal((row["state"], row["size"], row["cache"]),
          ("allocated", 1200, "kmem_alloc_1344"))
    has(row["stack"][0], r"malloc")
    has(row["stack"][1], where)
    assert any(re.search(r"^main\+", frame) for frame in row["stack"]), row["stack"]
    row = dump.json(f"{dump.at['freed']:x}::bufctl -v")[0]
    equal(row["state"], "free")
    has(row["free_stack"][1], rf"give_back\+.*known_heap\.c:{line_of('free')}\)")
    has("\n".join(row["stack"]), r"^main\+")


def test_other_thread_is_told(dump):
    """what another thread allocated is known to be its"""
    small = dump.json(f"{dump.at['small']:x}::bufctl")[0]
    medium = dump.json(f"{dump.at['medium']:x}::bufctl")[0]
    assert small["thread"] != medium["thread"], (small, medium)
    has(medium["caller"], rf"take_medium\+.*known_heap\.c:{line_of('medium')}\)")
    mine = dump.json(f"::walk bufctl | ::bufctl -t 0t{medium['thread']}")
    assert len(mine) >= MEDIUM, mine


def test_kmausers(dump):
    """users are told with the bytes they asked for"""
    has(dump.text("::kmausers"),
        rf"^{SMALL * 1200} bytes for {SMALL} allocations with data size 1200:$")
    has(dump.text("::kmausers kmem_oversize"),
        rf"^{LARGE * 300000} bytes for {LARGE} allocations with data size 300000:$")
    bytes_of = [row["bytes"] for row in dump.json("::umausers -e")]
    equal(bytes_of, sorted(bytes_of, reverse=True))
    equal(len(dump.json("::kmausers -f kmem_alloc_1344")), SMALL)


def test_kmalog(dump):
    """the log has every transaction, newest first"""
    rows = [row for row in dump.json("::kmalog") if row["size"] == 1200]
    equal(sum(row["operation"] == "alloc" for row in rows), SMALL + FREED)
    ago = [row["ago_ns"] for row in dump.json("::kmalog")]
    equal(ago, sorted(ago))
    equal(ago[0], 0)
    history = dump.json(f"{dump.at['freed']:x}::kmalog")
    equal([row["operation"] for row in history][:2], ["free", "alloc"])
    has(dump.text("::umalog"), r"^T-0\.000000000  addr=[0-9a-f]+  \S+  ")


def test_status_has_no_damage(dump):
    """a sound heap is called sound"""
    fields = {row["field"] for row in dump.json("::kmastat", "::status") if "field" in row}
    assert "damage" not in fields and "allocator" in fields, fields


def test_thread_local(dump):
    """a thread-local variable is found by name, in a command and in an expression"""
    row, = dump.json("::tls known_own")
    equal(int(row["address"], 16), dump.at["own"])
    equal((row["size"], row["object"]), (8, "known_heap"))
    equal(dump.text("*known_own=E"), "43\n")
    equal(len(dump.json("::tls libc.so.6`errno")), 1)


def test_refs_and_chains(dump):
    """a buffer's variable is found from it, by name, and what it alone holds"""
    for at in (dump, dump.off):
        small = at.at["small"]
        row, = at.json(f"{small:x}::refs")
        equal((row["kind"], row["into"], row["held_by"]), ("data", 0, "known_heap`small+0x38"))
        steps = at.json(f"{small + 8:x}::whylive -n 4")
        equal([(row["step"], row["kind"]) for row in steps], [(0, "data"), (1, "target")])
        has(at.text(f"{small:x}::whylive"), r"^known_heap`small\+0x38$")
        row, = at.json(f"{small:x}::retained")
        equal((row["buffers"], row["reached"]), (1, 1))
        users = {row["held_by"]: row for row in at.json("::topusers -a")}
        equal(users["known_heap`small"]["buffers"], SMALL)
        equal(users["known_heap`large"]["reached"], LARGE)
    equal(users["known_heap`small"]["words"], SMALL)
    equal(dump.json("::topusers")[0]["retained"], LARGE * 300000)
    row, = dump.json(f"{dump.at['freed']:x}::refs")
    equal(row["held_by"], "known_heap`freed+0x18")
    row, = dump.json(f"{dump.at['large'] + 77:x}::whylive -n 2 ! head -1")
    equal(row["held_by"], "known_heap`large+0x8")


def test_diff(dump):
    """what grew is told by stack, and nothing grows from a dump to itself"""
    def diff(*words):
        return subprocess.run([KDBG, "diff", *words], capture_output=True, timeout=LIMIT, text=True,
                              check=True).stdout
    grown = [json.loads(line) for line in diff("-j", dump.off.path, dump.path).splitlines()]
    small, = (row for row in grown if (row["stack"] or [""])[0] == "known_heap`take_small")
    equal((small["growth"], small["buffers"], small["old_buffers"], small["new_buffers"]),
          (SMALL * 1200, SMALL, 0, SMALL))
    equal([row["growth"] for row in grown], sorted((row["growth"] for row in grown), reverse=True))
    back = dump.off.text(f"::diff -a '{dump.path}'")
    has(back, rf"^-{SMALL * 1200} bytes in -{SMALL} buffers")
    has(back, r"^\+[0-9]+ bytes in \+3 buffers .* not audited, of kmem_oversize$")
    equal(diff(dump.path, dump.path), "Total +0 bytes, 0 stacks grew\n")


def test_without_audit(dump):
    """at tier off the counts are as exact: magazines are told from the program"""
    off = dump.off
    equal(cache(off, "kmem_alloc_1344")["buf_in_use"], SMALL, "small")
    equal(cache(off, "kmem_oversize")["buf_in_use"], LARGE, "large")
    equal(len(off.json("::walk kmem_alloc_8192")), MEDIUM, "medium")
    has(off.text(f"{off.at['small'] + 5:x}::whatis"), r"\+5, allocated from kmem_alloc_1344$")
    has(off.text(f"{off.at['freed']:x}::whatis"), r"\+0, freed from kmem_alloc_1344$")
    has(off.text("::kmausers kmem_oversize"), rf"^{LARGE} buffers are not audited")


def main():
    wanted = sys.argv[4:]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        dump = Dump(folder, "audit")
        dump.off = Dump(folder, "off")
        for name, test in sorted(globals().items()):
            if not name.startswith("test_") or (wanted and name[5:] not in wanted):
                continue
            try:
                test(dump)
                print(f"ok {name[5:]}: {test.__doc__}")
            except AssertionError as error:
                failed += 1
                print(f"FAILED {name[5:]}: {test.__doc__}\n  {error}")
    sys.exit(failed > 0)


main()
