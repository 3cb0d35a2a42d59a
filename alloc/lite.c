/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/lite.h"

#include "alloc/annotate.h"
#include "alloc/report.h"
#include "alloc/word.h"

bool kma_lite_alloc(const struct kma_buffer *buffer, size_t size,
		    enum kma_family family)
{
	if (__builtin_expect(kma_word_state(kma_word_load(buffer)) ==
				     KMA_BUFFER_ALLOCATED,
			     0)) {
		kma_report(&(struct kma_report){
			.code = KMA_ERROR_DUPFREE,
			.address = buffer->start,
			.buffer = buffer,
			.function = "free",
			.detail = "by two threads at once",
		});
		return false;
	}
	kma_word_store(buffer,
		       kma_word_make(KMA_BUFFER_ALLOCATED, family, 0, size) |
			       kma_ignore_bits());
	return true;
}

/* malloc and new are told apart where stacks are kept (family.c); the forms of
 * new, and kernels' calls, here. */
static bool is_mixed(enum kma_family allocated, enum kma_family released)
{
	bool with_malloc =
		allocated == KMA_FAMILY_MALLOC || released == KMA_FAMILY_MALLOC;

	return allocated != released &&
	       (!with_malloc || kma_family_is_kernel(allocated) ||
		kma_family_is_kernel(released));
}

bool kma_lite_free(const struct kma_buffer *buffer, uintptr_t user, size_t size,
		   enum kma_family family, const char *function)
{
	uint64_t word;

	if (!kma_word_claim(buffer, user, function, KMA_BUFFER_FREE, &word))
		return false;
	if (is_mixed(kma_word_family(word), family))
		kma_report(&(struct kma_report){ .code = KMA_ERROR_BADFAMILY,
						 .address = user,
						 .buffer = buffer,
						 .function = function,
						 .family = family });
	else if (__builtin_expect(
			 size != SIZE_MAX && size != kma_word_size(word), 0))
		kma_report(&(struct kma_report){ .code = KMA_ERROR_BADSIZE,
						 .address = user,
						 .buffer = buffer,
						 .function = function,
						 .claimed_size = size });
	return true;
}

void kma_lite_resize(const struct kma_buffer *buffer, size_t size)
{
	uint64_t word = kma_word_load(buffer);

	kma_word_store(buffer, kma_word_make(KMA_BUFFER_ALLOCATED,
					     kma_word_family(word), 0, size) |
				       (word & KMA_BUFCTL_IGNORED));
}
