/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::malloctypes - typed malloc, by type and by bucket; its walker. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/heap.h"
#include "kdbg/heap_clients.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct malloctypes_options {
	bool buckets, all;
};

static const struct option malloctypes_options[] = {
	{ 'b', "buckets", OPTION_FLAG,
	  offsetof(struct malloctypes_options, buckets), NULL,
	  "by the size of buffers, and which types have some" },
	{ 'a', "all", OPTION_FLAG, offsetof(struct malloctypes_options, all),
	  NULL, "also types that were never used" },
};

static const struct column type_columns[] = {
	{ "Type", VALUE_TEXT, .width = 10 },
	{ "InUse", VALUE_COUNT, .width = 5 },
	{ "MemUse", VALUE_SIZE, .width = 8 },
	{ "HighUse", VALUE_SIZE, .width = 8 },
	{ "Limit", VALUE_SIZE, .width = 8 },
	{ "Requests", VALUE_COUNT, .width = 8 },
	{ "TypeLimit", VALUE_COUNT, .width = 9 },
	{ "KernLimit", VALUE_COUNT, .width = 9 },
	{ "Size(s)", VALUE_TEXT, .width = 12 },
	{ "address", VALUE_ADDRESS, .wide = true },
};

static const struct column bucket_columns[] = {
	{ "Size", VALUE_COUNT, .width = 7 },
	{ "InUse", VALUE_COUNT, .width = 7 },
	{ "Free", VALUE_COUNT, .width = 7 },
	{ "Requests", VALUE_COUNT, .width = 9 },
	{ "Types", VALUE_TEXT, .width = 24 },
};

static const struct table malloctypes_tables[] = {
	{ "default", type_columns,
	  sizeof(type_columns) / sizeof(type_columns[0]) },
	{ "-b", bucket_columns,
	  sizeof(bucket_columns) / sizeof(bucket_columns[0]) },
};

enum { BUCKETS = 64, TEXT_SIZE = 512 };

/* Behind what is there, with a comma; cut where it is full. */
static void add_word(char *text, const char *word)
{
	size_t used = strlen(text);

	snprintf(text + used, TEXT_SIZE - used, "%s%s", used ? "," : "", word);
}

static void sizes_text(uint64_t sizes, char *text)
{
	char word[32];

	*text = '\0';
	for (unsigned i = 0; i < BUCKETS; i++) {
		if (!(sizes >> i & 1))
			continue;
		if (i >= 10)
			snprintf(word, sizeof(word), "%" PRIu64 "K",
				 UINT64_C(1) << (i - 10));
		else
			snprintf(word, sizeof(word), "%" PRIu64,
				 UINT64_C(1) << i);
		add_word(text, word);
	}
}

static void emit_type(const struct heap_type *type, struct sink *out)
{
	char sizes[TEXT_SIZE];

	sizes_text(type->sizes, sizes);
	SINK_ROW(out, TEXT(type->name), COUNT(type->inuse), SIZE(type->memuse),
		 SIZE(type->maxused),
		 type->limit == UINT64_MAX ? ABSENT(VALUE_SIZE)
					   : SIZE(type->limit),
		 COUNT(type->calls), COUNT(type->limblocks), COUNT(type->fails),
		 TEXT(sizes), ADDRESS(type->address));
}

static void emit_types(const struct heap_type *types, size_t count, bool all,
		       struct sink *out)
{
	uint64_t inuse = 0, memuse = 0, calls = 0;

	for (size_t i = count; i; i--) {
		const struct heap_type *type = &types[i - 1];

		if (!all && !type->calls && !type->fails && !type->limblocks)
			continue;
		emit_type(type, out);
		inuse += type->inuse;
		memuse += type->memuse;
		calls += type->calls;
	}
	sink_note(out,
		  "Totals: %" PRIu64 " in use, %" PRIu64 " bytes, %" PRIu64
		  " requests",
		  inuse, memuse, calls);
}

static unsigned bucket_of(uint64_t size)
{
	return size > 1 ? 64 - (unsigned)__builtin_clzl(size - 1) : 0;
}

struct bucket {
	uint64_t live;           /* typed */
	uint64_t free, requests; /* of the caches that serve it, anybody's */
};

/* The caches of malloc's and kmem_alloc's sizes, which all interfaces share. */
static void count_caches(struct heap *heap, struct bucket buckets[BUCKETS])
{
	const struct heap_cache *caches;
	size_t count = heap_caches(heap, &caches);

	for (size_t i = 0; i < count; i++) {
		struct bucket *bucket = &buckets[bucket_of(caches[i].bufsize)];
		struct heap_client client;

		if (!caches[i].bufsize ||
		    heap_client_of(heap, &caches[i], &client))
			continue;
		bucket->requests += caches[i].alloc;
		if (caches[i].buf_total > caches[i].buf_in_use)
			bucket->free +=
				caches[i].buf_total - caches[i].buf_in_use;
	}
}

/* Live typed buffers, by the bucket of their size. */
static void count_typed(struct session *session, struct heap *heap,
			struct bucket buckets[BUCKETS])
{
	const struct heap_slab *slabs;
	size_t count = heap_slabs(heap, &slabs);

	for (size_t i = 0; i < count && !session_interrupted(session); i++)
		for (uint32_t n = 0; n < slabs[i].buffers; n++) {
			struct heap_buffer buffer;

			if (heap_buffer_get(heap, i, n, &buffer) &&
			    heap_buffer_live(&buffer) &&
			    heap_type_of(heap, &buffer))
				buckets[bucket_of(buffer.size)].live++;
		}
}

static void emit_buckets(struct session *session, struct heap *heap,
			 const struct heap_type *types, size_t count,
			 struct sink *out)
{
	struct bucket buckets[BUCKETS] = { 0 };

	count_caches(heap, buckets);
	count_typed(session, heap, buckets);
	for (unsigned i = 0; i < BUCKETS; i++) {
		char names[TEXT_SIZE] = "";

		for (size_t t = count; t; t--)
			if (types[t - 1].sizes >> i & 1)
				add_word(names, types[t - 1].name);
		if (buckets[i].live || *names)
			SINK_ROW(out, COUNT(UINT64_C(1) << i),
				 COUNT(buckets[i].live), COUNT(buckets[i].free),
				 COUNT(buckets[i].requests), TEXT(names));
	}
}

static struct err *malloctypes_run(const struct dcmd_call *call,
				   struct sink *out)
{
	const struct malloctypes_options *options = call->options;
	const struct heap_type *types;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	size_t count = heap_types(heap, &types);

	if (options->buckets) {
		sink_table(out, &malloctypes_tables[1]);
		emit_buckets(call->session, heap, types, count, out);
	} else {
		emit_types(types, count, options->all, out);
	}
	heap_notes(heap, out);
	return NULL;
}

const struct dcmd dcmd_malloctypes = {
	.name = "malloctypes",
	.summary = "typed malloc, by type or by size",
	.help = "For each type of malloc's: buffers and bytes in use, the most "
		"there ever was, the limit, requests that were served, how "
		"often the limit was met (TypeLimit), requests that failed "
		"(KernLimit), and the sizes of its buffers. Bytes count whole "
		"buffers. With -b by power of two: which types have such "
		"buffers and how many live; how many are free in the "
		"kmem_alloc caches of these sizes, which other interfaces "
		"share, and how often those were asked.",
	.example = "::malloctypes -b",
	.options = malloctypes_options,
	.option_count =
		sizeof(malloctypes_options) / sizeof(malloctypes_options[0]),
	.options_size = sizeof(struct malloctypes_options),
	.tables = malloctypes_tables,
	.table_count = 2,
	.run = malloctypes_run,
};

static struct err *walk_malloctype(struct session *session, bool has_address,
				   uint64_t address, walk_fn *each,
				   void *context)
{
	const struct heap_type *types;
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	(void)has_address, (void)address;
	if (err)
		return err;
	for (size_t i = heap_types(heap, &types); i; i--)
		if (!each(context, types[i - 1].address))
			break;
	return NULL;
}

const struct walker walker_malloctype = {
	.name = "malloctype",
	.summary = "types of typed malloc",
	.address_use = ADDRESS_NONE,
	.walk = walk_malloctype,
};
