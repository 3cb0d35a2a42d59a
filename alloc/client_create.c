/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients' caches come and go. A destroyed one keeps its record, so that a use
 * of it after that is told; when KEPT_MAX of them lie about, the oldest that
 * has nothing left is used again, with its index.
 */
#include "alloc/client.h"

#include "alloc/foreign.h"
#include "alloc/fork.h"
#include "alloc/meta.h"
#include "alloc/options.h"
#include "alloc/reap.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/slab.h"
#include "alloc/text.h"
#include "alloc/thread.h"
#include "alloc/tier.h"
#include "alloc/visit.h"
#include "alloc/word.h"

#include <errno.h>
#include <string.h>

enum { KEPT_MAX = 64, SIZE_MOST = 1 << 30 };

/* Guarded by kma_registry_lock: destroyed ones without objects, oldest first,
 * linked by next. */
static struct kma_cache *oldest_gone, *newest_gone;
static unsigned gone_count;

/* --- making -----------------------------------------------------------------
 */

static size_t natural_align(size_t size)
{
	return size >= 16 ? 16 : 8;
}

static bool is_power_of_two(size_t n)
{
	return n && (n & (n - 1)) == 0;
}

static size_t align_of(const struct kma_cache_params *params)
{
	return params->align ? params->align : natural_align(params->size);
}

/* Do the pages that the client brings hold an object, undressed? */
static bool holds_one(const struct kma_cache_params *params)
{
	size_t align = align_of(params);
	size_t first = (align - params->align_offset % align) % align;
	size_t unit = align > 8 ? align : 8;
	size_t stride = (params->size + unit - 1) & ~(unit - 1);

	return first <= params->slab_size &&
	       stride <= params->slab_size - first &&
	       params->slab_size % KMA_PAGE_SIZE == 0;
}

static bool fits(const struct kma_cache_params *params)
{
	const unsigned known = KMA_POOL | KMA_NOTOUCH | KMA_NOALIGN |
			       KMA_NODEBUG | KMA_INTR_SAFE | KMA_LARGE_GROUPS |
			       KMA_IDENTIFIER | KMA_PREFILL | KMA_PERSONALITY;

	if (params->size == 0 || params->size > SIZE_MOST ||
	    params->flags & ~known || !params->name)
		return false;
	if (params->align &&
	    (!is_power_of_two(params->align) || params->align > SIZE_MOST))
		return false;
	return !params->import || (params->release && holds_one(params));
}

/* A record of a cache that is gone, off the list; or a new one. */
static struct kma_cache *record_create(bool *is_used)
{
	struct kma_cache *cache = NULL;

	kma_lock_acquire(&kma_registry_lock);
	if (gone_count >= KEPT_MAX) {
		cache = oldest_gone;
		oldest_gone = cache->next;
		if (!oldest_gone)
			newest_gone = NULL;
		gone_count--;
	}
	kma_lock_release(&kma_registry_lock);
	*is_used = cache != NULL;
	if (!cache)
		cache = kma_meta_alloc(sizeof(*cache));
	if (cache && !cache->client)
		cache->client = kma_meta_alloc(sizeof(*cache->client));
	return cache;
}

/* A guarded buffer ends at its page, which an offset would move; pages that the
 * client brings are not ours to guard. */
static enum kma_tier tier_max(const struct kma_cache *cache)
{
	if (cache->client->flags & (KMA_NOTOUCH | KMA_NODEBUG))
		return KMA_TIER_LITE;
	if (kma_client_is_foreign(cache) || cache->align_offset)
		return KMA_TIER_AUDIT;
	return KMA_TIER_GUARD;
}

static void fill_client(struct kma_client *client,
			const struct kma_cache_params *params)
{
	struct kma_cache *cache = client->cache;

	*client = (struct kma_client){
		.cache = cache,
		.state = KMA_CLIENT_LIVE,
		.flags = params->flags & ~(unsigned)KMA_PERSONALITY,
		.personality = params->flags & KMA_PERSONALITY,
		.size = params->size,
		.construct = params->construct,
		.destruct = params->destruct,
		.reclaim = params->reclaim,
		.move = params->move,
		.arg = params->arg,
		.import = params->import,
		.release = params->release,
		.source = params->source,
		.slab_size = params->slab_size,
		.numbers = client->numbers,
		.owner = params->owner,
		.slab_high = UINT64_MAX,
	};
}

static uint32_t magazine_size(const struct kma_cache *cache)
{
	uint32_t rounds = kma_cache_first_rounds(cache->bufsize);

	if (cache->client->flags & KMA_POOL)
		return 0;
	/* At most a magazine's worth of memory: 126 rounds fill 1 KiB. */
	return cache->client->flags & KMA_LARGE_GROUPS && rounds < 62 ? 62
								      : rounds;
}

/* What a move callback is about right now must be known with each free, and
 * who visits magazines by whoever has no fence; and what was brought is not in
 * the page map. */
static bool is_fast(const struct kma_cache *cache)
{
	return cache->client->state == KMA_CLIENT_LIVE &&
	       !kma_client_is_foreign(cache) && !cache->client->move &&
	       !kma_options.mtbf && kma_visit_unfenced &&
	       cache->tier <= KMA_TIER_LITE;
}

void kma_client_set_fast(struct kma_cache *cache)
{
	uint64_t page =
		kma_pages_word(NULL, KMA_PAGE_SLAB, cache->tier, cache->index);

	cache->fast_live = kma_word_make(KMA_BUFFER_ALLOCATED, KMA_FAMILY_CACHE,
					 0, cache->client->size);
	cache->fast_page = page;
	__atomic_store_n(&cache->fast_index,
			 is_fast(cache) ? cache->index : UINT32_MAX,
			 __ATOMIC_RELEASE);
}

/* The index of a record that is used again stays, and so do its locks. */
static void fill_cache(struct kma_cache *cache,
		       const struct kma_cache_params *params)
{
	struct kma_client *client = cache->client;
	uint32_t index = cache->index;

	*cache = (struct kma_cache){ .index = index, .client = client };
	client->cache = cache;
	fill_client(client, params);
	strncpy(cache->name, params->name, sizeof(cache->name) - 1);
	cache->align = (uint32_t)align_of(params);
	cache->align_offset = (uint32_t)(params->align_offset % cache->align);
	cache->bufsize =
		(params->size + cache->align - 1) & ~((size_t)cache->align - 1);
	cache->cflags = params->flags;
	cache->limit = UINT64_MAX;
	cache->magazine_size = magazine_size(cache);
	client->tier_max = tier_max(cache);
	client->is_bare = kma_client_is_foreign(cache) &&
			  kma_slab_buffers(cache, KMA_TIER_AUDIT) == 0;
	if (!cache->magazine_size)
		cache->flags = KMA_CACHE_NOMAGAZINE;
	kma_tier_choose(cache);
}

struct kma_cache *kma_cache_create(const struct kma_cache_params *params)
{
	struct kma_cache *cache = NULL;
	struct kma_thread *self;
	bool is_used, entered = false;

	if (!fits(params) || kma_thread_inside(kma_self)) {
		errno = EINVAL;
		return NULL;
	}
	self = kma_thread_enter();
	kma_fork_check();
	if (kma_init()) {
		kma_visit_init();
		cache = record_create(&is_used);
	}
	if (cache && cache->client) {
		fill_cache(cache, params);
		entered = kma_cache_register(cache, is_used);
		kma_client_set_fast(cache); /* its index is known by now */
	}
	kma_thread_leave(self);
	if (!entered) {
		errno = ENOMEM;
		return NULL;
	}
	if (params->reclaim || params->move)
		kma_reap_start();
	if (params->flags & KMA_PREFILL)
		kma_cache_prime(cache, 1);
	return cache;
}

void kma_cache_set_move(struct kma_cache *cache,
			enum kma_move (*move)(void *object, void *target,
					      size_t size, void *arg))
{
	if (!kma_client_check(cache, "kma_cache_set_move"))
		return;
	cache->client->move = move;
	kma_tier_choose(cache); /* lite at least: who has what must be known */
	kma_reap_start();
}

void kma_cache_set_drain_hook(struct kma_cache *cache,
			      void (*hook)(void *arg, int flags), void *arg)
{
	if (!kma_client_check(cache, "kma_cache_set_drain_hook"))
		return;
	if (cache->client->drain && hook)
		kma_report(&(struct kma_report){
			.code = KMA_ERROR_BUSY,
			.function = "kma_cache_set_drain_hook",
			.detail = "the cache has a drain hook" });
	cache->client->drain_arg = arg;
	__atomic_store_n(&cache->client->drain, hook, __ATOMIC_RELEASE);
}

/* --- destroying -------------------------------------------------------------
 */

/* The records of buffers of a slab; call each live one. */
static void each_live(const struct kma_slab *slab,
		      void (*each)(const struct kma_buffer *buffer, void *),
		      void *context)
{
	struct kma_buffer buffer = { .slab = (struct kma_slab *)slab };

	for (; buffer.index < slab->buffers; buffer.index++) {
		buffer.start =
			slab->base + slab->first + buffer.index * slab->stride;
		buffer.bufctl =
			slab->bufctls ? &slab->bufctls[buffer.index] : NULL;
		if (kma_word_of(&buffer)
			    ? kma_word_state(kma_word_load(&buffer)) ==
				      KMA_BUFFER_ALLOCATED
			    : !(slab->free_bits[buffer.index / 64] >>
					(buffer.index % 64) &
				1))
			each(&buffer, context);
	}
}

struct survivors {
	struct kma_text text;
	uint64_t count;
};

static void add_survivor(const struct kma_buffer *buffer, void *context)
{
	enum { LISTED = 8 };
	struct survivors *survivors = context;

	if (survivors->count++ >= LISTED)
		return;
	kma_text_string(&survivors->text, survivors->count > 1 ? ", " : ": ");
	kma_text_hex(&survivors->text, kma_buffer_user(buffer));
}

/* The objects that live, named in text; caller holds the cache's lock. */
static void find_survivors(const struct kma_cache *cache,
			   struct survivors *survivors)
{
	for (unsigned tier = 0; tier < KMA_TIER_COUNT; tier++)
		for (unsigned list = 0; list < KMA_SLAB_LIST_COUNT; list++)
			for (const struct kma_slab *slab =
				     cache->slabs[tier][list];
			     slab; slab = slab->next)
				each_live(slab, add_survivor, survivors);
}

static void report_survivors(const struct kma_cache *cache, const char *names,
			     uint64_t count)
{
	const struct kma_client *client = cache->client;
	char detail[320];
	struct kma_text text;

	kma_text_init(&text, detail, sizeof(detail));
	kma_text_string(&text, cache->name);
	kma_text_string(&text, ", ");
	kma_text_decimal(&text, count);
	kma_text_string(&text, count == 1 ? " object" : " objects");
	kma_text_string(&text, names);
	kma_report(&(struct kma_report){
		.code = KMA_ERROR_LEAK,
		.function = client->personality != KMA_NETBSD
				    ? "kmem_cache_destroy"
			    : client->flags & KMA_POOL ? "pool_destroy"
						       : "pool_cache_destroy",
		.detail = detail,
		.may_go_on = client->personality == KMA_ILLUMOS });
}

/* Off the list, its callbacks gone; its record is kept if nothing lives. */
static void retire(struct kma_cache *cache, bool is_empty)
{
	struct kma_client *client = cache->client;
	struct kma_thread *self = kma_thread_enter();

	__atomic_store_n(&client->state, KMA_CLIENT_DESTROYED,
			 __ATOMIC_RELEASE);
	kma_client_set_fast(cache);
	client->construct = NULL;
	client->destruct = NULL;
	client->reclaim = NULL;
	client->move = NULL;
	client->drain = NULL;
	if (is_empty) {
		kma_cache_unregister(cache);
		kma_lock_acquire(&kma_registry_lock);
		cache->next = NULL;
		if (newest_gone)
			newest_gone->next = cache;
		else
			oldest_gone = cache;
		newest_gone = cache;
		gone_count++;
		kma_lock_release(&kma_registry_lock);
	}
	kma_thread_leave(self);
}

size_t kma_cache_destroy(struct kma_cache *cache)
{
	struct survivors survivors = { .count = 0 };
	struct kma_thread *self;
	char names[256];
	bool is_empty;

	if (!kma_client_check(cache, "kma_cache_destroy"))
		return 0;
	kma_reap_leave(cache);
	kma_client_drain(cache, true);
	cache->client->slab_min = cache->client->low = 0;
	kma_client_release(cache, 0);
	kma_text_init(&survivors.text, names, sizeof(names));
	self = kma_thread_enter();
	kma_lock_acquire(&cache->lock);
	find_survivors(cache, &survivors);
	is_empty = cache->out == 0 && cache->buf_total == 0;
	kma_lock_release(&cache->lock);
	kma_thread_leave(self);
	if (survivors.count)
		report_survivors(cache, names, survivors.count);
	retire(cache, is_empty);
	return survivors.count;
}

/* --- looking ----------------------------------------------------------------
 */

const char *kma_cache_name(const struct kma_cache *cache)
{
	return cache ? cache->name : "";
}

struct kma_cache *kma_cache_holding(const void *p)
{
	struct kma_buffer buffer;

	return kma_buffer_find_any((uintptr_t)p, &buffer) ? buffer.slab->cache
							  : NULL;
}

static bool slab_agrees(const struct kma_slab *slab, unsigned list)
{
	uint64_t free = 0;
	size_t words = ((size_t)slab->buffers + 63) / 64;

	for (size_t i = 0; i < words; i++)
		free += (uint64_t)__builtin_popcountll(slab->free_bits[i]);
	if (free + slab->in_use != slab->buffers)
		return false;
	return list == (slab->in_use == 0               ? KMA_SLABS_EMPTY
			: slab->in_use == slab->buffers ? KMA_SLABS_FULL
							: KMA_SLABS_PARTIAL);
}

int kma_cache_check(struct kma_cache *cache)
{
	struct kma_thread *self;
	uint64_t total = 0, used = 0;
	bool agrees = true;

	if (!kma_client_check(cache, "kma_cache_check"))
		return 1;
	self = kma_thread_enter();
	kma_lock_acquire(&cache->lock);
	for (unsigned tier = 0; tier < KMA_TIER_COUNT; tier++)
		for (unsigned list = 0; list < KMA_SLAB_LIST_COUNT; list++)
			for (const struct kma_slab *slab =
				     cache->slabs[tier][list];
			     slab; slab = slab->next) {
				agrees &= slab->kind == KMA_PAGE_LARGE ||
					  slab_agrees(slab, list);
				total += slab->buffers;
				used += slab->in_use;
			}
	agrees &= total == cache->buf_total && used >= cache->out;
	kma_lock_release(&cache->lock);
	kma_thread_leave(self);
	return !agrees;
}
