/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A word that a client remembers for an object (NetBSD's physical addresses):
 * in an array beside the slab, made with the first, gone with the slab.
 */
#include "alloc/client.h"
#include "alloc/meta.h"
#include "alloc/thread.h"

/* The slab's array, made if wanted. NULL: it has none. */
static uint64_t *notes_of(struct kma_slab *slab, bool make)
{
	uint64_t *notes = __atomic_load_n(&slab->notes, __ATOMIC_ACQUIRE);
	uint64_t *none = NULL;

	if (notes || !make)
		return notes;
	notes = kma_meta_alloc(slab->buffers * sizeof(*notes));
	if (notes &&
	    !__atomic_compare_exchange_n(&slab->notes, &none, notes, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		kma_meta_free(notes, slab->buffers * sizeof(*notes));
		notes = none;
	}
	return notes;
}

static uint64_t *note_at(struct kma_cache *cache, const void *object, bool make)
{
	struct kma_buffer buffer;
	uint64_t *notes = NULL;

	if (kma_client_check(cache, "kma_cache_note") &&
	    kma_buffer_find_in(cache, (uintptr_t)object, &buffer) &&
	    buffer.slab->cache == cache)
		notes = notes_of(buffer.slab, make);
	return notes ? &notes[buffer.index] : NULL;
}

void kma_cache_set_note(struct kma_cache *cache, const void *object,
			uint64_t note)
{
	struct kma_thread *self = kma_thread_enter();
	uint64_t *at =
		note_at(cache, object, note != 0 && !kma_thread_nested(self));

	if (at)
		__atomic_store_n(at, note, __ATOMIC_RELAXED);
	kma_thread_leave(self);
}

uint64_t kma_cache_note(struct kma_cache *cache, const void *object)
{
	struct kma_thread *self = kma_thread_enter();
	uint64_t *at = note_at(cache, object, false);
	uint64_t note = at ? __atomic_load_n(at, __ATOMIC_RELAXED) : 0;

	kma_thread_leave(self);
	return note;
}
