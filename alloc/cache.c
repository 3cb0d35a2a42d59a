/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The caches by size, and what can be told of a buffer from an address.
 *
 * The classes are Solaris's. kmem_alloc_8 takes part in kmem_alloc only:
 * malloc's buffers are 16-aligned, which an 8-byte stride is not.
 */
#include "alloc/cache.h"

#include "alloc/client.h"
#include "alloc/foreign.h"
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

enum { TABLE_FIRST = 128 };

static_assert(CLASS_COUNT + 1 <= TABLE_FIRST, "classes fit the first table");

struct kma_cache **kma_caches;
unsigned kma_cache_count;
struct kma_lock kma_registry_lock;

/* Guarded by the registry's lock. */
static unsigned table_size;
static struct kma_cache **last_link = &kma_root.caches;

uint8_t kma_fast_table[KMA_CACHED_MAX / 16 + 1];
uint8_t kma_kmem_table[KMA_CACHED_MAX / 8 + 1];
uint8_t kma_audit_table[KMA_CACHED_MAX / 16 + 1];

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

uint32_t kma_cache_first_rounds(size_t bufsize)
{
	return magazine_sizes[magazine_row(bufsize)];
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

/* Room for one more. Readers of the old table go on with it. */
static bool table_grow(void)
{
	unsigned size = table_size ? table_size * 2 : TABLE_FIRST;
	struct kma_cache **table;

	if (kma_cache_count < table_size)
		return true;
	if (kma_cache_count == KMA_CACHES_MAX)
		return false;
	table = kma_meta_alloc(size * sizeof(struct kma_cache *));
	if (!table)
		return false;
	if (kma_cache_count)
		memcpy(table, kma_caches,
		       kma_cache_count * sizeof(struct kma_cache *));
	table_size = size;
	__atomic_store_n(&kma_caches, table, __ATOMIC_RELEASE);
	return true;
}

bool kma_cache_register(struct kma_cache *cache, bool has_index)
{
	kma_lock_acquire(&kma_registry_lock);
	bool entered = has_index || table_grow();

	if (entered && !has_index) {
		cache->index = kma_cache_count;
		kma_caches[kma_cache_count] = cache;
		__atomic_store_n(&kma_cache_count, kma_cache_count + 1,
				 __ATOMIC_RELEASE);
	}
	if (entered) {
		cache->next = NULL;
		__atomic_store_n(last_link, cache, __ATOMIC_RELEASE);
		last_link = &cache->next;
		kma_root.cache_count++;
	}
	kma_lock_release(&kma_registry_lock);
	return entered;
}

void kma_cache_unregister(struct kma_cache *cache)
{
	struct kma_cache **link = &kma_root.caches;

	kma_lock_acquire(&kma_registry_lock);
	while (*link != cache)
		link = &(*link)->next;
	__atomic_store_n(link, cache->next, __ATOMIC_RELEASE);
	if (last_link == &cache->next)
		last_link = link;
	kma_root.cache_count--;
	kma_lock_release(&kma_registry_lock);
}

static bool class_create(size_t bufsize)
{
	struct kma_cache *cache =
		kma_meta_take(KMA_META_CACHE, 1, sizeof(*cache));

	if (!cache)
		return false;
	if (bufsize)
		append_number(append(cache->name, "kmem_alloc_"), bufsize);
	else
		append(cache->name, "kmem_oversize");
	cache->bufsize = bufsize;
	cache->align = bufsize == 8 ? 8 : bufsize ? 16 : KMA_PAGE_SIZE;
	cache->magazine_size = bufsize ? kma_cache_first_rounds(bufsize) : 0;
	if (!bufsize)
		cache->flags |= KMA_CACHE_NOMAGAZINE;
	return kma_cache_register(cache, false);
}

bool kma_cache_init(void)
{
	for (unsigned i = 0; i <= CLASS_COUNT; i++)
		if (!class_create(i < CLASS_COUNT ? class_sizes[i] : 0))
			return false;

	unsigned class = CLASS_MALLOC_FIRST;

	for (size_t size = 0; size <= CLASS_TABLE_MAX; size += 16) {
		while (class_sizes[class] < size)
			class ++;
		class_table[size / 16] = (uint8_t) class;
	}
	kma_kmem_table[0] = CLASS_COUNT; /* size 0: never served */
	kma_tier_init();
	return true;
}

/* Entries of a table for all requests above one size and up to another. */
static void set_entries(uint8_t *table, size_t unit, size_t above, size_t up_to,
			unsigned value)
{
	for (size_t i = above / unit + 1; i <= up_to / unit; i++)
		__atomic_store_n(&table[i], (uint8_t)value, __ATOMIC_RELAXED);
}

/*
 * A class is aligned as every kmem_alloc it serves must be: no multiple of 64
 * or of a page lies between a class that is none and the class below it.
 */
void kma_cache_set_fast(const struct kma_cache *cache, enum kma_tier tier)
{
	unsigned class = cache->index, plain = CLASS_COUNT, kmem = CLASS_COUNT;
	unsigned audit = tier == KMA_TIER_AUDIT ? class : CLASS_COUNT;
	size_t above, up_to;

	if (class >= CLASS_COUNT)
		return;
	above = class ? class_sizes[class - 1] : 0;
	up_to = class_sizes[class];
	if (tier == KMA_TIER_OFF)
		plain = kmem = class;
	if (tier == KMA_TIER_LITE)
		kmem = class | KMA_KMEM_LITE;
	set_entries(kma_kmem_table, 8, above, up_to, kmem);
	if (class < CLASS_MALLOC_FIRST)
		return;
	set_entries(kma_fast_table, 16, above, up_to, plain);
	set_entries(kma_audit_table, 16, above, up_to, audit);
	if (class == CLASS_MALLOC_FIRST) {
		kma_fast_table[0] = (uint8_t)plain;
		kma_audit_table[0] = (uint8_t)audit;
	}
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

	if (__builtin_expect(align <= 16 && size <= CLASS_TABLE_MAX, 1))
		return kma_caches[class_table[(size + 15) / 16]];
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

bool kma_buffer_find_in(const struct kma_cache *cache, uintptr_t address,
			struct kma_buffer *ret)
{
	if (kma_client_is_foreign(cache) &&
	    kma_foreign_find_in(cache, address, ret))
		return true;
	return kma_buffer_find(address, ret);
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
