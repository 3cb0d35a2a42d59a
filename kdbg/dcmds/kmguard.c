/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::kmguard - buffers between guard pages, and freed ones out of reach. */
#include "kdbg/dcmds/age.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/heap.h"
#include "kdbg/heap_clients.h"

static const struct column kmguard_columns[] = {
	{ "INSTANCE", VALUE_TEXT, .width = 16 },
	{ "DEPTH", VALUE_COUNT, .width = 7 },
	{ "USED", VALUE_COUNT, .width = 7 },
	{ "LIVE", VALUE_COUNT, .width = 7 },
	{ "MEMORY", VALUE_SIZE, .width = 10 },
	{ "UNGUARDED", VALUE_COUNT, .width = 9 },
	{ "OLDEST MS", VALUE_COUNT, .width = 9 },
};

static const struct table kmguard_tables[] = {
	{ "default", kmguard_columns,
	  sizeof(kmguard_columns) / sizeof(kmguard_columns[0]) },
};

struct guarded {
	uint64_t live, freed, bytes;
	uint64_t oldest_ns; /* when the first of the freed was; 0: none */
};

static void count_buffer(const struct heap_buffer *buffer,
			 struct guarded *guarded)
{
	if (heap_buffer_live(buffer)) {
		guarded->live++;
		return;
	}
	guarded->freed++;
	if (buffer->free.time_ns &&
	    (!guarded->oldest_ns || buffer->free.time_ns < guarded->oldest_ns))
		guarded->oldest_ns = buffer->free.time_ns;
}

static struct guarded count_guarded(struct session *session, struct heap *heap,
				    size_t instance)
{
	const struct heap_slab *slabs;
	size_t count = heap_slabs(heap, &slabs);
	struct guarded guarded = { 0 };

	for (size_t i = 0; i < count && !session_interrupted(session); i++) {
		struct heap_buffer buffer;

		if (slabs[i].tier != TIER_GUARD ||
		    heap_cache_of(heap, i)->instance != instance ||
		    !heap_buffer_get(heap, i, 0, &buffer))
			continue;
		guarded.bytes += slabs[i].size;
		count_buffer(&buffer, &guarded);
	}
	return guarded;
}

static struct err *kmguard_run(const struct dcmd_call *call, struct sink *out)
{
	const struct heap_instance *instances;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	for (size_t i = 0; i < heap_instances(heap, &instances); i++) {
		struct guarded guarded = count_guarded(call->session, heap, i);

		SINK_ROW(out, TEXT(instances[i].name),
			 COUNT(heap_root_uint(heap, i, HEAP_ROOT_GUARD_DEPTH)),
			 COUNT(guarded.freed), COUNT(guarded.live),
			 SIZE(guarded.bytes),
			 COUNT(heap_root_uint(heap, i,
					      HEAP_ROOT_GUARDS_MISSING)),
			 age_value(call->session, guarded.oldest_ns));
	}
	heap_notes(heap, out);
	return NULL;
}

const struct dcmd dcmd_kmguard = {
	.name = "kmguard",
	.summary = "guarded buffers, and freed ones that are out of reach",
	.help = "For each instance of libkma: how many freed buffers may be "
		"kept out of reach (DEPTH, kmguard=N), how many are, how many "
		"guarded buffers live, the addresses all of them take, pages "
		"that could not be guarded, and how many milliseconds ago the "
		"buffer was freed that has been out of reach longest.",
	.example = "::kmguard",
	.tables = kmguard_tables,
	.table_count = 1,
	.run = kmguard_run,
};
