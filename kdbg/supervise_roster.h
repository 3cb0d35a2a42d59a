/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The supervisor's side of the roster's file: made, kept ahead of its writers,
 * read. It is read and written by descriptor: a checked program could cut the
 * file under a mapping of ours. There is one, for addresses of futex words that
 * the kernel alone looks at: where the file is cut, its answer is EFAULT.
 */
#ifndef KDBG_SUPERVISE_ROSTER_H
#define KDBG_SUPERVISE_ROSTER_H

#include "dumpfmt/err.h"
#include "dumpfmt/roster.h"
#include "kdbg/supervise_accounts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct roster_file {
	int fd;
	char *path;
	uint64_t capacity;
	uint64_t limit;    /* records that have storage */
	const char *words; /* the mapping, never read */
	uint32_t beat;
};

/* Make directory/roster with storage for its first records; where there is no
 * room for it, another directory may have some. */
struct err *roster_file_reserve(const char *directory) MUST_USE;

/* directory/roster, reserved before; skip as in supervise_options. */
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

/* Show that we live: at least every ROSTER_BEAT_MS. */
void roster_file_beat(struct roster_file *file);
/* Nobody looks at processes any more: who waits for that goes on. */
void roster_file_close_shows(const struct roster_file *file);

/* How many records were asked for; those from the limit on have no storage. */
uint64_t roster_file_taken(const struct roster_file *file);
/* One record; false: it cannot be read. */
bool roster_file_record(const struct roster_file *file, uint64_t index,
			struct roster_record *ret);
/* Our word on a SHOW; wakes who waits for it. */
void roster_file_reply(const struct roster_file *file, uint64_t index,
		       enum roster_reply reply);

/* Wait until the bell is no longer what it was, ROSTER_BEAT_MS at most. */
uint32_t roster_file_bell(const struct roster_file *file);
void roster_file_wait(const struct roster_file *file, uint32_t bell);
void roster_file_ring(const struct roster_file *file);

/* All that was written, in order. */
struct err *roster_file_read(const struct roster_file *file,
			     struct accounts *accounts) MUST_USE;

#endif
