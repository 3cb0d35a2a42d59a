/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/deferred.h"

#include "alloc/cache.h"
#include "alloc/thread.h"

/* A start has 48 bits, a cache's index 16, which is not 0 where numbers are
 * what it has: so no place that is taken reads 0. */
enum { PLACES = 1024, INDEX_SHIFT = 48 };

uint32_t kma_deferred_count;
uint64_t kma_deferred_lost;
static uintptr_t places[PLACES];

void kma_deferred_put(const struct kma_cache *cache, uintptr_t start)
{
	uintptr_t word = (uintptr_t)cache->index << INDEX_SHIFT | start;

	for (unsigned i = 0; i < PLACES; i++) {
		uintptr_t none = 0;

		if (__atomic_compare_exchange_n(&places[i], &none, word, false,
						__ATOMIC_RELEASE,
						__ATOMIC_RELAXED)) {
			__atomic_add_fetch(&kma_deferred_count, 1,
					   __ATOMIC_RELEASE);
			kma_attention_add();
			return;
		}
	}
	__atomic_add_fetch(&kma_deferred_lost, 1, __ATOMIC_RELAXED);
}

bool kma_deferred_take(struct kma_cache **cache, uintptr_t *start)
{
	for (unsigned i = 0; i < PLACES; i++) {
		uintptr_t word =
			__atomic_exchange_n(&places[i], 0, __ATOMIC_ACQUIRE);

		if (word) {
			__atomic_sub_fetch(&kma_deferred_count, 1,
					   __ATOMIC_RELAXED);
			kma_attention_end();
			*cache = kma_caches[word >> INDEX_SHIFT];
			*start = word & ((UINT64_C(1) << INDEX_SHIFT) - 1);
			return true;
		}
	}
	return false;
}
