/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::allocdby, ::freedby and the walkers of the same names: the audited buffers
 * that a thread allocated, or freed, last; newest first.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/heap.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <stdlib.h>

struct touched {
	uint64_t time, bufctl;
};

/* Of one thread, in order of time. */
struct touches {
	struct touched *all;
	size_t count, capacity;
};

static bool add(struct touches *touches, uint64_t time, uint64_t bufctl)
{
	if (touches->count == touches->capacity) {
		size_t capacity = touches->capacity * 2 + 64;
		struct touched *all =
			reallocarray(touches->all, capacity, sizeof(all[0]));

		if (!all)
			return false;
		touches->all = all;
		touches->capacity = capacity;
	}
	touches->all[touches->count++] = (struct touched){ time, bufctl };
	return true;
}

static int newest_first(const void *left, const void *right)
{
	const struct touched *a = left, *b = right;

	if (a->time != b->time)
		return a->time > b->time ? -1 : 1;
	return a->bufctl < b->bufctl ? -1 : a->bufctl > b->bufctl;
}

/* The event that counts for this command, or NULL. */
static const struct heap_event *event_of(const struct heap_buffer *buffer,
					 bool freed)
{
	if (buffer->bufctl == 0)
		return NULL;
	if (freed)
		return buffer->state == BUFFER_FREE ? &buffer->free : NULL;
	return heap_buffer_live(buffer) ? &buffer->alloc : NULL;
}

static struct err *collect(struct session *session, struct heap *heap,
			   uint64_t tid, bool freed, struct touches *ret)
{
	const struct heap_slab *slabs;
	size_t count = heap_slabs(heap, &slabs);
	struct heap_buffer buffer;

	for (size_t i = 0; i < count && !session_interrupted(session); i++) {
		if (!slabs[i].bufctls)
			continue;
		for (uint32_t n = 0; heap_buffer_get(heap, i, n, &buffer);
		     n++) {
			const struct heap_event *event =
				event_of(&buffer, freed);

			if (event && event->time && event->thread == tid &&
			    !add(ret, event->time, buffer.bufctl))
				return err_new(ERR_NO_MEMORY, "%zu bufctls",
					       ret->count);
		}
	}
	if (ret->count)
		qsort(ret->all, ret->count, sizeof(ret->all[0]), newest_first);
	return NULL;
}

static const struct column touched_columns[] = {
	{ "BUFCTL", VALUE_ADDRESS },
	{ "TIMESTAMP", VALUE_HEX, .width = 13 },
	{ "CALLER", VALUE_TEXT },
	{ "BUFADDR", VALUE_ADDRESS, .wide = true },
	{ "SIZE", VALUE_SIZE, .wide = true },
};

static const struct table touched_tables[] = {
	{ "default", touched_columns,
	  sizeof(touched_columns) / sizeof(touched_columns[0]) },
};

static void emit(struct session *session, struct heap *heap, uint64_t bufctl,
		 bool freed, struct sink *out)
{
	struct heap_buffer buffer;
	char caller[512];

	if (!heap_buffer_of_bufctl(heap, bufctl, &buffer))
		return;
	const struct heap_event *event = event_of(&buffer, freed);
	stack_caller(session, heap, event, caller, sizeof(caller));
	SINK_ROW(out, ADDRESS(bufctl), HEX(event->time_ns), TEXT(caller),
		 ADDRESS(buffer.user), SIZE(buffer.size));
}

/* Who typed a thread that there never was is told so, with the pipeline's word
 * on numbers that were meant in decimal. */
static struct err *tell_none(const struct dcmd_call *call, bool freed,
			     struct sink *out)
{
	if (call->piped)
		return NULL;
	if (call->address > UINT32_MAX ||
	    !target_thread(call->session->target, (uint32_t)call->address))
		return err_new(ERR_NOT_FOUND,
			       "there is no thread %" PRIu64
			       ", nor an audited buffer that one %s",
			       call->address, freed ? "freed" : "allocated");
	sink_note(out, "thread %" PRIu64 " %s", call->address,
		  freed ? "freed no audited buffer that is still free"
			: "allocated no audited buffer that is live");
	return NULL;
}

static struct err *run(const struct dcmd_call *call, bool freed,
		       struct sink *out)
{
	struct touches touches = { 0 };
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (!err)
		err = collect(call->session, heap, call->address, freed,
			      &touches);
	for (size_t i = 0; !err && i < touches.count && !out->failed &&
			   !session_interrupted(call->session);
	     i++)
		emit(call->session, heap, touches.all[i].bufctl, freed, out);
	free(touches.all);
	if (!err)
		heap_notes(heap, out);
	if (!err && touches.count == 0)
		err = tell_none(call, freed, out);
	return err;
}

static struct err *allocdby_run(const struct dcmd_call *call, struct sink *out)
{
	return run(call, false, out);
}

static struct err *freedby_run(const struct dcmd_call *call, struct sink *out)
{
	return run(call, true, out);
}

static struct err *walk(struct session *session, uint64_t tid, bool freed,
			walk_fn *each, void *context)
{
	struct touches touches = { 0 };
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	if (!err)
		err = collect(session, heap, tid, freed, &touches);
	for (size_t i = 0; !err && i < touches.count; i++)
		if (!each(context, touches.all[i].bufctl))
			break;
	free(touches.all);
	return err;
}

static struct err *walk_allocdby(struct session *session, bool has_address,
				 uint64_t address, walk_fn *each, void *context)
{
	(void)has_address;
	return walk(session, address, false, each, context);
}

static struct err *walk_freedby(struct session *session, bool has_address,
				uint64_t address, walk_fn *each, void *context)
{
	(void)has_address;
	return walk(session, address, true, each, context);
}

const struct dcmd dcmd_allocdby = {
	.name = "allocdby",
	.summary = "the audited buffers a thread allocated last, newest first",
	.help = "The bufctls of the buffers that the program has and that the "
		"thread with this id allocated. Thread ids are decimal: "
		"0t1234.",
	.example = "::walk thread | ::allocdby",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "thread",
	.tables = touched_tables,
	.table_count = 1,
	.run = allocdby_run,
};

const struct dcmd dcmd_freedby = {
	.name = "freedby",
	.summary = "the free buffers that a thread freed last, newest first",
	.help = "The bufctls of the buffers that are free and that the thread "
		"with this id freed. Thread ids are decimal: 0t1234.",
	.example = "::walk thread | ::freedby",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "thread",
	.tables = touched_tables,
	.table_count = 1,
	.run = freedby_run,
};

const struct walker walker_allocdby = {
	.name = "allocdby",
	.summary = "bufctls a thread allocated last, newest first",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "thread",
	.walk = walk_allocdby,
};

const struct walker walker_freedby = {
	.name = "freedby",
	.summary = "the bufctls a thread freed last, newest first",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "thread",
	.walk = walk_freedby,
};
