/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::pools, ::pool, ::poolcache - caches that clients made; their walkers. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/heap.h"
#include "kdbg/heap_clients.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- ::pools: vmstat -m's columns ------------------------------------------
 */

static const struct column pools_columns[] = {
	{ "Name", VALUE_TEXT, .width = 10 },
	{ "Size", VALUE_COUNT, .width = 5 },
	{ "Requests", VALUE_COUNT, .width = 8 },
	{ "Fail", VALUE_COUNT, .width = 4 },
	{ "Releases", VALUE_COUNT, .width = 8 },
	{ "InUse", VALUE_COUNT, .width = 6, .wide = true },
	{ "Avail", VALUE_COUNT, .width = 6, .wide = true },
	{ "Pgreq", VALUE_COUNT, .width = 5 },
	{ "Pgrel", VALUE_COUNT, .width = 5 },
	{ "Npage", VALUE_COUNT, .width = 5 },
	{ "PageSz", VALUE_SIZE, .width = 6, .wide = true },
	{ "Hiwat", VALUE_COUNT, .width = 5 },
	{ "Minpg", VALUE_COUNT, .width = 5 },
	{ "Maxpg", VALUE_COUNT, .width = 5 },
	{ "Idle", VALUE_COUNT, .width = 4 },
	{ "Flags", VALUE_HEX, .width = 5, .wide = true },
	{ "Util", VALUE_REAL, .width = 6, .wide = true },
	{ "address", VALUE_ADDRESS, .wide = true },
};

static const struct table pools_tables[] = {
	{ "default", pools_columns,
	  sizeof(pools_columns) / sizeof(pools_columns[0]) },
};

struct slabs_of {
	uint64_t count, idle, bytes;
};

static struct slabs_of imported_slabs(const struct heap_cache *cache)
{
	uint64_t count = cache->slab_create - cache->slab_destroy;

	return (struct slabs_of){
		.count = count,
		.bytes = count * cache->imported_slab,
	};
}

/* Of each cache; or NULL. */
static struct slabs_of *
count_slabs(struct heap *heap, const struct heap_cache *caches, size_t count)
{
	struct slabs_of *all = calloc(count ? count : 1, sizeof(*all));
	const struct heap_slab *slabs;
	size_t slab_count = heap_slabs(heap, &slabs);

	for (size_t i = 0; all && i < slab_count; i++) {
		struct slabs_of *of = &all[slabs[i].cache];

		of->count++;
		of->idle += slabs[i].in_use == 0;
		of->bytes += slabs[i].size;
	}
	for (size_t i = 0; all && i < count; i++)
		if (caches[i].imported_slab)
			all[i] = imported_slabs(&caches[i]);
	return all;
}

static struct value count_or_none(uint64_t value)
{
	return value == UINT64_MAX ? ABSENT(VALUE_COUNT) : COUNT(value);
}

static uint64_t available(const struct heap_cache *cache)
{
	return cache->buf_total > cache->buf_in_use
		       ? cache->buf_total - cache->buf_in_use
		       : 0;
}

static void emit_pools_row(const struct heap_cache *cache,
			   const struct heap_client *client,
			   struct slabs_of slabs, struct sink *out)
{
	double used = (double)(cache->buf_in_use * client->size);

	SINK_ROW(out, TEXT(cache->name), COUNT(client->size),
		 COUNT(cache->alloc), COUNT(cache->alloc_fail),
		 COUNT(cache->free), COUNT(cache->buf_in_use),
		 COUNT(available(cache)), COUNT(cache->slab_create),
		 COUNT(cache->slab_destroy), COUNT(slabs.count),
		 SIZE(slabs.count ? slabs.bytes / slabs.count : 0),
		 COUNT(client->slab_peak), COUNT(client->slab_min),
		 count_or_none(client->slab_high), COUNT(slabs.idle),
		 HEX(client->flags),
		 REAL(slabs.bytes ? used * 100 / (double)slabs.bytes : 0),
		 ADDRESS(cache->address));
}

static struct err *pools_run(const struct dcmd_call *call, struct sink *out)
{
	const struct heap_cache *caches;
	uint64_t in_use = 0, total = 0;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	size_t count = heap_caches(heap, &caches);
	struct slabs_of *slabs = count_slabs(heap, caches, count);

	if (!slabs)
		return err_new(ERR_NO_MEMORY, "pools");
	for (size_t i = 0; i < count && !out->failed; i++) {
		struct heap_client client;

		if (session_interrupted(call->session))
			break;
		if (!heap_client_of(heap, &caches[i], &client))
			continue;
		emit_pools_row(&caches[i], &client, slabs[i], out);
		in_use += caches[i].buf_in_use * client.size;
		total += slabs[i].bytes;
	}
	free(slabs);
	sink_note(out,
		  "In use %" PRIu64 "K, total allocated %" PRIu64
		  "K; utilization %.1f%%",
		  in_use / 1024, total / 1024,
		  total ? (double)in_use * 100 / (double)total : 0);
	heap_notes(heap, out);
	return NULL;
}

const struct dcmd dcmd_pools = {
	.name = "pools",
	.summary = "pools and object caches, as vmstat -m shows them",
	.help = "One row for each cache that the program made: pools, pool "
		"caches, kmem caches. Pages are slabs: Pgreq and Pgrel tell "
		"how many came and went, Hiwat the most there were, Minpg "
		"what priming keeps, Maxpg beyond how many an empty one goes, "
		"Idle how many are empty now.",
	.example = "::pools",
	.tables = pools_tables,
	.table_count = 1,
	.run = pools_run,
};

/* --- ::poolcache: vmstat -C's columns --------------------------------------
 */

static const struct column poolcache_columns[] = {
	{ "Name", VALUE_TEXT, .width = 16 },
	{ "GrpSz", VALUE_COUNT, .width = 5 },
	{ "Full", VALUE_COUNT, .width = 6 },
	{ "Cached", VALUE_COUNT, .width = 7 },
	{ "PoolLayer", VALUE_COUNT, .width = 9 },
	{ "CacheLayer", VALUE_COUNT, .width = 10 },
	{ "Hit%", VALUE_REAL, .width = 6 },
	{ "Limit", VALUE_COUNT, .width = 6 },
	{ "CtorFail", VALUE_COUNT, .width = 8, .wide = true },
	{ "Constructor", VALUE_ADDRESS, .wide = true },
	{ "Destructor", VALUE_ADDRESS, .wide = true },
	{ "address", VALUE_ADDRESS, .wide = true },
};

static const struct table poolcache_tables[] = {
	{ "default", poolcache_columns,
	  sizeof(poolcache_columns) / sizeof(poolcache_columns[0]) },
};

/* What was taken from the slabs: all that came back, and what is out. */
static void emit_poolcache(const struct heap_cache *cache,
			   const struct heap_client *client, struct sink *out)
{
	uint64_t group = client->magazine_size;
	uint64_t from_slabs = cache->slab_alloc < cache->alloc
				      ? cache->slab_alloc
				      : cache->alloc;

	SINK_ROW(out, TEXT(cache->name), COUNT(group),
		 COUNT(group ? cache->buf_cached / group : 0),
		 COUNT(cache->buf_cached), COUNT(from_slabs),
		 COUNT(cache->alloc),
		 REAL(cache->alloc ? (double)(cache->alloc - from_slabs) * 100 /
					     (double)cache->alloc
				   : 0),
		 count_or_none(client->limit), COUNT(client->construct_fails),
		 ADDRESS(client->construct), ADDRESS(client->destruct),
		 ADDRESS(cache->address));
}

static struct err *poolcache_run(const struct dcmd_call *call, struct sink *out)
{
	const struct heap_cache *caches;
	struct heap_client client;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	size_t count = heap_caches(heap, &caches);

	for (size_t i = 0; i < count && !out->failed; i++)
		if (heap_client_of(heap, &caches[i], &client) &&
		    !client.is_pool)
			emit_poolcache(&caches[i], &client, out);
	heap_notes(heap, out);
	return NULL;
}

const struct dcmd dcmd_poolcache = {
	.name = "poolcache",
	.summary = "object caches and their magazines, as vmstat -C shows them",
	.help = "For each cache with magazines: rounds of a magazine (GrpSz), "
		"how many full ones its cached objects would fill, objects "
		"that lie in magazines, how many requests went to the slabs "
		"(PoolLayer), how many there were (CacheLayer), and the share "
		"that magazines served.",
	.example = "::poolcache",
	.tables = poolcache_tables,
	.table_count = 1,
	.run = poolcache_run,
};

/* --- ::pool: show pool -----------------------------------------------------
 */

static const struct column pool_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "NAME", VALUE_TEXT, .width = 16 },
	{ "KIND", VALUE_TEXT, .width = 10 },
	{ "SIZE", VALUE_COUNT, .width = 6 },
	{ "ALIGN", VALUE_COUNT, .width = 5 },
	{ "IOFF", VALUE_COUNT, .width = 5 },
	{ "NITEMS", VALUE_COUNT, .width = 7 },
	{ "NOUT", VALUE_COUNT, .width = 7 },
	{ "HARDLIMIT", VALUE_COUNT, .width = 9, .line = 1 },
	{ "MINITEMS", VALUE_COUNT, .width = 8, .line = 1 },
	{ "MINPAGES", VALUE_COUNT, .width = 8, .line = 1 },
	{ "MAXPAGES", VALUE_COUNT, .width = 8, .line = 1 },
	{ "NPAGES", VALUE_COUNT, .width = 7, .line = 1 },
	{ "NGET", VALUE_COUNT, .width = 9, .line = 2 },
	{ "NFAIL", VALUE_COUNT, .width = 6, .line = 2 },
	{ "NPUT", VALUE_COUNT, .width = 9, .line = 2 },
	{ "NPAGEALLOC", VALUE_COUNT, .width = 10, .line = 2 },
	{ "NPAGEFREE", VALUE_COUNT, .width = 9, .line = 2 },
	{ "HIWAT", VALUE_COUNT, .width = 6, .line = 1 },
	{ "NIDLE", VALUE_COUNT, .width = 6, .line = 1 },
	{ "WAITS", VALUE_COUNT, .width = 6, .line = 2 },
};

static const struct table pool_tables[] = {
	{ "default", pool_columns,
	  sizeof(pool_columns) / sizeof(pool_columns[0]) },
};

static void emit_pool(const struct heap_cache *cache,
		      const struct heap_client *client, struct slabs_of slabs,
		      struct sink *out)
{
	SINK_ROW(out, ADDRESS(cache->address), TEXT(cache->name),
		 TEXT(client->is_pool ? "pool" : "pool cache"),
		 COUNT(client->size), COUNT(cache->align),
		 COUNT(client->align_offset), COUNT(available(cache)),
		 COUNT(cache->buf_in_use), count_or_none(client->limit),
		 COUNT(client->low), COUNT(client->slab_min),
		 count_or_none(client->slab_high), COUNT(slabs.count),
		 COUNT(cache->alloc), COUNT(cache->alloc_fail),
		 COUNT(cache->free), COUNT(cache->slab_create),
		 COUNT(cache->slab_destroy), COUNT(client->slab_peak),
		 COUNT(slabs.idle), COUNT(client->waits));
}

static struct err *pool_run(const struct dcmd_call *call, struct sink *out)
{
	const struct heap_cache *cache;
	struct heap_client client;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	cache = heap_cache_at(heap, call->address);
	if (!cache || !heap_client_of(heap, cache, &client))
		return err_new(ERR_NOT_FOUND,
			       "%#" PRIx64 " is no pool; "
			       "::walk pool lists them",
			       call->address);
	/* Buffers are counted with the list. */
	const struct heap_cache *caches;
	size_t count = heap_caches(heap, &caches);
	struct slabs_of *slabs = count_slabs(heap, caches, count);

	if (!slabs)
		return err_new(ERR_NO_MEMORY, "pool");
	cache = heap_cache_at(heap, call->address);
	emit_pool(cache, &client, slabs[cache - caches], out);
	free(slabs);
	return NULL;
}

const struct dcmd dcmd_pool = {
	.name = "pool",
	.summary = "all numbers of a pool or object cache",
	.help = "What the kernel's show pool tells, of the pool, pool cache or "
		"kmem cache at the address: its layout, what it has, what it "
		"may have, and what has happened to it.",
	.example = "::walk pool | ::pool",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "pool",
	.tables = pool_tables,
	.table_count = 1,
	.run = pool_run,
};

/* --- walkers ----------------------------------------------------------------
 */

static struct err *walk(struct session *session, bool pools, bool caches_too,
			walk_fn *each, void *context)
{
	const struct heap_cache *caches;
	struct heap_client client;
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	if (err)
		return err;
	size_t count = heap_caches(heap, &caches);

	for (size_t i = 0; i < count; i++) {
		if (!heap_client_of(heap, &caches[i], &client))
			continue;
		if (!(client.is_pool ? pools : caches_too))
			continue;
		if (!each(context, caches[i].address))
			break;
	}
	return NULL;
}

static struct err *walk_pool(struct session *session, bool has_address,
			     uint64_t address, walk_fn *each, void *context)
{
	(void)has_address, (void)address;
	return walk(session, true, true, each, context);
}

static struct err *walk_pool_cache(struct session *session, bool has_address,
				   uint64_t address, walk_fn *each,
				   void *context)
{
	(void)has_address, (void)address;
	return walk(session, false, true, each, context);
}

const struct walker walker_pool = {
	.name = "pool",
	.summary = "pools and object caches that the program made",
	.address_use = ADDRESS_NONE,
	.walk = walk_pool,
};

const struct walker walker_pool_cache = {
	.name = "pool_cache",
	.summary = "object caches that the program made",
	.address_use = ADDRESS_NONE,
	.walk = walk_pool_cache,
};
