/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/fake_world.h"

#include "tests/test_util.h"

#include <stdlib.h>
#include <string.h>

#define STACK_LOW  UINT64_C(0x7f0000000000)
#define STACK_HIGH (STACK_LOW + 4 * FAKE_PAGE)

static void root_word(struct world *w, size_t i, uint64_t word)
{
	memcpy(w->data + i * 8, &word, 8);
}

static void a_chain_from_data_is_reachable(void **state)
{
	struct world w;
	uint64_t chain[50];

	(void)state;
	world_setup(&w);
	for (uint32_t i = 0; i < 50; i++) {
		chain[i] = fake_heap_alloc(w.heap, i % 2 ? w.plain : w.audited,
					   i, 40);
		if (i)
			fake_heap_word(w.heap, chain[i - 1] + 16, chain[i]);
	}
	root_word(&w, 3, chain[0]);
	world_mark(&w);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(world_class(&w, chain[i]), REACH_PLAIN);
	assert_int_equal(reach_totals(w.reach)->buffers, 50);
	assert_int_equal(reach_totals(w.reach)->bytes, 25 * 40 + 25 * 64);
	assert_int_equal(reach_totals(w.reach)->leaked, 0);
	assert_int_equal(reach_totals(w.reach)->references, 50);
	world_teardown(&w);
}

static void what_nothing_refers_to_is_leaked(void **state)
{
	struct world w;
	uint64_t lost, held, ring[2];

	(void)state;
	world_setup(&w);
	lost = fake_heap_alloc(w.heap, w.audited, 0, 64);
	held = fake_heap_alloc(w.heap, w.audited, 1, 64);
	ring[0] = fake_heap_alloc(w.heap, w.plain, 0, 64);
	ring[1] = fake_heap_alloc(w.heap, w.plain, 1, 64);
	fake_heap_word(w.heap, ring[0], ring[1]);
	fake_heap_word(w.heap, ring[1], ring[0]);
	root_word(&w, 0, held);
	world_mark(&w);
	assert_int_equal(world_class(&w, lost), REACH_LEAKED);
	assert_int_equal(world_class(&w, held), REACH_PLAIN);
	assert_int_equal(world_class(&w, ring[0]), REACH_LEAKED);
	assert_int_equal(world_class(&w, ring[1]), REACH_LEAKED);
	assert_int_equal(reach_totals(w.reach)->leaked, 3);
	world_teardown(&w);
}

static void only_requested_bytes_hold_and_draw_references(void **state)
{
	struct world w;
	uint64_t small, beyond, slack, canary, end;

	(void)state;
	world_setup(&w);
	small = fake_heap_alloc(w.heap, w.audited, 0, 20);
	beyond = fake_heap_alloc(w.heap, w.audited, 1, 64);
	fake_heap_word(w.heap, small + 16, beyond); /* ends past byte 20 */
	slack = fake_heap_alloc(w.heap, w.audited, 2, 20);
	canary = fake_heap_alloc_at(w.heap, w.audited, 3, 32, 20);
	end = fake_heap_alloc(w.heap, w.audited, 4, 20);
	root_word(&w, 0, small);
	root_word(&w, 1, slack + 21);
	root_word(&w, 2, canary - 1);
	root_word(&w, 3, end + 20);
	world_mark(&w);
	assert_int_equal(world_class(&w, small), REACH_PLAIN);
	assert_int_equal(world_class(&w, beyond), REACH_LEAKED);
	assert_int_equal(world_class(&w, slack), REACH_LEAKED);
	assert_int_equal(world_class(&w, canary), REACH_LEAKED);
	assert_int_equal(world_class(&w, end), REACH_POSSIBLE);
	world_teardown(&w);
}

static void inner_references_make_possible_all_they_alone_lead_to(void **state)
{
	struct world w;
	uint64_t inner, below, both, offset;

	(void)state;
	world_setup(&w);
	inner = fake_heap_alloc(w.heap, w.audited, 0, 64);
	below = fake_heap_alloc(w.heap, w.audited, 1, 64);
	both = fake_heap_alloc(w.heap, w.audited, 2, 64);
	offset = fake_heap_alloc_at(w.heap, w.audited, 3, 32, 16);
	fake_heap_word(w.heap, inner, below);
	fake_heap_word(w.heap, inner + 8, both);
	root_word(&w, 0, inner + 8);
	root_word(&w, 1, both + 8);
	root_word(&w, 2, both);
	root_word(&w, 3, offset);
	world_mark(&w);
	assert_int_equal(world_class(&w, inner), REACH_POSSIBLE);
	assert_int_equal(world_class(&w, below), REACH_POSSIBLE);
	assert_int_equal(world_class(&w, both), REACH_PLAIN);
	assert_int_equal(world_class(&w, offset), REACH_PLAIN);
	assert_int_equal(reach_totals(w.reach)->possible, 2);
	world_teardown(&w);
}

static void inner_references_by_design_are_plain(void **state)
{
	struct world w;
	uint64_t aligned, array, odd;

	(void)state;
	world_setup(&w);
	aligned = fake_heap_alloc(w.heap, w.audited, 0, 64);
	array = fake_heap_alloc(w.heap, w.audited, 1, 8 + 3 * 16);
	odd = fake_heap_alloc(w.heap, w.audited, 2, 8 + 3 * 16);
	fake_heap_word(w.heap, aligned + 24, aligned); /* its start beside it */
	fake_heap_word(w.heap, array, 3);              /* new T[3] */
	fake_heap_word(w.heap, odd, 5);                /* 48 is no 5 T */
	root_word(&w, 0, aligned + 32);
	root_word(&w, 1, array + 8);
	root_word(&w, 2, odd + 8);
	world_mark(&w);
	assert_int_equal(world_class(&w, aligned), REACH_PLAIN);
	assert_int_equal(world_class(&w, array), REACH_PLAIN);
	assert_int_equal(world_class(&w, odd), REACH_POSSIBLE);
	world_teardown(&w);
}

static void an_address_in_a_wide_slab_is_its_own_buffers(void **state)
{
	const uint64_t stride = 131088;
	struct world w;
	uint64_t buffers[15];
	size_t slab;

	(void)state;
	world_setup(&w);
	slab = fake_heap_slab(w.heap, &(struct fake_slab){ .page = 8,
							   .pages = 500,
							   .stride = stride,
							   .buffers = 15 });
	for (uint32_t i = 0; i < 15; i++)
		buffers[i] = fake_heap_alloc(w.heap, slab, i, 0);
	for (uint32_t i = 0; i < 15; i += 2)
		root_word(&w, i, buffers[i] + stride - 1);
	world_mark(&w);
	for (uint32_t i = 0; i < 15; i++)
		assert_int_equal(world_class(&w, buffers[i]),
				 i % 2 ? REACH_LEAKED : REACH_POSSIBLE);
	world_teardown(&w);
}

static void free_buffers_hold_nothing(void **state)
{
	struct world w;
	uint64_t held;

	(void)state;
	world_setup(&w);
	held = fake_heap_alloc(w.heap, w.audited, 1, 64);
	fake_heap_word(w.heap, held - 80, held); /* buffer 0 is free */
	root_word(&w, 0, held - 80);
	world_mark(&w);
	assert_int_equal(world_class(&w, held), REACH_LEAKED);
	assert_int_equal(reach_class_of(w.reach, 0), REACH_NOT_LIVE);
	world_teardown(&w);
}

static struct dump_registers at(uint64_t rsp, uint64_t fs_base)
{
	return (struct dump_registers){ .rsp = rsp, .fs_base = fs_base };
}

static void put(char *memory, uint64_t base, uint64_t address, uint64_t word)
{
	memcpy(memory + (address - base), &word, sizeof(word));
}

static void registers_and_the_stack_in_use_are_roots(void **state)
{
	const uint64_t rsp = STACK_LOW + 2 * FAKE_PAGE;
	struct dump_registers registers = at(rsp, 0);
	struct world w;
	uint64_t buffer[5];
	char *stack;

	(void)state;
	world_setup(&w);
	for (uint32_t i = 0; i < 5; i++)
		buffer[i] = fake_heap_alloc(w.heap, w.audited, i, 64);
	stack = world_memory(&w, STACK_LOW, 4 * FAKE_PAGE, RW, "[stack]");
	put(stack, STACK_LOW, rsp, buffer[0]);
	put(stack, STACK_LOW, rsp - 128, buffer[1]);
	put(stack, STACK_LOW, rsp - 136, buffer[2]);
	put(stack, STACK_LOW, STACK_HIGH - 8, buffer[3]);
	registers.r15 = buffer[4];
	fake_target_thread(w.parts, 7, "main", &registers);
	world_mark(&w);
	assert_int_equal(world_class(&w, buffer[0]), REACH_PLAIN);
	assert_int_equal(world_class(&w, buffer[1]), REACH_PLAIN);
	assert_int_equal(world_class(&w, buffer[2]), REACH_LEAKED);
	assert_int_equal(world_class(&w, buffer[3]), REACH_PLAIN);
	assert_int_equal(world_class(&w, buffer[4]), REACH_PLAIN);
	world_teardown(&w);
}

/* A thread's stack as glibc lays it out: guard, stack, control block. */
static char *add_thread_stack(struct world *w, uint64_t low, uint64_t *block)
{
	char *stack;

	fake_target_map(w->parts, low - FAKE_PAGE, low, 0, "");
	stack = world_memory(w, low, 4 * FAKE_PAGE, RW, "");
	*block = low + 4 * FAKE_PAGE - 0x900;
	put(stack, low, *block, *block);
	put(stack, low, *block + 16, *block);
	return stack;
}

/* A control block that tells where its stack is; its guard is one page. */
static void put_block(char *memory, uint64_t base, uint64_t block, uint64_t low,
		      uint64_t size)
{
	put(memory, base, block, block);
	put(memory, base, block + 16, block);
	put(memory, base, block + 0x108, block + 64); /* from 0 to here? no */
	put(memory, base, block + 0x690, low - FAKE_PAGE);
	put(memory, base, block + 0x698, size + FAKE_PAGE);
	put(memory, base, block + 0x6a0, FAKE_PAGE);
}

static void stacks_of_ended_threads_are_no_roots(void **state)
{
	const uint64_t live_low = STACK_LOW, dead_low = STACK_LOW + 0x100000;
	struct world w;
	uint64_t buffer[5], live_block, dead_block;
	char *live, *dead;
	struct dump_registers registers;
	const struct root_gap *gaps;

	(void)state;
	world_setup(&w);
	for (uint32_t i = 0; i < 5; i++)
		buffer[i] = fake_heap_alloc(w.heap, w.audited, i, 64);
	live = add_thread_stack(&w, live_low, &live_block);
	dead = add_thread_stack(&w, dead_low, &dead_block);
	registers = at(live_low + FAKE_PAGE, live_block);
	fake_target_thread(w.parts, 8, "worker", &registers);
	put(live, live_low, live_low + FAKE_PAGE + 64, buffer[0]);
	put(live, live_low, live_block - 64, buffer[1]); /* its TLS */
	put(dead, dead_low, dead_low + 2 * FAKE_PAGE, buffer[2]);
	put(dead, dead_low, dead_block - 64, buffer[3]);
	put(dead, dead_low, dead_block + 8, buffer[4] + 16); /* its dtv */
	world_mark(&w);
	assert_int_equal(world_class(&w, buffer[0]), REACH_PLAIN);
	assert_int_equal(world_class(&w, buffer[1]), REACH_PLAIN);
	assert_int_equal(world_class(&w, buffer[2]), REACH_LEAKED);
	assert_int_equal(world_class(&w, buffer[3]), REACH_LEAKED);
	assert_int_equal(world_class(&w, buffer[4]), REACH_PLAIN);
	assert_int_equal(roots_gaps(reach_roots(w.reach), &gaps), 2);
	assert_string_equal(gaps[0].reason, "unused part of a stack");
	assert_string_equal(gaps[1].reason, "stack of a thread that has ended");
	world_teardown(&w);
}

static void
an_ended_stack_merged_with_a_mapping_is_told_by_its_record(void **state)
{
	const uint64_t low = STACK_LOW;
	struct world w;
	uint64_t inside, above, block;
	char *memory;

	(void)state;
	world_setup(&w);
	inside = fake_heap_alloc(w.heap, w.audited, 0, 64);
	above = fake_heap_alloc(w.heap, w.audited, 1, 64);
	fake_target_map(w.parts, low - FAKE_PAGE, low, 0, "");
	memory = world_memory(&w, low, 32 * FAKE_PAGE, RW, "");
	block = low + 8 * FAKE_PAGE - 0x900;
	put(memory, low, block, block);
	put(memory, low, block + 16, block);
	put(memory, low, low + 4 * FAKE_PAGE, inside);
	put(memory, low, low + 8 * FAKE_PAGE, above);
	fake_heap_thread(w.heap,
			 &(struct heap_thread){
				 .tid = 9, .stack_top = low + 8 * FAKE_PAGE });
	world_mark(&w);
	assert_int_equal(world_class(&w, inside), REACH_LEAKED);
	assert_int_equal(world_class(&w, above), REACH_PLAIN);
	world_teardown(&w);
}

/* Stacks cut from one mapping with data beside them, as a program may make
 * them: the control block tells how far each goes. */
static void a_stack_in_a_larger_mapping_is_told_by_its_block(void **state)
{
	const uint64_t low = STACK_LOW, live_low = low + 4 * FAKE_PAGE,
		       dead_low = low + 8 * FAKE_PAGE,
		       end = low + 12 * FAKE_PAGE;
	struct world w;
	uint64_t buffer[6], live_block = dead_low - 0x900,
			    dead_block = end - 0x900;
	char *memory;
	struct dump_registers registers;

	(void)state;
	world_setup(&w);
	for (uint32_t i = 0; i < 6; i++)
		buffer[i] = fake_heap_alloc(w.heap, w.audited, i, 64);
	memory = world_memory(&w, low, 12 * FAKE_PAGE, RW, "");
	put_block(memory, low, live_block, live_low, dead_low - live_low);
	put_block(memory, low, dead_block, dead_low, end - dead_low);
	registers = at(live_low + 2 * FAKE_PAGE, live_block);
	fake_target_thread(w.parts, 8, "worker", &registers);
	put(memory, low, low + 64, buffer[0]); /* the data below */
	put(memory, low, live_low + 64, buffer[1]);
	put(memory, low, live_low + 2 * FAKE_PAGE + 64, buffer[2]);
	put(memory, low, live_block - 64, buffer[3]);
	put(memory, low, dead_low + 64, buffer[4]);
	put(memory, low, dead_block - 64, buffer[5]);
	world_mark(&w);
	assert_int_equal(world_class(&w, buffer[0]), REACH_PLAIN);
	assert_int_equal(world_class(&w, buffer[1]), REACH_LEAKED);
	assert_int_equal(world_class(&w, buffer[2]), REACH_PLAIN);
	assert_int_equal(world_class(&w, buffer[3]), REACH_PLAIN);
	assert_int_equal(world_class(&w, buffer[4]), REACH_LEAKED);
	assert_int_equal(world_class(&w, buffer[5]), REACH_LEAKED);
	world_teardown(&w);
}

static void a_thread_off_its_stack_keeps_all_of_it(void **state)
{
	const uint64_t low = STACK_LOW, alternate = STACK_LOW + 0x100000;
	struct world w;
	uint64_t buffer[3], block;
	char *stack, *other;
	struct dump_registers registers;

	(void)state;
	world_setup(&w);
	for (uint32_t i = 0; i < 3; i++)
		buffer[i] = fake_heap_alloc(w.heap, w.audited, i, 64);
	stack = add_thread_stack(&w, low, &block);
	other = world_memory(&w, alternate, 4 * FAKE_PAGE, RW, "");
	registers = at(alternate + FAKE_PAGE, block);
	fake_target_thread(w.parts, 8, "worker", &registers);
	fake_heap_thread(w.heap, &(struct heap_thread){
					 .tid = 8,
					 .live = true,
					 .altstack_base = alternate + 512,
					 .altstack_size = 2 * FAKE_PAGE });
	put(stack, low, low + 64, buffer[0]);
	put(other, alternate, alternate + 1024, buffer[1]); /* below rsp */
	put(other, alternate, alternate, buffer[2]); /* beside the stack */
	world_mark(&w);
	assert_int_equal(world_class(&w, buffer[0]), REACH_PLAIN);
	assert_int_equal(world_class(&w, buffer[1]), REACH_LEAKED);
	assert_int_equal(world_class(&w, buffer[2]), REACH_PLAIN);
	world_teardown(&w);
}

static void the_allocators_own_memory_is_no_root(void **state)
{
	struct world w;
	uint64_t buffer, log = FAKE_RESERVE_END - FAKE_PAGE;
	char *memory;

	(void)state;
	world_setup(&w);
	buffer = fake_heap_alloc(w.heap, w.audited, 0, 64);
	memory = world_memory(&w, log, 2 * FAKE_PAGE, RW,
			      ""); /* half of it theirs */
	put(memory, log, log, buffer);
	world_mark(&w);
	assert_int_equal(world_class(&w, buffer), REACH_LEAKED);
	assert_int_equal(roots_bytes(reach_roots(w.reach), ROOT_OTHER),
			 2 * FAKE_PAGE);
	world_teardown(&w);
}

static void what_is_missing_is_told(void **state)
{
	struct world w;
	char text[512];

	(void)state;
	world_setup(&w);
	fake_target_map(w.parts, DATA_BASE + FAKE_PAGE,
			DATA_BASE + 3 * FAKE_PAGE, RW, "");
	fake_target_thread(w.parts, 7, "blind", NULL);
	world_mark(&w);
	assert_int_equal(roots_missing(reach_roots(w.reach)), 2 * FAKE_PAGE);
	assert_int_equal(roots_blind_threads(reach_roots(w.reach)), 1);
	roots_describe(reach_roots(w.reach), text, sizeof(text));
	assert_non_null(strstr(text, "missing: 8.0K;"));
	assert_non_null(strstr(text, "missing: registers of 1 thread"));
	world_teardown(&w);
}

static void a_dump_without_user_bytes_is_refused(void **state)
{
	struct world w;
	struct reach *reach = NULL;

	(void)state;
	world_setup(&w);
	fake_target_process(w.parts)->level = DUMP_META;
	w.session.target = fake_target_finish(w.parts);
	w.session.heap = fake_heap_finish(w.heap);
	assert_err(reach_create(&w.session, &w.options, &reach),
		   ERR_UNSUPPORTED,
		   "a dump of level meta has no pointers to follow");
	world_teardown(&w);
}

static void of_damaged_memory_the_rest_is_scanned(void **state)
{
	const uint64_t base = UINT64_C(0x600000);
	struct world w;
	uint64_t kept, lost, before, after;
	char *memory;

	(void)state;
	world_setup(&w);
	kept = fake_heap_alloc(w.heap, w.audited, 0, 64);
	lost = fake_heap_alloc(w.heap, w.plain, 0, 64);
	before = fake_heap_alloc(w.heap, w.audited, 1, 64);
	after = fake_heap_alloc(w.heap, w.audited, 2, 64);
	fake_heap_word(w.heap, kept, lost);
	root_word(&w, 0, kept);
	memory = world_memory(&w, base, 3 * FAKE_PAGE, RW, "");
	put(memory, base, base, before);
	put(memory, base, base + 2 * FAKE_PAGE, after);
	fake_target_damage(w.parts, FAKE_HEAP_BASE + FAKE_PAGE);
	fake_target_damage(w.parts, base + FAKE_PAGE);
	world_mark(&w);
	assert_int_equal(world_class(&w, kept), REACH_PLAIN);
	assert_int_equal(world_class(&w, lost), REACH_PLAIN);
	assert_int_equal(world_class(&w, before), REACH_PLAIN);
	assert_int_equal(world_class(&w, after), REACH_PLAIN);
	assert_int_equal(roots_missing(reach_roots(w.reach)), FAKE_PAGE);
	world_teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_from_data_is_reachable),
		cmocka_unit_test(what_nothing_refers_to_is_leaked),
		cmocka_unit_test(only_requested_bytes_hold_and_draw_references),
		cmocka_unit_test(
			inner_references_make_possible_all_they_alone_lead_to),
		cmocka_unit_test(inner_references_by_design_are_plain),
		cmocka_unit_test(an_address_in_a_wide_slab_is_its_own_buffers),
		cmocka_unit_test(free_buffers_hold_nothing),
		cmocka_unit_test(registers_and_the_stack_in_use_are_roots),
		cmocka_unit_test(stacks_of_ended_threads_are_no_roots),
		cmocka_unit_test(
			an_ended_stack_merged_with_a_mapping_is_told_by_its_record),
		cmocka_unit_test(
			a_stack_in_a_larger_mapping_is_told_by_its_block),
		cmocka_unit_test(a_thread_off_its_stack_keeps_all_of_it),
		cmocka_unit_test(the_allocators_own_memory_is_no_root),
		cmocka_unit_test(what_is_missing_is_told),
		cmocka_unit_test(a_dump_without_user_bytes_is_refused),
		cmocka_unit_test(of_damaged_memory_the_rest_is_scanned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
