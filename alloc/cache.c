/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The caches by size, and what can be told of a buffer from an address.
 *
 * The classes are Solaris's. kmem_alloc_8 takes part in kmem_alloc only:
 * malloc's buffers are 16-aligned, which an 8-byte stride is not.
 */
#include "alloc/cache.h"

#include "alloc/meta.h"
#include "alloc/root.h"
#include "alloc/tier.h"
#include "alloc/word.h"

#include <string.h>

static const uint32_t class_sizes[] = {
	8,     16,    32,     48,     64,     80,     96,    112,
	128,   160,   192,    224,    256,    320,    384,   448,
	512,   640,   768,    896,    1152,   1344,   1600,  2048,
	2304,  2688,  4096,   4544,   8192,   9216,   12288, 16384,
	24576, 32768, 40960,  49152,  57344,  65536,  73728, 81920,
	90112, 98304, 106496, 114688, 122880, 131072,
};

enum { CLASS_COUNT = sizeof(class_sizes) / sizeof(class_sizes[0]) };
enum { CLASS_MALLOC_FIRST = 1 }; /* kmem_alloc_16 */

static_assert(CLASS_COUNT + 1 <= KMA_CACHES_MAX, "caches fit their table");

struct kma_cache *kma_caches[KMA_CACHES_MAX];
unsigned kma_cache_count;
uint8_t kma_fast_table[KMA_CACHED_MAX / 16 + 1];

/* The index of the class for a small request, by (size + 15) / 16. */
enum { CLASS_TABLE_MAX = 4096 };
static uint8_t class_table[CLASS_TABLE_MAX / 16 + 1];

/*
 * Sizes of magazines: with its header one fills a power of two of metadata. A
 * cache starts with the size its row says and may grow by one.
 */
static const uint16_t magazine_sizes[] = { 2, 5, 13, 29, 61, 125, 253 };

static unsigned magazine_row(size_t bufsize)
{
	static const size_t up_to[] = { 128, 512, 2304, 9216, 32768 };
	enum { ROWS = sizeof(up_to) / sizeof(up_to[0]) };
	unsigned row = 0;

	while (row < ROWS && bufsize > up_to[row])
		row++;
	return ROWS - row;
}

uint32_t kma_cache_magazine_size(const struct kma_cache *cache)
{
	return __atomic_load_n(&cache->magazine_size, __ATOMIC_RELAXED);
}

void kma_cache_magazine_grow(struct kma_cache *cache)
{
	__atomic_store_n(&cache->magazine_size,
			 magazine_sizes[magazine_row(cache->bufsize) + 1],
			 __ATOMIC_RELAXED);
}

static char *append(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	return at;
}

static char *append_number(char *at, size_t number)
{
	char digits[24];
	unsigned count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (count)
		*at++ = digits[--count];
	return at;
}

static struct kma_cache *cache_create(size_t bufsize, struct kma_cache **link)
{
	struct kma_cache *cache =
		kma_meta_take(KMA_META_CACHE, 1, sizeof(*cache));

	if (!cache)
		return NULL;
	if (bufsize)
		append_number(append(cache->name, "kmem_alloc_"), bufsize);
	else
		append(cache->name, "kmem_oversize");
	cache->bufsize = bufsize;
	cache->align = bufsize == 8 ? 8 : bufsize ? 16 : KMA_PAGE_SIZE;
	cache->magazine_size =
		bufsize ? magazine_sizes[magazine_row(bufsize)] : 0;
	cache->index = kma_cache_count;
	if (!bufsize)
		cache->flags |= KMA_CACHE_NOMAGAZINE;
	kma_caches[kma_cache_count++] = cache;
	*link = cache;
	return cache;
}

bool kma_cache_init(void)
{
	struct kma_cache **link = &kma_root.caches;
	struct kma_cache *cache;

	for (unsigned i = 0; i <= CLASS_COUNT; i++) {
		cache = cache_create(i < CLASS_COUNT ? class_sizes[i] : 0,
				     link);
		if (!cache)
			return false;
		link = &cache->next;
	}
	kma_root.cache_count = kma_cache_count;

	unsigned class = CLASS_MALLOC_FIRST;

	for (size_t size = 0; size <= CLASS_TABLE_MAX; size += 16) {
		while (class_sizes[class] < size)
			class ++;
		class_table[size / 16] = (uint8_t) class;
	}
	kma_tier_init();
	return true;
}

void kma_cache_set_fast(const struct kma_cache *cache, bool fast)
{
	unsigned class = cache->index;

	if (!kma_cache_is_class(cache))
		return;

	size_t first = class == CLASS_MALLOC_FIRST
			       ? 0
			       : class_sizes[class - 1] / 16 + 1;

	for (size_t i = first; i <= class_sizes[class] / 16; i++)
		__atomic_store_n(&kma_fast_table[i],
				 (uint8_t)(fast ? class : CLASS_COUNT),
				 __ATOMIC_RELAXED);
}

struct kma_cache *kma_cache_oversize(void)
{
	return kma_caches[CLASS_COUNT];
}

bool kma_cache_is_class(const struct kma_cache *cache)
{
	return cache->index >= CLASS_MALLOC_FIRST && cache->index < CLASS_COUNT;
}

/* The first class from this one on that holds size bytes. */
static unsigned class_holding(size_t size)
{
	unsigned class = class_table[CLASS_TABLE_MAX / 16];

	if (size <= CLASS_TABLE_MAX)
		return class_table[(size + 15) / 16];
	while (class_sizes[class] < size)
		class ++;
	return class;
}

struct kma_cache *kma_cache_for(size_t size, size_t align, enum kma_tier tier)
{
	bool natural = tier != KMA_TIER_AUDIT;

	if (align <= 16)
		align = 16;
	else if (natural && align > KMA_PAGE_SIZE)
		return kma_cache_oversize();
	if (size > KMA_CACHED_MAX || align > KMA_CACHED_MAX / 2)
		return kma_cache_oversize();
	if (!natural)
		size += align - 16;
	if (size > KMA_CACHED_MAX)
		return kma_cache_oversize();

	unsigned class = class_holding(size);

	if (natural)
		while (class_sizes[class] % align)
			class ++;
	return kma_caches[class];
}

uintptr_t kma_buffer_user(const struct kma_buffer *buffer)
{
	if (!buffer->bufctl)
		return buffer->start;
	return buffer->start + kma_word_offset(kma_word_load(buffer));
}

size_t kma_buffer_size(const struct kma_buffer *buffer)
{
	if (!kma_word_of(buffer))
		return buffer->slab->stride;
	return kma_word_size(kma_word_load(buffer));
}
