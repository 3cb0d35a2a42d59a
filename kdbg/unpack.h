/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compressed files: what systemd-coredump and people make of cores.
 *
 * The content goes to a file that has no name, so it is gone with kdbg, and
 * zeros become holes of it: a core of a large, hardly used heap costs little
 * disk. It lies in TMPDIR, else in /var/tmp, which is on a disk.
 */
#ifndef KDBG_UNPACK_H
#define KDBG_UNPACK_H

#include "dumpfmt/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNPACK_SIZE_DEFAULT (UINT64_C(64) << 30)

struct unpacked {
	int fd;
	bool cut; /* the end is missing */
};

/* "gzip", "xz", "zstd", "lz4" by the first bytes (at least 8); NULL: none. */
const char *unpack_kind(const unsigned char *head);

/* Refuses content of more than max_size bytes. The caller closes ret->fd. */
struct err *unpack(const char *path, const char *kind, uint64_t max_size,
		   struct unpacked *ret) MUST_USE;

#endif
