/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/hollow.h"

#include "alloc/audit.h"
#include "alloc/pattern.h"
#include "alloc/sys.h"

#include <sys/mman.h>

struct pages {
	uintptr_t from, to;
};

static struct pages pages_of(const struct kma_buffer *buffer)
{
	uintptr_t user = kma_buffer_user(buffer);
	uintptr_t mask = KMA_PAGE_SIZE - 1;

	return (struct pages){
		(user + KMA_FILL_MAX + mask) & ~mask,
		(user + kma_buffer_size(buffer)) & ~mask,
	};
}

void kma_hollow_make(const struct kma_buffer *buffer)
{
	struct pages pages = pages_of(buffer);

	if (pages.from < pages.to &&
	    sys_madvise(pages.from, pages.to - pages.from, MADV_DONTNEED) == 0)
		__atomic_store_n(&buffer->slab->hollow, true, __ATOMIC_RELEASE);
}

bool kma_hollow_damaged(const struct kma_buffer *buffer, struct kma_damage *ret)
{
	enum { AT_ONCE = 256 };
	struct pages pages = pages_of(buffer);
	unsigned char there[AT_ONCE];

	while (pages.from < pages.to) {
		size_t count = (pages.to - pages.from) >> KMA_PAGE_SHIFT;

		if (count > AT_ONCE)
			count = AT_ONCE;
		if (sys_mincore(pages.from, count << KMA_PAGE_SHIFT, there))
			return false;
		for (size_t i = 0; i < count; i++, pages.from += KMA_PAGE_SIZE)
			if ((there[i] & 1) &&
			    kma_fill_wrong(pages.from, KMA_PAGE_SIZE, 0)) {
				kma_fill_describe(pages.from, KMA_PAGE_SIZE, 0,
						  ret);
				return true;
			}
	}
	return false;
}
