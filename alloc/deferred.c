/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/deferred.h"

#include "alloc/thread.h"

#include <stdbool.h>

enum { PLACES = 1024 };

uint32_t kma_deferred_count;
uint64_t kma_deferred_lost;
static uintptr_t places[PLACES];

void kma_deferred_put(uintptr_t start)
{
	for (unsigned i = 0; i < PLACES; i++) {
		uintptr_t none = 0;

		if (__atomic_compare_exchange_n(&places[i], &none, start, false,
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

uintptr_t kma_deferred_take(void)
{
	for (unsigned i = 0; i < PLACES; i++) {
		uintptr_t start =
			__atomic_exchange_n(&places[i], 0, __ATOMIC_ACQUIRE);

		if (start) {
			__atomic_sub_fetch(&kma_deferred_count, 1,
					   __ATOMIC_RELAXED);
			kma_attention_end();
			return start;
		}
	}
	return 0;
}
