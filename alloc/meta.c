/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bump pointer and free lists by exact size. What is asked for here comes in
 * few sizes (a header, a bitmap, a magazine, the bufctls of one kind of slab),
 * so exact lists neither fragment nor search. Sizes past EXACT_MAX are rounded
 * to a power of two, with a list for each.
 */
#include "alloc/meta.h"

#include "alloc/lock.h"
#include "alloc/range.h"
#include "alloc/root.h"
#include "alloc/text.h"
#include "alloc/thread.h"
#include "alloc/vmem.h"

#include <stdbool.h>
#include <string.h>

enum { UNIT = 64, EXACT_MAX = 256 * 1024, EXACT_LISTS = EXACT_MAX / UNIT + 1 };

struct free_block {
	struct free_block *next;
};

struct kma_lock kma_meta_lock;
static struct free_block *exact_lists[EXACT_LISTS];
static struct free_block *power_lists[64];
static size_t used; /* bytes of the part handed out so far */
static struct kma_meta_cache caches[KMA_META_COUNT];

static size_t round_size(size_t size)
{
	if (size > EXACT_MAX)
		return (size_t)1 << (64 - __builtin_clzl(size - 1));
	return size == 0 ? UNIT : (size + UNIT - 1) & ~(size_t)(UNIT - 1);
}

static struct free_block **list_for(size_t rounded)
{
	if (rounded > EXACT_MAX)
		return &power_lists[__builtin_ctzl(rounded)];
	return &exact_lists[rounded / UNIT];
}

/* Fresh memory of the part, zero as the kernel gave it. Lock held. */
static void *extend(size_t size)
{
	struct kma_range *meta = &kma_reserve.meta;
	uintptr_t at = meta->base + used;

	if (size > meta->end - at || !kma_range_commit(meta, at + size))
		return NULL;
	used += size;
	return (void *)at;
}

/* Lock held. */
static void count(enum kma_meta_kind kind, size_t units, size_t size,
		  bool taken)
{
	struct kma_meta_cache *cache = &caches[kind];

	if (!taken) {
		cache->alloc_fail += units;
		return;
	}
	cache->alloc += units;
	cache->in_use += units;
	cache->memory += size;
}

void *kma_meta_take(enum kma_meta_kind kind, size_t units, size_t size)
{
	size_t rounded = round_size(size);

	kma_lock_acquire(&kma_meta_lock);
	struct free_block **list = list_for(rounded);
	struct free_block *block = *list;
	bool fresh = block == NULL;

	if (fresh)
		block = extend(rounded);
	else
		*list = block->next;
	count(kind, units, rounded, block != NULL);
	kma_lock_release(&kma_meta_lock);
	if (block)
		kma_arena_took(KMA_ACCOUNT_METADATA, rounded);
	else
		kma_arena_failed(KMA_ACCOUNT_METADATA);
	if (block && !fresh)
		memset(block, 0, rounded);
	return block;
}

void kma_meta_give(enum kma_meta_kind kind, void *p, size_t units, size_t size)
{
	struct kma_meta_cache *cache = &caches[kind];
	struct free_block *block = p;
	size_t rounded = round_size(size);

	if (!block)
		return;
	kma_lock_acquire(&kma_meta_lock);
	struct free_block **list = list_for(rounded);

	block->next = *list;
	*list = block;
	cache->free += units;
	cache->in_use -= units;
	cache->memory -= rounded;
	kma_lock_release(&kma_meta_lock);
	kma_arena_gave(KMA_ACCOUNT_METADATA, rounded);
}

void *kma_meta_alloc(size_t size)
{
	return kma_meta_take(KMA_META_OTHER, 1, size);
}

void kma_meta_free(void *p, size_t size)
{
	kma_meta_give(KMA_META_OTHER, p, 1, size);
}

/* --- kinds -------------------------------------------------------------------
 */

static void name_kind(enum kma_meta_kind kind, const char *name, size_t unit)
{
	strncpy(caches[kind].name, name, sizeof(caches[kind].name) - 1);
	caches[kind].unit = unit;
	if (kma_root.meta_cache_count <= (unsigned)kind)
		__atomic_store_n(&kma_root.meta_cache_count, kind + 1,
				 __ATOMIC_RELEASE);
}

void kma_meta_init(void)
{
	kma_root.meta_caches = caches;
	name_kind(KMA_META_OTHER, "kmem_metadata_other", 0);
	name_kind(KMA_META_CACHE, "kmem_cache", sizeof(struct kma_cache));
	name_kind(KMA_META_SLAB, "kmem_slab_cache", sizeof(struct kma_slab));
	name_kind(KMA_META_BUFCTL, "kmem_bufctl_audit_cache",
		  sizeof(struct kma_bufctl));
	name_kind(KMA_META_WORD, "kmem_bufctl_cache", sizeof(uint64_t));
	name_kind(KMA_META_RUN, "kmem_run", 0);
	name_kind(KMA_META_THREAD, "kmem_thread", 0);
	name_kind(KMA_META_VMEM, "vmem_vmem", 0);
	name_kind(KMA_META_SEG, "vmem_seg", sizeof(struct kma_vmem_seg));
	name_kind(KMA_META_HASH, "vmem_hash", sizeof(void *));
}

enum kma_meta_kind kma_meta_magazine(uint32_t rounds)
{
	size_t unit = sizeof(struct kma_magazine) + rounds * sizeof(void *);
	unsigned kind = KMA_META_MAGAZINE;
	struct kma_text name;
	char text[24];

	kma_lock_acquire(&kma_meta_lock);
	while (kind < kma_root.meta_cache_count && caches[kind].unit != unit)
		kind++;
	if (kind == KMA_META_COUNT) {
		kind = KMA_META_OTHER;
	} else if (kind == kma_root.meta_cache_count) {
		kma_text_init(&name, text, sizeof(text));
		kma_text_string(&name, "kmem_magazine_");
		kma_text_decimal(&name, rounds);
		name_kind(kind, text, unit);
	}
	kma_lock_release(&kma_meta_lock);
	return kind;
}
