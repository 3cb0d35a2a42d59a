/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs of pages: none overlap, zeros are zeros, what is free merges. */
#include "alloc/pages.h"

#include "alloc/root.h"
#include "tests/test_util.h"

#include <string.h>

enum { RUNS = 400, OPERATIONS = 60000, LONGEST = 300 };

struct held {
	uintptr_t base;
	size_t count;
};

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1;
	return *state >> 33;
}

/* A run's first and last word of each page name the run. */
static void stamp(const struct held *run)
{
	for (size_t i = 0; i < run->count; i++) {
		uint64_t *page = (uint64_t *)(run->base + i * KMA_PAGE_SIZE);

		page[0] = run->base;
		page[KMA_PAGE_SIZE / 8 - 1] = run->base + i;
	}
}

static void check_stamp(const struct held *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const uint64_t *page =
			(const uint64_t *)(run->base + i * KMA_PAGE_SIZE);

		assert_int_equal(page[0], run->base);
		assert_int_equal(page[KMA_PAGE_SIZE / 8 - 1], run->base + i);
	}
}

static void check_zero(const struct held *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const uint64_t *page =
			(const uint64_t *)(run->base + i * KMA_PAGE_SIZE);

		assert_int_equal(page[0], 0);
		assert_int_equal(page[KMA_PAGE_SIZE / 8 - 1], 0);
	}
}

static void take(struct held *run, uint64_t *random)
{
	size_t align =
		(size_t)KMA_PAGE_SIZE
		<< (next_random(random) % 4 ? 0 : next_random(random) % 6);
	bool zeroed;

	run->count = 1 + next_random(random) % LONGEST;
	run->base = kma_pages_alloc(run->count, align, &zeroed);
	assert_true(run->base != 0);
	assert_int_equal(run->base % align, 0);
	if (zeroed)
		check_zero(run);
	stamp(run);
}

static void resize(struct held *run, uint64_t *random)
{
	size_t count = 1 + next_random(random) % LONGEST;

	if (!kma_pages_resize(run->base, run->count, count))
		return;
	if (count < run->count)
		run->count = count;
	check_stamp(run);
	run->count = count;
	stamp(run);
}

static void give_back(struct held *run)
{
	check_stamp(run);
	kma_pages_free(run->base, run->count);
	run->base = 0;
}

/* One free run for each stretch: the whole can be had again in one piece. */
static void all_is_merged(void)
{
	size_t free, extent;
	bool zeroed;

	kma_pages_count(&free, &extent);
	assert_int_equal(free, extent);

	uintptr_t base = kma_pages_alloc(extent, KMA_PAGE_SIZE, &zeroed);

	assert_int_equal(base, kma_reserve.heap.base);
	kma_pages_free(base, extent);
}

static void runs_are_apart_and_merge(void **state)
{
	static struct held runs[RUNS];
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < OPERATIONS; i++) {
		struct held *run = &runs[next_random(&random) % RUNS];

		if (run->base == 0)
			take(run, &random);
		else if (next_random(&random) % 4 == 0)
			resize(run, &random);
		else
			give_back(run);
		if (i % 10000 == 0)
			kma_pages_trim();
	}
	for (size_t i = 0; i < RUNS; i++)
		if (runs[i].base)
			give_back(&runs[i]);
	all_is_merged();
}

static void what_cannot_be_is_refused(void **state)
{
	size_t all =
		(kma_reserve.heap.end - kma_reserve.heap.base) / KMA_PAGE_SIZE;
	bool zeroed;

	(void)state;
	assert_int_equal(kma_pages_alloc(0, KMA_PAGE_SIZE, &zeroed), 0);
	assert_int_equal(kma_pages_alloc(all + 1, KMA_PAGE_SIZE, &zeroed), 0);
	assert_int_equal(kma_pages_alloc(SIZE_MAX, KMA_PAGE_SIZE, &zeroed), 0);
	assert_int_equal(kma_pages_alloc(1, (size_t)1 << 63, &zeroed), 0);
	all_is_merged();
}

static void trimmed_pages_are_zero(void **state)
{
	struct held run = { .count = 64 };
	bool zeroed;

	(void)state;
	run.base = kma_pages_alloc(run.count, KMA_PAGE_SIZE, &zeroed);
	stamp(&run);
	kma_pages_free(run.base, run.count);
	assert_true(kma_pages_trim() >= run.count * KMA_PAGE_SIZE);
	run.base = kma_pages_alloc(run.count, KMA_PAGE_SIZE, &zeroed);
	assert_true(zeroed);
	check_zero(&run);
	kma_pages_free(run.base, run.count);
}

/* How often so many pages, taken and given back, had gone to the system. */
static unsigned returned(size_t pages, unsigned times)
{
	unsigned count = 0;
	bool zeroed;

	for (unsigned i = 0; i < times; i++) {
		uintptr_t base = kma_pages_alloc(pages, KMA_PAGE_SIZE, &zeroed);

		assert_true(base != 0);
		*(volatile char *)base = 1;
		kma_pages_free(base, pages);
		count += zeroed;
	}
	return count;
}

/* Large ones go back at once; not where they come again and again; of more than
 * that is worth all do. */
static void what_goes_back_and_forth_is_kept(void **state)
{
	enum { SOME = 5000, MANY = 40000 };

	(void)state;
	kma_pages_trim();
	assert_int_equal(returned(SOME, 3), 3);
	assert_true(returned(SOME, 100) < 20);
	kma_pages_trim();
	assert_int_equal(returned(MANY, 50), 50);
}

static void any_address_may_be_asked_about(void **state)
{
	bool zeroed;
	uintptr_t base = kma_pages_alloc(4, KMA_PAGE_SIZE, &zeroed);
	uint64_t word = 0x123 << 6 | KMA_PAGE_SLAB;

	(void)state;
	kma_pages_set(base, 4, word);
	assert_int_equal(kma_pages_lookup(base), word);
	assert_int_equal(kma_pages_lookup(base + 4 * KMA_PAGE_SIZE - 1), word);
	kma_pages_free(base, 4);
	assert_int_equal(kma_pages_lookup(base) & KMA_PAGE_KIND_MASK,
			 KMA_PAGE_FREE);
	assert_int_equal(kma_pages_lookup(0), 0);
	assert_int_equal(kma_pages_lookup(UINTPTR_MAX), 0);
	assert_int_equal(kma_pages_lookup(kma_reserve.heap.base - 1), 0);
	assert_int_equal(kma_pages_lookup(kma_reserve.heap.end), 0);
	assert_int_equal(kma_pages_lookup((uintptr_t)&base), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_back_and_forth_is_kept),
		cmocka_unit_test(runs_are_apart_and_merge),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(trimmed_pages_are_zero),
		cmocka_unit_test(any_address_may_be_asked_about),
	};

	return kma_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
