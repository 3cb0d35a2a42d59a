/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The malloc family, as glibc's manual has it: 16-aligned, errno ENOMEM on
 * failure, free keeps errno, realloc(p, 0) frees, products are checked.
 */
#include "alloc/allocate.h"
#include "alloc/fast.h"
#include "alloc/malloc_family.h"
#include "alloc/own_malloc.h"

#include <errno.h>
#include <string.h>

static bool is_power_of_two(size_t n)
{
	return n && (n & (n - 1)) == 0;
}

static void *allocate(size_t size, size_t align, bool zero)
{
	struct kma_request request = {
		.size = size,
		.align = align,
		.family = KMA_FAMILY_MALLOC,
		.zero = zero,
	};

	return kma_allocate(&request);
}

void *malloc(size_t size)
{
	void *p = kma_fast_allocate(size);

	return __builtin_expect(p != NULL, 1)
		       ? p
		       : kma_allocate_size(size, KMA_FAMILY_MALLOC);
}

void free(void *p)
{
	if (!kma_fast_release(p))
		kma_release(p, SIZE_MAX, KMA_FAMILY_MALLOC, "free");
}

void *calloc(size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}

	void *p = kma_fast_allocate(total);

	return p ? memset(p, 0, total) : allocate(total, 16, true);
}

/* Where both buffers are the fast path's; NULL: go the slow way. */
static void *reallocate_fast(void *p, size_t size)
{
	size_t old = kma_fast_size(p);

	if (size == 0 || old == 0)
		return NULL;
	if (size <= old && size >= old / 2)
		return p;

	void *moved = kma_fast_allocate(size);

	if (!moved)
		return NULL;
	memcpy(moved, p, old < size ? old : size);
	if (!kma_fast_release(p))
		kma_release(p, SIZE_MAX, KMA_FAMILY_MALLOC, "realloc");
	return moved;
}

void *realloc(void *p, size_t size)
{
	if (!p)
		return malloc(size);

	void *moved = reallocate_fast(p, size);

	return moved ? moved : kma_reallocate(p, size);
}

/* Whose buffer this is, realloc knows: a program that brings malloc and realloc
 * along need not bring this, nor do tools replace it that replace those. */
void *reallocarray(void *p, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return kma_program_realloc()(p, total);
}

void free_sized(void *p, size_t size)
{
	if (!kma_fast_release(p))
		kma_release(p, size, KMA_FAMILY_MALLOC, "free_sized");
}

void free_aligned_sized(void *p, size_t align, size_t size)
{
	(void)align;
	if (!kma_fast_release(p))
		kma_release(p, size, KMA_FAMILY_MALLOC, "free_aligned_sized");
}

void *aligned_alloc(size_t align, size_t size)
{
	if (!is_power_of_two(align)) {
		errno = EINVAL;
		return NULL;
	}
	return allocate(size, align, false);
}

/* An alignment that is no power of two is taken as the next one. */
void *memalign(size_t align, size_t size)
{
	if (align > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	if (!is_power_of_two(align))
		align = align < 16 ? 16
				   : (size_t)1 << (64 - __builtin_clzl(align));
	return allocate(size, align, false);
}

int posix_memalign(void **ret, size_t align, size_t size)
{
	if (!is_power_of_two(align) || align % sizeof(void *))
		return EINVAL;

	void *p = allocate(size, align, false);

	if (!p)
		return ENOMEM; /* and in errno, as glibc has it */
	*ret = p;
	return 0;
}

void *valloc(size_t size)
{
	return allocate(size, KMA_PAGE_SIZE, false);
}

void *pvalloc(size_t size)
{
	size_t rounded;

	if (__builtin_add_overflow(size, KMA_PAGE_SIZE - 1, &rounded)) {
		errno = ENOMEM;
		return NULL;
	}
	return allocate(rounded & ~(size_t)(KMA_PAGE_SIZE - 1), KMA_PAGE_SIZE,
			false);
}

size_t malloc_usable_size(void *p)
{
	return kma_usable_size(p);
}
