/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engines that explain what marking found: refs.h, chains.h, retained.h,
 * root_users.h. */
#include "kdbg/chains.h"
#include "kdbg/refs.h"
#include "kdbg/retained.h"
#include "kdbg/root_users.h"
#include "tests/test_util.h"
#include "tests/unit/fake_heap.h"

#include <string.h>

#define FIRST_BASE  UINT64_C(0x400000)
#define SECOND_BASE UINT64_C(0x500000)

enum { BUFFERS = 100, SIZE = 48, REFS_MAX = 16 };

struct world {
	struct fake_target *parts;
	struct fake_heap *heap;
	size_t slab;
	char *first, *second; /* two mappings */
	uint32_t next;
	struct session session;
	struct places *places;
	struct ref refs[REFS_MAX];
	size_t ref_count;
};

static char *add_mapping(struct world *w, uint64_t base)
{
	char zeros[FAKE_PAGE] = { 0 };
	char *bytes = fake_target_memory(w->parts, base, zeros, sizeof(zeros));

	fake_target_map(w->parts, base, base + FAKE_PAGE,
			DUMP_MAP_READ | DUMP_MAP_WRITE | DUMP_MAP_STORED, "");
	return bytes;
}

static void setup(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->parts = fake_target_create();
	w->heap = fake_heap_create(w->parts, 4);
	w->slab =
		fake_heap_slab(w->heap, &(struct fake_slab){ .pages = 2,
							     .first = 16,
							     .stride = 80,
							     .buffers = BUFFERS,
							     .audited = true });
	w->first = add_mapping(w, FIRST_BASE);
	w->second = add_mapping(w, SECOND_BASE);
}

static uint64_t take(struct world *w)
{
	return fake_heap_alloc(w->heap, w->slab, w->next++, SIZE);
}

static void point(struct world *w, uint64_t from, uint64_t offset, uint64_t to)
{
	fake_heap_word(w->heap, from + offset, to);
}

static void hold(char *mapping, size_t offset, uint64_t word)
{
	memcpy(mapping + offset, &word, sizeof(word));
}

static void finish(struct world *w)
{
	w->session.target = fake_target_finish(w->parts);
	w->session.heap = fake_heap_finish(w->heap);
	assert_ok(reach_create(&w->session, &w->session.reach_options,
			       &w->session.reach));
	assert_ok(places_create(&w->session, &w->places));
}

static void teardown(struct world *w)
{
	places_destroy(w->places);
	reach_destroy(w->session.reach);
	target_close(w->session.target);
	fake_heap_destroy(w->heap);
}

static bool keep_ref(void *context, const struct ref *ref)
{
	struct world *w = context;

	assert_true(w->ref_count < REFS_MAX);
	w->refs[w->ref_count++] = *ref;
	return true;
}

static void find_refs(struct world *w, uint64_t address)
{
	const struct refs_range range = refs_range_of(w->session.heap, address);

	assert_ok(refs_find(&w->session, w->places, &range, keep_ref, w));
}

static void assert_ref(const struct ref *ref, enum place_kind kind,
		       uint64_t address, uint64_t offset)
{
	assert_string_equal(place_kind_name(ref->place.kind),
			    place_kind_name(kind));
	assert_int_equal(ref->place.address, address);
	assert_int_equal(ref->offset, offset);
}

static void refs_are_told_by_what_holds_them(void **state)
{
	struct dump_registers registers = { .rbx = 0 };
	struct world w;
	uint64_t target, live, leaked, freed;

	(void)state;
	setup(&w);
	target = take(&w);
	live = take(&w);
	leaked = take(&w);
	freed = live + 5 * 80; /* never handed out */
	registers.rbx = target;
	fake_target_thread(w.parts, 7, "main", &registers);
	hold(w.first, 0x10, live);
	hold(w.second, 0x20, target + SIZE); /* one past the end */
	point(&w, live, 8, target + 4);
	point(&w, live, SIZE + 8, target); /* its slack */
	point(&w, leaked, 0, target);
	point(&w, freed, 0, target);
	point(&w, target, 0, target); /* its own */
	hold(w.first, 0x30, target + SIZE + 1);
	finish(&w);
	find_refs(&w, target + 3);
	assert_int_equal(w.ref_count, 6);
	assert_ref(&w.refs[0], PLACE_REGISTERS, 0, 0);
	assert_ref(&w.refs[1], PLACE_OTHER, SECOND_BASE + 0x20, SIZE);
	assert_ref(&w.refs[2], PLACE_BUFFER, live + 8, 4);
	assert_ref(&w.refs[3], PLACE_SLACK, live + SIZE + 8, 0);
	assert_ref(&w.refs[4], PLACE_LEAKED, leaked, 0);
	assert_ref(&w.refs[5], PLACE_FREED, freed, 0);
	teardown(&w);
}

static void refs_to_an_address_outside_the_heap(void **state)
{
	struct world w;
	uint64_t live;

	(void)state;
	setup(&w);
	live = take(&w);
	hold(w.first, 0, live);
	point(&w, live, 16, SECOND_BASE + 8);
	hold(w.first, 8, SECOND_BASE + 9);
	finish(&w);
	find_refs(&w, SECOND_BASE + 8);
	assert_int_equal(w.ref_count, 1);
	assert_ref(&w.refs[0], PLACE_BUFFER, live + 16, 0);
	assert_err(refs_find(&w.session, w.places, &(struct refs_range){ 0 },
			     keep_ref, &w),
		   ERR_NOT_FOUND, "0 is no address");
	teardown(&w);
}

static void places_in_registers_have_names(void **state)
{
	struct dump_registers registers = { .rbx = 0 };
	struct world w;
	char text[128];

	(void)state;
	setup(&w);
	registers.rbx = take(&w);
	fake_target_thread(w.parts, 7, "main", &registers);
	finish(&w);
	find_refs(&w, registers.rbx);
	assert_int_equal(w.ref_count, 1);
	places_describe(w.places, &w.refs[0].place, text, sizeof(text));
	assert_string_equal(text, "thread 7 rbx");
	teardown(&w);
}

/* Long: 4 buffers from the first mapping; short: 1 from the second. */
static void chains_come_shortest_first(void **state)
{
	struct world w;
	struct chains chains;
	uint64_t target, way[4];

	(void)state;
	setup(&w);
	target = take(&w);
	for (size_t i = 0; i < 4; i++)
		way[i] = take(&w);
	hold(w.first, 8, way[0]);
	point(&w, way[0], 0, way[1]);
	point(&w, way[1], 8, way[2]);
	point(&w, way[2], 16, target);
	hold(w.second, 16, way[3]);
	point(&w, way[3], 40, target);
	point(&w, target, 0, way[0]); /* no chain leads through the target */
	finish(&w);
	assert_ok(chains_find(&w.session, w.places, target + 5, 1, &chains));
	assert_int_equal(chains.count, 1);
	assert_int_equal(chains.list[0].count, 2);
	assert_int_equal(chains.list[0].links[0].place.address,
			 SECOND_BASE + 16);
	assert_int_equal(chains.list[0].links[1].place.address, way[3] + 40);
	chains_deinit(&chains);
	assert_ok(chains_find(&w.session, w.places, target, 9, &chains));
	assert_int_equal(chains.count, 2);
	assert_int_equal(chains.list[1].count, 4);
	assert_int_equal(chains.list[1].links[0].place.address, FIRST_BASE + 8);
	assert_int_equal(chains.list[1].links[1].place.address, way[0]);
	assert_int_equal(chains.list[1].links[2].place.address, way[1] + 8);
	assert_int_equal(chains.list[1].links[3].place.address, way[2] + 16);
	assert_int_equal(chains.list[1].links[3].word, target);
	chains_deinit(&chains);
	teardown(&w);
}

static void a_chain_of_inner_references_only_where_no_other_is(void **state)
{
	struct world w;
	struct chains chains;
	uint64_t both, inner, holder;

	(void)state;
	setup(&w);
	both = take(&w);
	inner = take(&w);
	holder = take(&w);
	hold(w.first, 0, both + 20); /* shorter, but not plain */
	hold(w.first, 8, holder);
	point(&w, holder, 24, both);
	hold(w.second, 0, inner + 20);
	finish(&w);
	assert_ok(chains_find(&w.session, w.places, both, 9, &chains));
	assert_int_equal(chains.count, 1);
	assert_int_equal(chains.list[0].count, 2);
	chains_deinit(&chains);
	assert_ok(chains_find(&w.session, w.places, inner, 9, &chains));
	assert_int_equal(chains.count, 1);
	assert_int_equal(chains.list[0].links[0].word, inner + 20);
	chains_deinit(&chains);
	teardown(&w);
}

static void what_is_leaked_has_no_chain(void **state)
{
	struct world w;
	struct chains chains;
	uint64_t leaked, holder;

	(void)state;
	setup(&w);
	leaked = take(&w);
	holder = take(&w);
	point(&w, holder, 0, leaked);
	finish(&w);
	assert_ok(chains_find(&w.session, w.places, leaked, 9, &chains));
	assert_int_equal(chains.count, 0);
	assert_err(chains_find(&w.session, w.places, FIRST_BASE, 9, &chains),
		   ERR_NOT_FOUND, "0x400000 is in no buffer");
	teardown(&w);
}

static void assert_retained(struct world *w, uint64_t address, uint64_t buffers,
			    uint64_t reached)
{
	struct retained found;

	assert_ok(retained_find(&w->session, address, &found));
	assert_int_equal(found.buffers, buffers);
	assert_int_equal(found.bytes, buffers * SIZE);
	assert_int_equal(found.reach_buffers, reached);
	assert_int_equal(found.reach_bytes, reached * SIZE);
}

/*
 *	first --> top --> left --> bottom --> tail
 *		   \----> right ---/	       ^
 *	second --> other ----------------------/
 */
static void what_is_shared_is_not_retained(void **state)
{
	struct world w;
	uint64_t top, left, right, bottom, tail, other, lost;

	(void)state;
	setup(&w);
	top = take(&w);
	left = take(&w);
	right = take(&w);
	bottom = take(&w);
	tail = take(&w);
	other = take(&w);
	lost = take(&w);
	hold(w.first, 0, top);
	point(&w, top, 0, left);
	point(&w, top, 8, right);
	point(&w, left, 0, bottom);
	point(&w, right, 0, bottom);
	point(&w, right, 8, top); /* a way back */
	point(&w, bottom, 0, tail);
	hold(w.second, 0, other);
	point(&w, other, 0, tail);
	point(&w, lost, 0, bottom); /* what is leaked holds nothing */
	finish(&w);
	assert_retained(&w, top, 4, 5);
	assert_retained(&w, left, 1, 3);
	assert_retained(&w, bottom, 1, 2);
	assert_retained(&w, tail, 1, 1);
	assert_retained(&w, other, 1, 2);
	assert_retained(&w, lost, 1, 3);
	teardown(&w);
}

static void leaked_buffers_hold_each_other(void **state)
{
	struct world w;
	uint64_t head, second, shared, another;

	(void)state;
	setup(&w);
	head = take(&w);
	second = take(&w);
	shared = take(&w);
	another = take(&w);
	point(&w, head, 0, second);
	point(&w, second, 0, shared);
	point(&w, another, 0, shared);
	finish(&w);
	assert_retained(&w, head, 2, 3);
	assert_retained(&w, another, 1, 2);
	teardown(&w);
}

static const struct root_user *user_at(const struct root_users *users,
				       uint64_t start, uint32_t tid)
{
	for (size_t i = 0; i < users->count; i++)
		if (users->list[i].holder.start == start &&
		    users->list[i].holder.tid == tid)
			return &users->list[i];
	fail_msg("no user %#lx of thread %u", (unsigned long)start, tid);
	return NULL;
}

static void assert_user(const struct root_user *user, uint64_t retained,
			uint64_t reached, uint64_t words)
{
	assert_int_equal(user->retained_buffers, retained);
	assert_int_equal(user->retained_bytes, retained * SIZE);
	assert_true(user->reach_known);
	assert_int_equal(user->reach_buffers, reached);
	assert_int_equal(user->words, words);
}

static void users_are_ranked_by_what_they_hold_alone(void **state)
{
	struct dump_registers registers = { .rbx = 0 };
	struct world w;
	struct root_users users;
	uint64_t list[5], shared, tail;

	(void)state;
	setup(&w);
	for (size_t i = 0; i < 5; i++) {
		list[i] = take(&w);
		if (i)
			point(&w, list[i - 1], 0, list[i]);
	}
	point(&w, list[4], 0, list[0]);
	shared = take(&w);
	tail = take(&w);
	point(&w, list[4], 8, shared);
	point(&w, shared, 0, tail);
	hold(w.first, 0, list[0]);
	hold(w.first, 8, list[3]);
	hold(w.second, 0, shared);
	registers.r12 = take(&w);
	registers.r13 = shared;
	fake_target_thread(w.parts, 7, "main", &registers);
	take(&w); /* leaked: nobody's */
	finish(&w);
	assert_ok(root_users_find(&w.session, w.places, &users));
	assert_int_equal(users.count, 3);
	assert_int_equal(users.list[0].holder.start, FIRST_BASE);
	assert_user(user_at(&users, FIRST_BASE, 0), 5, 7, 2);
	assert_user(user_at(&users, SECOND_BASE, 0), 0, 2, 1);
	assert_user(user_at(&users, 0, 7), 1, 3, 2);
	assert_int_equal(users.shared_buffers, 2);
	assert_int_equal(users.shared_bytes, 2 * SIZE);
	root_users_deinit(&users);
	teardown(&w);
}

static void an_interrupt_ends_every_search(void **state)
{
	struct world w;
	struct refs_range range;
	uint64_t user;

	(void)state;
	setup(&w);
	user = take(&w);
	hold(w.first, 0, user);
	finish(&w);
	range = refs_range_of(w.session.heap, user);
	w.session.interrupted = 1;
	assert_err(refs_find(&w.session, w.places, &range, keep_ref, &w),
		   ERR_IO, "interrupted while searching");
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refs_are_told_by_what_holds_them),
		cmocka_unit_test(refs_to_an_address_outside_the_heap),
		cmocka_unit_test(places_in_registers_have_names),
		cmocka_unit_test(chains_come_shortest_first),
		cmocka_unit_test(
			a_chain_of_inner_references_only_where_no_other_is),
		cmocka_unit_test(what_is_leaked_has_no_chain),
		cmocka_unit_test(what_is_shared_is_not_retained),
		cmocka_unit_test(leaked_buffers_hold_each_other),
		cmocka_unit_test(users_are_ranked_by_what_they_hold_alone),
		cmocka_unit_test(an_interrupt_ends_every_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
