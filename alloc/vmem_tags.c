/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boundary tags: the list of an arena's segments, its hash and free lists, and
 * a store of spare tags for all arenas.
 */
#include "alloc/vmem.h"

#include "alloc/meta.h"
#include "alloc/vmem_impl.h"

/* --- spare tags -------------------------------------------------------------
 */

enum { TAGS_AT_A_TIME = 42 }; /* a page of them */

struct kma_lock kma_vmem_tags_lock;
static struct kma_vmem_seg *spare_tags; /* by next */

/* Lock of the spare tags held. */
static void tags_refill(void)
{
	struct kma_vmem_seg *tags = kma_meta_take(
		KMA_META_SEG, TAGS_AT_A_TIME, TAGS_AT_A_TIME * sizeof(*tags));

	for (int i = 0; tags && i < TAGS_AT_A_TIME; i++) {
		tags[i].next = spare_tags;
		spare_tags = &tags[i];
	}
}

static struct kma_vmem_seg *tag_get(void)
{
	kma_lock_acquire(&kma_vmem_tags_lock);
	if (!spare_tags)
		tags_refill();

	struct kma_vmem_seg *tag = spare_tags;

	if (tag)
		spare_tags = tag->next;
	kma_lock_release(&kma_vmem_tags_lock);
	if (tag)
		*tag = (struct kma_vmem_seg){ 0 };
	return tag;
}

static void tag_put(struct kma_vmem_seg *tag)
{
	kma_lock_acquire(&kma_vmem_tags_lock);
	tag->next = spare_tags;
	spare_tags = tag;
	kma_lock_release(&kma_vmem_tags_lock);
}

/* --- the list of all ---------------------------------------------------------
 */

static void link_after(struct kma_vmem *vmem, struct kma_vmem_seg *before,
		       struct kma_vmem_seg *seg)
{
	seg->prev = before;
	seg->next = before->next;
	seg->next->prev = seg;
	before->next = seg;
	vmem->segments++;
}

static void unlink(struct kma_vmem *vmem, struct kma_vmem_seg *seg)
{
	seg->prev->next = seg->next;
	seg->next->prev = seg->prev;
	if (vmem->next_fit == seg)
		vmem->next_fit = seg->prev;
	vmem->segments--;
	tag_put(seg);
}

/* --- free lists --------------------------------------------------------------
 */

static void free_insert(struct kma_vmem *vmem, struct kma_vmem_seg *seg)
{
	unsigned list = kma_vmem_list_of(seg->length);

	seg->type = KMA_VMEM_SEG_FREE;
	seg->list_prev = NULL;
	seg->list_next = vmem->free_lists[list];
	if (seg->list_next)
		seg->list_next->list_prev = seg;
	vmem->free_lists[list] = seg;
	vmem->occupied |= UINT64_C(1) << list;
}

static void free_remove(struct kma_vmem *vmem, struct kma_vmem_seg *seg)
{
	unsigned list = kma_vmem_list_of(seg->length);

	if (seg->list_prev)
		seg->list_prev->list_next = seg->list_next;
	else
		vmem->free_lists[list] = seg->list_next;
	if (seg->list_next)
		seg->list_next->list_prev = seg->list_prev;
	if (!vmem->free_lists[list])
		vmem->occupied &= ~(UINT64_C(1) << list);
}

/* --- the hash of what is allocated ------------------------------------------
 */

static struct kma_vmem_seg **chain_of(const struct kma_vmem *vmem,
				      uintptr_t address)
{
	uint64_t mixed = (uint64_t)(address / vmem->quantum) *
			 UINT64_C(0x9e3779b97f4a7c15);

	return &vmem->hash[mixed >> 32 & (vmem->hash_size - 1)];
}

static void chain_push(struct kma_vmem *vmem, struct kma_vmem_seg *seg)
{
	struct kma_vmem_seg **chain = chain_of(vmem, seg->start);

	seg->list_next = *chain;
	*chain = seg;
}

static void chains_free(struct kma_vmem_seg **chains, size_t count)
{
	kma_meta_give(KMA_META_HASH, chains, count, count * sizeof(*chains));
}

static void hash_discard(struct kma_vmem *vmem)
{
	if (vmem->hash != vmem->hash_first)
		chains_free(vmem->hash, vmem->hash_size);
}

/* Twice as many chains; without memory for them they only grow longer. */
static void hash_grow(struct kma_vmem *vmem)
{
	size_t size = vmem->hash_size, grown = size * 2;
	struct kma_vmem_seg **old = vmem->hash;
	struct kma_vmem_seg **hash =
		kma_meta_take(KMA_META_HASH, grown, grown * sizeof(*hash));

	if (!hash)
		return;
	vmem->hash = hash;
	vmem->hash_size = grown;
	for (size_t i = 0; i < size; i++)
		for (struct kma_vmem_seg *seg = old[i], *next; seg;
		     seg = next) {
			next = seg->list_next;
			chain_push(vmem, seg);
		}
	if (old != vmem->hash_first)
		chains_free(old, size);
}

static void hash_insert(struct kma_vmem *vmem, struct kma_vmem_seg *seg)
{
	if (++vmem->hash_count > 2 * vmem->hash_size)
		hash_grow(vmem);
	chain_push(vmem, seg);
}

static void hash_remove(struct kma_vmem *vmem, struct kma_vmem_seg *seg)
{
	struct kma_vmem_seg **link = chain_of(vmem, seg->start);

	while (*link != seg)
		link = &(*link)->list_next;
	*link = seg->list_next;
	vmem->hash_count--;
}

struct kma_vmem_seg *kma_vmem_lookup(const struct kma_vmem *vmem,
				     uintptr_t address)
{
	struct kma_vmem_seg *seg = *chain_of(vmem, address);

	while (seg && seg->start != address)
		seg = seg->list_next;
	return seg;
}

/* --- spans -------------------------------------------------------------------
 */

static void spans_link(struct kma_vmem *vmem, struct kma_vmem_seg *span)
{
	span->list_prev = &vmem->head;
	span->list_next = vmem->head.list_next;
	if (span->list_next)
		span->list_next->list_prev = span;
	vmem->head.list_next = span;
	vmem->spans++;
}

static void spans_unlink(struct kma_vmem *vmem, struct kma_vmem_seg *span)
{
	span->list_prev->list_next = span->list_next;
	if (span->list_next)
		span->list_next->list_prev = span->list_prev;
	vmem->spans--;
}

struct kma_vmem_seg *kma_vmem_span_add(struct kma_vmem *vmem, uintptr_t address,
				       size_t size, bool imported)
{
	struct kma_vmem_seg *span = tag_get();
	struct kma_vmem_seg *seg = span ? tag_get() : NULL;

	if (!seg) {
		if (span)
			tag_put(span);
		return NULL;
	}
	span->type = KMA_VMEM_SEG_SPAN;
	span->imported = imported;
	span->start = seg->start = address;
	span->length = seg->length = size;
	spans_link(vmem, span);
	link_after(vmem, vmem->head.prev, span);
	link_after(vmem, span, seg);
	free_insert(vmem, seg);
	vmem->total += size;
	if (imported)
		vmem->imported += size;
	return seg;
}

/* --- cutting and merging -----------------------------------------------------
 */

struct kma_vmem_seg *kma_vmem_cut(struct kma_vmem *vmem,
				  struct kma_vmem_seg *seg, uintptr_t at,
				  size_t length)
{
	size_t ahead = at - seg->start;
	size_t behind = seg->length - ahead - length;
	struct kma_vmem_seg *before = ahead ? tag_get() : NULL;
	struct kma_vmem_seg *after = behind ? tag_get() : NULL;

	if ((ahead && !before) || (behind && !after)) {
		if (before)
			tag_put(before);
		return NULL;
	}
	free_remove(vmem, seg);
	seg->start = at;
	seg->length = length;
	if (before) {
		before->start = at - ahead;
		before->length = ahead;
		link_after(vmem, seg->prev, before);
		free_insert(vmem, before);
	}
	if (after) {
		after->start = at + length;
		after->length = behind;
		link_after(vmem, seg, after);
		free_insert(vmem, after);
		if (vmem->next_fit == seg && vmem->next_fit_at > after->start)
			vmem->next_fit = after;
	}
	seg->type = KMA_VMEM_SEG_ALLOC;
	hash_insert(vmem, seg);
	vmem->in_use += length;
	return seg;
}

/* seg swallows the free segment behind it. */
static void join(struct kma_vmem *vmem, struct kma_vmem_seg *seg)
{
	struct kma_vmem_seg *next = seg->next;

	free_remove(vmem, next);
	seg->length += next->length;
	unlink(vmem, next);
}

static bool is_whole_import(const struct kma_vmem *vmem,
			    const struct kma_vmem_seg *seg)
{
	return seg->prev->type == KMA_VMEM_SEG_SPAN && seg->prev->imported &&
	       seg->length == seg->prev->length && vmem->source.release;
}

bool kma_vmem_merge(struct kma_vmem *vmem, struct kma_vmem_seg *seg,
		    uintptr_t *address, size_t *size)
{
	hash_remove(vmem, seg);
	vmem->in_use -= seg->length;
	seg->type = KMA_VMEM_SEG_FREE;
	seg->slab = NULL;
	if (seg->next->type == KMA_VMEM_SEG_FREE)
		join(vmem, seg);
	if (seg->prev->type == KMA_VMEM_SEG_FREE) {
		struct kma_vmem_seg *before = seg->prev;

		free_remove(vmem, before);
		before->length += seg->length;
		unlink(vmem, seg);
		seg = before;
	}
	if (!is_whole_import(vmem, seg)) {
		free_insert(vmem, seg);
		return false;
	}

	struct kma_vmem_seg *span = seg->prev;

	*address = span->start;
	*size = span->length;
	vmem->total -= span->length;
	vmem->imported -= span->length;
	spans_unlink(vmem, span);
	unlink(vmem, seg);
	unlink(vmem, span);
	return true;
}

void kma_vmem_tags_discard(struct kma_vmem *vmem)
{
	while (vmem->head.next != &vmem->head)
		unlink(vmem, vmem->head.next);
	hash_discard(vmem);
}
