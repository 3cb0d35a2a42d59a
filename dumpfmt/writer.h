/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Write a dump to a file descriptor, from a source.
 *
 * The same writer serves a process that dumps itself while it dies and a
 * debugger that dumps another: what differs is the source. It is
 * async-signal-safe: no malloc, no stdio, no lock; all its memory is the
 * workspace. Alone it only appends, so fd may be a pipe. Errors are -errno.
 */
#ifndef DUMPFMT_WRITER_H
#define DUMPFMT_WRITER_H

#include "dumpfmt/facts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DUMP_WRITER_SIZE = 1152 << 10 };

/* Buffers and the compressor's state; aligned as a page. Zeroed or used. */
struct dump_writer_space {
	_Alignas(DUMP_PAGE_SIZE) unsigned char bytes[DUMP_WRITER_SIZE];
};

enum dump_page_state {
	DUMP_PAGE_READ = 0,
	DUMP_PAGE_ZERO = 1, /* never touched: known to be zero, not read */
	DUMP_PAGE_SKIP = 2, /* not to be saved */
};

/*
 * Each next_* function fills *ret and returns true until there is no more; its
 * strings live until the next call. It is called to its end, once, in the
 * order of the members.
 */
struct dump_source {
	void *context;
	const struct dump_process *process;
	const uint64_t *roots;
	size_t root_count;
	const uint64_t *auxv; /* pairs */
	size_t auxv_count;    /* of pairs */
	bool (*next_thread)(void *context, struct dump_thread *ret);
	bool (*next_map)(void *context, struct dump_map *ret);
	bool (*next_module)(void *context, struct dump_module *ret);
	/* Whole pages, disjoint, what matters most first. */
	bool (*next_extent)(void *context, struct dump_extent *ret);

	/* What is at offset of the environment's bytes; 0: its end. */
	size_t (*environment)(void *context, uint64_t offset, void *buffer,
			      size_t size);
	/* Where the pages end that were never touched, address's own first;
	 * *state is what to do with them. address: it was touched. NULL: it
	 * cannot be told so fast. */
	uint64_t (*untouched)(void *context, uint64_t address, uint64_t end,
			      unsigned char *state);
	/* What to do with count pages of the extent handed out last; NULL: all
	 * are to be read. */
	void (*page_states)(void *context, uint64_t address, size_t count,
			    unsigned char *states);
	/* Copy memory; how much was copied before what cannot be read. */
	size_t (*read)(void *context, uint64_t address, void *buffer,
		       size_t size);
	/* Names, asked for when the memory is written; NULL: none. */
	bool (*next_symbol)(void *context, struct dump_symbol *ret);
	/* Lines about what the source could not give, asked for last; NULL. */
	size_t (*messages)(void *context, char *buffer, size_t size);
};

enum { DUMP_WORKERS_MAX = 64 };

struct dump_write_options {
	enum dump_codec codec; /* zlib, zstd, or stored: not compressed */
	/* Processes that write, the caller among them; 0 and 1: it alone. More
	 * are forked (without exit signal or fork handlers; gone when this
	 * returns), and need a regular file. A source is asked by the caller,
	 * but read() by each of them, in its copy of the process. */
	unsigned workers;
};

/* "none", "zlib", "zstd"; false: no such codec, or not built in. */
bool dump_codec_named(const char *name, size_t size, enum dump_codec *ret);

/* zstd where it is built in. */
enum dump_codec dump_codec_default(void);

/* Write all of it. options NULL: the default codec, alone. 0, or -errno of what
 * failed first. */
int dump_write(struct dump_writer_space *space, int fd,
	       const struct dump_source *source,
	       const struct dump_write_options *options);

#endif
