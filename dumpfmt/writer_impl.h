/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer's state, shared by its files: writer.c (the file as a whole),
 * writer_sections.c (facts), writer_memory.c (memory, cut into stretches),
 * writer_blocks.c (a stretch as blocks), writer_codec.c (compression),
 * writer_workers.c (processes that help).
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
	/* Of zstd at level 1 for one block; deflate's at memLevel 8 is less. */
	WRITER_ARENA_SIZE = 576 << 10,
	WRITER_PAGES_PER_PART = 1600,
	WRITER_DIRECTORY_ENTRIES = 256,
	WRITER_STRETCH_PAGES = 512,
};

/*
 * Memory that one process writes: pages, what to do with each, and afterwards
 * the blocks they became. It holds all that an index needs, so it does not
 * matter who wrote it, nor when.
 */
struct writer_stretch {
	uint32_t state; /* writer_workers.c; a futex */
	int error;
	uint64_t address;
	size_t count; /* of pages */
	size_t block_count;
	uint64_t unreadable_pages, unreadable_first;
	unsigned char pages[WRITER_STRETCH_PAGES]; /* enum dump_page_state */
	struct dump_page_entry blocks[WRITER_STRETCH_PAGES];
};

struct writer_queue;

struct writer {
	const struct dump_source *source;
	int fd;
	int error;
	uint64_t offset;            /* bytes written so far */
	struct writer_queue *queue; /* NULL: nobody helps */

	uint32_t part_kind; /* section being filled */
	size_t part_used;

	enum dump_codec codec;
	z_stream stream; /* of the codec in use, in arena */
	void *zstd;
	size_t arena_used;
	struct dump_extent zeros; /* a run not yet written */
	uint64_t unreadable_pages, unreadable_first;

	size_t pages_used;
	size_t directory_used;
	uint64_t directory_previous;

	struct dump_page_entry pages[WRITER_PAGES_PER_PART];
	struct dump_directory_entry directory[WRITER_DIRECTORY_ENTRIES];
	struct writer_stretch stretch; /* where nobody helps */
	unsigned char part[WRITER_PART_SIZE + WRITER_RECORD_MAX];
	unsigned char input[WRITER_BLOCK_SIZE];
	unsigned char output[WRITER_BLOCK_SIZE];
	_Alignas(16) unsigned char arena[WRITER_ARENA_SIZE];
};
static_assert(sizeof(struct writer) <= DUMP_WRITER_SIZE,
	      "the workspace holds the writer");

/*
 * writer.c: records, sections. A record's header is told its place before it is
 * written: claim, fill in, put. on_page: the payload begins on a page.
 */
struct writer_record {
	uint64_t offset; /* of the header */
	size_t lead;     /* zero bytes before it */
	size_t header_size, payload_size;
};
struct writer_record writer_claim(struct writer *w, size_t header_size,
				  size_t payload_size, bool on_page);
void writer_put(struct writer *w, const struct writer_record *record,
		const void *header, const void *payload);
uint32_t writer_crc(const void *data, size_t size);
void writer_section(struct writer *w, uint32_t kind, const void *payload,
		    size_t size);

/* writer_sections.c */
void writer_facts(struct writer *w);
void writer_symbols(struct writer *w);
void writer_messages(struct writer *w);

/* writer_memory.c */
void writer_memory(struct writer *w);
/* What a stretch became goes into the index. */
void writer_enter(struct writer *w, const struct writer_stretch *stretch);

/* writer_blocks.c: read, compress, write; never fails but by its error. */
void writer_stretch_write(struct writer *w, struct writer_stretch *stretch);
void writer_zeros_write(struct writer *w, const struct dump_extent *zeros,
			struct writer_stretch *stretch);

/* writer_codec.c */
void writer_codec_init(struct writer *w, enum dump_codec codec);
/* Bytes in output, or 0 where that would save less than an eighth. */
size_t writer_compress(struct writer *w, const void *data, size_t size);

/* writer_workers.c: the caller and the processes it starts write what it gives
 * out. Without workers it writes all of it, when it is given. */
void writer_workers_start(struct writer *w, unsigned workers);
struct writer_stretch *writer_stretch_take(struct writer *w); /* empty */
void writer_stretch_give(struct writer *w, struct writer_stretch *stretch);
void writer_workers_finish(struct writer *w); /* all is written, and entered */
uint64_t *writer_queue_end(struct writer_queue *queue); /* of the file */

#endif
