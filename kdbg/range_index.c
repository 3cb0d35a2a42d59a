/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/range_index.h"

#include "kdbg/vector.h"

#include <stdlib.h>

void range_index_deinit(struct range_index *index)
{
	free(index->ranges);
	*index = (struct range_index){ 0 };
}

void range_index_add(struct range_index *index, uint64_t start, uint64_t end,
		     size_t item)
{
	if (start >= end)
		return;
	struct range *ranges =
		vector_grow(index->ranges, index->count, sizeof(*ranges));
	if (!ranges) {
		index->refused++;
		return;
	}
	index->ranges = ranges;
	ranges[index->count++] = (struct range){ start, end, item };
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

/*
 * Of each pair of neighbours that overlap, the one added later goes. Kept
 * ranges form a stack: a range that was added earlier pushes out those before
 * it, so the whole is one pass.
 */
size_t range_index_finish(struct range_index *index)
{
	struct range *ranges = index->ranges;
	size_t kept = 0, refused = index->refused;

	if (index->count)
		qsort(ranges, index->count, sizeof(*ranges), compare_ranges);
	for (size_t i = 0; i < index->count; i++) {
		while (kept && ranges[kept - 1].end > ranges[i].start &&
		       ranges[kept - 1].item > ranges[i].item) {
			kept--;
			refused++;
		}
		if (kept && ranges[kept - 1].end > ranges[i].start)
			refused++;
		else
			ranges[kept++] = ranges[i];
	}
	index->count = kept;
	return refused;
}

ptrdiff_t range_index_find(const struct range_index *index, uint64_t address)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->ranges[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == index->count || index->ranges[low].start > address)
		return -1;
	return (ptrdiff_t)index->ranges[low].item;
}
