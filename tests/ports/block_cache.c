/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kernel-style subsystem against kma/illumos.h: a cache of blocks, as a
 * file system's adaptive one is built. Headers come from an object cache whose
 * move callback lets the library pack them; data comes from a cache whose slabs
 * an arena of its own has imported; a reclaim callback evicts what was not used
 * last. Numbers of devices are an id space.
 *
 * Usage: block_cache [leak|overrun]. Without an argument all is given back.
 */
#include <kma/illumos.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { BUCKETS = 256, BLOCK = 512, BLOCKS = 4000, DEVICES = 3, KEPT = 9 };

struct header {
	struct cache *owner; /* POINTER_INVALIDATE()d when it is freed */
	struct header *next; /* in its bucket */
	id_t device;
	uint64_t number;
	char *data;
	unsigned used; /* when */
};

struct cache {
	pthread_mutex_t lock;
	kmem_cache_t *headers, *data;
	vmem_t *arena;
	id_space_t *devices;
	struct header **buckets;
	unsigned clock, evicted, moved, keep_after;
};

/* --- callbacks -------------------------------------------------------------
 */

static int header_construct(void *buf, void *priv, int flags)
{
	struct header *header = buf;

	(void)flags;
	memset(header, 0, sizeof(*header));
	header->owner = priv;
	POINTER_INVALIDATE(&header->owner);
	return 0;
}

static void header_destruct(void *buf, void *priv)
{
	const struct header *header = buf;

	(void)priv;
	if (POINTER_IS_VALID(header->owner))
		abort();
}

static struct header **bucket_of(const struct cache *cache, id_t device,
				 uint64_t number)
{
	uint64_t mixed =
		(number * DEVICES + (uint64_t)device) * 0x9e3779b97f4a7c15;

	return &cache->buckets[mixed >> 56];
}

/* The link that leads to it. */
static struct header **link_of(const struct cache *cache,
			       const struct header *header)
{
	struct header **link = bucket_of(cache, header->device, header->number);

	while (*link && *link != header)
		link = &(*link)->next;
	return link;
}

static void discard(struct cache *cache, struct header *header)
{
	kmem_cache_free(cache->data, header->data);
	header->data = NULL;
	POINTER_INVALIDATE(&header->owner);
	kmem_cache_free(cache->headers, header);
}

static void evict(struct cache *cache, unsigned older_than)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct header **link = &cache->buckets[i]; *link;) {
			struct header *header = *link;

			if (header->used >= older_than) {
				link = &header->next;
				continue;
			}
			*link = header->next;
			discard(cache, header);
			cache->evicted++;
		}
}

static void reclaim(void *priv)
{
	struct cache *cache = priv;

	pthread_mutex_lock(&cache->lock);
	evict(cache, cache->keep_after);
	pthread_mutex_unlock(&cache->lock);
}

static kmem_cbrc_t header_move(void *old, void *target, size_t size, void *priv)
{
	struct cache *cache = priv;
	struct header *header = old, **link;
	kmem_cbrc_t answer = KMEM_CBRC_DONT_KNOW;

	if (!POINTER_IS_VALID(header->owner) || header->owner != cache)
		return answer;
	if (pthread_mutex_trylock(&cache->lock) != 0)
		return KMEM_CBRC_LATER;
	link = link_of(cache, header);
	if (*link) {
		memcpy(target, old, size);
		*link = target;
		POINTER_INVALIDATE(&header->owner);
		cache->moved++;
		answer = KMEM_CBRC_YES;
	}
	pthread_mutex_unlock(&cache->lock);
	return answer;
}

/* --- the interface ---------------------------------------------------------
 */

static struct cache *cache_create(void)
{
	struct cache *cache = kmem_zalloc(sizeof(*cache), KM_SLEEP);

	pthread_mutex_init(&cache->lock, NULL);
	cache->buckets =
		kmem_zalloc(BUCKETS * sizeof(struct header *), KM_SLEEP);
	cache->headers = kmem_cache_create(
		"block_header", sizeof(struct header), 0, header_construct,
		header_destruct, reclaim, cache, NULL, 0);
	kmem_cache_set_move(cache->headers, header_move);
	cache->arena = vmem_create("block_data", NULL, 0, 4096, vmem_alloc,
				   vmem_free, kma_vmem_heap(), 0, VM_SLEEP);
	cache->data = kmem_cache_create("block_512", BLOCK, 0, NULL, NULL, NULL,
					NULL, cache->arena, 0);
	cache->devices = id_space_create("block_devices", 0, DEVICES);
	return cache;
}

static void cache_enter(struct cache *cache, id_t device, uint64_t number)
{
	struct header *header = kmem_cache_alloc(cache->headers, KM_SLEEP);
	struct header **bucket = bucket_of(cache, device, number);

	header->device = device;
	header->number = number;
	header->data = kmem_cache_alloc(cache->data, KM_SLEEP);
	memset(header->data, (int)(number % 251), BLOCK);
	pthread_mutex_lock(&cache->lock);
	header->used = ++cache->clock;
	header->owner = cache;
	header->next = *bucket;
	*bucket = header;
	pthread_mutex_unlock(&cache->lock);
}

static bool cache_has(struct cache *cache, id_t device, uint64_t number)
{
	const struct header *header;
	bool intact = false;

	pthread_mutex_lock(&cache->lock);
	header = *bucket_of(cache, device, number);
	while (header && (header->device != device || header->number != number))
		header = header->next;
	if (header)
		intact = (unsigned char)header->data[BLOCK - 1] == number % 251;
	pthread_mutex_unlock(&cache->lock);
	return intact;
}

static void cache_destroy(struct cache *cache)
{
	evict(cache, ~0U);
	kmem_cache_destroy(cache->headers);
	kmem_cache_destroy(cache->data);
	vmem_destroy(cache->arena);
	id_space_destroy(cache->devices);
	kmem_free(cache->buckets, BUCKETS * sizeof(struct header *));
	pthread_mutex_destroy(&cache->lock);
	kmem_free(cache, sizeof(*cache));
}

/* --- what goes wrong with it -----------------------------------------------
 */

/* A block that is read twice at once is entered once, and freed never. */
__attribute__((noinline)) static void plant_leak(struct cache *cache)
{
	volatile char *data = kmem_cache_alloc(cache->data, KM_SLEEP);

	data[0] = 1;
}

/* A byte too many, of a block on the arena's pages. */
__attribute__((noinline)) static void plant_overrun(struct cache *cache)
{
	volatile char *data = kmem_cache_alloc(cache->data, KM_SLEEP);

	for (int i = 0; i <= BLOCK; i++)
		data[i] = 'b';
	kmem_cache_free(cache->data, (void *)data);
}

static struct cache *volatile the_cache;

int main(int argc, char **argv)
{
	struct cache *cache = the_cache = cache_create();
	const char *fault = argc > 1 ? argv[1] : "";
	id_t devices[DEVICES];
	bool intact = true;

	for (int i = 0; i < DEVICES; i++)
		devices[i] = id_alloc(cache->devices);
	for (uint64_t i = 0; i < BLOCKS; i++)
		cache_enter(cache, devices[i % DEVICES], i);
	/* A tenth stays, here and there: the rest is reclaimed, and headers
	 * are packed. */
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct header *header = cache->buckets[i]; header;
		     header = header->next)
			if (header->number % 10 == KEPT)
				header->used = cache->clock + 1;
	cache->keep_after = cache->clock + 1;
	kmem_cache_reap_now(cache->headers);
	for (uint64_t i = KEPT; i < BLOCKS; i += 10)
		intact &= cache_has(cache, devices[i % DEVICES], i);
	intact &= cache->evicted == BLOCKS - BLOCKS / 10;
	for (int i = 0; i < DEVICES; i++)
		id_free(cache->devices, devices[i]);
	if (strcmp(fault, "leak") == 0) {
		plant_leak(cache);
		return 0;
	}
	if (strcmp(fault, "overrun") == 0)
		plant_overrun(cache);
	cache_destroy(cache);
	return !intact;
}
