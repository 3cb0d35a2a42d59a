/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kmem_asprintf: of exactly the length, which is checked when it is freed. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static void free_embedded(void *argument)
{
	char *s = kmem_asprintf("%c-%d", 0, 12);

	(void)argument;
	kmem_free(s, strlen(s) + 1);
}

static void free_cut(void *argument)
{
	char *s = kmem_asprintf("%s-%d", "ab", 7);

	(void)argument;
	s[1] = '\0';
	kmem_strfree(s);
}

int main(void)
{
	char *s = kmem_asprintf("%s-%d", "ab", 7);
	size_t size = 0;

	CHECK(strcmp(s, "ab-7") == 0);
	kmem_free(s, 5);
	EXPECT_REPORT(free_embedded, NULL, "BADSIZE", NULL);
	EXPECT_REPORT(free_cut, NULL, "BADSIZE", NULL);
	s = kmem_strdupsize("abc", &size, KM_SLEEP);
	CHECK(size == 4 && strcmp(s, "abc") == 0);
	kmem_strfree(s);
	CHECK(kmem_roundup_size(9) == 16 && kmem_roundup_size(8) == 8);
	return 0;
}
