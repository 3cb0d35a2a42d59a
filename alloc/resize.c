/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A buffer of another size: where it lies if it fits there without keeping more
 * than twice of what is wanted, else in a new one.
 */
#include "alloc/allocate.h"
#include "alloc/audit.h"
#include "alloc/fork.h"
#include "alloc/lite.h"
#include "alloc/root.h"
#include "alloc/sample.h"
#include "alloc/thread.h"
#include "alloc/word.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* A nested call leaves pages alone. */
static bool resize_large(const struct kma_buffer *buffer, size_t size)
{
	if (kma_thread_nested(kma_self))
		return size <= buffer->slab->stride;
	return size > KMA_CACHED_MAX && size <= PTRDIFF_MAX &&
	       kma_large_resize(buffer, size);
}

/* Whether a plain buffer can hold size bytes where it lies, without keeping
 * more than twice of what is wanted. */
static bool resize_plain(const struct kma_buffer *buffer, size_t size)
{
	size_t usable = buffer->slab->stride;

	if (buffer->slab->kind == KMA_PAGE_LARGE)
		return resize_large(buffer, size);
	return size <= usable && size >= usable / 2;
}

/* In its pages, or more of them, if there are any. */
static bool dressed_may_stay(const struct kma_buffer *buffer, size_t size)
{
	size_t room;

	if (buffer->slab->tier == KMA_TIER_GUARD)
		return false; /* its end is to stay at the guard */
	if (buffer->slab->kind == KMA_PAGE_LARGE &&
	    !kma_thread_nested(kma_self))
		return size > KMA_CACHED_MAX && size <= PTRDIFF_MAX;
	room = kma_audit_room(buffer);
	return size <= room && size >= room / 2;
}

static bool resize_dressed(const struct kma_buffer *buffer, size_t size)
{
	return dressed_may_stay(buffer, size) && kma_audit_resize(buffer, size);
}

static bool resize_lite(const struct kma_buffer *buffer, size_t size)
{
	if (!resize_plain(buffer, size))
		return false;
	kma_lite_resize(buffer, size);
	return true;
}

static bool resize_where_it_is(const struct kma_buffer *buffer, size_t size)
{
	if (buffer->slab->bufctls)
		return resize_dressed(buffer, size);
	return buffer->slab->words ? resize_lite(buffer, size)
				   : resize_plain(buffer, size);
}

/* What a large buffer that is no sample grows by: of its size no more is known
 * than its pages, so what they have to spare was counted when they came. */
static size_t growth_of(const struct kma_buffer *buffer, size_t size)
{
	const struct kma_slab *slab = buffer->slab;

	if (slab->kind != KMA_PAGE_LARGE ||
	    slab->tier >= kma_root.sample_tier || size <= slab->stride ||
	    size > PTRDIFF_MAX)
		return 0;
	return (size - slab->stride + KMA_PAGE_SIZE - 1) &
	       ~(size_t)(KMA_PAGE_SIZE - 1);
}

static bool resize_sampled(struct kma_thread *self,
			   const struct kma_buffer *buffer, size_t old,
			   struct kma_request *request)
{
	size_t size = request->size, grown = growth_of(buffer, size);

	if (grown && kma_sample_takes_growth(self, grown)) {
		request->sample = KMA_SAMPLE_ALWAYS;
		return false;
	}
	if (buffer->slab->sampled && size < old &&
	    dressed_may_stay(buffer, size) &&
	    !kma_sample_keeps(self, old, size)) {
		request->sample = KMA_SAMPLE_NEVER;
		return false;
	}
	if (resize_where_it_is(buffer, size))
		return true;
	if (grown)
		kma_sample_returns_growth(self, grown);
	return false;
}

static bool is_live(const struct kma_buffer *buffer)
{
	return kma_word_state(kma_word_load(buffer)) == KMA_BUFFER_ALLOCATED;
}

/* Resize where it lies, or tell how much is to be copied. */
static bool resize(void *p, struct kma_request *request, bool *in_place,
		   size_t *old)
{
	struct kma_thread *self = kma_self;
	struct kma_buffer buffer;

	if (!kma_buffer_of(p, "realloc", &buffer))
		return false;
	*old = kma_buffer_size(&buffer);
	if (kma_word_of(&buffer) &&
	    (!is_live(&buffer) || kma_buffer_user(&buffer) != (uintptr_t)p)) {
		kma_word_refuse(&buffer, (uintptr_t)p, "realloc");
		return false;
	}
	if (self && (self->special & KMA_THREAD_SAMPLED) &&
	    !kma_thread_nested(self))
		*in_place = resize_sampled(self, &buffer, *old, request);
	else
		*in_place = resize_where_it_is(&buffer, request->size);
	return true;
}

/* What a buffer that moved held. False: there is no memory at to any more, and
 * it is left alone for ever. */
static bool carry_over(void *to, void *from, size_t bytes)
{
	enum kma_carried carried = KMA_CARRIED_NOT;

	if (bytes > KMA_CACHED_MAX)
		carried = kma_large_carry_over(to, from, bytes);
	if (carried == KMA_CARRIED_NOT)
		memcpy(to, from, bytes);
	return carried != KMA_CARRIED_LOST;
}

/* It was to move only to become a sample, or none, and there is no room. */
static bool stay_after_all(void *p, size_t size)
{
	struct kma_thread *self = kma_thread_enter();
	struct kma_buffer buffer;
	bool stays = kma_buffer_find((uintptr_t)p, &buffer) &&
		     resize_where_it_is(&buffer, size);

	kma_thread_leave(self);
	return stays;
}

void *kma_reallocate(void *p, size_t size)
{
	struct kma_request request = { .size = size, .align = 16 };
	bool in_place = false;
	size_t old = 0;

	if (!p)
		return kma_allocate(&request);
	if (size == 0) {
		kma_release(p, SIZE_MAX, KMA_FAMILY_MALLOC, "realloc");
		return NULL;
	}

	struct kma_thread *self = kma_thread_enter();

	kma_fork_check();
	bool valid = resize(p, &request, &in_place, &old);

	kma_thread_leave(self);
	if (!valid)
		errno = EINVAL;
	if (!valid || in_place)
		return valid ? p : NULL;

	int saved_errno = errno;
	void *moved = kma_allocate(&request);

	if (!moved && request.sample != KMA_SAMPLE_IF_DUE &&
	    stay_after_all(p, size)) {
		errno = saved_errno;
		return p;
	}
	if (!moved)
		return NULL;
	if (!carry_over(moved, p, old < size ? old : size)) {
		errno = ENOMEM;
		return NULL;
	}
	kma_release(p, SIZE_MAX, KMA_FAMILY_MALLOC, "realloc");
	return moved;
}

size_t kma_usable_size(const void *p)
{
	struct kma_buffer buffer;

	if (!p || !kma_buffer_find((uintptr_t)p, &buffer))
		return 0;
	if (kma_word_of(&buffer) && !is_live(&buffer))
		return 0;
	return kma_buffer_size(&buffer);
}
