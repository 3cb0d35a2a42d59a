/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guards and fills of a heap laid out by hand, judged by a rule that is written
 * here a second time: not the allocator's, not the debugger's. */
#include "alloc/pattern.h"
#include "alloc/schema.h"
#include "kdbg/heap_verify.h"
#include "tests/test_util.h"
#include "tests/unit/heap_image.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE = 40, LIVE = 0, FREED = 1, NEVER = 2 };

#define SECRET UINT64_C(0x0123456789abcdef)

struct sample {
	struct target *target;
	struct heap *heap;
	unsigned char *page; /* of the heap, at IMAGE_HEAP */
	uint64_t live, freed;
};

/* Of the rule's revision that the sample has. */
static uint64_t guard_bits = UINT64_C(0x8080808080808080);

static unsigned char guard_byte(uint64_t address)
{
	uint64_t word = address & ~UINT64_C(7);
	uint64_t m = (SECRET ^ word) * UINT64_C(0x9e3779b97f4a7c15);

	return (unsigned char)(((m ^ m >> 32) | guard_bits) >>
			       8 * (address - word));
}

static void put_guard(struct sample *s, uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		s->page[from - IMAGE_HEAP] = guard_byte(from);
}

static void put_buffer(struct sample *s, uint64_t user, bool is_free)
{
	static const unsigned char fill[4] = { 0xef, 0xbe, 0xad, 0xde };

	put_guard(s, user - 8, user);
	put_guard(s, user + SIZE, user + 72);
	for (unsigned i = 0; i < SIZE; i++)
		s->page[user - IMAGE_HEAP + i] = is_free ? fill[i % 4] : 'u';
}

static struct kma_schema_record *constant(struct heap_image *image,
					  const char *name)
{
	for (uint32_t i = 0; i < kma_schema_count; i++)
		if (strcmp(image->schema[i].name, name) == 0)
			return &image->schema[i];
	fail_msg("no constant %s", name);
	return NULL;
}

/* One audited slab of 64-byte buffers. revision 0: of a dump that does not say.
 */
static struct sample open_pristine(unsigned revision, bool pristine)
{
	struct sample s = { 0 };
	struct heap_image *image = heap_image_create();
	struct kma_cache *cache = heap_image_cache(image, "kmem_alloc_64", 64);
	struct kma_slab *slab =
		heap_image_slab(image, cache, 0, 1, KMA_TIER_AUDIT);
	struct kma_bufctl *bufctls = heap_image_at(image, slab->bufctls);
	static const unsigned char zeros[KMA_PAGE_SIZE];

	slab->pristine = pristine;

	guard_bits = revision < 2 ? UINT64_C(0x0101010101010101)
				  : UINT64_C(0x8080808080808080);
	image->root->canary_secret = SECRET;
	constant(image, "KMA_PATTERN_REVISION")->value = revision;
	if (revision == 0) {
		strcpy(constant(image, "KMA_PATTERN_REVISION")->name, "x");
		strcpy(constant(image, "KMA_FILL_FREE")->name, "y");
		strcpy(constant(image, "KMA_FILL_MAX")->name, "z");
		strcpy(constant(image, "KMA_GUARD_MAX")->name, "w");
	}
	heap_image_take(image, slab, LIVE, SIZE, 0);
	heap_image_take(image, slab, FREED, SIZE, 0);
	bufctls[FREED].word += KMA_BUFFER_FREE - KMA_BUFFER_ALLOCATED;
	s.live = heap_image_buffer(slab, LIVE);
	s.freed = heap_image_buffer(slab, FREED);
	s.page = fake_target_memory(image->target, IMAGE_HEAP, zeros,
				    sizeof(zeros));
	put_buffer(&s, s.live, false);
	put_buffer(&s, s.freed, true);
	s.target = heap_image_finish(image);
	assert_ok(heap_open(s.target, &s.heap));
	return s;
}

static struct sample open_sample(unsigned revision)
{
	return open_pristine(revision, false);
}

static void close_sample(struct sample *s)
{
	heap_close(s->heap);
	target_close(s->target);
}

struct seen {
	struct heap_damage damage[16];
	size_t count;
};

static void see(void *context, const struct heap_damage *damage)
{
	struct seen *seen = context;

	assert_true(seen->count < 16);
	seen->damage[seen->count++] = *damage;
}

static enum heap_verdict judge(struct sample *s, uint32_t index,
			       struct seen *seen)
{
	struct heap_buffer buffer;

	*seen = (struct seen){ .count = 0 };
	assert_true(heap_buffer_get(s->heap, 0, index, &buffer));
	return heap_verify_buffer(s->heap, &buffer, see, seen);
}

static void the_rule_is_the_allocators(void **state)
{
	(void)state;
	/* By hand, from the text in dumpfmt/layout.h. */
	assert_int_equal(guard_byte(0x7f1000000008), 0xc8);
	assert_int_equal(guard_byte(0x7f100000000f), 0xdc);
}

static void intact_buffers_are_clean(void **state)
{
	const unsigned revisions[] = { 0, 1, KMA_PATTERN_REVISION };
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct sample s = open_sample(revisions[i]);

		assert_int_equal(judge(&s, LIVE, &seen), VERDICT_CLEAN);
		assert_int_equal(judge(&s, FREED, &seen), VERDICT_CLEAN);
		assert_int_equal(judge(&s, NEVER, &seen), VERDICT_UNJUDGED);
		close_sample(&s);
	}
}

static void every_damaged_word_is_told(void **state)
{
	struct sample s = open_sample(KMA_PATTERN_REVISION);
	unsigned char *live = s.page + (s.live - IMAGE_HEAP);
	struct seen seen;

	(void)state;
	live[-1] ^= 0xff;
	live[SIZE] ^= 0x01;
	live[SIZE + 2] ^= 0x80;
	live[SIZE + 31] ^= 0x10;
	live[SIZE + 32] ^= 0x10; /* the next buffer's canary */
	assert_int_equal(judge(&s, LIVE, &seen), VERDICT_DAMAGED);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.damage[0].place, DAMAGE_BEFORE);
	assert_int_equal(seen.damage[0].address, s.live - 1);
	assert_int_equal(seen.damage[1].place, DAMAGE_AFTER);
	assert_int_equal(seen.damage[1].address, s.live + SIZE);
	assert_int_equal(seen.damage[1].count, 3);
	assert_int_equal(seen.damage[1].expected[0], guard_byte(s.live + SIZE));
	assert_int_equal(seen.damage[1].found[0],
			 guard_byte(s.live + SIZE) ^ 0x01);
	assert_int_equal(seen.damage[2].address, s.live + SIZE + 31);
	assert_int_equal(judge(&s, FREED, &seen), VERDICT_DAMAGED);
	assert_int_equal(seen.damage[0].address, s.freed - 8);
	close_sample(&s);
}

static void a_write_after_free_is_inside(void **state)
{
	struct sample s = open_sample(0);
	unsigned char *freed = s.page + (s.freed - IMAGE_HEAP);
	struct seen seen;

	(void)state;
	freed[SIZE - 1] = 7;
	assert_int_equal(judge(&s, FREED, &seen), VERDICT_DAMAGED);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.damage[0].place, DAMAGE_INSIDE);
	assert_int_equal(seen.damage[0].address, s.freed + SIZE - 1);
	assert_int_equal(seen.damage[0].expected[0], 0xde);
	assert_int_equal(seen.damage[0].found[0], 7);
	close_sample(&s);
}

static void what_was_never_used_is_zero(void **state)
{
	struct sample s = open_pristine(KMA_PATTERN_REVISION, true);
	uint64_t never = s.freed + (s.freed - s.live);
	struct seen seen;

	(void)state;
	assert_int_equal(judge(&s, NEVER, &seen), VERDICT_CLEAN);
	s.page[never - IMAGE_HEAP - 9] ^= 1; /* the freed one's redzone */
	assert_int_equal(judge(&s, NEVER, &seen), VERDICT_CLEAN);
	s.page[never - IMAGE_HEAP - 8] = 'x';
	s.page[never - IMAGE_HEAP + 71] = 'x';
	s.page[never - IMAGE_HEAP + 72] = 'x'; /* the next one's */
	assert_int_equal(judge(&s, NEVER, &seen), VERDICT_DAMAGED);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.damage[0].place, DAMAGE_INSIDE);
	assert_int_equal(seen.damage[0].address, never - 8);
	assert_int_equal(seen.damage[1].address, never + 71);
	assert_int_equal(seen.damage[1].expected[0], 0);
	close_sample(&s);
}

static void what_is_before_the_first_buffer_is_zero(void **state)
{
	struct seen seen;

	(void)state;
	for (unsigned pristine = 0; pristine < 2; pristine++) {
		struct sample s = open_pristine(KMA_PATTERN_REVISION, pristine);

		assert_true(s.live - 8 > IMAGE_HEAP);
		assert_int_equal(judge(&s, LIVE, &seen), VERDICT_CLEAN);
		s.page[s.live - 9 - IMAGE_HEAP] = 'x';
		assert_int_equal(judge(&s, LIVE, &seen),
				 pristine ? VERDICT_DAMAGED : VERDICT_CLEAN);
		assert_int_equal(seen.count, pristine);
		assert_int_equal(judge(&s, FREED, &seen), VERDICT_CLEAN);
		close_sample(&s);
	}
}

static void an_unknown_rule_is_not_applied(void **state)
{
	struct sample s = open_sample(99);
	struct seen seen;

	(void)state;
	s.page[s.live - IMAGE_HEAP - 1] ^= 0xff;
	assert_false(heap_verify_possible(s.heap, 0));
	assert_int_equal(judge(&s, LIVE, &seen), VERDICT_UNJUDGED);
	close_sample(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_is_the_allocators),
		cmocka_unit_test(intact_buffers_are_clean),
		cmocka_unit_test(every_damaged_word_is_told),
		cmocka_unit_test(a_write_after_free_is_inside),
		cmocka_unit_test(what_was_never_used_is_zero),
		cmocka_unit_test(what_is_before_the_first_buffer_is_zero),
		cmocka_unit_test(an_unknown_rule_is_not_applied),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
