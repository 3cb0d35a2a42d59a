/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The word of a buffer: state, family, offset, request (cache.h has its bits).
 * In the bufctl at audit and guard, in an array of the slab at lite. It is
 * changed by compare-and-swap from ALLOCATED by whoever frees the buffer first;
 * who finds it otherwise has freed it a second time, wherever the buffer is by
 * then: in a magazine, in quarantine, in its slab.
 */
#ifndef ALLOC_WORD_H
#define ALLOC_WORD_H

#include "alloc/cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline enum kma_buffer_state kma_word_state(uint64_t word)
{
	return (enum kma_buffer_state)(word >> KMA_BUFCTL_STATE_SHIFT &
				       KMA_BUFCTL_STATE_MASK);
}

static inline enum kma_family kma_word_family(uint64_t word)
{
	return (enum kma_family)(word >> KMA_BUFCTL_FAMILY_SHIFT &
				 KMA_BUFCTL_FAMILY_MASK);
}

static inline size_t kma_word_size(uint64_t word)
{
	return word >> KMA_BUFCTL_SIZE_SHIFT;
}

/* Bytes from the buffer's start to the user's pointer. */
static inline uintptr_t kma_word_offset(uint64_t word)
{
	return (word >> KMA_BUFCTL_OFFSET_SHIFT & KMA_BUFCTL_OFFSET_MASK) * 16;
}

static inline uint64_t kma_word_make(enum kma_buffer_state state,
				     enum kma_family family, size_t offset,
				     size_t size)
{
	return (uint64_t)state << KMA_BUFCTL_STATE_SHIFT |
	       (uint64_t)family << KMA_BUFCTL_FAMILY_SHIFT |
	       (uint64_t)(offset / 16) << KMA_BUFCTL_OFFSET_SHIFT |
	       (uint64_t)size << KMA_BUFCTL_SIZE_SHIFT;
}

static inline uint64_t kma_word_with_state(uint64_t word,
					   enum kma_buffer_state state)
{
	uint64_t mask = (uint64_t)KMA_BUFCTL_STATE_MASK
			<< KMA_BUFCTL_STATE_SHIFT;

	return (word & ~mask) | (uint64_t)state << KMA_BUFCTL_STATE_SHIFT;
}

/* Where the buffer's word is; NULL at tier off. */
static inline uint64_t *kma_word_of(const struct kma_buffer *buffer)
{
	if (buffer->bufctl)
		return &buffer->bufctl->word;
	return buffer->slab->words ? &buffer->slab->words[buffer->index] : NULL;
}

static inline uint64_t kma_word_load(const struct kma_buffer *buffer)
{
	return __atomic_load_n(kma_word_of(buffer), __ATOMIC_ACQUIRE);
}

static inline void kma_word_store(const struct kma_buffer *buffer,
				  uint64_t word)
{
	__atomic_store_n(kma_word_of(buffer), word, __ATOMIC_RELEASE);
}

static inline bool kma_word_is_start(const struct kma_buffer *buffer,
				     uintptr_t user, uint64_t word)
{
	return user == buffer->start + kma_word_offset(word);
}

/* The live buffer that begins a little behind an address in none: a header may
 * be meant that it does not have. */
bool kma_word_find_behind(uintptr_t address, struct kma_buffer *ret);

/* Report what is wrong with freeing or resizing user, which is not a live
 * buffer's start. */
void kma_word_refuse(const struct kma_buffer *buffer, uintptr_t user,
		     const char *function);

/*
 * Take a live buffer whose start for the program is user, by making its state
 * next; *ret is the word before. Else what is wrong is reported in function's
 * name, and false returned.
 */
static inline bool kma_word_claim(const struct kma_buffer *buffer,
				  uintptr_t user, const char *function,
				  enum kma_buffer_state next, uint64_t *ret)
{
	uint64_t *place = kma_word_of(buffer);
	uint64_t word = __atomic_load_n(place, __ATOMIC_ACQUIRE);

	while (kma_word_is_start(buffer, user, word) &&
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

#endif
