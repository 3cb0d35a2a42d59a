/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/reach_scan.h"

#include "kdbg/target.h"

#include <stdlib.h>
#include <string.h>

enum { COPY_PART = 4096 }; /* what is lost with a page that cannot be read */

/* A schema is the target's, and may say anything. */
static bool is_sane(const struct heap_bufctl_layout *layout)
{
	return layout->offset_shift < 64 && layout->size_shift < 64 &&
	       layout->word_offset + UINT64_C(8) <= layout->stride;
}

static bool read_layouts(struct scan *scan)
{
	const struct heap_instance *instances;
	size_t count = heap_instances(scan->heap, &instances);

	scan->layouts = calloc(count + 1, 2 * sizeof(*scan->layouts));
	if (!scan->layouts || 2 * count > UINT16_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct heap_bufctl_layout *layout = &scan->layouts[2 * i];

		if (!heap_bufctl_layout(scan->heap, i, layout) ||
		    !is_sane(layout))
			*layout = (struct heap_bufctl_layout){ 0 };
		layout[1] = *layout;
		layout[1].stride = layout->stride ? sizeof(uint64_t) : 0;
		layout[1].word_offset = 0;
	}
	return true;
}

/* Of two, the bufctls' or the bare words'. */
static uint16_t layout_of(const struct scan *scan, size_t slab,
			  const struct heap_slab *s)
{
	size_t instance = heap_cache_of(scan->heap, slab)->instance;

	return (uint16_t)(2 * instance + (!s->bufctls && s->words));
}

/* Of what is up to 4 GiB the reciprocal gives every index exactly; no slab is
 * larger but for one buffer alone, or in a damaged target. */
static uint64_t reciprocal_of(uint64_t stride, uint64_t size)
{
	return size <= UINT64_C(1) << 32 ? UINT64_MAX / stride + 1 : 0;
}

static bool read_slabs(struct scan *scan)
{
	const struct heap_slab *slabs;
	scan->slab_count = heap_slabs(scan->heap, &slabs);
	scan->buffer_count = heap_buffer_count(scan->heap);
	scan->slabs = aligned_alloc(_Alignof(struct scan_slab),
				    (scan->slab_count + 1) *
					    sizeof(struct scan_slab));
	if (!scan->slabs)
		return false;
	for (size_t i = 0; i < scan->slab_count; i++) {
		uint64_t stride = slabs[i].stride ? slabs[i].stride : 1;
		uint64_t size = stride * slabs[i].buffers;

		scan->slabs[i] = (struct scan_slab){
			.first = slabs[i].base + slabs[i].first,
			.first_buffer = slabs[i].first_buffer,
			.stride = stride,
			.size = size,
			.reciprocal = reciprocal_of(stride, size),
			.buffers = slabs[i].buffers,
			.layout = layout_of(scan, i, &slabs[i]),
		};
	}
	return true;
}

static void widen_span(const struct heap_pages *pages, size_t count,
		       uint64_t *low, uint64_t *high)
{
	for (size_t i = 0; i < count; i++) {
		if (pages[i].base < *low)
			*low = pages[i].base;
		if (pages[i].end > *high)
			*high = pages[i].end;
	}
}

static void find_span(struct scan *scan)
{
	uint64_t low = UINT64_MAX, high = 0;

	widen_span(scan->pages, scan->page_ranges, &low, &high);
	widen_span(scan->foreign, scan->foreign_ranges, &low, &high);
	scan->low = low;
	scan->span = high > low ? high - low : 0;
}

uint32_t scan_slab_elsewhere(const struct scan *scan, uint64_t word)
{
	const struct heap_pages *pages = NULL;

	for (size_t i = 1; i < scan->page_ranges && !pages; i++)
		if (word - scan->pages[i].base <
		    scan->pages[i].end - scan->pages[i].base)
			pages = &scan->pages[i];
	if (!pages)
		pages = heap_pages_search(scan->foreign, scan->foreign_ranges,
					  word);
	if (!pages)
		return HEAP_NO_SLAB;
	return pages->slab_of_page[(word - pages->base) >> pages->page_shift];
}

struct err *scan_create(struct target *target, struct heap *heap,
			const struct pointer_forms *forms, struct scan **ret)
{
	struct scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return err_new(ERR_NO_MEMORY, "no memory for the scan");
	scan->target = target;
	scan->heap = heap;
	scan->forms = *forms;
	scan->ways = pointer_forms_count(forms);
	scan->vtables = scan_vtables_create();
	if (!scan->vtables || !read_layouts(scan) || !read_slabs(scan)) {
		scan_destroy(scan);
		return err_new(ERR_NO_MEMORY, "no memory for the scan");
	}
	scan->page_ranges = heap_pages(heap, &scan->pages);
	if (scan->page_ranges)
		scan->first_pages = scan->pages[0];
	scan->foreign_ranges = heap_foreign_pages(heap, &scan->foreign);
	find_span(scan);
	*ret = scan;
	return NULL;
}

void scan_destroy(struct scan *scan)
{
	if (!scan)
		return;
	scan_vtables_destroy(scan->vtables);
	free(scan->slabs);
	free(scan->layouts);
	free(scan->copy);
	free(scan);
}

void scan_forget(struct scan *scan)
{
	for (size_t i = 0; i < scan->slab_count; i++) {
		scan->slabs[i].bytes = NULL;
		scan->slabs[i].bufctls = NULL;
		scan->slabs[i].viewed = false;
		scan->slabs[i].hides = false;
	}
	free(scan->copy);
	scan->copy = NULL;
	scan->copy_size = 0;
}

static const char *view_or_null(struct scan *scan, uint64_t address,
				uint64_t size)
{
	const void *bytes = NULL;
	struct err *err = target_view(scan->target, address, size, &bytes);

	if (!err)
		return bytes;
	err_free(err); /* the readers fall back to copying what is there */
	return NULL;
}

void scan_view(struct scan *scan, struct scan_slab *slab)
{
	const struct heap_bufctl_layout *layout = &scan->layouts[slab->layout];
	const struct heap_slab *slabs;
	uint64_t bufctls;

	slab->viewed = true;
	slab->bytes = view_or_null(scan, slab->first, slab->size);
	heap_slabs(scan->heap, &slabs);
	bufctls = slabs[slab - scan->slabs].bufctls;
	if (!bufctls)
		bufctls = slabs[slab - scan->slabs].words;
	if (bufctls && layout->stride)
		slab->bufctls =
			view_or_null(scan, bufctls,
				     (uint64_t)layout->stride * slab->buffers);
}

struct scan_extent scan_extent(struct scan *scan, struct scan_buffer buffer)
{
	struct scan_slab *slab = &scan->slabs[buffer.slab];

	if (!slab->viewed)
		scan_view(scan, slab);
	return scan_extent_in(scan, slab, buffer.index);
}

uint64_t scan_pointer_read(const struct scan *scan, const char *words, size_t i)
{
	return pointer_forms_read(
		&scan->forms, scan_load(words + scan_pointer_at(scan, i), 0),
		(unsigned)(i % scan->ways));
}

/* Copy what can be read; what cannot reads as zeros. */
static const char *copy_words(struct scan *scan, uint64_t address, size_t size)
{
	if (scan->copy && scan->copied == address)
		return scan->copy;
	if (scan->copy_size < size) {
		char *grown = realloc(scan->copy, size);

		if (!grown) {
			scan->unread += size;
			return NULL;
		}
		scan->copy = grown;
		scan->copy_size = size;
	}
	scan->copied = address;
	memset(scan->copy, 0, size);
	for (size_t at = 0, part; at < size; at += part) {
		part = COPY_PART - (size_t)((address + at) % COPY_PART);
		if (part > size - at)
			part = size - at;
		scan->unread +=
			part - target_read_some(scan->target, address + at,
						scan->copy + at, part);
	}
	return scan->copy;
}

const char *scan_words(struct scan *scan, struct scan_buffer buffer,
		       size_t *count)
{
	struct scan_extent extent = scan_extent(scan, buffer);
	struct scan_slab *slab = &scan->slabs[buffer.slab];
	uint64_t start = (extent.user + 7) & ~(uint64_t)7;

	*count = scan_word_count(extent);
	if (!*count)
		return NULL;
	const char *words = slab->bytes ? slab->bytes + (start - slab->first)
					: copy_words(scan, start, *count * 8);

	*count = scan_pointers(scan, *count);
	return words;
}
