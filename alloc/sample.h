/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampling: some requests get an audited (audit=1/BYTES) or a guarded
 * (guard=1/N) buffer, all others go the fast way of tier off.
 *
 * A request of c bytes (size + 1) is a sample with the probability
 * 1 - exp(-c / rate), where requests are counted with 1 / rate, whatever came
 * before it, and 1 / that is what it stands for: the debugger's estimates are
 * unbiased. The rate is in kma_root.
 *
 * To count costs would be felt in the fast path. A magazine set counts its
 * allocations anyway, and all of them are of one class: so it is drawn which of
 * them is due, as if each had the cost of the class, and of those that are due
 * some are let go, by what their own cost is less. Requests that no set serves
 * are counted, each thread's down from an interval drawn; so is what they grow
 * by. Of samples that shrink some are let go.
 */
#ifndef ALLOC_SAMPLE_H
#define ALLOC_SAMPLE_H

#include "alloc/root.h"
#include "alloc/thread.h"

#include <stdbool.h>
#include <stddef.h>

/* As the options have it, before the first thread's record is made. */
void kma_sample_init(void);

/* Does nobody but samples have that tier, and so few buffers of it? */
static inline bool kma_sample_has_alone(const struct kma_cache *cache,
					enum kma_tier tier)
{
	return tier == KMA_TIER_AUDIT && tier == kma_root.sample_tier &&
	       cache->tier < tier;
}

/* A thread's first countdown. */
void kma_sample_thread_init(struct kma_thread *thread);

/* For the next: where no set serves, or the set's next seems to be one. */
bool kma_sample_is_due(struct kma_thread *thread, const struct kma_cache *cache,
		       enum kma_tier tier, size_t size);

/*
 * One that is none grows where it lies: is it one by these bytes? The way back,
 * where it was none and then cannot grow there: it is asked for as a whole.
 */
bool kma_sample_takes_growth(struct kma_thread *thread, size_t bytes);
void kma_sample_returns_growth(struct kma_thread *thread, size_t bytes);

/* One that is a sample shrinks where it lies: would it be one with size? */
bool kma_sample_keeps(struct kma_thread *thread, size_t old, size_t size);

/* Is this request, which cache would serve at that tier, a sample? To be asked
 * once for each that the fast path does not serve: most of those found their
 * magazine empty, and that is all. */
static inline bool kma_sample_take(struct kma_thread *thread,
				   const struct kma_cache *cache,
				   enum kma_tier tier, size_t size)
{
	if (cache->bufsize && cache->index < thread->magset_caches &&
	    !kma_magset_is_sample(kma_thread_magset(thread, cache, tier)))
		return false;
	return kma_sample_is_due(thread, cache, tier, size);
}

#endif
