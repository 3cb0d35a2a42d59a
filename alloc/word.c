/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/word.h"

#include "alloc/report.h"

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
	} else if (kma_word_is_start(buffer, user, word)) {
		report.code = KMA_ERROR_DUPFREE;
	}
	kma_report(&report);
}
