#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the libraries export and what they need.

Usage: exports.py LIBKMA LIBKMA_MALLOC. Everything else is hidden: a preload's
symbols come before every other library's. Of its own names a library means its
own, but for the operators that C++ has others call, which a program may replace.
"""
import subprocess
import sys

FAMILY = """
malloc free calloc realloc reallocarray free_sized free_aligned_sized
aligned_alloc memalign posix_memalign valloc pvalloc malloc_usable_size
mallinfo mallinfo2 mallopt malloc_trim malloc_info malloc_stats
""".split()
# Programs that are started, ends, signals, threads: what the interposed calls
# are for stands in alloc/exec.c and alloc/interpose.c.
INTERPOSED = """
execve execv execvpe execvp fexecve execl execlp execle posix_spawn
posix_spawnp system popen
_exit _Exit quick_exit daemon clone pthread_create dlopen dlclose
setrlimit setrlimit64 prlimit prlimit64
sigaction sigaltstack signal bsd_signal ssignal sysv_signal __sysv_signal siginterrupt sigset sigignore prctl syscall
__lsan_disable __lsan_enable __lsan_ignore_object
__lsan_register_root_region __lsan_unregister_root_region
__lsan_do_leak_check __lsan_do_recoverable_leak_check
""".split()
OPERATORS = {
    prefix + form
    for prefix, forms in {
        "_Znw": ["m", "mRKSt9nothrow_t", "mSt11align_val_t",
                 "mSt11align_val_tRKSt9nothrow_t"],
        "_Zna": ["m", "mRKSt9nothrow_t", "mSt11align_val_t",
                 "mSt11align_val_tRKSt9nothrow_t"],
        "_Zdl": ["Pv", "Pvm", "PvRKSt9nothrow_t", "PvSt11align_val_t",
                 "PvmSt11align_val_t", "PvSt11align_val_tRKSt9nothrow_t"],
        "_Zda": ["Pv", "Pvm", "PvRKSt9nothrow_t", "PvSt11align_val_t",
                 "PvmSt11align_val_t", "PvSt11align_val_tRKSt9nothrow_t"],
    }.items()
    for form in forms
}


REPLACED = {"_Znwm", "_Znam", "_ZnwmSt11align_val_t", "_ZnamSt11align_val_t",
            "_ZdlPv", "_ZdaPv", "_ZdlPvSt11align_val_t", "_ZdaPvSt11align_val_t"}


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def exports(library):
    lines = output("nm", "-D", "--defined-only", library).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines}


def needs(library):
    lines = output("readelf", "-d", library).splitlines()
    return {line.split("[")[1].rstrip("]") for line in lines if "NEEDED" in line}


def looked_up(library):
    """Names of its own that ld.so looks up for it all the same."""
    lines = output("readelf", "-rW", library).splitlines()
    names = {line.split()[4].split("@")[0] for line in lines if len(line.split()) > 4}
    return names & exports(library)


def main():
    libkma, libkma_malloc = sys.argv[1:]
    wrong = []
    for library in libkma, libkma_malloc:
        if needs(library) != {"libc.so.6"}:
            wrong.append(f"{library} needs {sorted(needs(library))}")
    stray = {name for name in exports(libkma) if not name.startswith("kma_")}
    if stray:
        wrong.append(f"{libkma} exports {sorted(stray)}")
    names = {name for name in exports(libkma_malloc) if not name.startswith("kma_")}
    required = OPERATORS | set(FAMILY)
    if required - names:
        wrong.append(f"{libkma_malloc} lacks {sorted(required - names)}")
    if names - required - set(INTERPOSED):
        wrong.append(f"{libkma_malloc} exports {sorted(names - required - set(INTERPOSED))}")
    for library, names in (libkma, set()), (libkma_malloc, REPLACED):
        if looked_up(library) != names:
            wrong.append(f"{library} looks up {sorted(looked_up(library))}")
    for library in libkma, libkma_malloc:
        if "kma_root" not in exports(library):
            wrong.append(f"{library} does not export kma_root")
    sys.exit("\n".join(wrong) or 0)


main()
