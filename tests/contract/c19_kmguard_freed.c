/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kmguard: a freed object stays out of reach for as many further frees as its
 * depth says, whatever the number of mappings a process may have. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

enum { DEPTH = 30000, OBJECTS = 60000 };

static char read_freed(unsigned later)
{
	volatile char *p = kmem_alloc(100, KM_SLEEP);

	kmem_free((void *)p, 100);
	for (unsigned i = 0; i < later; i++)
		kmem_free(kmem_alloc(100, KM_SLEEP), 100);
	return p[0];
}

static void read_it(void *argument)
{
	read_freed(*(unsigned *)argument);
}

static void expect_fault(unsigned later)
{
	struct outcome *outcome = run_child(read_it, &later);

	expect_text(outcome, "kma: GUARDFAULT: ");
	expect_text(outcome, "  freed by");
	CHECK(WIFSIGNALED(outcome->status) &&
	      WTERMSIG(outcome->status) == SIGSEGV);
}

static unsigned count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned lines = 0;
	int c;

	CHECK(maps);
	while ((c = fgetc(maps)) != EOF)
		lines += c == '\n';
	fclose(maps);
	return lines;
}

/* Where the kernel has no markers, guards are counted and stop at a number. */
static void hold_many(void)
{
	static void *objects[OBJECTS];
	unsigned before = count_mappings();

	for (int i = 0; i < OBJECTS; i++)
		CHECK((objects[i] = kmem_alloc(100, KM_SLEEP)));
	CHECK(count_mappings() < before + 20000);
	for (int i = 0; i < OBJECTS; i++)
		kmem_free(objects[i], 100);
}

int main(void)
{
	expect_fault(0);
	expect_fault(DEPTH - 1);
	hold_many();
	return 0;
}
