/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The transaction logs, merged newest first.
 *
 * A log is a pool of chunks; a thread fills one at a time, so within a chunk
 * records are in order of time and the newest is the last. The walk keeps one
 * cursor for each chunk in a heap ordered by the time of the record it stands
 * on: whoever wants the ten newest pays for ten. Records that were not
 * finished (valid is 0) are passed over.
 */
#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdlib.h>

enum { CHUNKS_MAX = 1 << 22, CHUNK_SIZE_MAX = 1 << 26 };

struct chunk_cursor {
	const unsigned char *records; /* the first */
	uint64_t address;             /* of the first */
	uint32_t count;               /* records not yet given; stands on the
					 last of them */
	uint32_t instance;
	uint64_t time;
};

struct heap_log_walk {
	struct heap *heap;
	struct chunk_cursor *cursors; /* a binary heap, newest on top */
	size_t count;
};

static void read_logs(struct heap *heap, size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const unsigned char *record;
	uint64_t address;
	struct heap_list list = heap_list_begin(
		heap, "log list", &layout->kma_log.self, &layout->kma_log.next,
		record_uint(heap->parts[instance].root, &layout->kma_root.logs),
		HEAP_LOGS_MAX);

	while (heap_list_next(&list, &address, &record)) {
		struct heap_log *logs =
			heap_grow(heap->logs, heap->log_count, sizeof(logs[0]));
		if (!logs)
			continue;
		heap->logs = logs;
		logs[heap->log_count++] = (struct heap_log){
			.address = address,
			.instance = instance,
			.name = heap_field_text(heap, record,
						&layout->kma_log.name),
			.transactions =
				layout->constants.KMA_LOG_TRANSACTION.present &&
				record_uint(record, &layout->kma_log.kind) ==
					layout->constants.KMA_LOG_TRANSACTION
						.value,
			.failures =
				layout->constants.KMA_LOG_FAIL.present &&
				record_uint(record, &layout->kma_log.kind) ==
					layout->constants.KMA_LOG_FAIL.value,
			.base = record_uint(record, &layout->kma_log.base),
			.chunk_size = record_uint(record,
						  &layout->kma_log.chunk_size),
			.chunk_count = record_uint(
				record, &layout->kma_log.chunk_count),
			.lost = record_uint(record, &layout->kma_log.lost),
		};
	}
}

size_t heap_logs(struct heap *heap, const struct heap_log **ret)
{
	if (!heap->logs_read) {
		heap->logs_read = true;
		for (size_t i = 0; i < heap->instance_count; i++)
			read_logs(heap, i);
	}
	*ret = heap->logs;
	return heap->log_count;
}

/* Move the cursor back to its newest whole record; false: none is left. */
static bool settle(const struct heap *heap, struct chunk_cursor *cursor)
{
	const struct heap_layout *layout =
		&heap->parts[cursor->instance].layout;
	size_t stride = layout->kma_log_record.self.size;

	for (; cursor->count > 0; cursor->count--) {
		const unsigned char *record =
			cursor->records + (cursor->count - 1) * stride;

		if (layout->kma_log_record.valid.present &&
		    record_uint(record, &layout->kma_log_record.valid) == 0)
			continue;
		cursor->time =
			record_uint(record, &layout->kma_log_record.time);
		return true;
	}
	return false;
}

static void sift_down(struct chunk_cursor *cursors, size_t count, size_t at)
{
	for (;;) {
		size_t newest = at;

		for (size_t child = 2 * at + 1;
		     child <= 2 * at + 2 && child < count; child++)
			if (cursors[child].time > cursors[newest].time)
				newest = child;
		if (newest == at)
			return;
		struct chunk_cursor swap = cursors[at];
		cursors[at] = cursors[newest];
		cursors[newest] = swap;
		at = newest;
	}
}

/* The chunk at address, if it holds records. */
static struct err *open_chunk(struct heap *heap, const struct heap_log *log,
			      uint64_t address, struct chunk_cursor *ret)
{
	const struct heap_layout *layout = &heap->parts[log->instance].layout;
	size_t header = layout->kma_log_chunk.self.size;
	const unsigned char *record;
	const void *records;
	struct err *err = heap_record(heap, &layout->kma_log_chunk.self,
				      address, &record);

	*ret = (struct chunk_cursor){ .instance = (uint32_t)log->instance };
	if (err)
		return err;
	uint64_t used = record_uint(record, &layout->kma_log_chunk.used);
	if (record_uint(record, &layout->kma_log_chunk.sequence) == 0 ||
	    used == 0)
		return NULL;
	if (used > log->chunk_size - header)
		return err_new(ERR_CORRUPT,
			       "%" PRIu64 " bytes used of %" PRIu64, used,
			       log->chunk_size - header);
	err = target_view(heap->target, address + header, (size_t)used,
			  &records);
	if (err)
		return err;
	ret->records = records;
	ret->address = address + header;
	ret->count = (uint32_t)(used / layout->kma_log_record.self.size);
	settle(heap, ret);
	return NULL;
}

static bool usable(struct heap *heap, const struct heap_log *log)
{
	const struct heap_layout *layout = &heap->parts[log->instance].layout;

	if ((!log->transactions && !log->failures) ||
	    !layout->kma_log_chunk.self.present ||
	    !layout->kma_log_record.self.present)
		return false;
	if (log->chunk_size > layout->kma_log_chunk.self.size &&
	    log->chunk_size <= CHUNK_SIZE_MAX && log->chunk_count <= CHUNKS_MAX)
		return true;
	heap_note(heap, log->address,
		  "log %#" PRIx64 ": %" PRIu64 " chunks of %" PRIu64 " bytes",
		  log->address, log->chunk_count, log->chunk_size);
	return false;
}

static struct err *open_log(struct heap_log_walk *walk,
			    const struct heap_log *log)
{
	struct chunk_cursor *cursors =
		reallocarray(walk->cursors, walk->count + log->chunk_count,
			     sizeof(cursors[0]));

	if (!cursors && walk->count + log->chunk_count > 0)
		return err_new(ERR_NO_MEMORY, "log %s", log->name);
	walk->cursors = cursors;
	for (uint64_t i = 0; i < log->chunk_count; i++) {
		uint64_t address = log->base + i * log->chunk_size;
		struct err *err = open_chunk(walk->heap, log, address,
					     &cursors[walk->count]);
		if (err)
			heap_note_err(
				walk->heap, address,
				err_wrap(err, "log chunk %#" PRIx64, address));
		else if (cursors[walk->count].count)
			walk->count++;
	}
	return NULL;
}

static struct err *open_logs(struct heap *heap, bool failures,
			     struct heap_log_walk **ret)
{
	const struct heap_log *logs;
	size_t count = heap_logs(heap, &logs);
	struct heap_log_walk *walk = calloc(1, sizeof(*walk));
	struct err *err = NULL;

	if (!walk)
		return err_new(ERR_NO_MEMORY, "log");
	walk->heap = heap;
	heap_read_slabs(heap); /* records name caches */
	for (size_t i = 0; i < count && !err; i++)
		if (logs[i].failures == failures && usable(heap, &logs[i]))
			err = open_log(walk, &logs[i]);
	if (err) {
		heap_log_close(walk);
		return err;
	}
	for (size_t i = walk->count / 2; i-- > 0;)
		sift_down(walk->cursors, walk->count, i);
	*ret = walk;
	return NULL;
}

struct err *heap_log_open(struct heap *heap, struct heap_log_walk **ret)
{
	return open_logs(heap, false, ret);
}

struct err *heap_log_open_failures(struct heap *heap,
				   struct heap_log_walk **ret)
{
	return open_logs(heap, true, ret);
}

void heap_log_close(struct heap_log_walk *walk)
{
	if (!walk)
		return;
	free(walk->cursors);
	free(walk);
}

static enum heap_operation operation_of(const struct heap_layout *layout,
					uint64_t value)
{
	if (layout->constants.KMA_OP_FREE.present &&
	    value == layout->constants.KMA_OP_FREE.value)
		return OPERATION_FREE;
	if (layout->constants.KMA_OP_REALLOC.present &&
	    value == layout->constants.KMA_OP_REALLOC.value)
		return OPERATION_REALLOC;
	return OPERATION_ALLOC;
}

/* The record that the cursor stands on. */
static struct heap_log_record read_record(struct heap *heap,
					  const struct chunk_cursor *cursor)
{
	const struct heap_layout *layout =
		&heap->parts[cursor->instance].layout;
	size_t at =
		(cursor->count - 1) * (size_t)layout->kma_log_record.self.size;
	const unsigned char *record = cursor->records + at;

	return (struct heap_log_record){
		.address = cursor->address + at,
		.instance = cursor->instance,
		.operation = operation_of(
			layout,
			record_uint(record, &layout->kma_log_record.operation)),
		.time = cursor->time,
		.time_ns = heap_time_ns(heap, cursor->instance, cursor->time),
		.buffer = record_uint(record, &layout->kma_log_record.address),
		.size = record_uint(record, &layout->kma_log_record.size),
		.stack = (uint32_t)record_uint(record,
					       &layout->kma_log_record.stack),
		.thread = (uint32_t)record_uint(record,
						&layout->kma_log_record.thread),
		.cache = heap_cache_indexed(
			heap, cursor->instance,
			record_uint(record, &layout->kma_log_record.cache)),
	};
}

bool heap_log_next(struct heap_log_walk *walk, struct heap_log_record *ret)
{
	struct chunk_cursor *top = walk->cursors;

	if (walk->count == 0)
		return false;
	*ret = read_record(walk->heap, top);
	top->count--;
	if (!settle(walk->heap, top))
		*top = walk->cursors[--walk->count];
	sift_down(walk->cursors, walk->count, 0);
	return true;
}

/* In this log, at the start of a record that was finished? */
static bool record_in_log(struct heap *heap, const struct heap_log *log,
			  uint64_t address, struct heap_log_record *ret)
{
	const struct heap_layout *layout = &heap->parts[log->instance].layout;
	size_t size = layout->kma_log_record.self.size;
	struct chunk_cursor cursor;

	if (!usable(heap, log) || address < log->base ||
	    (address - log->base) / log->chunk_size >= log->chunk_count)
		return false;
	uint64_t chunk = address - (address - log->base) % log->chunk_size;
	struct err *err = open_chunk(heap, log, chunk, &cursor);
	if (err || cursor.count == 0 || address < cursor.address ||
	    (address - cursor.address) % size != 0 ||
	    (address - cursor.address) / size >= cursor.count) {
		err_free(err);
		return false;
	}
	cursor.count = (uint32_t)((address - cursor.address) / size) + 1;
	uint32_t wanted = cursor.count;
	if (!settle(heap, &cursor) || cursor.count != wanted)
		return false;
	*ret = read_record(heap, &cursor);
	return true;
}

bool heap_log_record_at(struct heap *heap, uint64_t address,
			struct heap_log_record *ret)
{
	const struct heap_log *logs;
	size_t count = heap_logs(heap, &logs);

	heap_read_slabs(heap);
	for (size_t i = 0; i < count; i++)
		if (record_in_log(heap, &logs[i], address, ret))
			return true;
	return false;
}
