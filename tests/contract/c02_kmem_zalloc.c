/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kmem_zalloc: zeros, whatever was there before. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static void check_zero(size_t size)
{
	enum { ROUNDS = 20 };

	for (int round = 0; round < ROUNDS; round++) {
		unsigned char *p = kmem_alloc(size, KM_SLEEP);

		memset(p, 0xa5, size);
		kmem_free(p, size);
		p = kmem_zalloc(size, KM_SLEEP);
		for (size_t i = 0; i < size; i++)
			CHECK(p[i] == 0);
		memset(p, 0x5a, size);
		kmem_free(p, size);
	}
}

int main(void)
{
	static const size_t sizes[] = { 1,    7,    8,     16,     100,
					1000, 4096, 70000, 200000, 9 << 20 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		check_zero(sizes[i]);
	return 0;
}
