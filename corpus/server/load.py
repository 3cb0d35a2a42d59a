#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Drive kvd: set, get, miss and delete keys, then stop the server.

Usage: load.py PATH [MISSES]

Every miss loses one request in the server, so kdbg must find MISSES of them
(default 100).
"""
import socket
import sys
import time


def connect(path):
    for _ in range(200):
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(path)
            return client.makefile("rw")
        except OSError:
            client.close()
            time.sleep(0.05)
    sys.exit(f"load.py: no server at {path}")


def ask(client, line, expected):
    client.write(line + "\n")
    client.flush()
    answer = client.readline().rstrip("\n")
    if answer != expected:
        sys.exit(f"load.py: {line}: {answer!r}, not {expected!r}")


def main():
    path = sys.argv[1]
    misses = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    client = connect(path)
    for i in range(300):
        ask(client, f"SET key{i} value number {i}", "OK")
    for i in range(300):
        ask(client, f"GET key{i}", f"VALUE value number {i}")
    for i in range(misses):
        ask(client, f"GET missing{i % 10}", "NONE")
    for i in range(0, 300, 2):
        ask(client, f"DEL key{i}", "OK")
    ask(client, "COUNT", "COUNT 150")
    ask(client, "STOP", "OK")


if __name__ == "__main__":
    main()
