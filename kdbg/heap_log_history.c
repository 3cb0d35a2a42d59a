/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a log has on one buffer: its records sorted by buffer and time, once. */
#include "kdbg/heap_impl.h"

#include <stdlib.h>

static int compare_entries(const void *a, const void *b)
{
	const struct heap_log_entry *x = a, *y = b;

	if (x->buffer != y->buffer)
		return x->buffer < y->buffer ? -1 : 1;
	if (x->time != y->time)
		return x->time > y->time ? -1 : 1;
	return (x->record < y->record) - (x->record > y->record);
}

static struct err *build_index(struct heap *heap, enum heap_log_kind kind)
{
	struct heap_log_entry *entries = calloc(1, sizeof(*entries));
	struct heap_log_record record;
	struct heap_log_walk *walk;
	size_t count = 0;
	struct err *err = entries ? heap_log_open(heap, kind, &walk)
				  : err_new(ERR_NO_MEMORY, "log");

	if (err) {
		free(entries);
		return err;
	}
	while (heap_log_next(walk, &record)) {
		struct heap_log_entry *more =
			heap_grow(entries, count, sizeof(entries[0]));

		if (!more) {
			err = err_new(ERR_NO_MEMORY, "%zu log records", count);
			break;
		}
		entries = more;
		entries[count++] =
			(struct heap_log_entry){ record.buffer, record.time,
						 record.address };
	}
	heap_log_close(walk);
	if (err) {
		free(entries);
		return err;
	}
	qsort(entries, count, sizeof(entries[0]), compare_entries);
	heap->log_index[kind] = entries;
	heap->log_index_count[kind] = count;
	return NULL;
}

struct err *heap_log_history(struct heap *heap, enum heap_log_kind kind,
			     uint64_t buffer, const struct heap_log_entry **ret,
			     size_t *count)
{
	struct err *err =
		heap->log_index[kind] ? NULL : build_index(heap, kind);
	size_t low = 0, high = heap->log_index_count[kind];

	*count = 0;
	if (err)
		return err;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (heap->log_index[kind][middle].buffer < buffer)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = &heap->log_index[kind][low];
	while (low + *count < heap->log_index_count[kind] &&
	       (*ret)[*count].buffer == buffer)
		++*count;
	return NULL;
}
