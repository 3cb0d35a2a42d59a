/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::kmem_cache - the caches; the walkers of caches and slabs. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/heap.h"

#include <inttypes.h>
#include <string.h>

struct kmem_cache_options {
	const char *name;
};

static const struct option kmem_cache_options[] = {
	{ 'n', "name", OPTION_TEXT, offsetof(struct kmem_cache_options, name),
	  "substring", "only caches with this in their name" },
};

static const struct column kmem_cache_columns[] = {
	{ "ADDR", VALUE_ADDRESS },         { "NAME", VALUE_TEXT, .width = 25 },
	{ "FLAG", VALUE_HEX, .width = 4 }, { "CFLAG", VALUE_HEX, .width = 8 },
	{ "BUFSIZE", VALUE_COUNT },        { "BUFTOTL", VALUE_COUNT },
};

static const struct table kmem_cache_tables[] = {
	{ "default", kmem_cache_columns,
	  sizeof(kmem_cache_columns) / sizeof(kmem_cache_columns[0]) },
};

static void emit_cache(struct sink *out, const struct heap_cache *cache)
{
	SINK_ROW(out, ADDRESS(cache->address), TEXT(cache->name),
		 HEX(cache->flags), HEX(cache->cflags), COUNT(cache->bufsize),
		 COUNT(cache->buf_total));
}

static struct err *kmem_cache_run(const struct dcmd_call *call,
				  struct sink *out)
{
	const struct kmem_cache_options *options = call->options;
	const struct heap_cache *caches, *cache;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	if (call->has_address) {
		cache = heap_cache_at(heap, call->address);
		if (!cache)
			return err_new(ERR_NOT_FOUND,
				       "%#" PRIx64 " is not a cache",
				       call->address);
		emit_cache(out, cache);
		return NULL;
	}
	size_t count = heap_caches(heap, &caches);
	for (size_t i = 0; i < count; i++)
		if (!options->name || strstr(caches[i].name, options->name))
			emit_cache(out, &caches[i]);
	return NULL;
}

const struct dcmd dcmd_kmem_cache = {
	.name = "kmem_cache",
	.aliases = (const char *const[]){ "umem_cache", NULL },
	.summary = "list the allocator's caches, or show one",
	.help = "The address of each cache, its name, what it does (FLAG: 1 "
		"audit, 2 fill, 4 redzone, 20 no magazines, 40 firewall, 100 "
		"lite), what its creator asked for, the size of its buffers, "
		"and how many there are in all its slabs.",
	.example = "::kmem_cache -n kmem_alloc",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "cache",
	.options = kmem_cache_options,
	.option_count =
		sizeof(kmem_cache_options) / sizeof(kmem_cache_options[0]),
	.options_size = sizeof(struct kmem_cache_options),
	.tables = kmem_cache_tables,
	.table_count = 1,
	.run = kmem_cache_run,
};
