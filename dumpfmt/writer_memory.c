/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory, cut into stretches that are written by whoever has time.
 *
 *	extent  |---------------------------------------|
 *		  untouched | stretch | stretch | zeros
 *
 * What the source knows to be zero is not read, and however much of it comes
 * together is one record: a gigabyte nobody touched takes 48 bytes.
 */
#include "dumpfmt/writer_impl.h"

#include <string.h>

static void flush_pages(struct writer *w)
{
	writer_section(w, DUMP_SECTION_PAGES, w->pages,
		       w->pages_used * sizeof(w->pages[0]));
	w->pages_used = 0;
}

void writer_enter(struct writer *w, const struct writer_stretch *stretch)
{
	if (stretch->error && !w->error)
		w->error = stretch->error;
	if (stretch->unreadable_pages > 0 && w->unreadable_pages == 0)
		w->unreadable_first = stretch->unreadable_first;
	w->unreadable_pages += stretch->unreadable_pages;
	for (size_t i = 0; i < stretch->block_count; i++) {
		w->pages[w->pages_used++] = stretch->blocks[i];
		if (w->pages_used == WRITER_PAGES_PER_PART)
			flush_pages(w);
	}
}

static void flush_zeros(struct writer *w)
{
	if (w->zeros.start == w->zeros.end)
		return;
	struct writer_stretch *stretch = &w->stretch;
	writer_zeros_write(w, &w->zeros, stretch);
	writer_enter(w, stretch);
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

static bool all_are(const struct writer_stretch *stretch,
		    enum dump_page_state state)
{
	for (size_t i = 0; i < stretch->count; i++)
		if (stretch->pages[i] != state)
			return false;
	return true;
}

/* Pages from address on, as many as make a stretch. */
static uint64_t put_pages(struct writer *w, uint64_t address, uint64_t end)
{
	const struct dump_source *source = w->source;
	struct writer_stretch *stretch = writer_stretch_take(w);
	uint64_t left = (end - address) / DUMP_PAGE_SIZE;

	stretch->address = address;
	stretch->count = left < WRITER_STRETCH_PAGES ? (size_t)left
						     : WRITER_STRETCH_PAGES;
	memset(stretch->pages, DUMP_PAGE_READ, stretch->count);
	if (source->page_states)
		source->page_states(source->context, address, stretch->count,
				    stretch->pages);
	uint64_t size = stretch->count * DUMP_PAGE_SIZE;
	if (all_are(stretch, DUMP_PAGE_ZERO))
		put_zeros(w, address, size);
	else if (!all_are(stretch, DUMP_PAGE_SKIP))
		writer_stretch_give(w, stretch);
	return address + size;
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

	while (!w->error && w->source->next_extent(w->source->context, &extent))
		put_extent(w, &extent);
	flush_zeros(w);
	writer_workers_finish(w);
	flush_pages(w);
}
