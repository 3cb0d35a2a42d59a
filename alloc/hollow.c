/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/hollow.h"

#include "alloc/cell.h"
#include "alloc/pattern.h"
#include "alloc/sys.h"

#include <sys/mman.h>

/* What lies behind the fill: [filled, from) and [to, end) are part pages, and
 * [from, to) whole ones. */
struct rest {
	uintptr_t filled, from, to, end;
};

static struct rest rest_of(const struct kma_buffer *buffer)
{
	uintptr_t user = kma_buffer_user(buffer);
	uintptr_t mask = KMA_PAGE_SIZE - 1;
	size_t size = kma_buffer_size(buffer);
	uintptr_t filled = user + kma_cell_free_filled(buffer->slab, size);

	return (struct rest){
		.filled = filled,
		.from = (filled + mask) & ~mask,
		.to = (user + size) & ~mask,
		.end = user + size,
	};
}

void kma_hollow_make(const struct kma_buffer *buffer)
{
	struct rest rest = rest_of(buffer);

	if (rest.from >= rest.to ||
	    sys_madvise(rest.from, rest.to - rest.from, MADV_DONTNEED))
		return;
	kma_fill_set(rest.filled, rest.from - rest.filled, KMA_FILL_FREE);
	kma_fill_set(rest.to, rest.end - rest.to, KMA_FILL_FREE);
	__atomic_store_n(&buffer->slab->hollow, true, __ATOMIC_RELEASE);
}

static bool is_damaged(uintptr_t from, size_t size, uint64_t fill,
		       struct kma_damage *ret)
{
	if (!kma_fill_wrong(from, size, fill))
		return false;
	kma_fill_describe(from, size, fill, ret);
	return true;
}

static bool pages_damaged(uintptr_t from, uintptr_t to, struct kma_damage *ret)
{
	enum { AT_ONCE = 256 };
	unsigned char there[AT_ONCE];

	while (from < to) {
		size_t count = (to - from) >> KMA_PAGE_SHIFT;

		if (count > AT_ONCE)
			count = AT_ONCE;
		if (sys_mincore(from, count << KMA_PAGE_SHIFT, there))
			return false;
		for (size_t i = 0; i < count; i++, from += KMA_PAGE_SIZE)
			if ((there[i] & 1) &&
			    is_damaged(from, KMA_PAGE_SIZE, 0, ret))
				return true;
	}
	return false;
}

bool kma_hollow_damaged(const struct kma_buffer *buffer, struct kma_damage *ret)
{
	struct rest rest = rest_of(buffer);

	return is_damaged(rest.filled, rest.from - rest.filled, KMA_FILL_FREE,
			  ret) ||
	       pages_damaged(rest.from, rest.to, ret) ||
	       is_damaged(rest.to, rest.end - rest.to, KMA_FILL_FREE, ret);
}
