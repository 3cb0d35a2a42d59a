/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The allocator's walkers.
 *
 *	kmem_cache	caches			kmem_slab	slab headers
 *	kmem freemem	buffers the program has, and has not
 *	bufctl freectl	the bufctls of the same, where there are any
 *	kmem_log	transaction records, newest first
 *	bufctl_history	those of one buffer
 *	freemem_constructed freectl_constructed	free ones that magazines hold
 *	kmem_hash	bufctls of buffers that slabs have handed out
 *	kmem_cpu kmem_cpu_cache	threads' records, their magazines of a cache
 *	kmem_magazine	magazines that hold buffers
 *
 * Those of buffers and slabs take a cache, or walk all. A buffer is named by
 * the program's pointer. freectl passes over bufctls of buffers that were never
 * handed out: they have nothing to tell.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/heap.h"

#include <inttypes.h>

struct buffer_walk {
	struct session *session;
	struct heap *heap;
	const struct heap_cache *cache; /* NULL: all */
	walk_fn *each;
	void *context;
};

static struct err *begin(struct buffer_walk *walk, bool has_address,
			 uint64_t address)
{
	struct err *err = session_heap(walk->session, &walk->heap);

	if (err || !has_address)
		return err;
	walk->cache = heap_cache_at(walk->heap, address);
	if (!walk->cache)
		return err_new(ERR_NOT_FOUND, "%#" PRIx64 " is not a cache",
			       address);
	return NULL;
}

static bool is_wanted(const struct buffer_walk *walk, size_t slab)
{
	return !walk->cache || heap_cache_of(walk->heap, slab) == walk->cache;
}

static struct err *walk_caches(struct session *session, bool has_address,
			       uint64_t address, walk_fn *each, void *context)
{
	const struct heap_cache *caches;
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	(void)has_address;
	(void)address;
	if (err)
		return err;
	size_t count = heap_caches(heap, &caches);
	for (size_t i = 0; i < count && each(context, caches[i].address); i++)
		;
	return NULL;
}

/* All of them, or those that have both buffers in use and free ones. */
static struct err *each_slab(struct buffer_walk *walk, bool has_address,
			     uint64_t address, bool partial)
{
	const struct heap_slab *slabs;
	struct err *err = begin(walk, has_address, address);

	if (err)
		return err;
	size_t count = heap_slabs(walk->heap, &slabs);
	for (size_t i = 0; i < count; i++) {
		bool is_partial =
			slabs[i].in_use && slabs[i].in_use < slabs[i].buffers;

		if (!is_wanted(walk, i) || (partial && !is_partial))
			continue;
		if (!walk->each(walk->context, slabs[i].address))
			break;
	}
	return NULL;
}

static struct err *walk_slabs(struct session *session, bool has_address,
			      uint64_t address, walk_fn *each, void *context)
{
	struct buffer_walk walk = { .session = session,
				    .each = each,
				    .context = context };

	return each_slab(&walk, has_address, address, false);
}

static struct err *walk_partial_slabs(struct session *session, bool has_address,
				      uint64_t address, walk_fn *each,
				      void *context)
{
	struct buffer_walk walk = { .session = session,
				    .each = each,
				    .context = context };

	return each_slab(&walk, has_address, address, true);
}

static struct err *walk_magazines(struct session *session, bool has_address,
				  uint64_t address, walk_fn *each,
				  void *context)
{
	struct buffer_walk walk = { .session = session };
	const struct heap_magazine *magazines;
	const struct heap_cache *caches;
	struct err *err = begin(&walk, has_address, address);

	if (err)
		return err;
	heap_caches(walk.heap, &caches);
	size_t count = heap_magazines(walk.heap, &magazines);
	for (size_t i = 0; i < count; i++) {
		if (walk.cache && &caches[magazines[i].cache] != walk.cache)
			continue;
		if (!each(context, magazines[i].address))
			break;
	}
	return NULL;
}

/* What a walk yields of a buffer; 0: nothing. */
typedef uint64_t pick_fn(const struct heap_buffer *buffer);

static bool walk_slab(const struct buffer_walk *walk, size_t number,
		      const struct heap_slab *slab, pick_fn *pick)
{
	struct heap_buffer buffer;

	for (uint32_t i = 0; i < slab->buffers; i++) {
		uint64_t value;

		if (!heap_buffer_get(walk->heap, number, i, &buffer))
			break;
		value = pick(&buffer);
		if (value && !walk->each(walk->context, value))
			return false;
	}
	return !session_interrupted(walk->session);
}

static struct err *walk_buffers(struct buffer_walk *walk, bool has_address,
				uint64_t address, pick_fn *pick)
{
	const struct heap_slab *slabs;
	struct err *err = begin(walk, has_address, address);

	if (err)
		return err;
	size_t count = heap_slabs(walk->heap, &slabs);
	for (size_t i = 0; i < count; i++) {
		if (!is_wanted(walk, i))
			continue;
		if (!walk_slab(walk, i, &slabs[i], pick))
			break;
	}
	return NULL;
}

static uint64_t pick_allocated(const struct heap_buffer *buffer)
{
	return heap_buffer_live(buffer) ? buffer->user : 0;
}

static uint64_t pick_free(const struct heap_buffer *buffer)
{
	return heap_buffer_live(buffer) ? 0 : buffer->user;
}

static uint64_t pick_bufctl(const struct heap_buffer *buffer)
{
	return heap_buffer_live(buffer) ? buffer->bufctl : 0;
}

static uint64_t pick_freectl(const struct heap_buffer *buffer)
{
	return buffer->state == BUFFER_FREE ? buffer->bufctl : 0;
}

static uint64_t pick_constructed(const struct heap_buffer *buffer)
{
	return buffer->cached ? buffer->user : 0;
}

static uint64_t pick_constructed_ctl(const struct heap_buffer *buffer)
{
	return buffer->cached ? buffer->bufctl : 0;
}

static uint64_t pick_handed_out(const struct heap_buffer *buffer)
{
	return heap_buffer_live(buffer) || buffer->cached ? buffer->bufctl : 0;
}

#define WALK_BUFFERS(name)                                                     \
	static struct err *walk_##name(struct session *session,                \
				       bool has_address, uint64_t address,     \
				       walk_fn *each, void *context)           \
	{                                                                      \
		struct buffer_walk walk = { .session = session,                \
					    .each = each,                      \
					    .context = context };              \
		return walk_buffers(&walk, has_address, address, pick_##name); \
	}

WALK_BUFFERS(allocated)
WALK_BUFFERS(free)
WALK_BUFFERS(bufctl)
WALK_BUFFERS(freectl)
WALK_BUFFERS(constructed)
WALK_BUFFERS(constructed_ctl)
WALK_BUFFERS(handed_out)

/* What a processor is to a kernel, a thread is to libkma. */
static struct err *walk_cpus(struct session *session, bool has_address,
			     uint64_t address, walk_fn *each, void *context)
{
	const struct heap_thread *threads;
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	(void)has_address;
	(void)address;
	if (err)
		return err;
	size_t count = heap_threads(heap, &threads);
	for (size_t i = 0; i < count; i++)
		if (threads[i].live && !each(context, threads[i].address))
			break;
	return NULL;
}

static struct err *walk_log(struct session *session, bool has_address,
			    uint64_t address, walk_fn *each, void *context)
{
	struct heap_log_walk *walk;
	struct heap_log_record record;
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	(void)has_address;
	(void)address;
	if (!err)
		err = heap_log_open(heap, LOG_TRANSACTIONS, &walk);
	if (err)
		return err;
	while (!session_interrupted(session) && heap_log_next(walk, &record) &&
	       each(context, record.address))
		;
	heap_log_close(walk);
	return NULL;
}

/* What the log still has of the buffer that a bufctl is of, newest first. */
static struct err *walk_history(struct session *session, bool has_address,
				uint64_t address, walk_fn *each, void *context)
{
	struct heap_buffer buffer;
	const struct heap_log_entry *entries;
	size_t count;
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	(void)has_address;
	if (!err && !heap_buffer_of_bufctl(heap, address, &buffer) &&
	    !heap_buffer_at(heap, address, &buffer))
		err = err_new(ERR_NOT_FOUND,
			      "%" PRIx64 " is no bufctl and in no buffer",
			      address);
	if (!err)
		err = heap_log_history(heap, LOG_TRANSACTIONS, buffer.user,
				       &entries, &count);
	if (err)
		return err;
	for (size_t i = 0; i < count && !session_interrupted(session); i++)
		if (!each(context, entries[i].record))
			break;
	return NULL;
}

static struct err *walk_magsets(struct session *session, bool has_address,
				uint64_t address, walk_fn *each, void *context)
{
	struct buffer_walk walk = { .session = session };
	const struct heap_magset *magsets;
	const struct heap_cache *caches;
	struct err *err = begin(&walk, has_address, address);

	if (err)
		return err;
	heap_caches(walk.heap, &caches);
	size_t count = heap_magsets(walk.heap, &magsets);
	for (size_t i = 0; i < count; i++) {
		if (walk.cache && &caches[magsets[i].cache] != walk.cache)
			continue;
		if (!each(context, magsets[i].address))
			break;
	}
	return NULL;
}

#define ALIAS(name) ((const char *const[]){ name, NULL })

/* Of a cache, or of all. */
#define CACHE_WALKER(called, other_names, text, function) \
	const struct walker walker_##called = {           \
		.name = #called,                          \
		.aliases = other_names,                   \
		.summary = text,                          \
		.address_use = ADDRESS_OPTIONAL,          \
		.address_is = "cache",                    \
		.walk = function,                         \
	};

const struct walker walker_kmem_cache = {
	.name = "kmem_cache",
	.aliases = ALIAS("umem_cache"),
	.summary = "the allocator's caches",
	.walk = walk_caches,
};

CACHE_WALKER(kmem_slab, ALIAS("umem_slab"), "the slabs of a cache, or of all",
	     walk_slabs)

CACHE_WALKER(kmem_slab_partial, ALIAS("umem_slab_partial"),
	     "the slabs with buffers in use and free ones", walk_partial_slabs)

const struct walker walker_bufctl_history = {
	.name = "bufctl_history",
	.summary = "log records of its buffer, newest first",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "bufctl or buffer",
	.walk = walk_history,
};

CACHE_WALKER(kmem_magazine, ALIAS("umem_magazine"),
	     "magazines of a cache, or of all, with buffers", walk_magazines)

CACHE_WALKER(kmem, ALIAS("umem"), "buffers of a cache, or of all, in use",
	     walk_allocated)

CACHE_WALKER(freemem, NULL, "the buffers of a cache, or of all, that are free",
	     walk_free)

CACHE_WALKER(freemem_constructed, NULL,
	     "free buffers in magazines, still constructed", walk_constructed)

CACHE_WALKER(freectl_constructed, NULL,
	     "the bufctls of free buffers that magazines hold",
	     walk_constructed_ctl)

CACHE_WALKER(kmem_hash, ALIAS("umem_hash"),
	     "bufctls of buffers that slabs have handed out", walk_handed_out)

const struct walker walker_kmem_cpu = {
	.name = "kmem_cpu",
	.aliases = ALIAS("umem_cpu"),
	.summary = "threads' records: they have magazines as cpus do",
	.walk = walk_cpus,
};

CACHE_WALKER(kmem_cpu_cache, ALIAS("umem_cpu_cache"),
	     "what each thread's magazines have of a cache", walk_magsets)

CACHE_WALKER(bufctl, NULL, "the bufctls of allocated buffers", walk_bufctl)

CACHE_WALKER(freectl, NULL, "the bufctls of freed buffers", walk_freectl)

const struct walker walker_kmem_log = {
	.name = "kmem_log",
	.aliases = ALIAS("umem_log"),
	.summary = "the records of the transaction log, newest first",
	.walk = walk_log,
};
