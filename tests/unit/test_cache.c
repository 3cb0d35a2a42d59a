/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Size classes, slabs, and what an address tells. */
#include "alloc/cache.h"

#include "alloc/allocate.h"
#include "alloc/magazine_depot.h"
#include "alloc/root.h"
#include "alloc/thread.h"
#include "tests/test_util.h"

#include <string.h>

static const enum kma_tier tiers[] = { KMA_TIER_OFF, KMA_TIER_AUDIT };
enum { TIERS = sizeof(tiers) / sizeof(tiers[0]) };

static void names_are_solaris(void **state)
{
	(void)state;
	assert_string_equal(kma_root.caches->name, "kmem_alloc_8");
	assert_string_equal(kma_cache_for(100, 16, KMA_TIER_OFF)->name,
			    "kmem_alloc_112");
	assert_string_equal(kma_cache_for(131072, 16, KMA_TIER_OFF)->name,
			    "kmem_alloc_131072");
	assert_string_equal(kma_cache_for(131073, 16, KMA_TIER_OFF)->name,
			    "kmem_oversize");
}

/* The smallest class that holds it, never the 8-byte one. */
static void classes_hold_what_is_asked(void **state)
{
	const struct kma_cache *before = kma_cache_for(0, 16, KMA_TIER_OFF);

	(void)state;
	assert_int_equal(before->bufsize, 16);
	for (size_t size = 1; size <= KMA_CACHED_MAX; size++) {
		const struct kma_cache *cache =
			kma_cache_for(size, 16, KMA_TIER_OFF);

		assert_true(cache->bufsize >= size);
		assert_true(cache == before || before->bufsize == size - 1);
		before = cache;
	}
}

static void aligned_requests_fit(void **state)
{
	(void)state;
	for (size_t align = 32; align <= 1 << 17; align *= 2)
		for (size_t size = 0; size <= KMA_CACHED_MAX; size += 509) {
			const struct kma_cache *plain =
				kma_cache_for(size, align, KMA_TIER_OFF);
			const struct kma_cache *audit =
				kma_cache_for(size, align, KMA_TIER_AUDIT);

			assert_true(plain->bufsize == 0 ||
				    (plain->bufsize % align == 0 &&
				     plain->bufsize >= size));
			assert_true(audit->bufsize == 0 ||
				    audit->bufsize >= size + align - 16);
		}
}

/* Every byte of a slab is told apart as division would. */
static void check_slab(const struct kma_slab *slab)
{
	size_t size = slab->pages * KMA_PAGE_SIZE;
	size_t step = slab->stride > 512 ? 7 : 1;

	for (size_t offset = 0; offset < size; offset += step) {
		struct kma_buffer buffer;
		bool found = kma_buffer_find(slab->base + offset, &buffer);
		size_t index = offset < slab->first
				       ? SIZE_MAX
				       : (offset - slab->first) / slab->stride;

		if (found != (index < slab->buffers) ||
		    (found && (buffer.slab != slab || buffer.index != index ||
			       buffer.start != slab->base + slab->first +
						       index * slab->stride)))
			fail_msg("stride %zu, offset %zu", slab->stride,
				 offset);
	}
}

static void an_address_tells_its_buffer(void **state)
{
	(void)state;
	for (unsigned i = 0; i < kma_cache_count; i++)
		for (int t = 0; t < TIERS; t++) {
			struct kma_buffer buffer;

			if (kma_caches[i]->bufsize == 0)
				continue;
			assert_true(kma_cache_take(kma_caches[i], tiers[t],
						   &buffer));
			assert_int_equal(buffer.slab->tier, tiers[t]);
			check_slab(buffer.slab);
			kma_cache_put(&buffer);
		}
}

static void a_slab_wastes_an_eighth_at_most(void **state)
{
	(void)state;
	for (unsigned i = 0; i < kma_cache_count; i++)
		for (int t = 0; t < TIERS; t++) {
			struct kma_buffer buffer;

			if (kma_caches[i]->bufsize == 0)
				continue;
			assert_true(kma_cache_take(kma_caches[i], tiers[t],
						   &buffer));
			const struct kma_slab *slab = buffer.slab;
			size_t size = slab->pages * KMA_PAGE_SIZE;
			size_t used =
				slab->first + slab->buffers * slab->stride;

			assert_true(used <= size && size - used <= size / 8);
			assert_true(slab->buffers >= 8);
			kma_cache_put(&buffer);
		}
}

static void a_freed_buffer_is_not_reused_at_once(void **state)
{
	enum { LATER = 300 };
	struct kma_cache *cache = kma_cache_for(64, 16, KMA_TIER_AUDIT);
	struct kma_buffer first, other[LATER];

	(void)state;
	assert_true(kma_cache_take(cache, KMA_TIER_AUDIT, &first));
	kma_cache_put(&first);
	for (int i = 0; i < LATER; i++) {
		assert_true(kma_cache_take(cache, KMA_TIER_AUDIT, &other[i]));
		assert_true(other[i].start != first.start);
	}
	for (int i = 0; i < LATER; i++)
		kma_cache_put(&other[i]);
}

/* Take many, give all back: no slab stays but the empty one that is kept. */
static void empty_slabs_go_back(void **state)
{
	enum { MANY = 5000 };
	static struct kma_buffer taken[MANY];
	struct kma_cache *cache = kma_cache_for(1000, 16, KMA_TIER_OFF);
	uint64_t before = cache->slab_create - cache->slab_destroy;

	(void)state;
	for (int i = 0; i < MANY; i++)
		assert_true(kma_cache_take(cache, KMA_TIER_OFF, &taken[i]));
	assert_true(cache->slab_create - cache->slab_destroy > before + 50);
	for (int i = 0; i < MANY; i++)
		kma_cache_put(&taken[i]);
	kma_magazine_drain(cache);
	/* What the thread's own magazines hold keeps a slab or two. */
	assert_true(cache->slab_create - cache->slab_destroy <= before + 3);
}

/* Free and allocate, as if a minute had gone by since the last look. */
static void come_back_later(struct kma_cache *cache)
{
	enum { SOME = 200 };
	struct kma_buffer taken[SOME];

	for (int i = 0; i < SOME; i++)
		assert_true(kma_cache_take(cache, KMA_TIER_OFF, &taken[i]));
	cache->depot_updated -= 60;
	for (int i = 0; i < SOME; i++)
		kma_cache_put(&taken[i]);
}

static void what_nobody_needs_leaves_the_depot(void **state)
{
	enum { MANY = 3000, FEW = 12 };
	static struct kma_buffer taken[MANY];
	struct kma_cache *cache = kma_cache_for(1100, 16, KMA_TIER_OFF);

	(void)state;
	for (int i = 0; i < MANY; i++)
		assert_true(kma_cache_take(cache, KMA_TIER_OFF, &taken[i]));
	for (int i = 0; i < MANY; i++)
		kma_cache_put(&taken[i]);
	assert_true(cache->full_count[KMA_TIER_OFF] > 2 * FEW);
	come_back_later(cache);
	come_back_later(cache);
	assert_true(cache->full_count[KMA_TIER_OFF] <= FEW);
}

static void magazines_grow_where_threads_wait(void **state)
{
	struct kma_cache *cache = kma_cache_for(600, 16, KMA_TIER_OFF);
	uint32_t before = cache->magazine_size;

	(void)state;
	come_back_later(cache);
	assert_int_equal(cache->magazine_size, before);
	cache->depot_waits = 1000;
	come_back_later(cache);
	assert_true(cache->magazine_size > before);
	uint32_t larger = cache->magazine_size;

	cache->depot_waits = 1000;
	come_back_later(cache);
	assert_int_equal(cache->magazine_size, larger);
}

static void large_buffers_have_pages_of_their_own(void **state)
{
	(void)state;
	for (int t = 0; t < TIERS; t++)
		for (size_t align = 16; align <= 1 << 21; align *= 8) {
			struct kma_buffer buffer, again;

			assert_true(kma_large_take(200000, align, tiers[t],
						   &buffer));
			assert_int_equal(buffer.start % align, 0);
			assert_true(
				kma_buffer_find(buffer.start + 199999, &again));
			assert_int_equal(again.start, buffer.start);
			assert_int_equal(again.index, 0);
			memset((void *)buffer.start, 1, 200000);
			kma_large_put(&buffer);
		}
}

/* Grown with something behind it each time, so that it has to move. */
static void what_a_large_buffer_held_moves_along(void **state)
{
	enum { LAST = 64 << 20, BEHIND = 200000 };
	size_t size = 1 << 20, words = size / 8, moves = 0;
	uint64_t *buffer = kma_reallocate(NULL, size);

	(void)state;
	for (size_t i = 0; i < words; i++)
		buffer[i] = i;
	for (; size < LAST; size *= 2) {
		void *behind = kma_reallocate(NULL, size + BEHIND);
		uint64_t *old = buffer;

		buffer = kma_reallocate(buffer, size * 2);
		assert_non_null(buffer);
		moves += buffer != old;
		for (size_t i = 0; i < words; i++)
			if (buffer[i] != i)
				fail_msg("word %zu of %zu bytes", i, size * 2);
		kma_release(behind, SIZE_MAX, KMA_FAMILY_MALLOC, "free");
	}
	assert_true(moves > 0);
	kma_release(buffer, SIZE_MAX, KMA_FAMILY_MALLOC, "free");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_solaris),
		cmocka_unit_test(classes_hold_what_is_asked),
		cmocka_unit_test(aligned_requests_fit),
		cmocka_unit_test(an_address_tells_its_buffer),
		cmocka_unit_test(a_slab_wastes_an_eighth_at_most),
		cmocka_unit_test(a_freed_buffer_is_not_reused_at_once),
		cmocka_unit_test(empty_slabs_go_back),
		cmocka_unit_test(what_nobody_needs_leaves_the_depot),
		cmocka_unit_test(magazines_grow_where_threads_wait),
		cmocka_unit_test(large_buffers_have_pages_of_their_own),
		cmocka_unit_test(what_a_large_buffer_held_moves_along),
	};

	/* A thread with a record: it has magazines. */
	return kma_thread_self() ? cmocka_run_group_tests(tests, NULL, NULL)
				 : 1;
}
