#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the allocator and the dump writer call.

Usage: check_symbols.py ARCHIVE... Both run inside malloc, in signal handlers,
and in processes whose heap may be broken. So they call nothing that could
allocate, take a lock of libc's or use stdio: every symbol that an object takes
from outside the archives must stand below. Adding one means knowing that it is
async-signal-safe and allocates nothing.
"""
import subprocess
import sys

PURE = """
memchr memcmp memcpy memmove memrchr memset stpcpy strchr strchrnul strcmp
strcpy strcspn strlen strncmp strncpy strnlen strrchr strspn strstr
__udivti3 __umodti3 __popcountdi2 _GLOBAL_OFFSET_TABLE_ __ehdr_start __errno_location environ
getauxval _dl_find_object strerrordesc_np
""".split()

# Each is one system call, or none.
SYSTEM = """
_exit clock_gettime clone close close_range fstat64 ftruncate64 getpid getppid getuid
ioctl kill lseek64 __sigaction
lstat64 madvise mkdir mmap64 munmap nanosleep open64 prctl pread64
process_vm_readv pwrite64 pwritev64 raise read readlink rename sched_yield sigaddset
sigdelset sigemptyset sigfillset sigismember sigprocmask pthread_sigmask syscall uname
unlink waitpid write writev pthread_self pthread_setcancelstate
""".split()

# zlib, which gets its memory from the writer.
ZLIB = "adler32 crc32 crc32_z deflate deflateEnd deflateInit_ deflateInit2_ deflateReset".split()

# zstd, in a workspace of the writer's.
ZSTD = "ZSTD_compressCCtx ZSTD_initStaticCCtx ZSTD_isError".split()

# Not on the path of an allocation.
NAMED = {
    # Ends the process; only for our own bugs.
    "__assert_fail": None,
    # At start, when the allocator already stands.
    "__register_atfork": ["fork.c"],
    "__dso_handle": ["fork.c"],
    **{f"_IO_list_{what}": ["fork.c"] for what in ("lock", "unlock", "resetlock")},
    "__libc_single_threaded": ["fork.c", "release.c"],
    "pthread_key_create": ["thread.c"],
    "__cxa_atexit": ["dump_exit.c"],
    "__cxa_at_quick_exit": ["dump_exit.c"],
    # Their addresses alone.
    "exit": ["dump_exit.c"],
    "quick_exit": ["dump_exit.c"],
    # The thread that runs clients' callbacks, started by a call that made a
    # cache: outside of the allocator.
    "pthread_create": ["reap.c"],
    "pthread_attr_setdetachstate": ["reap.c"],
    # And for pthread_create(), as a program calls it.
    "pthread_attr_init": ["interpose.c", "reap.c"],
    "pthread_attr_destroy": ["interpose.c", "reap.c"],
    "pthread_attr_getstack": ["interpose.c"],
    "pthread_attr_getstacksize": ["interpose.c"],
    # May allocate: comes in again and is known to be nested.
    "pthread_setspecific": ["thread.c"],
    # Handed a stream by malloc_info()'s caller.
    "fwrite": ["mallinfo.c"],
    # Only once operator new has failed; to find what exec calls interpose; in a
    # constructor, to see whose malloc it is.
    "dlopen": ["own_malloc.c"],
    "dladdr1": ["own_malloc.c"],
    "dlsym": ["cxx.c", "dlopen.c", "exec.c", "interpose.c", "own_malloc.c"],
    "getenv": ["exec.c"],
    # The C library's clone(), for our own.
    "__clone": ["interpose.c"],
    # For daemon(3), as a program calls it.
    **{name: ["interpose.c"] for name in ("chdir", "dup2", "fork", "setsid")},
    # libgcc's, a constant once its constructor ran.
    "__cpu_model": ["crc.c"],
    # The program's, weak.
    "__lsan_default_suppressions": ["lsan.c"],
}


def symbols(archive, kind):
    """(object, symbol) for each one that is defined or undefined."""
    listing = subprocess.run(["nm", "-A", kind, archive], capture_output=True,
                             text=True, check=True).stdout
    for line in listing.splitlines():
        where = line.split(": ")[0]
        yield where.split(":")[-1].removesuffix(".o").split("/")[-1], line.split()[-1]


def main():
    archives = sys.argv[1:]
    defined = {name for archive in archives
               for _, name in symbols(archive, "--defined-only")}
    allowed = defined | set(PURE) | set(SYSTEM) | set(ZLIB) | set(ZSTD)
    # Defined once for each library, not in the archives.
    allowed.add("kma_instance")
    wrong, seen = [], 0
    for archive in archives:
        for source, name in symbols(archive, "--undefined-only"):
            seen += 1
            if name in allowed:
                continue
            if name in NAMED and (NAMED[name] is None or source in NAMED[name]):
                continue
            wrong.append(f"{source} uses {name}")
    print("\n".join(wrong))
    if seen < 100:
        sys.exit(f"only {seen} symbols in {archives}: wrong archives?")
    sys.exit(bool(wrong))


main()
