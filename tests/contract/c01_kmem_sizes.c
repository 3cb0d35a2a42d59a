/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kmem_alloc: every size is had, aligned, writable, and apart from others. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

enum { SMALL = 4097, COUNT = SMALL + 2 };

static unsigned char *blocks[COUNT];

static size_t size_of(int i)
{
	return i < SMALL ? (size_t)i + 1 : i == SMALL ? 64 << 10 : 1 << 20;
}

static size_t align_of(size_t size)
{
	return size % 4096 == 0 ? 4096
	       : size % 64 == 0 ? 64
	       : size >= 16     ? 16
				: 8;
}

int main(void)
{
	for (int i = 0; i < COUNT; i++) {
		size_t size = size_of(i);

		blocks[i] = kmem_alloc(size, KM_SLEEP);
		CHECK(blocks[i]);
		CHECK((uintptr_t)blocks[i] % align_of(size) == 0);
		memset(blocks[i], i % 251, size);
	}
	for (int i = 0; i < COUNT; i++)
		for (size_t at = 0; at < size_of(i); at++)
			CHECK(blocks[i][at] == i % 251);
	for (int i = 0; i < COUNT; i++)
		kmem_free(blocks[i], size_of(i));
	return 0;
}
