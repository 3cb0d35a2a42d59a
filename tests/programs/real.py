#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unchanged programs behave under libkma_malloc.so as they do without it.

Usage: real.py LIBKMA_MALLOC TIER [NAME...]. Each program does real work in a
folder of its own, once plainly and once preloaded; standard output, standard
error and exit status must be the same. A program that is missing is a failure:
tools/setup --tests installs it.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TIMEOUT = 240

PYTHON = r"""
import json, re, sqlite3, threading, subprocess, collections, decimal, zlib
data = {str(i): [i, i * 0.5, "x" * (i % 97)] for i in range(4000)}
assert json.loads(json.dumps(data)) == data
words = re.findall(r"(\w+)-(\d+)", " ".join(f"w{i}-{i*i}" for i in range(5000)))
db = sqlite3.connect(":memory:")
db.execute("create table t(a integer primary key, b text)")
db.executemany("insert into t values(?, ?)", ((i, f"row {i}") for i in range(20000)))
total = db.execute("select sum(a), max(length(b)) from t where b like '%7%'").fetchone()
counts = collections.Counter()
lock = threading.Lock()
def work(n):
    local = [bytes(i % 512) for i in range(3000)]
    with lock:
        counts[n % 2] += sum(map(len, local))
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
out = subprocess.run(["echo", "child"], capture_output=True, text=True).stdout
print(len(words), total, sorted(counts.items()), out.strip(), zlib.crc32(json.dumps(data).encode()))
"""

PERL = r"""
my %h; $h{$_ % 1000} .= "x$_," for 1 .. 50000;
my $n = 0; for my $k (sort { $a <=> $b } keys %h) { $n += () = $h{$k} =~ /x(\d+)5,/g }
my @s = sort { $b cmp $a } map { reverse $_ } 1 .. 20000; print "$n $s[0] $s[-1]\n";
"""

NODE = r"""
const m = new Map(); for (let i = 0; i < 2e5; i++) m.set('k' + i % 5000, {i, a: [i, i + 1]});
const b = Buffer.alloc(1 << 20, 'ab'); const z = require('zlib');
console.log(m.size, z.gunzipSync(z.gzipSync(b)).equals(b), require('crypto').createHash('sha256').update(b).digest('hex'));
"""

C_SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct node { struct node *next; char text[40]; };
int main(void)
{
    struct node *head = NULL;
    for (int i = 0; i < 1000; i++) {
        struct node *n = malloc(sizeof *n);
        snprintf(n->text, sizeof n->text, "node %d", i);
        n->next = head;
        head = n;
    }
    unsigned sum = 0;
    for (struct node *n = head; n; n = n->next) sum += strlen(n->text);
    printf("%u\n", sum);
    return 7;
}
"""

SQL = """
create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
insert into t select i, 'row ' || i, i * 0.25 from n;
create index t_b on t(b);
select count(*), sum(c), min(b), max(b) from t where b like '%99%';
delete from t where a % 3 = 0; vacuum; pragma integrity_check; select count(*) from t;
"""

BASH = r"""
declare -A seen; for i in $(seq 3000); do seen[$((i % 100))]+="$i "; done
total=0; for k in "${!seen[@]}"; do set -- ${seen[$k]}; total=$((total + $#)); done
s=$(printf '%s\n' {1..500} | sort -r | head -n 3 | tr '\n' ' '); echo "$total $s $(echo nested $(echo deeper))"
exit 5
"""

VIM = r"""
call setline(1, map(range(1, 2000), 'printf("line %d %s", v:val, repeat("x", v:val % 50))'))
%s/x\+/Y/ge
g/7$/d
w! out.txt
q!
"""


def write(folder, name, text):
    (folder / name).write_text(text)


# name: (files to write, shell command). $ROOT is this source tree.
PROGRAMS = {
    "python3": ({"p.py": PYTHON}, "python3 p.py"),
    "perl": ({"p.pl": PERL}, "perl p.pl"),
    "git": ({}, "git clone -q --no-local $ROOT r && cd r && git log --stat | tail -n 40 && git status"
                " && git gc -q --prune=now && git fsck --no-progress && git rev-list --count HEAD"),
    "gcc": ({"p.c": C_SOURCE}, "gcc -O2 -g -o p p.c && ./p"),
    "g++": ({"p.cc": "#include <iostream>\n#include <map>\n#include <string>\n#include <new>\n"
                     "int main() { std::map<int, std::string> m; for (int i = 0; i < 5000; i++) m[i] = std::string(i % 70, 'x');"
                     " try { volatile size_t n = size_t(1) << 60; char *p = new char[n]; std::cout << (void *)p; }"
                     " catch (const std::bad_alloc &e) { std::cout << e.what() << ' '; }"
                     " std::cout << m.size() << std::endl; return 0; }\n"},
            "g++ -O1 -o p p.cc && ./p"),
    "sqlite3": ({"p.sql": SQL}, "sqlite3 p.db < p.sql"),
    "bash": ({"p.sh": BASH}, "bash p.sh"),
    "vim": ({"p.vim": VIM}, "vim -es -u NONE -i NONE < p.vim; cksum out.txt"),
    "node": ({"p.js": NODE}, "node p.js"),
    "curl": ({"p.txt": "hello\n" * 1000}, "curl -s file://$PWD/p.txt | cksum; curl -s file:///no/such; echo $?"),
    "cmake": ({}, "cmake --version"),
    "java": ({}, "java -version"),
    "xz": ({}, "tar cf - -C $ROOT dumpfmt kdbg | xz -6 -T2 | xz -dc | tar tf - | sort | cksum"),
    "openssl": ({}, "openssl rand -out k 32; head -c 300000 $(command -v openssl) > in;"
                    " openssl enc -aes-256-cbc -pbkdf2 -pass file:k -in in -out e &&"
                    " openssl enc -d -aes-256-cbc -pbkdf2 -pass file:k -in e | cmp - in && echo same"),
}


def run(name, environment):
    files, command = PROGRAMS[name]
    with tempfile.TemporaryDirectory(prefix="kdbg-real-") as folder:
        work = pathlib.Path(folder) / "work"
        work.mkdir()
        for file, text in files.items():
            write(work, file, text)
        env = {**os.environ, "ROOT": str(ROOT), "HOME": folder, "LC_ALL": "C",
               "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        shell = ["sh", "-c", command]
        if environment:  # the shell too: it is a program like another
            env.update(environment)
        done = subprocess.run(shell, cwd=work, env=env, capture_output=True, timeout=TIMEOUT,
                              stdin=subprocess.DEVNULL, check=False)
        return (done.returncode, done.stdout.replace(folder.encode(), b"DIR"),
                done.stderr.replace(folder.encode(), b"DIR"))


def main():
    library, tier, names = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:] or list(PROGRAMS)
    failed = 0
    for name in names:
        if not shutil.which(name):
            print(f"{name}: not installed: tools/setup --tests")
            failed += 1
            continue
        plain = run(name, None)
        loaded = run(name, {"LD_PRELOAD": library, "KMA_DEBUG": tier})
        if plain == loaded:
            print(f"{name}: same at tier {tier}, status {plain[0]}")
            continue
        failed += 1
        for what, a, b in zip(("status", "stdout", "stderr"), plain, loaded):
            if a != b:
                print(f"{name}: {what} differs at tier {tier}:\n  without: {str(a)[-800:]}\n  with:    {str(b)[-2400:]}")
    sys.exit(failed != 0)


main()
