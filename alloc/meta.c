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

void *kma_meta_alloc(size_t size)
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
	kma_lock_release(&kma_meta_lock);
	if (block && !fresh)
		memset(block, 0, rounded);
	return block;
}

void kma_meta_free(void *p, size_t size)
{
	struct free_block *block = p;

	if (!block)
		return;
	kma_lock_acquire(&kma_meta_lock);
	struct free_block **list = list_for(round_size(size));

	block->next = *list;
	*list = block;
	kma_lock_release(&kma_meta_lock);
}
