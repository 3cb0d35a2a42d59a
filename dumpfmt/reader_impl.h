/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader's state, shared by its files: reader.c (open, close, what was
 * found), reader_records.c (where the records lie), reader_sections.c (facts),
 * reader_memory.c (extents, views), reader_blocks.c (a block's bytes),
 * reader_ahead.c (threads that fetch blocks before they are asked for).
 */
#ifndef DUMPFMT_READER_IMPL_H
#define DUMPFMT_READER_IMPL_H

#include "dumpfmt/reader.h"

#include <zlib.h>

/* One part of a section; payload is loaded once its checksum was compared. */
struct reader_section {
	uint32_t kind;
	uint32_t version;
	uint64_t offset; /* of its header */
	uint64_t size;   /* of its payload */
	uint32_t payload_crc;
	unsigned char *payload;
};

enum reader_block_state { BLOCK_UNREAD, BLOCK_BUSY, BLOCK_READY, BLOCK_BAD };

struct reader_block {
	struct dump_page_entry entry;
	uint32_t state; /* enum reader_block_state */
};

/* Where an extent's bytes lie, once somebody has looked. */
struct reader_place {
	size_t reservation; /* index */
	uint64_t offset;    /* of the extent's start in it */
};

struct reader_reservation {
	unsigned char *base; /* NULL: not yet reserved */
	uint64_t size;
	int fd; /* an unlinked file that holds it; -1: memory does */
};

/* Where the blocks of one extent go. */
struct reader_home {
	const struct reader_reservation *reservation;
	unsigned char *base; /* of the extent's bytes */
	uint64_t start, end; /* its addresses */
};

/* What decompressing needs, for one thread. */
struct reader_unpacker {
	unsigned char *scratch; /* for a compressed payload */
	size_t scratch_size;
	void *zstd; /* ZSTD_DCtx, or NULL */
};

struct reader_ahead;

struct dump {
	int fd;
	uint64_t file_size;
	bool scanned; /* no directory to trust: something may be missing */

	struct reader_section *sections;
	size_t section_count;
	struct reader_block *blocks; /* sorted, disjoint once opened */
	size_t block_count;

	struct dump_process process;
	struct dump_thread *threads;
	size_t thread_count;
	struct dump_map *maps;
	size_t map_count;
	struct dump_module *modules;
	size_t module_count;
	struct dump_symbol *symbols;
	size_t symbol_count;
	uint64_t *roots;
	size_t root_count;
	uint64_t *auxv;
	size_t auxv_count; /* of numbers */
	char *environment;
	size_t environment_size;

	struct dump_extent *extents;
	struct reader_place *places; /* one for each extent */
	size_t extent_count;
	struct reader_reservation *reservations;
	size_t reservation_count;
	size_t mappings, mappings_max;   /* of stored blocks */
	struct reader_unpacker unpacker; /* of the caller's thread */
	struct reader_ahead *ahead;      /* NULL: nobody reads ahead yet */
	size_t misses;                   /* blocks that were waited for */
	uint64_t memory_max;             /* of unpacked bytes; 0: no limit */
	bool in_files;                   /* there are more: files hold them */
	uint64_t unpacked;               /* since memory was let go of */

	char **warnings;
	size_t warning_count;
	size_t warnings_dropped;
};

/* reader.c */
void reader_warn(struct dump *dump, const char *fmt, ...) PRINTF_LIKE(2, 3);
void reader_warn_err(struct dump *dump, struct err *err); /* frees it */
/* Room for one more element at array[count]; false: out of memory. */
bool reader_grow(void *array, size_t count, size_t element_size);
/* Exactly size bytes at offset, or an error. */
struct err *reader_pread(const struct dump *dump, void *buffer, size_t size,
			 uint64_t offset) MUST_USE;

/* reader_records.c: fill sections and blocks. */
struct err *reader_find_records(struct dump *dump) MUST_USE;
const char *reader_section_name(uint32_t kind);

/* reader_sections.c: fill the facts from the sections. */
struct err *reader_parse_sections(struct dump *dump) MUST_USE;

/* reader_memory.c: refuse impossible blocks, sort, make extents. */
struct err *reader_arrange_memory(struct dump *dump) MUST_USE;
void reader_release_memory(struct dump *dump);

/* Not needed now; what is in files comes back from there. */
void reader_let_go(struct dump *dump);

/* reader_blocks.c: the bytes of one block. */
struct err *reader_unpack(struct dump *dump, const struct reader_block *block,
			  const struct reader_home *home,
			  struct reader_unpacker *unpacker) MUST_USE;
void reader_unpacker_deinit(struct reader_unpacker *unpacker);
/* Mappings of the process that stored blocks may take. */
size_t reader_mappings_max(void);

/* reader_ahead.c: make block i be in its place, by whoever is first. */
struct err *reader_fetch(struct dump *dump, size_t i,
			 const struct reader_home *home) MUST_USE;
void reader_ahead_stop(struct dump *dump);

#endif
