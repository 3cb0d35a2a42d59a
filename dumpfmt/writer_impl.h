/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer's state, shared by its three files: writer.c (the file as a
 * whole), writer_sections.c (facts), writer_blocks.c (memory).
 *
 * The first error sticks in error and turns everything after it into nothing.
 */
#ifndef DUMPFMT_WRITER_IMPL_H
#define DUMPFMT_WRITER_IMPL_H

#include "dumpfmt/writer.h"

#include <stddef.h>
#include <stdint.h>

#include <zlib.h>

enum {
	WRITER_BLOCK_SIZE = 128 << 10,
	WRITER_PART_SIZE = 64 << 10,  /* a part is written when it is so full */
	WRITER_RECORD_MAX = 64 << 10, /* of one record, which is not divided */
	WRITER_TEXT_MAX = 32 << 10,
	WRITER_ARENA_SIZE = 280 << 10, /* deflate's state at memLevel 8 */
	WRITER_PAGES_PER_PART = 1600,
	WRITER_DIRECTORY_ENTRIES = 256,
};

struct writer {
	const struct dump_source *source;
	int fd;
	int error;
	uint64_t offset; /* bytes written so far */

	uint32_t part_kind; /* section being filled */
	size_t part_used;

	z_stream stream;
	size_t arena_used;
	struct dump_extent zeros; /* a run not yet written */
	uint64_t unreadable_pages, unreadable_first;

	size_t pages_used;
	size_t directory_used;
	uint64_t directory_previous;

	struct dump_page_entry pages[WRITER_PAGES_PER_PART];
	struct dump_directory_entry directory[WRITER_DIRECTORY_ENTRIES];
	unsigned char part[WRITER_PART_SIZE + WRITER_RECORD_MAX];
	unsigned char input[WRITER_BLOCK_SIZE];
	unsigned char output[WRITER_BLOCK_SIZE];
	_Alignas(16) unsigned char arena[WRITER_ARENA_SIZE];
};
static_assert(sizeof(struct writer) <= DUMP_WRITER_SIZE,
	      "the workspace holds the writer");

/* writer.c: bytes, padded records, sections. */
struct writer_piece {
	const void *data;
	size_t size;
};
void writer_append(struct writer *w, const struct writer_piece *pieces,
		   size_t count);
void writer_pad(struct writer *w, size_t size); /* less than a page */
uint32_t writer_crc(const void *data, size_t size);
void writer_section(struct writer *w, uint32_t kind, const void *payload,
		    size_t size);

/* writer_sections.c */
void writer_facts(struct writer *w);
void writer_messages(struct writer *w);

/* writer_blocks.c */
void writer_memory(struct writer *w);

#endif
