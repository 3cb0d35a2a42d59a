/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A slab: a run of pages cut into buffers of one size and one tier.
 *
 *	cache --> partial --> slab --> slab	taken from first
 *	      |-> empty ----> slab		at most EMPTY_MAX a tier
 *	      \-> full -----> slab		listed for those who walk
 *
 * With the cache's lock held: in_use is the number of clear bits in free_bits;
 * in_use tells the list: none is empty, all is full, else partial. Buffers are
 * taken from the lowest address up, so that a slab fills from one end and the
 * pages never reached stay untouched.
 */
#include "alloc/slab.h"

#include "alloc/audit.h"
#include "alloc/client.h"
#include "alloc/clock.h"
#include "alloc/log.h"
#include "alloc/meta.h"
#include "alloc/sample.h"
#include "alloc/slab_shape.h"
#include "alloc/stack.h"

enum { EMPTY_MAX = 1 };

/* Where its pages are. */
static void place(struct kma_slab *slab, uintptr_t base)
{
	slab->base = base;
	slab->origin = base + slab->first;
}

static size_t bits_words(uint32_t buffers)
{
	return (buffers + 63) / 64;
}

static size_t header_size(uint32_t buffers)
{
	return sizeof(struct kma_slab) + bits_words(buffers) * sizeof(uint64_t);
}

/* What the tier keeps of each buffer, out of line. */
static size_t record_size(enum kma_tier tier)
{
	if (kma_tier_has_bufctls(tier))
		return sizeof(struct kma_bufctl);
	return tier == KMA_TIER_LITE ? sizeof(uint64_t) : 0;
}

static enum kma_meta_kind record_kind(enum kma_tier tier)
{
	return kma_tier_has_bufctls(tier) ? KMA_META_BUFCTL : KMA_META_WORD;
}

/* A header with its bitmap behind it, and records where the tier has them. */
static struct kma_slab *header_create(uint32_t buffers, enum kma_tier tier)
{
	struct kma_slab *slab =
		kma_meta_take(KMA_META_SLAB, 1, header_size(buffers));
	void *records = NULL;

	if (!slab)
		return NULL;
	slab->buffers = buffers;
	slab->tier = (uint8_t)tier;
	slab->free_bits = (uint64_t *)(slab + 1);
	if (record_size(tier)) {
		records = kma_meta_take(record_kind(tier), buffers,
					buffers * record_size(tier));
		if (!records) {
			kma_meta_give(KMA_META_SLAB, slab, 1,
				      header_size(buffers));
			return NULL;
		}
	}
	if (kma_tier_has_bufctls(tier))
		slab->bufctls = records;
	else
		slab->words = records;
	return slab;
}

/* Who looks at every slab at exit finds them without a lock, and may be at this
 * one: then it stays as it is, for ever. */
static void header_destroy(struct kma_slab *slab)
{
	void *records = slab->bufctls ? (void *)slab->bufctls : slab->words;

	if (kma_audit_is_verifying())
		return;
	kma_meta_give(record_kind(slab->tier), records, slab->buffers,
		      slab->buffers * record_size(slab->tier));
	kma_meta_free(slab->types, slab->buffers * sizeof(slab->types[0]));
	kma_meta_free(slab->notes, slab->buffers * sizeof(slab->notes[0]));
	kma_meta_give(KMA_META_SLAB, slab, 1, header_size(slab->buffers));
}

static void list_insert(struct kma_slab *slab, enum kma_slab_list list)
{
	struct kma_slab **head = &slab->cache->slabs[slab->tier][list];

	slab->list = (uint8_t)list;
	slab->prev = NULL;
	slab->next = *head;
	if (slab->next)
		slab->next->prev = slab;
	*head = slab;
}

static void list_remove(struct kma_slab *slab)
{
	if (slab->prev)
		slab->prev->next = slab->next;
	else
		slab->cache->slabs[slab->tier][slab->list] = slab->next;
	if (slab->next)
		slab->next->prev = slab->prev;
}

static void list_settle(struct kma_slab *slab)
{
	enum kma_slab_list list = slab->in_use == 0 ? KMA_SLABS_EMPTY
				  : slab->in_use == slab->buffers
					  ? KMA_SLABS_FULL
					  : KMA_SLABS_PARTIAL;

	if (list == slab->list)
		return;
	list_remove(slab);
	list_insert(slab, list);
}

static enum kma_account account_of(const struct kma_cache *cache)
{
	return cache->bufsize ? KMA_ACCOUNT_DEFAULT : KMA_ACCOUNT_OVERSIZE;
}

/* What grows and shrinks the heap; KMA_LOGGING=slab. */
static void log_slab(const struct kma_cache *cache, const struct kma_slab *slab,
		     enum kma_operation operation)
{
	if (kma_log_keeps_slabs())
		kma_log_slab(operation, kma_clock_now(), slab->base,
			     slab->pages << KMA_PAGE_SHIFT,
			     kma_stack_intern(operation == KMA_OP_ALLOC
						      ? KMA_STACK_OF_ALLOC
						      : KMA_STACK_OF_FREE),
			     cache->index);
}

static void count_slab(struct kma_cache *cache, const struct kma_slab *slab)
{
	log_slab(cache, slab, KMA_OP_ALLOC);
	cache->slab_create++;
	cache->buf_total += slab->buffers;
	cache->pages += slab->pages;
	if (cache->client)
		kma_client_note_peak(cache);
	if (!kma_client_is_foreign(cache))
		kma_arena_took(account_of(cache),
			       slab->pages << KMA_PAGE_SHIFT);
}

static void uncount_slab(struct kma_cache *cache, const struct kma_slab *slab)
{
	log_slab(cache, slab, KMA_OP_FREE);
	cache->slab_destroy++;
	cache->buf_total -= slab->buffers;
	cache->pages -= slab->pages;
	if (!kma_client_is_foreign(cache))
		kma_arena_gave(account_of(cache),
			       slab->pages << KMA_PAGE_SHIFT);
}

/* A header for pages of a cache; the pages themselves are the caller's. */
static struct kma_slab *header_lay_out(struct kma_cache *cache,
				       enum kma_tier tier)
{
	struct kma_slab_shape shape = kma_slab_shape(cache, tier);
	struct kma_slab *slab = header_create(shape.buffers, tier);

	if (!slab)
		return NULL;
	slab->cache = cache;
	slab->pages = shape.pages;
	slab->first = shape.first + kma_slab_next_colour(cache, &shape);
	slab->stride = shape.stride;
	slab->reciprocal = shape.reciprocal;
	slab->kind = KMA_PAGE_SLAB;
	slab->bare = shape.bare;
	slab->sampled = kma_sample_has_alone(cache, tier);
	for (uint32_t i = 0; i < shape.buffers; i++)
		slab->free_bits[i / 64] |= UINT64_C(1) << (i % 64);
	return slab;
}

uint32_t kma_slab_buffers(const struct kma_cache *cache, enum kma_tier tier)
{
	return kma_slab_shape(cache, tier).buffers;
}

static size_t page_align(const struct kma_cache *cache)
{
	return cache->align > KMA_PAGE_SIZE ? cache->align : KMA_PAGE_SIZE;
}

static struct kma_slab *slab_create(struct kma_cache *cache, enum kma_tier tier)
{
	bool zeroed;
	struct kma_slab *slab = header_lay_out(cache, tier);

	if (!slab)
		return NULL;
	place(slab, kma_pages_alloc(slab->pages, page_align(cache), &zeroed));
	if (!slab->base) {
		header_destroy(slab);
		return NULL;
	}
	/* Who constructs objects may do so before they are handed out. */
	slab->pristine =
		zeroed && tier == KMA_TIER_AUDIT && kma_cache_is_class(cache);
	list_insert(slab, KMA_SLABS_EMPTY);
	count_slab(cache, slab);
	uint64_t word = kma_pages_word(slab, KMA_PAGE_SLAB, tier, cache->index);

	if (kma_cache_is_class(cache))
		word |= KMA_PAGE_CLASS;
	kma_pages_set(slab->base, slab->pages, word);
	return slab;
}

struct kma_slab *kma_slab_create_foreign(struct kma_cache *cache,
					 uintptr_t base)
{
	struct kma_slab *slab = header_lay_out(cache, cache->tier);

	if (!slab)
		return NULL;
	place(slab, base);
	kma_lock_acquire(&cache->lock);
	list_insert(slab, KMA_SLABS_EMPTY);
	count_slab(cache, slab);
	kma_lock_release(&cache->lock);
	return slab;
}

bool kma_slab_add(struct kma_cache *cache, enum kma_tier tier)
{
	return slab_create(cache, tier) != NULL;
}

static void slab_destroy(struct kma_slab *slab)
{
	kma_slab_detach(slab);
	kma_slab_destroy_detached(slab);
}

static void *slab_take_one(struct kma_slab *slab, size_t word)
{
	unsigned bit = (unsigned)__builtin_ctzl(slab->free_bits[word]);
	size_t index = word * 64 + bit;

	slab->free_bits[word] &= slab->free_bits[word] - 1;
	slab->in_use++;
	return (void *)(slab->origin + index * slab->stride);
}

static unsigned slab_take(struct kma_slab *slab, void **starts, unsigned count)
{
	size_t words = bits_words(slab->buffers);
	unsigned taken = 0;

	for (size_t word = 0; word < words; word++)
		while (slab->free_bits[word]) {
			if (taken == count)
				return taken;
			starts[taken++] = slab_take_one(slab, word);
		}
	return taken;
}

static unsigned within_limit(const struct kma_cache *cache, unsigned count)
{
	uint64_t room =
		cache->limit > cache->out ? cache->limit - cache->out : 0;

	return count < room ? count : (unsigned)room;
}

unsigned kma_slab_take(struct kma_cache *cache, enum kma_tier tier,
		       void **starts, unsigned count, bool grow)
{
	bool is_foreign = kma_client_is_foreign(cache);
	unsigned taken = 0;

	if (cache->client)
		count = within_limit(cache, count);
	while (taken < count) {
		struct kma_slab *slab = cache->slabs[tier][KMA_SLABS_PARTIAL];

		if (!slab)
			slab = cache->slabs[tier][KMA_SLABS_EMPTY];
		if (!slab && grow && taken == 0 && !is_foreign)
			slab = slab_create(cache, tier);
		if (!slab)
			break;
		taken += slab_take(slab, starts + taken, count - taken);
		list_settle(slab);
	}
	cache->out += taken;
	cache->slab_alloc += taken;
	return taken;
}

static bool mark_free(const struct kma_buffer *buffer)
{
	uint64_t *word = &buffer->slab->free_bits[buffer->index / 64];
	uint64_t bit = UINT64_C(1) << (buffer->index % 64);

	if (*word & bit)
		return false;
	*word |= bit;
	buffer->slab->in_use--;
	return true;
}

static bool keep_empty(const struct kma_cache *cache, unsigned tier)
{
	if (cache->client)
		return kma_client_keeps(cache);
	const struct kma_slab *slab = cache->slabs[tier][KMA_SLABS_EMPTY];
	int empty = 0;

	for (; slab && empty < EMPTY_MAX; slab = slab->next)
		empty++;
	return empty < EMPTY_MAX;
}

bool kma_slab_put(struct kma_cache *cache, void *start, bool release)
{
	struct kma_buffer buffer;

	if (!kma_buffer_find_in(cache, (uintptr_t)start, &buffer) ||
	    buffer.start != (uintptr_t)start || buffer.slab->cache != cache ||
	    !mark_free(&buffer))
		return false;
	cache->out--;
	if (cache->client && buffer.slab->in_use == 0)
		buffer.slab->empty_since = kma_client_time();
	if (release && buffer.slab->in_use == 0 && !buffer.slab->hoarded &&
	    !kma_client_is_foreign(cache) &&
	    !keep_empty(cache, buffer.slab->tier))
		slab_destroy(buffer.slab);
	else
		list_settle(buffer.slab);
	return true;
}

void kma_slab_detach(struct kma_slab *slab)
{
	list_remove(slab);
	uncount_slab(slab->cache, slab);
}

void kma_slab_destroy_detached(struct kma_slab *slab)
{
	kma_audit_evict(slab);
	if (!kma_client_is_foreign(slab->cache))
		kma_pages_free(slab->base, slab->pages);
	header_destroy(slab);
}

void *kma_slab_take_from(struct kma_slab *slab)
{
	void *start = NULL;

	if (slab_take(slab, &start, 1)) {
		slab->cache->out++;
		list_settle(slab);
	}
	return start;
}

void kma_slab_reap(struct kma_cache *cache)
{
	struct kma_slab *slab, *next;

	for (unsigned tier = 0; tier < KMA_TIER_COUNT; tier++)
		for (slab = cache->slabs[tier][KMA_SLABS_EMPTY]; slab;
		     slab = next) {
			next = slab->next;
			if (!slab->hoarded)
				slab_destroy(slab);
		}
}

struct kma_slab *kma_slab_create_large(struct kma_cache *cache, uintptr_t base,
				       size_t pages, size_t first,
				       enum kma_tier tier, bool zeroed)
{
	struct kma_slab *slab = header_create(1, tier);

	if (!slab)
		return NULL;
	slab->cache = cache;
	slab->pages = pages;
	slab->first = first;
	place(slab, base);
	slab->stride = (pages << KMA_PAGE_SHIFT) - first;
	slab->reciprocal = kma_slab_reciprocal(slab->stride, slab->buffers);
	slab->in_use = 1;
	slab->kind = KMA_PAGE_LARGE;
	slab->zeroed = zeroed;
	slab->sampled = kma_sample_has_alone(cache, tier);
	kma_lock_acquire(&cache->lock);
	list_insert(slab, KMA_SLABS_FULL);
	count_slab(cache, slab);
	cache->alloc++;
	kma_lock_release(&cache->lock);
	return slab;
}

void kma_slab_destroy_large(struct kma_slab *slab)
{
	struct kma_cache *cache = slab->cache;

	kma_lock_acquire(&cache->lock);
	list_remove(slab);
	uncount_slab(cache, slab);
	kma_lock_release(&cache->lock);
	header_destroy(slab);
}
