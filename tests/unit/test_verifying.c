/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every audited buffer is looked at, as at exit, again and again, while threads
 * still make and give back slabs: nothing is wrong with any, and what of a slab
 * is looked at stays.
 */
#include "tests/test_util.h"

#include "alloc/allocate.h"
#include "alloc/audit.h"
#include "alloc/root.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { THREADS = 2, BUFFERS = 4000, LOOKS = 1500 };

static bool is_over;

static unsigned next_random(unsigned *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* All of a size, which come and go together, and their slabs with them. */
static void come_and_go(unsigned *state, void **p)
{
	struct kma_request request = {
		.size = (size_t)16 << next_random(state) % 10,
		.align = 16,
	};
	unsigned count = next_random(state) % BUFFERS;

	for (unsigned i = 0; i < count; i++)
		p[i] = kma_allocate(&request);
	for (unsigned i = 0; i < count; i++)
		kma_release(p[i], SIZE_MAX, KMA_FAMILY_MALLOC, "free");
	if (next_random(state) % 4 == 0)
		kma_trim();
}

static void *thread_main(void *seed)
{
	unsigned state = *(unsigned *)seed;
	void **p = calloc(BUFFERS, sizeof(*p));

	while (p && !__atomic_load_n(&is_over, __ATOMIC_RELAXED))
		come_and_go(&state, p);
	free(p);
	return NULL;
}

static void slabs_that_go_are_looked_at(void **state)
{
	unsigned seed[THREADS] = { 1, 77 };
	pthread_t thread[THREADS];
	size_t found = 0;

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, thread_main, &seed[i]),
			0);
	for (unsigned i = 0; i < LOOKS; i++)
		found += kma_audit_verify_all();
	__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(found, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slabs_that_go_are_looked_at),
	};

	if (!kma_init() || kma_root.tier < KMA_TIER_AUDIT)
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
