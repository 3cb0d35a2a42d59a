/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No lock: an entry is pushed by compare-and-swap and never taken out, so a
 * debugger that finds the process at any moment, or a fork, finds lists that
 * are whole. A region that is removed gives its entry to a later one.
 */
#include "alloc/annotate.h"

#include "alloc/clock.h"
#include "alloc/foreign.h"
#include "alloc/meta.h"
#include "alloc/root.h"
#include "alloc/thread.h"
#include "alloc/word.h"
#include "kma/kma.h"

#include <errno.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static int fail(int error)
{
	errno = error;
	return -1;
}

/* Memory for an entry; NULL, with errno: none, or a signal handler that came
 * in while its thread was in the allocator. */
static void *entry_create(size_t size)
{
	struct kma_thread *self = kma_thread_enter();
	void *entry = NULL;

	if (kma_thread_nested(self))
		errno = EAGAIN;
	else if (!kma_init() || !(entry = kma_meta_alloc(size)))
		errno = ENOMEM;
	kma_thread_leave(self);
	return entry;
}

/* --- ignoring ---------------------------------------------------------------
 */

void kma_ignore_begin(void)
{
	struct kma_thread *self = kma_thread_self();

	if (!self)
		return;
	self->ignoring++;
	kma_thread_special_add(self, KMA_THREAD_IGNORING);
}

void kma_ignore_end(void)
{
	struct kma_thread *self = kma_thread_self();

	if (self && self->ignoring && --self->ignoring == 0)
		kma_thread_special_end(self, KMA_THREAD_IGNORING);
}

uint64_t kma_ignore_bits(void)
{
	const struct kma_thread *self = kma_self;

	return self && self->ignoring ? KMA_BUFCTL_IGNORED : 0;
}

/* A buffer of which nothing is kept, not even its state, is held by a root of
 * ours: for ever, as nobody tells when it is freed. */
struct held {
	const void *buffer;
	struct kma_region region; /* the word above */
};

static void region_push(struct kma_region *region)
{
	region->next = __atomic_load_n(&kma_root.regions, __ATOMIC_ACQUIRE);
	while (!__atomic_compare_exchange_n(&kma_root.regions, &region->next,
					    region, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE))
		;
}

static int hold(const void *buffer)
{
	struct held *held = entry_create(sizeof(*held));

	if (!held)
		return -1;
	held->buffer = buffer;
	held->region.start = (uintptr_t)&held->buffer;
	held->region.size = sizeof(held->buffer);
	region_push(&held->region);
	return 0;
}

EXPORT int kma_ignore(const void *p)
{
	struct kma_buffer buffer;
	uint64_t *place, word;

	if (!p || !kma_buffer_find_any((uintptr_t)p, &buffer))
		return fail(EINVAL);
	place = kma_word_of(&buffer);
	if (!place)
		return hold(p);
	word = __atomic_load_n(place, __ATOMIC_ACQUIRE);
	while (kma_word_state(word) == KMA_BUFFER_ALLOCATED)
		if (__atomic_compare_exchange_n(
			    place, &word, word | KMA_BUFCTL_IGNORED, false,
			    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return 0;
	return fail(EINVAL);
}

/* --- regions ----------------------------------------------------------------
 */

/* Take over the entry of a region that was removed. */
static struct kma_region *reuse(uint64_t start, uint64_t size)
{
	struct kma_region *region =
		__atomic_load_n(&kma_root.regions, __ATOMIC_ACQUIRE);

	for (; region; region = region->next) {
		uint64_t start_before = 0;

		if (__atomic_load_n(&region->size, __ATOMIC_ACQUIRE) ||
		    !__atomic_compare_exchange_n(&region->start, &start_before,
						 start, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&region->size, size, __ATOMIC_RELEASE);
		return region;
	}
	return NULL;
}

EXPORT int kma_root_add(const void *start, size_t size)
{
	struct kma_region *region;

	if (!start || !size || (uintptr_t)start + size < size)
		return fail(EINVAL);
	if (reuse((uintptr_t)start, size))
		return 0;
	region = entry_create(sizeof(*region));
	if (!region)
		return -1;
	region->start = (uintptr_t)start;
	region->size = size;
	region_push(region);
	return 0;
}

EXPORT int kma_root_remove(const void *start, size_t size)
{
	struct kma_region *region =
		__atomic_load_n(&kma_root.regions, __ATOMIC_ACQUIRE);

	for (; region; region = region->next) {
		uint64_t was = size;

		if (!size || region->start != (uintptr_t)start ||
		    !__atomic_compare_exchange_n(&region->size, &was, 0, false,
						 __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&region->start, 0, __ATOMIC_RELEASE);
		return 0;
	}
	return fail(ENOENT);
}

/* --- checkpoints ------------------------------------------------------------
 */

EXPORT int kma_checkpoint(const char *name)
{
	struct kma_checkpoint *checkpoint;
	size_t size;

	if (!name || !*name)
		return fail(EINVAL);
	checkpoint = entry_create(sizeof(*checkpoint));
	if (!checkpoint)
		return -1;
	size = strnlen(name, sizeof(checkpoint->name) - 1);
	memcpy(checkpoint->name, name, size);
	checkpoint->next =
		__atomic_load_n(&kma_root.checkpoints, __ATOMIC_ACQUIRE);
	do
		checkpoint->time = kma_clock_now();
	while (!__atomic_compare_exchange_n(
		&kma_root.checkpoints, &checkpoint->next, checkpoint, false,
		__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return 0;
}
