/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The logs, merged newest first.
 *
 * A log is a pool of chunks; a thread fills one at a time, so within a chunk
 * records are in order of time and the newest is the last. The chunk that all
 * threads share turns in itself: there the newest is followed by the oldest.
 * The walk keeps one cursor for each chunk in a heap ordered by the time of the
 * record it stands on: whoever wants the ten newest pays for ten. Records that
 * were not finished (valid is 0) are passed over.
 *
 * Records have one size, but in the contents log, where the bytes saved follow
 * each: such a chunk is walked from its start once, to know where they begin.
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
	uint32_t total;               /* records of the chunk */
	uint32_t turn;    /* the oldest's place: 0 but where shared */
	uint32_t *starts; /* contents: where records begin; else NULL */
	uint32_t instance;
	uint64_t time;
	uint64_t saved_max; /* contents: of a buffer, at most so many bytes */
};

struct heap_log_walk {
	struct heap *heap;
	struct chunk_cursor *cursors; /* a binary heap, newest on top */
	size_t count;
};

static enum heap_log_kind kind_of(const struct heap_layout *layout,
				  uint64_t value)
{
	const struct {
		const struct constant *constant;
		enum heap_log_kind kind;
	} kinds[] = {
		{ &layout->constants.KMA_LOG_TRANSACTION, LOG_TRANSACTIONS },
		{ &layout->constants.KMA_LOG_CONTENTS, LOG_CONTENTS },
		{ &layout->constants.KMA_LOG_FAIL, LOG_FAILURES },
		{ &layout->constants.KMA_LOG_SLAB, LOG_SLABS },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].constant->present &&
		    kinds[i].constant->value == value)
			return kinds[i].kind;
	return LOG_UNKNOWN;
}

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
			.kind = kind_of(
				layout,
				record_uint(record, &layout->kma_log.kind)),
			.base = record_uint(record, &layout->kma_log.base),
			.chunk_size = record_uint(record,
						  &layout->kma_log.chunk_size),
			.chunk_count = record_uint(
				record, &layout->kma_log.chunk_count),
			.lost = record_uint(record, &layout->kma_log.lost),
			.saved_max =
				layout->kma_log.saved_max.present
					? record_uint(
						  record,
						  &layout->kma_log.saved_max)
					: 0,
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

/* How far from the first is the nth record, the oldest being the 0th? */
static size_t offset_of(const struct heap *heap,
			const struct chunk_cursor *cursor, uint32_t nth)
{
	uint32_t place = (cursor->turn + nth) % cursor->total;

	return cursor->starts
		       ? cursor->starts[place]
		       : place * (size_t)heap->parts[cursor->instance]
					 .layout.kma_log_record.self.size;
}

static const unsigned char *record_of(const struct heap *heap,
				      const struct chunk_cursor *cursor,
				      uint32_t nth)
{
	return cursor->records + offset_of(heap, cursor, nth);
}

/* Move the cursor back to its newest whole record; false: none is left. */
static bool settle(const struct heap *heap, struct chunk_cursor *cursor)
{
	const struct heap_layout *layout =
		&heap->parts[cursor->instance].layout;

	for (; cursor->count > 0; cursor->count--) {
		const unsigned char *record =
			record_of(heap, cursor, cursor->count - 1);

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

/* Of a request of size bytes, what the contents log has. */
static uint64_t saved_of(const struct chunk_cursor *cursor, uint64_t size)
{
	return size < cursor->saved_max ? size : cursor->saved_max;
}

/* Where the records of a contents chunk begin. */
static struct err *find_starts(const struct heap *heap,
			       struct chunk_cursor *cursor, uint64_t used)
{
	const struct heap_layout *layout =
		&heap->parts[cursor->instance].layout;
	uint64_t unit = layout->constants.KMA_LOG_UNIT.value;
	uint64_t header = layout->kma_log_record.self.size, at = 0;

	cursor->starts = calloc(used / header + 1, sizeof(uint32_t));
	if (!cursor->starts)
		return err_new(ERR_NO_MEMORY, "contents log");
	while (used - at >= header) {
		uint64_t saved = saved_of(
			cursor, record_uint(cursor->records + at,
					    &layout->kma_log_record.size));
		uint64_t size = header + (saved + unit - 1) / unit * unit;

		if (size > used - at)
			break; /* was being written, or is damaged */
		cursor->starts[cursor->total++] = (uint32_t)at;
		at += size;
	}
	return NULL;
}

/* Records of all threads: the one after the newest is the oldest. */
static void find_turn(const struct heap *heap, struct chunk_cursor *cursor)
{
	const struct field *time =
		&heap->parts[cursor->instance].layout.kma_log_record.time;
	uint64_t newest = 0;
	uint32_t turn = 0;

	for (uint32_t i = 0; i < cursor->total; i++) {
		uint64_t now = record_uint(record_of(heap, cursor, i), time);

		if (now >= newest) {
			newest = now;
			turn = (i + 1) % cursor->total;
		}
	}
	cursor->turn = turn;
}

/* The records in used bytes of a chunk; shared: of all threads. */
static struct err *count_records(const struct heap *heap,
				 const struct heap_log *log,
				 struct chunk_cursor *cursor, uint64_t used,
				 bool shared)
{
	const struct heap_layout *layout = &heap->parts[log->instance].layout;
	struct err *err = NULL;

	cursor->saved_max = log->saved_max;
	if (log->kind == LOG_CONTENTS)
		err = find_starts(heap, cursor, used);
	else
		cursor->total =
			(uint32_t)(used / layout->kma_log_record.self.size);
	cursor->count = cursor->total;
	if (!err && shared && cursor->total)
		find_turn(heap, cursor);
	return err;
}

/* The chunk at address, if it holds records. Its starts are to be freed. */
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
	bool shared = layout->kma_log_chunk.thread.present &&
		      record_uint(record, &layout->kma_log_chunk.thread) == 0;
	err = target_view(heap->target, address + header, (size_t)used,
			  &records);
	if (err)
		return err;
	ret->records = records;
	ret->address = address + header;
	err = count_records(heap, log, ret, used, shared);
	if (!err)
		settle(heap, ret);
	return err;
}

static bool usable(struct heap *heap, const struct heap_log *log)
{
	const struct heap_layout *layout = &heap->parts[log->instance].layout;

	if (log->kind == LOG_UNKNOWN ||
	    (log->kind == LOG_CONTENTS &&
	     (!layout->constants.KMA_LOG_UNIT.present ||
	      layout->constants.KMA_LOG_UNIT.value == 0 ||
	      log->saved_max > CHUNK_SIZE_MAX)) ||
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

/* How many chunks from number i on have no data: all zero, or missing. */
static uint64_t count_empty(const struct heap *heap, const struct heap_log *log,
			    uint64_t i)
{
	uint64_t address = log->base + i * log->chunk_size;
	uint64_t left = log->chunk_count - i;
	struct dump_extent run;

	return target_next_data(heap->target, address,
				address + left * log->chunk_size, &run)
		       ? (run.start - address) / log->chunk_size
		       : left;
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
	for (uint64_t i = 0, step; i < log->chunk_count; i += step) {
		uint64_t address = log->base + i * log->chunk_size;
		uint64_t empty = count_empty(walk->heap, log, i);
		struct chunk_cursor *cursor = &cursors[walk->count];
		struct err *err = open_chunk(walk->heap, log, address, cursor);

		step = empty ? empty : 1; /* the first tells of them all */
		if (!err && cursor->count) {
			walk->count++;
			continue;
		}
		free(cursor->starts);
		if (err)
			heap_note_err(
				walk->heap, address,
				err_wrap(err, "log chunk %#" PRIx64, address));
	}
	return NULL;
}

struct err *heap_log_open(struct heap *heap, enum heap_log_kind kind,
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
		if (logs[i].kind == kind && usable(heap, &logs[i]))
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

void heap_log_close(struct heap_log_walk *walk)
{
	if (!walk)
		return;
	for (size_t i = 0; i < walk->count; i++)
		free(walk->cursors[i].starts);
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
	size_t at = offset_of(heap, cursor, cursor->count - 1);
	const unsigned char *record = cursor->records + at;
	uint64_t size = record_uint(record, &layout->kma_log_record.size);
	uint64_t saved = saved_of(cursor, size);

	return (struct heap_log_record){
		.address = cursor->address + at,
		.instance = cursor->instance,
		.operation = operation_of(
			layout,
			record_uint(record, &layout->kma_log_record.operation)),
		.time = cursor->time,
		.time_ns = heap_time_ns(heap, cursor->instance, cursor->time),
		.buffer = record_uint(record, &layout->kma_log_record.address),
		.size = size,
		.stack = (uint32_t)record_uint(record,
					       &layout->kma_log_record.stack),
		.thread = (uint32_t)record_uint(record,
						&layout->kma_log_record.thread),
		.cache = heap_cache_indexed(
			heap, cursor->instance,
			record_uint(record, &layout->kma_log_record.cache)),
		.contents = saved ? cursor->address + at +
					    layout->kma_log_record.self.size
				  : 0,
		.saved = saved,
	};
}

bool heap_log_next(struct heap_log_walk *walk, struct heap_log_record *ret)
{
	struct chunk_cursor *top = walk->cursors;

	if (walk->count == 0)
		return false;
	*ret = read_record(walk->heap, top);
	top->count--;
	if (!settle(walk->heap, top)) {
		free(top->starts);
		*top = walk->cursors[--walk->count];
	}
	sift_down(walk->cursors, walk->count, 0);
	return true;
}

/* Stand on the record that begins at address. False: none does. */
static bool stand_on(const struct heap *heap, struct chunk_cursor *cursor,
		     uint64_t address)
{
	for (uint32_t low = 0, high = cursor->total; low < high;) {
		uint32_t middle = low + (high - low) / 2;
		/* By place, which is in order; turn is for order of time. */
		uint32_t nth =
			(middle + cursor->total - cursor->turn) % cursor->total;
		uint64_t at = cursor->address + offset_of(heap, cursor, nth);

		if (at == address) {
			cursor->count = nth + 1;
			return settle(heap, cursor) && cursor->count == nth + 1;
		}
		if (at < address)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* In this log, at the start of a record that was finished? */
static bool record_in_log(struct heap *heap, const struct heap_log *log,
			  uint64_t address, struct heap_log_record *ret)
{
	struct chunk_cursor cursor;

	if (!usable(heap, log) || address < log->base ||
	    (address - log->base) / log->chunk_size >= log->chunk_count)
		return false;
	uint64_t chunk = address - (address - log->base) % log->chunk_size;
	struct err *err = open_chunk(heap, log, chunk, &cursor);
	bool found = !err && stand_on(heap, &cursor, address);

	if (found)
		*ret = read_record(heap, &cursor);
	free(cursor.starts);
	err_free(err);
	return found;
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
