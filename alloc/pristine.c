/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/pristine.h"

#include "alloc/arch.h"
#include "alloc/cell.h"
#include "alloc/sys.h"
#include "alloc/word.h"

#include <fcntl.h>

static bool is_zero(uintptr_t from, uintptr_t to, struct kma_damage *ret)
{
	if (kma_fill_wrong(from, to - from, 0) == 0)
		return true;
	kma_fill_describe(from, to - from, 0, ret);
	return false;
}

/* A page that is first read and then written faults twice, and a huge one is
 * not huge after that. */
static void touch(uintptr_t from, uintptr_t to)
{
	for (; from < to; from = (from | (KMA_PAGE_SIZE - 1)) + 1)
		kma_arch_touch((void *)from);
}

bool kma_pristine_spoilt(uintptr_t from, uintptr_t to, struct kma_damage *ret)
{
	touch(from, to);
	return !is_zero(from, to, ret);
}

bool kma_pristine_is_whole(uintptr_t start, size_t stride)
{
	uintptr_t from = start - KMA_CANARY_SIZE;

	if (stride > KMA_FILL_MAX)
		return false;
	touch(from, from + stride);
	return kma_fill_wrong(from, stride, 0) == 0;
}

bool kma_pristine_damaged(const struct kma_buffer *buffer, uint64_t word,
			  struct kma_damage *ret)
{
	uintptr_t from = buffer->start - KMA_CANARY_SIZE;

	return buffer->slab->pristine &&
	       kma_word_state(word) == KMA_BUFFER_NEVER &&
	       !is_zero(from, from + buffer->slab->stride, ret);
}

bool kma_pristine_edge_damaged(struct kma_slab *slab, bool behind,
			       struct kma_buffer *ret,
			       struct kma_damage *damage)
{
	uintptr_t first = slab->origin - KMA_CANARY_SIZE;
	uintptr_t last = first + slab->buffers * slab->stride;

	*ret = (struct kma_buffer){
		.slab = slab,
		.index = behind ? slab->buffers : UINT32_MAX,
	};
	return slab->pristine &&
	       !(behind ? is_zero(last,
				  slab->base + (slab->pages << KMA_PAGE_SHIFT),
				  damage)
			: is_zero(slab->base, first, damage));
}

/* What it tells of count pages; false: it does not. */
static bool read_pagemap(int pagemap, uintptr_t address, size_t count,
			 uint64_t *ret)
{
	long size = (long)(count * sizeof(*ret));
	long offset = (long)((address >> KMA_PAGE_SHIFT) * sizeof(*ret));

	return sys_call(SYS_pread64, pagemap, (long)ret, size, offset, 0, 0) ==
	       size;
}

static bool is_touched(uint64_t entry)
{
	enum { PRESENT_OR_SWAPPED_SHIFT = 62 };

	return entry >> PRESENT_OR_SWAPPED_SHIFT != 0;
}

int kma_pristine_pagemap(void)
{
	uint64_t entry = 0; /* of the page it lies in, which is touched */
	long pagemap =
		sys_call(SYS_openat, AT_FDCWD, (long)"/proc/self/pagemap",
			 O_RDONLY | O_CLOEXEC, 0, 0, 0);

	if (pagemap < 0)
		return -1;
	if (read_pagemap((int)pagemap, (uintptr_t)&entry, 1, &entry) &&
	    is_touched(entry))
		return (int)pagemap;
	sys_call(SYS_close, pagemap, 0, 0, 0, 0, 0);
	return -1;
}

uintptr_t kma_pristine_untouched(const struct kma_slab *slab, int pagemap)
{
	enum { CHUNK = 64 };
	uint64_t entry[CHUNK];
	size_t pages = slab->pages, left = 0;

	while (pagemap >= 0 && pages > 0 && left == 0) {
		left = pages < CHUNK ? pages : CHUNK;
		if (!read_pagemap(pagemap,
				  slab->base +
					  ((pages - left) << KMA_PAGE_SHIFT),
				  left, entry))
			break;
		for (; left > 0 && !is_touched(entry[left - 1]); left--)
			pages--;
	}
	return slab->base + (pages << KMA_PAGE_SHIFT);
}

static bool find_used(const struct kma_buffer *buffer, uint32_t step,
		      struct kma_buffer *ret)
{
	const struct kma_slab *slab = buffer->slab;

	*ret = *buffer;
	for (;;) {
		ret->index += step; /* before the first: beyond the last */
		if (ret->index >= slab->buffers)
			return false;
		ret->start = slab->origin + ret->index * slab->stride;
		ret->bufctl = &slab->bufctls[ret->index];
		if (kma_word_state(kma_word_load(ret)) != KMA_BUFFER_NEVER)
			return true;
	}
}

enum kma_error_code kma_pristine_blame(const struct kma_buffer *buffer,
				       const struct kma_damage *damage,
				       struct kma_buffer *ret)
{
	struct kma_buffer before, after;
	bool has_before = find_used(buffer, UINT32_MAX, &before);
	bool has_after = find_used(buffer, 1, &after);
	uintptr_t behind = has_before ? damage->address -
						kma_buffer_user(&before) -
						kma_buffer_size(&before)
				      : UINTPTR_MAX;

	if (has_after && kma_buffer_user(&after) - damage->address < behind) {
		*ret = after;
		return KMA_ERROR_UNDERFLOW;
	}
	*ret = has_before ? before : *buffer;
	return has_before ? KMA_ERROR_REDZONE : KMA_ERROR_MODIFIED;
}
