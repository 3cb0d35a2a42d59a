/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Write a target as an ELF core that gdb and others open: notes as the kernel
 * writes them, a segment for each run of memory that is there. What is not in
 * the target gets a segment without bytes, as the kernel does for what it
 * leaves out, so that readers look for it in the file that was mapped.
 */
#ifndef KDBG_CORE_WRITER_H
#define KDBG_CORE_WRITER_H

#include "kdbg/target.h"

struct core_written {
	uint64_t segments, memory; /* bytes of it */
	uint64_t unreadable;       /* bytes left out: damaged in the target */
};

/* fd is a new, empty, seekable file. stop, unless NULL: writing ends with an
 * error soon after it is set. */
struct err *core_write(struct target *target, int fd, const volatile int *stop,
		       struct core_written *ret) MUST_USE;

#endif
