/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stretch of memory, as blocks.
 *
 * It is read in windows of one block's size. Within a window pages fall into
 * data and zero; a zero run as long as ZERO_RUN_MIN pages ends a block of data,
 * a shorter one is compressed with its neighbours, which costs less than a
 * header. Zero runs are carried from window to window, up to the stretch's end.
 *
 * This runs in the writer and in each of its workers, at the same time.
 */
#include "dumpfmt/writer_impl.h"

#include <errno.h>
#include <string.h>

enum {
	WINDOW_PAGES = WRITER_BLOCK_SIZE / DUMP_PAGE_SIZE,
	ZERO_RUN_MIN = 8,
};

/* A stretch on its way. */
struct job {
	struct writer *w;
	struct writer_stretch *stretch;
	struct dump_extent zeros; /* a run not yet written */
};

static void append_block(struct job *job, struct dump_block_header *header,
			 const void *payload)
{
	struct writer_stretch *stretch = job->stretch;
	struct writer_record record = writer_claim(
		job->w, sizeof(*header), (size_t)header->stored_size,
		header->codec == DUMP_CODEC_STORED);

	header->magic = DUMP_BLOCK_MAGIC;
	header->offset = record.offset;
	header->payload_crc = writer_crc(payload, (size_t)header->stored_size);
	header->crc =
		writer_crc(header, offsetof(struct dump_block_header, crc));
	writer_put(job->w, &record, header, payload);
	assert(stretch->block_count < WRITER_STRETCH_PAGES);
	stretch->blocks[stretch->block_count++] = (struct dump_page_entry){
		.address = header->address,
		.size = header->size,
		.offset = header->offset,
		.stored_size = header->stored_size,
		.codec = header->codec,
		.payload_crc = header->payload_crc,
	};
}

static void flush_zeros(struct job *job)
{
	struct dump_block_header header = {
		.codec = DUMP_CODEC_ZERO,
		.address = job->zeros.start,
		.size = job->zeros.end - job->zeros.start,
	};

	if (header.size > 0)
		append_block(job, &header, job->w->input);
	job->zeros = (struct dump_extent){ 0, 0 };
}

static void put_zeros(struct job *job, uint64_t address, uint64_t size)
{
	if (job->zeros.end != address || job->zeros.start == job->zeros.end) {
		flush_zeros(job);
		job->zeros.start = address;
	}
	job->zeros.end = address + size;
}

/* The bytes of input from offset on are those at address. */
static void put_data(struct job *job, uint64_t address, size_t offset,
		     size_t size)
{
	struct dump_block_header header = { .address = address, .size = size };
	struct writer *w = job->w;

	flush_zeros(job);
	header.stored_size = writer_compress(w, w->input + offset, size);
	if (header.stored_size > 0) {
		header.codec = w->codec;
		append_block(job, &header, w->output);
		return;
	}
	header.codec = DUMP_CODEC_STORED;
	header.stored_size = size;
	append_block(job, &header, w->input + offset);
}

static bool page_is_zero(const unsigned char *page)
{
	uint64_t words[8];

	for (size_t i = 0; i < DUMP_PAGE_SIZE; i += sizeof(words)) {
		memcpy(words, page + i, sizeof(words));
		if (words[0] | words[1] | words[2] | words[3] | words[4] |
		    words[5] | words[6] | words[7])
			return false;
	}
	return true;
}

static void note_unreadable(struct writer_stretch *stretch, uint64_t address)
{
	if (stretch->unreadable_pages++ == 0)
		stretch->unreadable_first = address;
}

/* Read the pages whose state says so; a page that cannot be is skipped. */
static void fill_window(struct job *job, uint64_t address,
			unsigned char *states, size_t count)
{
	struct writer *w = job->w;
	const struct dump_source *source = w->source;
	size_t i = 0;

	while (i < count) {
		size_t run = 0;

		while (i + run < count && states[i + run] == DUMP_PAGE_READ)
			run++;
		if (run == 0) {
			i++;
			continue;
		}
		size_t got = source->read(source->context,
					  address + i * DUMP_PAGE_SIZE,
					  w->input + i * DUMP_PAGE_SIZE,
					  run * DUMP_PAGE_SIZE) /
			     DUMP_PAGE_SIZE;
		i += got;
		if (got < run) {
			note_unreadable(job->stretch,
					address + i * DUMP_PAGE_SIZE);
			states[i++] = DUMP_PAGE_SKIP;
		}
	}
	for (i = 0; i < count; i++)
		if (states[i] == DUMP_PAGE_READ &&
		    page_is_zero(w->input + i * DUMP_PAGE_SIZE))
			states[i] = DUMP_PAGE_ZERO;
		else if (states[i] == DUMP_PAGE_ZERO)
			memset(w->input + i * DUMP_PAGE_SIZE, 0,
			       DUMP_PAGE_SIZE);
}

static size_t run_length(const unsigned char *states, size_t from, size_t count)
{
	size_t i = from;

	while (i < count && states[i] == states[from])
		i++;
	return i - from;
}

/* Data from here to the next skipped page or long run of zeros. */
static size_t data_length(const unsigned char *states, size_t from,
			  size_t count)
{
	size_t end = from;

	for (size_t i = from; i < count && states[i] != DUMP_PAGE_SKIP;) {
		size_t run = run_length(states, i, count);

		if (states[i] == DUMP_PAGE_ZERO && run >= ZERO_RUN_MIN)
			break;
		i += run;
		if (states[i - 1] == DUMP_PAGE_READ)
			end = i;
	}
	return end - from;
}

static void put_window(struct job *job, uint64_t address, unsigned char *states,
		       size_t count)
{
	bool unread = states[0] != DUMP_PAGE_READ &&
		      run_length(states, 0, count) == count;

	if (!unread)
		fill_window(job, address, states, count);
	for (size_t i = 0; i < count;) {
		uint64_t at = address + i * DUMP_PAGE_SIZE;
		size_t run = run_length(states, i, count);

		if (states[i] == DUMP_PAGE_ZERO) {
			put_zeros(job, at, run * DUMP_PAGE_SIZE);
		} else if (states[i] == DUMP_PAGE_READ) {
			run = data_length(states, i, count);
			put_data(job, at, i * DUMP_PAGE_SIZE,
				 run * DUMP_PAGE_SIZE);
		}
		i += run;
	}
}

void writer_stretch_write(struct writer *w, struct writer_stretch *stretch)
{
	struct job job = { .w = w, .stretch = stretch };

	stretch->block_count = 0;
	stretch->unreadable_pages = 0;
	for (size_t i = 0; i < stretch->count && !w->error; i += WINDOW_PAGES) {
		size_t left = stretch->count - i;

		put_window(&job, stretch->address + i * DUMP_PAGE_SIZE,
			   stretch->pages + i,
			   left < WINDOW_PAGES ? left : WINDOW_PAGES);
	}
	flush_zeros(&job);
	stretch->error = w->error;
}

void writer_zeros_write(struct writer *w, const struct dump_extent *zeros,
			struct writer_stretch *stretch)
{
	struct job job = { .w = w, .stretch = stretch, .zeros = *zeros };

	stretch->block_count = 0;
	stretch->unreadable_pages = 0;
	flush_zeros(&job);
	stretch->error = w->error;
}
