/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Slabs on pages that clients of caches brought. Their mapping would be a root,
 * but what lies there are buffers, to be followed one by one.
 *
 * Where the pages are a buffer's bytes, of kmem_alloc() or malloc(), that
 * buffer is held by the cache, and its slabs are what leads on:
 *
 *	carrier	 |------|== slab ==|---|== slab ==|------|
 *	roots	 |------|          |---|          |------|
 */
#include "kdbg/heap.h"
#include "kdbg/roots_internal.h"

/* The foreign ones are the last of all, sorted. */
static size_t first_foreign(const struct roots *roots,
			    const struct heap_slab **slabs, size_t *count)
{
	size_t first;

	*count = roots->heap ? heap_slabs(roots->heap, slabs) : 0;
	for (first = *count; first > 0 && (*slabs)[first - 1].foreign; first--)
		;
	return first;
}

bool roots_cut_slabs(struct roots *roots)
{
	const struct heap_slab *slabs;
	size_t count;

	for (size_t i = first_foreign(roots, &slabs, &count); i < count; i++)
		if (!roots_cut(roots, slabs[i].base,
			       slabs[i].base + slabs[i].size, 0, NULL))
			return false;
	return true;
}

static bool add_rest(struct roots *roots, uint64_t start, uint64_t end)
{
	struct root root = { .kind = ROOT_OTHER, .path = "" };

	root.start = (start + 7) & ~(uint64_t)7;
	root.end = end & ~(uint64_t)7;
	return root.start >= root.end || roots_add_range(roots, &root, true);
}

static bool same_carrier(const struct heap_slab *a, const struct heap_slab *b)
{
	return b->has_carrier && a->carrier_slab == b->carrier_slab &&
	       a->carrier_index == b->carrier_index;
}

bool roots_add_carriers(struct roots *roots)
{
	const struct heap_slab *slabs;
	struct heap_buffer carrier;
	size_t count, i = first_foreign(roots, &slabs, &count);

	while (i < count) {
		const struct heap_slab *slab = &slabs[i++];
		uint64_t at;

		if (!slab->has_carrier ||
		    !heap_buffer_get(roots->heap, slab->carrier_slab,
				     slab->carrier_index, &carrier))
			continue;
		if (!add_rest(roots, carrier.user, slab->base))
			return false;
		at = slab->base + slab->size;
		for (; i < count && same_carrier(slab, &slabs[i]); i++) {
			if (!add_rest(roots, at, slabs[i].base))
				return false;
			at = slabs[i].base + slabs[i].size;
		}
		if (!add_rest(roots, at, carrier.user + carrier.size))
			return false;
	}
	return true;
}
