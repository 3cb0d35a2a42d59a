/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stack depot: every stack once, under its own id, whoever asks at once. */
#include "tests/test_util.h"

#include "alloc/root.h"
#include "alloc/stack.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 10, KEYS = 4 };

/* Stack number n: its digits to the base of KEYS, outermost first, as calls
 * that lie near each other. */
static size_t stack_of(uint64_t n, uint64_t *pc)
{
	static const uint64_t keys[KEYS] = { 0x55d4c0a81137, 0x55d4c0a8113c,
					     0x55d4c0a82137, 0x7f31dd2c1137 };
	size_t depth = 0;

	for (n++; n > 0; n = (n - 1) / KEYS)
		pc[depth++] = keys[(n - 1) % KEYS];
	return depth;
}

static uint32_t intern(uint64_t n)
{
	uint64_t pc[32];
	size_t depth = stack_of(n, pc);

	return kma_depot_intern(kma_stack_hash(pc, depth), pc, depth, 0);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void a_stack_is_kept_once(void **state)
{
	(void)state;
	uint64_t pc[] = { 1, 2, 3 }, other[] = { 1, 2, 4 };
	uint64_t hash = kma_stack_hash(pc, 3);
	uint32_t id = kma_depot_intern(hash, pc, 3, 0);

	assert_int_not_equal(id, 0);
	assert_int_equal(kma_depot_intern(hash, pc, 3, 0), id);
	assert_int_not_equal(
		kma_depot_intern(kma_stack_hash(other, 3), other, 3, 0), id);
	assert_int_not_equal(kma_depot_intern(kma_stack_hash(pc, 2), pc, 2, 0),
			     id);
	assert_int_equal(kma_stack_get(id)->depth, 3);
	assert_memory_equal(kma_stack_get(id)->pc, pc, sizeof(pc));
	assert_null(kma_stack_get(0));
	assert_null(kma_stack_get(UINT32_MAX));
}

/* Of all stacks of few frames at few places: recursion of every kind. */
static void no_two_stacks_have_one_hash(void **state)
{
	(void)state;
	enum { COUNT = (1 << 2 * DEEPEST) };
	uint64_t *hash = malloc(COUNT * sizeof(*hash)), pc[32];

	assert_non_null(hash);
	for (uint64_t n = 0; n < COUNT; n++)
		hash[n] = kma_stack_hash(pc, stack_of(n, pc));
	qsort(hash, COUNT, sizeof(*hash), compare);
	for (uint64_t n = 1; n < COUNT; n++)
		assert_true(hash[n - 1] != hash[n]);
	/* They fill the lines of the table evenly, or it would be deep. */
	for (uint64_t n = 1, same = 1; n < COUNT; n++) {
		same = hash[n - 1] >> 48 == hash[n] >> 48 ? same + 1 : 1;
		assert_true(same < 64);
	}
	free(hash);
}

/* More than the first lines hold, and their next ones. */
static void every_stack_has_an_id_of_its_own(void **state)
{
	(void)state;
	enum { COUNT = 200000 };
	uint32_t *id = malloc(COUNT * sizeof(*id));
	uint64_t pc[32], count = kma_root.depot->count;

	assert_non_null(id);
	for (uint64_t n = 0; n < COUNT; n++)
		id[n] = intern(n);
	assert_int_equal(kma_root.depot->count, count + COUNT);
	for (uint64_t n = 0; n < COUNT; n++) {
		size_t depth = stack_of(n, pc);
		const struct kma_stack *stack = kma_stack_get(id[n]);

		assert_int_equal(intern(n), id[n]);
		assert_int_equal(kma_depot_find(kma_stack_hash(pc, depth)),
				 id[n]);
		assert_int_equal(stack->depth, depth);
		assert_memory_equal(stack->pc, pc, depth * sizeof(pc[0]));
	}
	assert_int_equal(kma_root.depot->count, count + COUNT);
	free(id);
}

static void flags_make_another_stack(void **state)
{
	(void)state;
	uint64_t pc[] = { 11, 12, 13 }, hash = kma_stack_hash(pc, 3);
	uint32_t id = kma_depot_intern(hash, pc, 3, 0);
	uint32_t cut = kma_depot_intern(hash, pc, 3, KMA_STACK_TRUNCATED);

	assert_int_not_equal(id, cut);
	assert_int_equal(kma_stack_get(id)->flags, 0);
	assert_int_equal(kma_stack_get(cut)->flags, KMA_STACK_TRUNCATED);
	assert_int_equal(kma_depot_intern(hash, pc, 3, KMA_STACK_TRUNCATED),
			 cut);
	assert_int_equal(kma_depot_find(hash), id);
}

/* A signal came between the two stores that name a stack: its id is there, and
 * its hash not yet. */
static void a_name_half_made_is_found(void **state)
{
	(void)state;
	uint64_t pc[] = { 21, 22, 23, 24 }, hash = kma_stack_hash(pc, 4);
	uint32_t id = kma_depot_intern(hash, pc, 4, 0);
	struct kma_names *names = kma_root.depot->names;
	uint64_t count = kma_root.depot->count;
	uint64_t lines = (kma_root.depot->table_mask + 1) * sizeof(uint32_t) /
			 sizeof(*names);
	unsigned found = 0;

	for (uint64_t i = 0; i < lines * KMA_NAMES_EACH; i++)
		if (names[i / KMA_NAMES_EACH].hash[i % KMA_NAMES_EACH] ==
		    hash) {
			names[i / KMA_NAMES_EACH].hash[i % KMA_NAMES_EACH] = 0;
			found++;
		}
	assert_int_equal(found, 1);
	assert_int_equal(kma_depot_find(hash), 0);
	assert_int_equal(kma_depot_intern(hash, pc, 4, 0), id);
	assert_int_equal(kma_root.depot->count, count);
	assert_int_equal(kma_depot_find(hash), id); /* and is whole again */
}

enum { THREADS = 4, SHARED = 60000, SHARED_FIRST = 1000000 };

static uint32_t *shared_ids[THREADS];
static pthread_barrier_t start;

static void *intern_shared(void *argument)
{
	uint32_t *ids = *(uint32_t **)argument;

	pthread_barrier_wait(&start);
	for (uint64_t n = 0; n < SHARED; n++)
		ids[n] = intern(SHARED_FIRST + n);
	return NULL;
}

static void threads_agree_on_ids(void **state)
{
	(void)state;
	pthread_t thread[THREADS];
	uint64_t count = kma_root.depot->count;

	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		shared_ids[i] = malloc(SHARED * sizeof(uint32_t));
		assert_non_null(shared_ids[i]);
		pthread_create(&thread[i], NULL, intern_shared, &shared_ids[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(kma_root.depot->count, count + SHARED);
	for (int i = 1; i < THREADS; i++)
		assert_memory_equal(shared_ids[i], shared_ids[0],
				    SHARED * sizeof(uint32_t));
	for (int i = 0; i < THREADS; i++)
		free(shared_ids[i]);
	pthread_barrier_destroy(&start);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_name_half_made_is_found), /* in a new depot */
		cmocka_unit_test(a_stack_is_kept_once),
		cmocka_unit_test(no_two_stacks_have_one_hash),
		cmocka_unit_test(every_stack_has_an_id_of_its_own),
		cmocka_unit_test(flags_make_another_stack),
		cmocka_unit_test(threads_agree_on_ids),
	};

	if (!kma_init())
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
