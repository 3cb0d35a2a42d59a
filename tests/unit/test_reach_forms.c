/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Roots and pointers that are not the common ones: what the program told of,
 * code made at run time, encoded pointers, inner pointers by design. */
#include "kdbg/pointer_forms.h"
#include "tests/test_util.h"
#include "tests/unit/fake_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t alloc(struct world *w, uint32_t index)
{
	return fake_heap_alloc(w->heap, w->audited, index, 64);
}

static void put(char *memory, size_t offset, uint64_t word)
{
	memcpy(memory + offset, &word, sizeof(word));
}

static struct err *hexadecimal(void *context, const char *text, uint64_t *ret)
{
	(void)context;
	*ret = strtoull(text, NULL, 16);
	return NULL;
}

static struct err *parse(const char *text, struct pointer_forms *ret)
{
	return pointer_forms_parse(text, hexadecimal, NULL, ret);
}

static void what_the_program_ignores_is_a_root(void **state)
{
	struct world w;
	uint64_t ignored, held, lost;

	(void)state;
	world_setup(&w);
	ignored = alloc(&w, 0);
	held = alloc(&w, 1);
	lost = alloc(&w, 2);
	fake_heap_word(w.heap, ignored, held);
	fake_heap_ignore(w.heap, ignored);
	world_mark(&w);
	assert_int_equal(world_class(&w, ignored), REACH_PLAIN);
	assert_int_equal(world_class(&w, held), REACH_PLAIN);
	assert_int_equal(world_class(&w, lost), REACH_LEAKED);
	assert_int_equal(roots_count(reach_roots(w.reach), ROOT_IGNORED), 1);
	world_teardown(&w);
}

/* In the heap, and in memory that is not written to; what overlaps is one. */
static void regions_of_the_program_are_roots(void **state)
{
	const uint64_t shared = UINT64_C(0x600000);
	struct world w;
	uint64_t arena, in_arena, beside, in_shared, below;
	char *memory;

	(void)state;
	world_setup(&w);
	arena = alloc(&w, 0);
	in_arena = alloc(&w, 1);
	beside = alloc(&w, 2);
	in_shared = alloc(&w, 3);
	below = alloc(&w, 4);
	fake_heap_word(w.heap, arena + 16, in_arena);
	fake_heap_word(w.heap, arena + 48, beside);
	fake_heap_region(w.heap, arena + 8, arena + 24);
	fake_heap_region(w.heap, arena + 16, arena + 32);
	memory = world_memory(&w, shared, FAKE_PAGE,
			      DUMP_MAP_READ | DUMP_MAP_SHARED | DUMP_MAP_STORED,
			      "");
	put(memory, 64, below);
	put(memory, 128, in_shared);
	fake_heap_region(w.heap, shared + 128, shared + 136);
	world_mark(&w);
	assert_int_equal(world_class(&w, arena), REACH_LEAKED);
	assert_int_equal(world_class(&w, in_arena), REACH_PLAIN);
	assert_int_equal(world_class(&w, beside), REACH_LEAKED);
	assert_int_equal(world_class(&w, in_shared), REACH_PLAIN);
	assert_int_equal(world_class(&w, below), REACH_LEAKED);
	world_teardown(&w);
}

/* Anonymous memory was written before it became read-only; what a compiler made
 * has pointers at any byte. */
static void memory_that_was_written_is_a_root(void **state)
{
	const uint64_t constants = UINT64_C(0x600000),
		       code = UINT64_C(0x700000), file = UINT64_C(0x800000);
	struct world w;
	uint64_t buffer[4];
	char *memory;

	(void)state;
	world_setup(&w);
	for (uint32_t i = 0; i < 4; i++)
		buffer[i] = alloc(&w, i);
	memory = world_memory(&w, constants, FAKE_PAGE,
			      DUMP_MAP_READ | DUMP_MAP_STORED, "");
	put(memory, 64, buffer[0]);
	put(memory, 131, buffer[1]); /* no place for data */
	memory = world_memory(&w, code, FAKE_PAGE,
			      DUMP_MAP_READ | DUMP_MAP_EXEC | DUMP_MAP_STORED,
			      "");
	put(memory, 131, buffer[2]);
	memory = fake_target_memory(w.parts, file, memory, FAKE_PAGE);
	fake_target_map(w.parts, file, file + FAKE_PAGE,
			DUMP_MAP_READ | DUMP_MAP_EXEC, "/lib/libx.so");
	memset(memory, 0, FAKE_PAGE);
	put(memory, 64, buffer[3]);
	world_mark(&w);
	assert_int_equal(world_class(&w, buffer[0]), REACH_PLAIN);
	assert_int_equal(world_class(&w, buffer[1]), REACH_LEAKED);
	assert_int_equal(world_class(&w, buffer[2]), REACH_PLAIN);
	assert_int_equal(world_class(&w, buffer[3]), REACH_LEAKED);
	world_teardown(&w);
}

static void encoded_pointers_are_read_when_asked(void **state)
{
	struct world w;
	uint64_t tagged, packed, compressed, mangled;

	(void)state;
	world_setup(&w);
	tagged = alloc(&w, 0);
	packed = alloc(&w, 1);
	compressed = alloc(&w, 2);
	mangled = alloc(&w, 3);
	put(w.data, 0, tagged << 16);
	put(w.data, 11, packed);
	put(w.data, 32, (compressed - FAKE_HEAP_BASE) >> 3 << 32);
	put(w.data, 48, ~mangled);
	world_mark(&w);
	assert_int_equal(reach_totals(w.reach)->leaked, 4);
	w.options.forms = (struct pointer_forms){ 0 };
	assert_ok(parse("shr=10", &w.options.forms));
	world_mark(&w);
	assert_int_equal(world_class(&w, tagged), REACH_PLAIN);
	assert_int_equal(reach_totals(w.reach)->leaked, 3);
	w.options.forms.unaligned = true;
	world_mark(&w);
	assert_int_equal(world_class(&w, packed), REACH_PLAIN);
	assert_int_equal(reach_totals(w.reach)->leaked, 2);
	w.options.forms = (struct pointer_forms){ 0 };
	assert_ok(parse("u32,shl=3,add=10000000", &w.options.forms));
	world_mark(&w);
	assert_int_equal(world_class(&w, compressed), REACH_PLAIN);
	assert_int_equal(reach_totals(w.reach)->leaked, 3);
	w.options.forms = (struct pointer_forms){ 0 };
	assert_ok(parse("rol=8,xor=ffffffffffffffff,ror=8", &w.options.forms));
	world_mark(&w);
	assert_int_equal(world_class(&w, mangled), REACH_PLAIN);
	assert_int_equal(reach_totals(w.reach)->leaked, 3);
	world_teardown(&w);
}

/* In a structure packed to four bytes, and with a tag above the address: found
 * only for what would be leaked, and not more than possible. */
static void hidden_pointers_make_possible(void **state)
{
	struct world w;
	uint64_t packed, tagged, below, inside, odd;

	(void)state;
	world_setup(&w);
	packed = alloc(&w, 0);
	tagged = alloc(&w, 1);
	below = alloc(&w, 2);
	inside = alloc(&w, 3);
	odd = alloc(&w, 4);
	put(w.data, 4, packed);
	fake_heap_word(w.heap, packed + 8, tagged | UINT64_C(0xab) << 56);
	fake_heap_word(w.heap, tagged + 20, below);
	put(w.data, 68, inside + 8);
	put(w.data, 131, odd);
	world_mark(&w);
	assert_int_equal(world_class(&w, packed), REACH_POSSIBLE);
	assert_int_equal(world_class(&w, tagged), REACH_POSSIBLE);
	assert_int_equal(world_class(&w, below), REACH_POSSIBLE);
	assert_int_equal(world_class(&w, inside), REACH_LEAKED);
	assert_int_equal(world_class(&w, odd), REACH_LEAKED);
	w.options.forms.mask = UINT64_C(0xff) << 56;
	w.options.forms.unaligned = true;
	world_mark(&w);
	assert_int_equal(world_class(&w, tagged), REACH_PLAIN);
	assert_int_equal(world_class(&w, odd), REACH_PLAIN);
	assert_int_equal(world_class(&w, inside), REACH_POSSIBLE);
	world_teardown(&w);
}

static void steps_that_make_no_sense_are_refused(void **state)
{
	static const char *const wrong[] = { "xor", "u32=1", "nor=3", "=3" };
	struct pointer_forms shifted = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct pointer_forms forms = { 0 };
		char message[256];

		snprintf(message, sizeof(message),
			 "%s: steps are u32 (first), xor=V, add=V, and=V, "
			 "shl=N, shr=N, rol=N, ror=N",
			 wrong[i]);
		assert_err(parse(wrong[i], &forms), ERR_USAGE, message);
	}
	assert_err(parse("add=1,shl=40", &shifted), ERR_USAGE,
		   "shl=40: a word has 64 bits (numbers are hexadecimal; 0t17 "
		   "is decimal)");
}

/* A class of two bases: its own vtable, and that of the second with the way
 * back to the top. */
static void a_second_base_is_a_plain_reference(void **state)
{
	const uint64_t vtables = UINT64_C(0x900000), type = vtables + 256;
	struct world w;
	uint64_t object, other;
	char *memory;

	(void)state;
	world_setup(&w);
	object = alloc(&w, 0);
	other = alloc(&w, 1);
	memory = world_memory(&w, vtables, FAKE_PAGE,
			      DUMP_MAP_READ | DUMP_MAP_STORED, "");
	put(memory, 8, type);
	put(memory, 32, (uint64_t)-16);
	put(memory, 40, type);
	put(memory, 72, type + 8); /* another class */
	for (int i = 0; i < 2; i++)
		fake_heap_word(w.heap, i ? other : object, vtables + 16);
	fake_heap_word(w.heap, object + 16, vtables + 48);
	fake_heap_word(w.heap, other + 24, vtables + 48);
	put(w.data, 0, object + 16);
	put(w.data, 8, other + 24);
	world_mark(&w);
	assert_int_equal(world_class(&w, object), REACH_PLAIN);
	assert_int_equal(world_class(&w, other), REACH_POSSIBLE);
	world_teardown(&w);
}

static void strings_behind_their_length_are_plain(void **state)
{
	struct world w;
	uint64_t shared, sds, neither;

	(void)state;
	world_setup(&w);
	shared = alloc(&w, 0);
	sds = alloc(&w, 1);
	neither = alloc(&w, 2);
	fake_heap_word(w.heap, shared, 5);
	fake_heap_word(w.heap, shared + 8, 39);
	fake_heap_word(w.heap, shared + 24,
		       UINT64_C(0x006f6c6c6568)); /* hello */
	fake_heap_word(w.heap, sds, UINT64_C(0x6f6c6c6568013c05));
	fake_heap_word(w.heap, neither, UINT64_C(0x6f6c6c6568013c06));
	put(w.data, 0, shared + 24);
	put(w.data, 8, sds + 3);
	put(w.data, 16, neither + 4);
	world_mark(&w);
	assert_int_equal(world_class(&w, shared), REACH_PLAIN);
	assert_int_equal(world_class(&w, sds), REACH_PLAIN);
	assert_int_equal(world_class(&w, neither), REACH_POSSIBLE);
	world_teardown(&w);
}

static void a_kind_of_root_can_be_left_out(void **state)
{
	struct world w;
	uint64_t held;

	(void)state;
	world_setup(&w);
	held = alloc(&w, 0);
	put(w.data, 0, held);
	w.options.without = 1u << ROOT_OTHER;
	world_mark(&w);
	assert_int_equal(world_class(&w, held), REACH_LEAKED);
	world_teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_program_ignores_is_a_root),
		cmocka_unit_test(regions_of_the_program_are_roots),
		cmocka_unit_test(memory_that_was_written_is_a_root),
		cmocka_unit_test(encoded_pointers_are_read_when_asked),
		cmocka_unit_test(hidden_pointers_make_possible),
		cmocka_unit_test(steps_that_make_no_sense_are_refused),
		cmocka_unit_test(a_second_base_is_a_plain_reference),
		cmocka_unit_test(strings_behind_their_length_are_plain),
		cmocka_unit_test(a_kind_of_root_can_be_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
