/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a sampled buffer stands for. libkma takes a request of c bytes with the
 * probability p = 1 - exp(-c / rate), one of counted requests with p = 1 /
 * rate, so that 1 / p of its like were made for each one that is seen;
 * alloc/sample.h tells how.
 */
#include "kdbg/heap_impl.h"

/* exp(-x), x >= 0: the series of a small part of x, squared up. */
static double exp_minus(double x)
{
	unsigned halvings = 0;

	if (x > 50)
		return 0;
	for (; x > 1.0 / 64; halvings++)
		x /= 2;
	double e = 1 - x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4)));
	while (halvings--)
		e *= e;
	return e;
}

double heap_sample_weight(const struct heap *heap,
			  const struct heap_buffer *buffer)
{
	const struct heap_slab *slab = &heap->slabs[buffer->slab];
	const struct heap_cache *cache = &heap->caches[slab->cache];
	const struct instance *part = &heap->parts[cache->instance];
	const struct heap_layout *layout = &part->layout;
	uint64_t rate = record_uint(part->root, &layout->kma_root.sample_rate);
	uint64_t tier = record_uint(part->root, &layout->kma_root.sample_tier);

	if (rate == 0 || slab->tier != heap_tier_of(layout, tier) ||
	    cache->tier == slab->tier)
		return 1;
	if (!record_uint(part->root, &layout->kma_root.sample_bytes))
		return (double)rate;
	double x = ((double)buffer->size + 1) / (double)rate;
	/* Where 1 - exp(-x) would be all rounding. */
	double probability = x < 1e-6 ? x : 1 - exp_minus(x);
	return 1 / probability;
}
