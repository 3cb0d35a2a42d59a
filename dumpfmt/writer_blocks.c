/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory, as blocks.
 *
 * An extent is read in windows of one block's size. Within a window pages fall
 * into data and zero; a zero run as long as ZERO_RUN_MIN pages ends a block of
 * data, a shorter one is compressed with its neighbours, which costs less than
 * a header. Zero runs are carried from window to window, so that a gigabyte
 * nobody touched is one record.
 */
#include "dumpfmt/writer_impl.h"

#include <errno.h>
#include <string.h>

enum {
	WINDOW_PAGES = WRITER_BLOCK_SIZE / DUMP_PAGE_SIZE,
	STATES_PAGES = 512, /* asked of the source at once */
	ZERO_RUN_MIN = 8,
};

static void *arena_alloc(void *opaque, unsigned items, unsigned size)
{
	struct writer *w = opaque;
	size_t bytes = ((size_t)items * size + 15) & ~(size_t)15;

	if (bytes > sizeof(w->arena) - w->arena_used)
		return Z_NULL;
	w->arena_used += bytes;
	return w->arena + w->arena_used - bytes;
}

static void arena_free(void *opaque, void *address)
{
	(void)opaque; /* the arena goes with the writer */
	(void)address;
}

static void init_compressor(struct writer *w)
{
	w->arena_used = 0;
	w->stream = (z_stream){
		.zalloc = arena_alloc,
		.zfree = arena_free,
		.opaque = w,
	};
	if (deflateInit(&w->stream, Z_BEST_SPEED) != Z_OK)
		w->error = -ENOMEM;
}

/* Bytes in output, or 0 where that would save less than an eighth. */
static size_t compress_input(struct writer *w, size_t offset, size_t size)
{
	z_stream *stream = &w->stream;

	if (deflateReset(stream) != Z_OK)
		return 0;
	stream->next_in = w->input + offset;
	stream->avail_in = (unsigned)size;
	stream->next_out = w->output;
	stream->avail_out = (unsigned)(size - size / 8);
	if (deflate(stream, Z_FINISH) != Z_STREAM_END)
		return 0;
	return (size_t)(stream->next_out - w->output);
}

static void flush_pages(struct writer *w)
{
	writer_section(w, DUMP_SECTION_PAGES, w->pages,
		       w->pages_used * sizeof(w->pages[0]));
	w->pages_used = 0;
}

static void append_block(struct writer *w, struct dump_block_header *header,
			 const void *payload)
{
	header->magic = DUMP_BLOCK_MAGIC;
	header->offset = w->offset;
	header->payload_crc = writer_crc(payload, (size_t)header->stored_size);
	header->crc =
		writer_crc(header, offsetof(struct dump_block_header, crc));
	writer_append(w,
		      (struct writer_piece[]){
			      { header, sizeof(*header) },
			      { payload, (size_t)header->stored_size } },
		      2);
	writer_pad(w, -header->stored_size % DUMP_ALIGN);

	w->pages[w->pages_used++] = (struct dump_page_entry){
		.address = header->address,
		.size = header->size,
		.offset = header->offset,
		.stored_size = header->stored_size,
		.codec = header->codec,
		.payload_crc = header->payload_crc,
	};
	if (w->pages_used == WRITER_PAGES_PER_PART)
		flush_pages(w);
}

static void flush_zeros(struct writer *w)
{
	struct dump_block_header header = {
		.codec = DUMP_CODEC_ZERO,
		.address = w->zeros.start,
		.size = w->zeros.end - w->zeros.start,
	};

	if (header.size > 0)
		append_block(w, &header, w->input);
	w->zeros = (struct dump_extent){ 0, 0 };
}

static void put_zeros(struct writer *w, uint64_t address, uint64_t size)
{
	if (w->zeros.end != address || w->zeros.start == w->zeros.end) {
		flush_zeros(w);
		w->zeros.start = address;
	}
	w->zeros.end = address + size;
}

/* The bytes of input from offset on are those at address. */
static void put_data(struct writer *w, uint64_t address, size_t offset,
		     size_t size)
{
	struct dump_block_header header = { .address = address, .size = size };

	flush_zeros(w);
	header.stored_size = compress_input(w, offset, size);
	if (header.stored_size > 0) {
		header.codec = DUMP_CODEC_ZLIB;
		append_block(w, &header, w->output);
		return;
	}
	header.codec = DUMP_CODEC_STORED;
	header.stored_size = size;
	writer_pad(w, (size_t)(-(w->offset + sizeof(header)) % DUMP_PAGE_SIZE));
	append_block(w, &header, w->input + offset);
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

static void note_unreadable(struct writer *w, uint64_t address)
{
	if (w->unreadable_pages++ == 0)
		w->unreadable_first = address;
}

/* Read the pages whose state says so; a page that cannot be is skipped. */
static void fill_window(struct writer *w, uint64_t address,
			unsigned char *states, size_t count)
{
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
			note_unreadable(w, address + i * DUMP_PAGE_SIZE);
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

static void put_window(struct writer *w, uint64_t address,
		       unsigned char *states, size_t count)
{
	bool unread = states[0] != DUMP_PAGE_READ &&
		      run_length(states, 0, count) == count;

	if (!unread)
		fill_window(w, address, states, count);
	for (size_t i = 0; i < count;) {
		uint64_t at = address + i * DUMP_PAGE_SIZE;
		size_t run = run_length(states, i, count);

		if (states[i] == DUMP_PAGE_ZERO) {
			put_zeros(w, at, run * DUMP_PAGE_SIZE);
		} else if (states[i] == DUMP_PAGE_READ) {
			run = data_length(states, i, count);
			put_data(w, at, i * DUMP_PAGE_SIZE,
				 run * DUMP_PAGE_SIZE);
		}
		i += run;
	}
}

/* Terabytes may be reserved and hardly any of it used: go over that at once. */
static uint64_t pass_untouched(struct writer *w, uint64_t address, uint64_t end)
{
	const struct dump_source *source = w->source;
	unsigned char state = DUMP_PAGE_SKIP;

	if (!source->untouched)
		return address;
	uint64_t next =
		source->untouched(source->context, address, end, &state);
	if (next > address && state == DUMP_PAGE_ZERO)
		put_zeros(w, address, next - address);
	return next;
}

/* Pages from address on, as many as are asked about at once. */
static uint64_t put_pages(struct writer *w, uint64_t address, uint64_t end)
{
	const struct dump_source *source = w->source;
	unsigned char states[STATES_PAGES];
	uint64_t left = (end - address) / DUMP_PAGE_SIZE;
	size_t count = left < STATES_PAGES ? (size_t)left : STATES_PAGES;

	memset(states, DUMP_PAGE_READ, count);
	if (source->page_states)
		source->page_states(source->context, address, count, states);
	for (size_t i = 0; i < count; i += WINDOW_PAGES)
		put_window(w, address + i * DUMP_PAGE_SIZE, states + i,
			   count - i < WINDOW_PAGES ? count - i : WINDOW_PAGES);
	return address + count * DUMP_PAGE_SIZE;
}

static void put_extent(struct writer *w, const struct dump_extent *extent)
{
	uint64_t address = extent->start;

	while (address < extent->end && !w->error) {
		address = pass_untouched(w, address, extent->end);
		if (address < extent->end)
			address = put_pages(w, address, extent->end);
	}
}

void writer_memory(struct writer *w)
{
	struct dump_extent extent;

	init_compressor(w);
	while (!w->error && w->source->next_extent(w->source->context, &extent))
		put_extent(w, &extent);
	flush_zeros(w);
	flush_pages(w);
}
