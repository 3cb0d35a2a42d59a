/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/leaks.h"

#include "kdbg/session.h"
#include "tests/test_util.h"
#include "tests/unit/fake_heap.h"

#include <stdlib.h>
#include <string.h>

#define DATA_BASE UINT64_C(0x400000)

struct world {
	struct fake_target *parts;
	struct fake_heap *heap;
	size_t slab, other;
	char *data;
	struct session session;
	struct reach *reach;
	struct leaks *leaks;
	const struct leak_group *groups;
	size_t group_count;
	uint32_t next; /* buffer to hand out */
	uint64_t time;
};

static void setup(struct world *w)
{
	char zeros[FAKE_PAGE] = { 0 };

	memset(w, 0, sizeof(*w));
	w->parts = fake_target_create();
	w->heap = fake_heap_create(w->parts, 64);
	w->slab =
		fake_heap_slab(w->heap, &(struct fake_slab){ .pages = 40,
							     .first = 16,
							     .stride = 80,
							     .buffers = 2000,
							     .audited = true });
	w->other = fake_heap_slab(w->heap, &(struct fake_slab){ .page = 41,
								.pages = 1,
								.stride = 64,
								.buffers = 64,
								.cache = 1 });
	w->data = fake_target_memory(w->parts, DATA_BASE, zeros, sizeof(zeros));
	fake_target_map(w->parts, DATA_BASE, DATA_BASE + FAKE_PAGE,
			DUMP_MAP_READ | DUMP_MAP_WRITE | DUMP_MAP_STORED, "");
}

/* An audited buffer that refers to the given ones. */
static uint64_t take(struct world *w, uint32_t stack, uint64_t size)
{
	uint64_t user = fake_heap_alloc(w->heap, w->slab, w->next++, size);

	fake_heap_event(w->heap, user, stack, ++w->time);
	return user;
}

static void find(struct world *w, uint64_t since)
{
	const struct leaks_options options = { .since = since };

	w->session.target = fake_target_finish(w->parts);
	w->session.heap = fake_heap_finish(w->heap);
	assert_ok(reach_create(&w->session, &w->session.reach_options,
			       &w->reach));
	assert_ok(leaks_create(&w->session, w->reach, &options, &w->leaks));
	w->group_count = leaks_groups(w->leaks, &w->groups);
}

static void teardown(struct world *w)
{
	leaks_destroy(w->leaks);
	reach_destroy(w->reach);
	target_close(w->session.target);
	fake_heap_destroy(w->heap);
}

static void assert_group(const struct leak_group *group, enum leak_class class,
			 uint64_t leaked, uint64_t bytes, uint64_t retained)
{
	assert_string_equal(leak_class_name(group->class),
			    leak_class_name(class));
	assert_int_equal(group->leaked, leaked);
	assert_int_equal(group->bytes, bytes);
	assert_int_equal(group->retained, retained);
}

static uint32_t stack_of(struct world *w, uint64_t frame0, uint64_t caller)
{
	const uint64_t pcs[] = { frame0, caller, 0x5000 };

	return fake_heap_stack(w->heap, pcs, 3);
}

static void singles_are_grouped_by_stack_but_for_frame_0(void **state)
{
	struct world w;
	uint32_t malloc_here, calloc_here, there;

	(void)state;
	setup(&w);
	malloc_here = stack_of(&w, 0x100, 0x2000);
	calloc_here = stack_of(&w, 0x200, 0x2000);
	there = stack_of(&w, 0x100, 0x3000);
	take(&w, malloc_here, 10);
	take(&w, calloc_here, 20);
	take(&w, there, 15);
	take(&w, 0, 1);
	fake_heap_alloc(w.heap, w.other, 3, 64);
	find(&w, 0);
	assert_int_equal(w.group_count, 4);
	assert_group(&w.groups[0], LEAK_DEFINITE, 1, 64, 64);
	assert_int_equal(w.groups[0].caller, 0);
	assert_int_equal(w.groups[0].cache, 1);
	assert_group(&w.groups[1], LEAK_DEFINITE, 2, 30, 30);
	assert_int_equal(w.groups[1].caller, 0x2000);
	assert_int_equal(w.groups[1].smallest, 10);
	assert_int_equal(w.groups[1].largest, 20);
	assert_int_equal(w.groups[1].first_time, 1);
	assert_int_equal(w.groups[1].last_time, 2);
	assert_group(&w.groups[2], LEAK_DEFINITE, 1, 15, 15);
	assert_group(&w.groups[3], LEAK_DEFINITE, 1, 1, 1);
	assert_int_equal(leaks_totals(w.leaks)->buffers[LEAK_DEFINITE], 5);
	assert_int_equal(leaks_totals(w.leaks)->bytes[LEAK_DEFINITE], 110);
	teardown(&w);
}

static void a_chain_hangs_off_its_head(void **state)
{
	struct world w;
	uint64_t previous = 0;
	uint32_t head, node;

	(void)state;
	setup(&w);
	head = stack_of(&w, 0x100, 0x2000);
	node = stack_of(&w, 0x100, 0x3000);
	for (int i = 0; i < 1500; i++) { /* the tail first */
		uint64_t user = take(&w, i == 1499 ? head : node, 16);

		fake_heap_word(w.heap, user, previous);
		previous = user;
	}
	find(&w, 0);
	assert_int_equal(w.group_count, 2);
	assert_group(&w.groups[0], LEAK_DEFINITE, 1, 16, 1500 * 16);
	assert_int_equal(w.groups[0].caller, 0x2000);
	assert_group(&w.groups[1], LEAK_INDIRECT, 1499, 1499 * 16, 1499 * 16);
	teardown(&w);
}

static void a_ring_is_one_group_led_by_its_oldest(void **state)
{
	struct world w;
	uint64_t ring[100];
	uint32_t stacks[5];

	(void)state;
	setup(&w);
	for (size_t i = 0; i < 5; i++)
		stacks[i] = stack_of(&w, 0x100, 0x2000 + i);
	for (size_t i = 0; i < 100; i++)
		ring[i] = take(&w, stacks[i / 20], 32);
	for (size_t i = 0; i < 100; i++) {
		fake_heap_word(w.heap, ring[i], ring[(i + 1) % 100]);
		fake_heap_word(w.heap, ring[i] + 8, ring[(i + 99) % 100] + 4);
	}
	find(&w, 0);
	assert_int_equal(w.group_count, 1);
	assert_group(&w.groups[0], LEAK_DEFINITE, 100, 3200, 3200);
	assert_int_equal(w.groups[0].address, ring[0]);
	assert_int_equal(w.groups[0].knots, 1);
	assert_true(w.groups[0].cycle);
	teardown(&w);
}

/* Nodes that know their parent, each with a name of its own. */
static uint64_t plant(struct world *w, uint64_t parent, unsigned depth,
		      const uint32_t *stacks, uint32_t name)
{
	uint64_t user = take(w, stacks[depth], 48);

	fake_heap_word(w->heap, user, parent);
	fake_heap_word(w->heap, user + 24, take(w, name, 8));
	if (depth) {
		fake_heap_word(w->heap, user + 8,
			       plant(w, user, depth - 1, stacks, name));
		fake_heap_word(w->heap, user + 16,
			       plant(w, user, depth - 1, stacks, name));
	}
	return user;
}

static void trees_with_parent_pointers_are_one_group_each(void **state)
{
	struct world w;
	uint32_t stacks[4], name;
	uint64_t root;

	(void)state;
	setup(&w);
	for (uint32_t i = 0; i < 4; i++)
		stacks[i] = stack_of(&w, 0x100, 0x2000 + i);
	name = stack_of(&w, 0x100, 0x3000);
	root = plant(&w, 0, 3, stacks, name);
	plant(&w, 0, 3, stacks, name);
	find(&w, 0);
	assert_int_equal(w.group_count, 2);
	assert_group(&w.groups[0], LEAK_DEFINITE, 30, 30 * 48, 30 * 56);
	assert_int_equal(w.groups[0].address, root);
	assert_int_equal(w.groups[0].knots, 2);
	assert_group(&w.groups[1], LEAK_INDIRECT, 30, 30 * 8, 30 * 8);
	teardown(&w);
}

static void what_two_groups_share_neither_retains(void **state)
{
	struct world w;
	uint64_t left, right, shared, below, alone;

	(void)state;
	setup(&w);
	left = take(&w, stack_of(&w, 0x100, 0x2000), 40);
	right = take(&w, stack_of(&w, 0x100, 0x3000), 32);
	shared = take(&w, stack_of(&w, 0x100, 0x4000), 8);
	below = take(&w, stack_of(&w, 0x100, 0x4000), 8);
	alone = take(&w, stack_of(&w, 0x100, 0x4000), 4);
	fake_heap_word(w.heap, left, shared);
	fake_heap_word(w.heap, left + 8, alone);
	fake_heap_word(w.heap, right, shared);
	fake_heap_word(w.heap, shared, below);
	find(&w, 0);
	assert_int_equal(w.group_count, 3);
	assert_group(&w.groups[0], LEAK_DEFINITE, 1, 40, 44);
	assert_group(&w.groups[1], LEAK_DEFINITE, 1, 32, 32);
	assert_group(&w.groups[2], LEAK_INDIRECT, 3, 20, 20);
	teardown(&w);
}

/* head -> node -> (body, node -> (body, node ...)) */
static void a_held_group_retains_what_hangs_off_it(void **state)
{
	struct world w;
	uint64_t previous = 0;
	uint32_t head, node, body;

	(void)state;
	setup(&w);
	head = stack_of(&w, 0x100, 0x2000);
	node = stack_of(&w, 0x100, 0x3000);
	body = stack_of(&w, 0x100, 0x4000);
	for (int i = 0; i < 100; i++) {
		uint64_t user = take(&w, i == 99 ? head : node, 16);

		fake_heap_word(w.heap, user, previous);
		fake_heap_word(w.heap, user + 8, take(&w, body, 7));
		previous = user;
	}
	find(&w, 0);
	assert_int_equal(w.group_count, 3);
	assert_group(&w.groups[0], LEAK_DEFINITE, 1, 16, 100 * 23);
	assert_group(&w.groups[1], LEAK_INDIRECT, 99, 99 * 16, 99 * 23);
	assert_group(&w.groups[2], LEAK_INDIRECT, 100, 700, 700);
	teardown(&w);
}

static void what_one_group_shares_it_retains(void **state)
{
	struct world w;
	uint64_t left, right, shared;
	uint32_t holder;

	(void)state;
	setup(&w);
	holder = stack_of(&w, 0x100, 0x2000);
	left = take(&w, holder, 40);
	right = take(&w, holder, 40);
	shared = take(&w, stack_of(&w, 0x100, 0x4000), 8);
	fake_heap_word(w.heap, left, shared);
	fake_heap_word(w.heap, right + 16, shared);
	find(&w, 0);
	assert_int_equal(w.group_count, 2);
	assert_group(&w.groups[0], LEAK_DEFINITE, 2, 80, 88);
	teardown(&w);
}

static void only_what_came_after_is_judged(void **state)
{
	struct world w;
	uint64_t old, young;

	(void)state;
	setup(&w);
	old = take(&w, stack_of(&w, 0x100, 0x2000), 40);
	young = take(&w, stack_of(&w, 0x100, 0x3000), 32);
	fake_heap_word(w.heap, old, young);
	find(&w, w.time - 1);
	assert_int_equal(w.group_count, 1);
	assert_group(&w.groups[0], LEAK_DEFINITE, 1, 32, 32);
	teardown(&w);
}

static void possible_leaks_stand_apart(void **state)
{
	struct world w;
	uint64_t inner, below, word;

	(void)state;
	setup(&w);
	inner = take(&w, stack_of(&w, 0x100, 0x2000), 40);
	below = take(&w, stack_of(&w, 0x100, 0x3000), 32);
	fake_heap_word(w.heap, inner, below);
	word = inner + 16;
	memcpy(w.data, &word, 8);
	find(&w, 0);
	assert_int_equal(w.group_count, 2);
	assert_group(&w.groups[0], LEAK_POSSIBLE, 1, 40, 72);
	assert_group(&w.groups[1], LEAK_POSSIBLE, 1, 32, 32);
	assert_int_equal(leaks_totals(w.leaks)->buffers[LEAK_DEFINITE], 0);
	assert_int_equal(leaks_totals(w.leaks)->buffers[LEAK_POSSIBLE], 2);
	teardown(&w);
}

struct seen {
	uint64_t users[8];
	size_t count;
};

static bool see(void *context, const struct heap_buffer *buffer)
{
	struct seen *seen = context;

	seen->users[seen->count++] = buffer->user;
	return seen->count < 3;
}

static void the_buffers_of_a_group_can_be_walked(void **state)
{
	struct seen seen = { .count = 0 };
	struct world w;
	uint64_t users[4], held;
	size_t group;

	(void)state;
	setup(&w);
	for (size_t i = 0; i < 4; i++)
		users[i] = take(&w, stack_of(&w, 0x100, 0x2000), 40);
	held = take(&w, stack_of(&w, 0x100, 0x2000), 40);
	memcpy(w.data, &held, 8);
	find(&w, 0);
	assert_int_equal(w.group_count, 1);
	assert_true(leaks_group_at(w.leaks, users[2] + 7, &group));
	assert_int_equal(group, 0);
	assert_true(leaks_group_at(w.leaks, w.groups[0].bufctl, &group));
	assert_false(leaks_group_at(w.leaks, held, &group));
	assert_ok(leaks_each(w.leaks, group, see, &seen));
	assert_int_equal(seen.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(seen.users[i], users[i]);
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(singles_are_grouped_by_stack_but_for_frame_0),
		cmocka_unit_test(a_chain_hangs_off_its_head),
		cmocka_unit_test(a_ring_is_one_group_led_by_its_oldest),
		cmocka_unit_test(trees_with_parent_pointers_are_one_group_each),
		cmocka_unit_test(what_two_groups_share_neither_retains),
		cmocka_unit_test(a_held_group_retains_what_hangs_off_it),
		cmocka_unit_test(what_one_group_shares_it_retains),
		cmocka_unit_test(only_what_came_after_is_judged),
		cmocka_unit_test(possible_leaks_stand_apart),
		cmocka_unit_test(the_buffers_of_a_group_can_be_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
