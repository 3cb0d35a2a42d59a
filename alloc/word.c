/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/word.h"

#include "alloc/report.h"

static bool is_start(const struct kma_buffer *buffer, uintptr_t user,
		     uint64_t word)
{
	return user == buffer->start + kma_word_offset(word);
}

void kma_word_refuse(const struct kma_buffer *buffer, uintptr_t user,
		     const char *function)
{
	struct kma_report report = { .code = KMA_ERROR_BADBASE,
				     .address = user,
				     .buffer = buffer,
				     .function = function };
	uint64_t word = kma_word_load(buffer);

	if (kma_word_state(word) == KMA_BUFFER_NEVER) {
		report.code = KMA_ERROR_BADADDR;
		report.buffer = NULL;
	} else if (is_start(buffer, user, word)) {
		report.code = KMA_ERROR_DUPFREE;
	}
	kma_report(&report);
}

bool kma_word_claim(const struct kma_buffer *buffer, uintptr_t user,
		    const char *function, enum kma_buffer_state next,
		    uint64_t *ret)
{
	uint64_t *place = kma_word_of(buffer);
	uint64_t word = __atomic_load_n(place, __ATOMIC_ACQUIRE);

	while (is_start(buffer, user, word) &&
	       kma_word_state(word) == KMA_BUFFER_ALLOCATED)
		if (__atomic_compare_exchange_n(
			    place, &word, kma_word_with_state(word, next),
			    false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			*ret = word;
			return true;
		}
	kma_word_refuse(buffer, user, function);
	return false;
}
