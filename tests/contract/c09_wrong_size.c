/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The size at free is the size that was asked for, to the byte. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

struct sizes {
	size_t asked, given;
};

static void free_wrong(void *argument)
{
	const struct sizes *sizes = argument;

	kmem_free(kmem_alloc(sizes->asked, KM_SLEEP), sizes->given);
}

int main(void)
{
	static struct sizes wrong[] = {
		{ 100, 99 },         { 100, 104 },
		{ 100, 2000 },       { 200 << 10, (200 << 10) - 1 },
		{ 200 << 10, 4096 }, { 200 << 10, (200 << 10) + 1 },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char asked[32], given[32];

		snprintf(asked, sizeof(asked), "the %zu-byte buffer",
			 wrong[i].asked);
		snprintf(given, sizeof(given), ", %zu)", wrong[i].given);
		EXPECT_REPORT(free_wrong, &wrong[i], "BADSIZE", asked);
		EXPECT_REPORT(free_wrong, &wrong[i], "BADSIZE", given);
	}
	return 0;
}
