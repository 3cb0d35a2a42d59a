/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/word.h"

#include "alloc/report.h"

#include <string.h>

/* delete of what new[] made: the count of its elements lies before the first,
 * which is what the program has. */
static bool is_first_element(uint64_t word, uintptr_t offset,
			     const char *function)
{
	return kma_word_family(word) == KMA_FAMILY_NEW_ARRAY &&
	       (offset == sizeof(size_t) || offset == 2 * sizeof(size_t)) &&
	       function && strcmp(function, "operator delete") == 0;
}

bool kma_word_find_behind(uintptr_t address, struct kma_buffer *ret)
{
	enum { NEAR = 128, STEP = 16 };

	for (uintptr_t at = STEP; at <= NEAR; at += STEP)
		if (kma_buffer_find(address + at, ret) && kma_word_of(ret) &&
		    kma_word_state(kma_word_load(ret)) ==
			    KMA_BUFFER_ALLOCATED &&
		    kma_buffer_user(ret) > address)
			return kma_buffer_user(ret) - address <= NEAR;
	return false;
}

void kma_word_refuse(const struct kma_buffer *buffer, uintptr_t user,
		     const char *function)
{
	struct kma_report report = { .code = KMA_ERROR_BADBASE,
				     .address = user,
				     .buffer = buffer,
				     .function = function };
	uint64_t word = kma_word_load(buffer);
	struct kma_buffer behind;

	if (kma_word_state(word) == KMA_BUFFER_NEVER &&
	    kma_word_find_behind(user, &behind)) {
		report.buffer = &behind;
	} else if (kma_word_state(word) == KMA_BUFFER_NEVER) {
		report.code = KMA_ERROR_BADADDR;
		report.buffer = NULL;
	} else if (kma_word_is_start(buffer, user, word)) {
		report.code = KMA_ERROR_DUPFREE;
	} else if (is_first_element(word, user - kma_buffer_user(buffer),
				    function)) {
		report.detail = "the first element of an array, which "
				"operator delete[] frees";
	}
	kma_report(&report);
}
