#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unchanged programs behave under libkma_malloc.so as they do without it.

Usage: real.py LIBKMA_MALLOC TIER [NAME...]. Each program does real work in a
folder of its own, once plainly and once preloaded; standard output, standard
error and exit status must be the same. A program that is missing is a failure:
tools/setup --tests installs it. With KDBG_TEST_LONG=1 the servers are loaded for longer
and python runs more of its own tests.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LONG = os.environ.get("KDBG_TEST_LONG") == "1"
TIMEOUT = 1500 if LONG else 240

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


JAVA = r"""
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
public class P {
    public static void main(String[] a) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Long>> parts = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
            final int n = t;
            parts.add(pool.submit(() -> IntStream.range(0, 50000).mapToObj(i -> "k" + i % (n + 7))
                .collect(Collectors.groupingBy(s -> s, TreeMap::new, Collectors.counting()))
                .values().stream().mapToLong(Long::longValue).max().getAsLong()));
        }
        long sum = 0;
        for (Future<Long> f : parts) sum += f.get();
        pool.shutdown();
        java.nio.ByteBuffer direct = java.nio.ByteBuffer.allocateDirect(1 << 20);
        System.out.println(sum + " " + direct.capacity() + " " + new java.util.zip.CRC32().getValue());
    }
}
"""

# A server, its own benchmark, and what must be in it afterwards. It is
# saved by a forked child and read back.
REDIS = r"""
start() {
    timeout 200 redis-server --port 0 --unixsocket "$PWD/s" --dir "$PWD" --save '' --appendonly no >> log 2>&1 & server=$!
    for i in $(seq 200); do redis-cli -s s ping > /dev/null 2>&1 && return; sleep 0.05; done
    cat log >&2
}
start
redis-benchmark -s s -q -n ${REQUESTS:-20000} -c 20 -P 8 -r 5000 -t set,get,incr,lpush,rpop,sadd,hset,zadd,mset > bench 2>&1
echo "benchmark $?"; grep -ci error bench
redis-cli -s s flushall
redis-cli -s s eval 'for i = 1, 20000 do
    redis.call("set", "s" .. i, string.rep("x", i % 300)); redis.call("rpush", "l" .. i % 50, i)
    redis.call("hset", "h" .. i % 50, "f" .. i, i); redis.call("zadd", "z" .. i % 50, i, "m" .. i) end
    return redis.call("dbsize")' 0
digest=$(redis-cli -s s debug digest); redis-cli -s s save
redis-cli -s s shutdown nosave; wait $server; echo "ended $?"
start; redis-cli -s s dbsize; [ "$digest" = "$(redis-cli -s s debug digest)" ] && echo "same after restart"
redis-cli -s s shutdown nosave; wait $server; echo "ended $?"
"""

NGINX_CONF = r"""
daemon off; pid nginx.pid; error_log error.log warn; worker_processes 2; user root root;
events { worker_connections 128; }
http {
    access_log off; gzip on; gzip_min_length 100; gzip_types text/plain; default_type text/plain;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    server {
        listen 127.0.0.1:PORT; root www;
        location /through/ { proxy_pass http://127.0.0.1:PORT/; }
    }
}
"""

# wrk's own figures are the machine's; that nothing failed is not.
NGINX = r"""
mkdir www; head -c 100000 $(command -v sh) > www/big; seq 3000 > www/page; sed -i s/PORT/$PORT/g nginx.conf
timeout 200 nginx -p "$PWD" -c nginx.conf 2> started & server=$!
for i in $(seq 200); do curl -s -o /dev/null http://127.0.0.1:$PORT/page && break; sleep 0.05; done
for what in page big through/page through/big; do
    wrk -t1 -c8 -d${SECONDS_EACH:-1}s -H 'Accept-Encoding: gzip' http://127.0.0.1:$PORT/$what > wrk.log 2>&1
    echo "wrk $?"; grep -E 'Socket errors|Non-2xx' wrk.log
    curl -s --compressed http://127.0.0.1:$PORT/$what | cksum
done
kill -HUP $server; sleep 0.3; curl -s http://127.0.0.1:$PORT/page | cksum
kill -QUIT $server; wait $server; echo "ended $?"; sed '/user. directive/d' error.log started
"""

# Python's own tests; their output has times in it, which of them fail has none:
# a few do in some environments, and must be the same ones under libkma.
PYTHON_TESTS = r"""
timeout 1400 python3 -m test -j1 $MODULES > log 2>&1; status=$?
echo "status $status"; grep -E '^Result|^Total tests' log
grep -oE 'in (test_[a-z_A-Z0-9]+|setUp[a-zA-Z]*)$' log | sort -u; [ $status = 0 ] || grep -qE '^Result' log || tail -n 60 log >&2
"""


def small_project():
    """A program of twelve files, built by make."""
    parts = range(12)
    files = {f"part{i}.c": f"#include <stdlib.h>\n#include <string.h>\n#include \"parts.h\"\nint part{i}(int n)\n"
             f"{{ char *s = malloc(n + {i + 1}); memset(s, 'a' + n % 26, n + {i}); s[n + {i}] = 0;"
             f" int l = strlen(s); free(s); return l; }}\n" for i in parts}
    files["parts.h"] = "".join(f"int part{i}(int n);\n" for i in parts)
    files["main.c"] = ("#include <stdio.h>\n#include \"parts.h\"\nint main(void) { int n = 0; for (int i = 0; i < 100; i++) n += "
                       + " + ".join(f"part{i}(i)" for i in parts) + '; printf("%d\\n", n); }\n')
    objects = " ".join(f"part{i}.o" for i in parts)
    files["Makefile"] = (f"CFLAGS = -O2 -g -Wall\nprogram: main.o {objects}\n\t$(CC) -o $@ $^\n"
                         "%.o: %.c parts.h\n\t$(CC) $(CFLAGS) -c -o $@ $<\n")
    return files


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
    "make": (small_project(), "make -j2 > log 2>&1; echo $?; sort log; ./program; touch parts.h; make -s -j2; ./program"),
    "java": ({"P.java": JAVA}, "java -version; java P.java"),
    "redis-server": ({}, REDIS),
    "nginx": ({"nginx.conf": NGINX_CONF}, NGINX),
    "python3 -m test": ({}, "MODULES='test_json test_dict test_list'" + PYTHON_TESTS),
    "xz": ({}, "tar cf - -C $ROOT dumpfmt kdbg | xz -6 -T2 | xz -dc | tar tf - | sort | cksum"),
    "openssl": ({}, "openssl rand -hex -out k 32; head -c 300000 $(command -v openssl) > in;"
                    " openssl enc -aes-256-cbc -pbkdf2 -pass file:k -in in -out e &&"
                    " openssl enc -d -aes-256-cbc -pbkdf2 -pass file:k -in e | cmp - in && echo same"),
}

if LONG:  # the same, and more of it
    PROGRAMS |= {
        "python3 -m test": ({}, "MODULES='test_json test_dict test_list test_set test_bytes test_threading"
                                " test_subprocess test_sqlite3 test_zlib test_re test_ctypes test_gc test_asyncio"
                                " test_queue test_pickle test_decimal'" + PYTHON_TESTS),
        "redis-server": ({}, "REQUESTS=500000" + REDIS),
        "nginx": ({"nginx.conf": NGINX_CONF}, "SECONDS_EACH=20" + NGINX),
    }


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def environment_of(folder):
    return {**os.environ, "ROOT": str(ROOT), "HOME": folder, "LC_ALL": "C", "PORT": str(free_port()),
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}


def run(name, environment):
    files, command = PROGRAMS[name]
    with tempfile.TemporaryDirectory(prefix="kdbg-real-") as folder:
        work = pathlib.Path(folder) / "work"
        work.mkdir()
        for file, text in files.items():
            write(work, file, text)
        env = environment_of(folder)
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
        if not shutil.which(name.split()[0]):
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


if __name__ == "__main__":
    main()
