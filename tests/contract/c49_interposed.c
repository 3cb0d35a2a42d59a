/* SPDX-License-Identifier: GPL-3.0-or-later */
/* With malloc ours too, a report does not come in again. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static void free_twice(void *argument)
{
	void *p = kmem_alloc(100, KM_SLEEP);
	char *other = malloc(1000);

	(void)argument;
	CHECK(kma_cache_holding(other)); /* it is ours */
	kmem_free(p, 100);
	kmem_free(p, 100);
}

static unsigned count(const char *text, const char *word)
{
	unsigned found = 0;

	for (; (text = strstr(text, word)); text++)
		found++;
	return found;
}

int main(void)
{
	struct outcome *outcome;

	EXPECT_REPORT(free_twice, NULL, "DUPFREE", "  freed by");
	outcome = run_child(free_twice, NULL);
	CHECK(count(outcome->text, "found while reporting") == 0);
	CHECK(count(outcome->text, "kma: DUPFREE") == 1);
	return 0;
}
