#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small file cannot make kdbg take much memory, whatever it claims.

Usage: bounded.py KDBG. Dumps and cores of about 1 KiB that claim a tebibyte.
"""
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

TEBIBYTE = 1 << 40
MEMORY_MAX = 256 << 10  # KiB; as much is a sanitizer's
COMMANDS = "::status; ::mappings; ::threads; ::kmastat; ::findleaks; ::kgrep 1234; 10000::dump"


def with_crc(record):
    return record + struct.pack("<I", zlib.crc32(record))


def section(kind, offset, payload, size=None):
    header = with_crc(struct.pack("<IIQQIII", 0x54434553, kind, offset,
                                  len(payload) if size is None else size, 1,
                                  zlib.crc32(payload), 0))
    record = header + payload
    return record + bytes(-len(record) % 8)


def block(offset, address, size, codec, payload=b"", stored=None):
    header = struct.pack("<IIQQQQI", 0x4b434c42, codec, offset, address, size,
                         len(payload) if stored is None else stored, zlib.crc32(payload))
    record = with_crc(header) + payload
    return record + bytes(-len(record) % 8)


def dump(*makers):
    """A file without a directory, which is scanned."""
    data = with_crc(struct.pack("<8sIIIIQIIQQI", b"\x89KDBG\r\n\x1a", 0x01020304, 1,
                                64, 62, 0, 4096, 0, 0, 0, 0))
    for make in makers:
        data += make(len(data))
    return data


def text(value=b""):
    return struct.pack("<I", len(value)) + value + b"\0"


def maps(*ranges):
    payload = b""
    for start, end in ranges:
        record = struct.pack("<IQQQ", 3 | 16, start, end, 0) + text()
        payload += struct.pack("<I", len(record) + 4) + record
    return payload


def roots(*addresses):
    return struct.pack(f"<{len(addresses)}Q", *addresses)


def elf(segments):
    """A core of segments (address, offset, size in the file, size)."""
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 4, 62, 1, 0, 64, 0,
                         0, 64, 56, len(segments), 64, 0, 0)
    for address, offset, in_file, size in segments:
        header += struct.pack("<IIQQQQQQ", 1, 6, offset, address, 0, in_file, size, 4096)
    return header + bytes(1024 - len(header))


BOMB = zlib.compress(bytes(1 << 20), 9)
FILES = {
    "zeros": dump(lambda at: section(3, at, maps((0x10000, 0x10000 + TEBIBYTE))),
                  lambda at: section(5, at, roots(0x10000)),
                  lambda at: block(at, 0x10000, TEBIBYTE, 0)),
    "inflated": dump(lambda at: block(at, 0x10000, 1 << 20, 2, BOMB)),
    "large block": dump(lambda at: block(at, 0x10000, TEBIBYTE, 2, b"x" * 64)),
    "large section": dump(lambda at: section(2, at, b"x" * 64, 64 << 20)),
    "stored elsewhere": dump(lambda at: block(at, 0x10000, 1 << 20, 1, b"x", TEBIBYTE)),
    "many blocks": dump(*[(lambda at, i=i: block(at, 0x10000 + i * TEBIBYTE, TEBIBYTE, 0))
                          for i in range(18)]),
    "core": elf([(0x10000, 512, 512, TEBIBYTE)]),
    "core beyond its end": elf([(0x10000, 512, TEBIBYTE, TEBIBYTE)]),
    "core of nothing": elf([(0x10000 + i * TEBIBYTE, 0, 0, TEBIBYTE) for i in range(16)]),
}


def check(kdbg, name, arguments):
    process = subprocess.Popen([kdbg, *arguments], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1) or used.ru_maxrss > MEMORY_MAX:
        sys.exit(f"{name}: {arguments[0]}: ended with {process.returncode}, "
                 f"{used.ru_maxrss} KiB: {said}")
    return used.ru_maxrss


def main():
    kdbg = os.path.abspath(sys.argv[1])
    most = 0
    with tempfile.TemporaryDirectory() as folder:
        path, out = os.path.join(folder, "file"), os.path.join(folder, "out")
        for name, content in FILES.items():
            if len(content) > 2048:
                sys.exit(f"{name}: {len(content)} bytes are not small")
            pathlib.Path(path).write_bytes(content)
            for arguments in (["--no-rc", "-e", COMMANDS, path], ["info", path],
                              ["convert", path, out]):
                most = max(most, check(kdbg, name, arguments))
    print(f"{len(FILES)} files, at most {most} KiB")


if __name__ == "__main__":
    main()
