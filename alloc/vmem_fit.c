/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which free segment, and where in it.
 *
 * A free list holds lengths from 2^n to 2^(n+1) - 1, so any segment of list
 * ceil(log2(length)) or above holds length bytes. What wants alignment is sure
 * to fit where align - quantum more would. Only where no such list has a
 * segment, or where bounds are asked for, are segments looked at one by one.
 */
#include "alloc/vmem.h"

#include "alloc/vmem_impl.h"

/* The lowest number from low on that is phase modulo align; may wrap. */
static uintptr_t next_at(uintptr_t low, const struct kma_vmem_want *want)
{
	return ((low - want->phase + want->align - 1) &
		~(uintptr_t)(want->align - 1)) +
	       want->phase;
}

static bool crosses(uintptr_t at, const struct kma_vmem_want *want)
{
	return want->nocross &&
	       ((at ^ (at + want->size - 1)) & ~(want->nocross - 1)) != 0;
}

bool kma_vmem_fits(uintptr_t start, size_t length,
		   const struct kma_vmem_want *want, uintptr_t *ret)
{
	uintptr_t last = start + (length - 1);
	uintptr_t low = start > want->min ? start : want->min;
	uintptr_t at = next_at(low, want);

	if (last > want->max)
		last = want->max;
	if (at < low)
		return false; /* wrapped */
	if (crosses(at, want)) {
		low = (at + want->size - 1) & ~(want->nocross - 1);
		at = next_at(low, want);
		if (at < low)
			return false;
	}
	*ret = at;
	return at <= last && last - at >= want->size - 1;
}

bool kma_vmem_could_grant(const struct kma_vmem *vmem,
			  const struct kma_vmem_want *want)
{
	const struct kma_vmem_seg *span = vmem->head.list_next;
	uintptr_t at;

	if (want->size > vmem->limit)
		return false;
	for (; span; span = span->list_next)
		if (kma_vmem_fits(span->start, span->length, want, &at))
			return true;
	return false;
}

static bool is_bounded(const struct kma_vmem_want *want)
{
	return want->nocross || want->min || want->max != UINTPTR_MAX;
}

/* Any segment of this list and those above surely holds it; or LISTS. */
static unsigned sure_list(const struct kma_vmem *vmem,
			  const struct kma_vmem_want *want)
{
	size_t enough;

	if (is_bounded(want) ||
	    __builtin_add_overflow(want->size, want->align - vmem->quantum,
				   &enough))
		return KMA_VMEM_LISTS;
	return kma_vmem_list_of(enough) + ((enough & (enough - 1)) != 0);
}

static struct kma_vmem_seg *find_instantly(const struct kma_vmem *vmem,
					   const struct kma_vmem_want *want,
					   uintptr_t *ret)
{
	unsigned list = sure_list(vmem, want);

	if (list >= KMA_VMEM_LISTS || !(vmem->occupied >> list))
		return NULL;
	list += (unsigned)__builtin_ctzl(vmem->occupied >> list);

	struct kma_vmem_seg *seg = vmem->free_lists[list];

	return kma_vmem_fits(seg->start, seg->length, want, ret) ? seg : NULL;
}

/* The shortest of one list. */
static struct kma_vmem_seg *find_shortest(struct kma_vmem_seg *seg,
					  const struct kma_vmem_want *want,
					  uintptr_t *ret)
{
	struct kma_vmem_seg *best = NULL;
	uintptr_t at;

	for (; seg; seg = seg->list_next)
		if ((!best || seg->length < best->length) &&
		    kma_vmem_fits(seg->start, seg->length, want, &at)) {
			best = seg;
			*ret = at;
			if (seg->length == want->size)
				break;
		}
	return best;
}

static struct kma_vmem_seg *find_best(const struct kma_vmem *vmem,
				      const struct kma_vmem_want *want,
				      uintptr_t *ret)
{
	struct kma_vmem_seg *seg = NULL;

	for (unsigned list = kma_vmem_list_of(want->size);
	     !seg && list < KMA_VMEM_LISTS; list++)
		seg = find_shortest(vmem->free_lists[list], want, ret);
	return seg;
}

/* The first of [from, to) in the order of all. */
static struct kma_vmem_seg *find_between(struct kma_vmem_seg *from,
					 const struct kma_vmem_seg *to,
					 const struct kma_vmem_want *want,
					 uintptr_t *ret)
{
	for (; from != to; from = from->next)
		if (from->type == KMA_VMEM_SEG_FREE &&
		    kma_vmem_fits(from->start, from->length, want, ret))
			return from;
	return NULL;
}

/* From where the last one was given to the end, and then from the beginning. */
static struct kma_vmem_seg *find_next(struct kma_vmem *vmem,
				      const struct kma_vmem_want *want,
				      uintptr_t *ret)
{
	struct kma_vmem_want rest = *want;
	struct kma_vmem_seg *from = vmem->next_fit;
	struct kma_vmem_seg *seg = NULL;

	if (from != &vmem->head) {
		if (rest.min < vmem->next_fit_at)
			rest.min = vmem->next_fit_at;
		seg = find_between(from, from->next, &rest, ret);
		if (!seg)
			seg = find_between(from->next, &vmem->head, want, ret);
	}
	if (!seg)
		seg = find_between(vmem->head.next, &vmem->head, want, ret);
	return seg;
}

struct kma_vmem_seg *kma_vmem_find(struct kma_vmem *vmem,
				   const struct kma_vmem_want *want,
				   unsigned flags, uintptr_t *ret)
{
	struct kma_vmem_seg *seg;

	if (flags & KMA_VM_NEXTFIT)
		return find_next(vmem, want, ret);
	if (flags & KMA_VM_FIRSTFIT)
		return find_between(vmem->head.next, &vmem->head, want, ret);
	seg = flags & KMA_VM_BESTFIT ? NULL : find_instantly(vmem, want, ret);
	return seg ? seg : find_best(vmem, want, ret);
}
