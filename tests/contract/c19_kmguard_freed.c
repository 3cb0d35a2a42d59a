/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kmguard: a freed object stays out of reach for as many further frees as its
 * depth says, whatever the number of mappings a process may have. */
#include "alloc/root.h"
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

enum { DEPTH = 30000, OBJECTS = 60000, MAPPINGS_MORE = 10 };

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

/* Guards are marks in the page table, and no mappings; where the kernel has no
 * such marks they are, and those that could not be had are counted. */
static void hold_many(void)
{
	static void *objects[OBJECTS];
	unsigned before = count_mappings();
	uint64_t missing = kma_root.guards_missing;

	for (int i = 0; i < OBJECTS; i++)
		CHECK((objects[i] = kmem_alloc(100, KM_SLEEP)));
	CHECK(count_mappings() < before + MAPPINGS_MORE ||
	      kma_root.guards_missing > missing);
	for (int i = 0; i < OBJECTS; i++)
		kmem_free(objects[i], 100);
}

/* Beyond its depth the queue gives addresses back, the oldest first. */
static void check_reuse(void)
{
	enum { MORE = DEPTH * 4 };
	void *first = kmem_alloc(100, KM_SLEEP);
	bool again = false;

	kmem_free(first, 100);
	for (int i = 0; i < MORE && !again; i++) {
		void *p = kmem_alloc(100, KM_SLEEP);

		again = p == first;
		CHECK(!again || i >= DEPTH - 1);
		kmem_free(p, 100);
	}
	CHECK(again);
}

/* More than a page is guarded as well: nothing goes past the guards. */
static void touch_beyond_page(void *argument)
{
	volatile char *p = kmem_alloc(4097, KM_SLEEP);

	(void)argument;
	p[4112] = 1; /* rounded up to 16 */
}

int main(void)
{
	struct outcome *outcome;

	expect_fault(0);
	expect_fault(DEPTH - 1);
	hold_many();
	check_reuse();
	outcome = run_child(touch_beyond_page, NULL);
	expect_text(outcome, "kma: GUARDFAULT: ");
	return 0;
}
