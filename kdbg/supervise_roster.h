/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The supervisor's side of the roster's file: made, kept ahead of its writers,
 * read. It is read and written by descriptor, never mapped: a checked program
 * could cut the file under a mapping of ours.
 */
#ifndef KDBG_SUPERVISE_ROSTER_H
#define KDBG_SUPERVISE_ROSTER_H

#include "dumpfmt/err.h"
#include "dumpfmt/roster.h"
#include "kdbg/supervise_accounts.h"

#include <stddef.h>
#include <stdint.h>

struct roster_file {
	int fd;
	char *path;
	uint64_t capacity;
	uint64_t limit; /* records that have storage */
};

/* directory/roster; skip as in supervise_options. */
struct err *roster_file_create(const char *directory, const char *const *skip,
			       size_t skip_count, uint32_t flags,
			       struct roster_file *ret) MUST_USE;
void roster_file_close(struct roster_file *file);

/* In the command's process, before its exec. */
void roster_file_set_command(const struct roster_file *file, uint32_t pid);

/* Give storage to more records when those that have it are nearly used up.
 * Called ten times a second or so. A full disk is not an error: records that
 * find no room are counted. */
void roster_file_grow(struct roster_file *file);

/* All that was written, in order. */
struct err *roster_file_read(const struct roster_file *file,
			     struct accounts *accounts) MUST_USE;

#endif
