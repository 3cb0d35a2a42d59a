/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arenas laid out by hand, whole and damaged: what is whole is shown, what is
 * not is told, and every walk ends. */
#include "alloc/meta.h"
#include "alloc/vmem.h"
#include "kdbg/heap_vmem.h"
#include "tests/test_util.h"
#include "tests/unit/heap_image.h"

#include <stdlib.h>
#include <string.h>

enum { TAGS = 6 };

/* parent <- child; child has two spans: ALLOC FREE, and FREE. */
struct sample {
	struct heap_image *image;
	struct kma_vmem *parent, *child;
	struct kma_vmem_seg *tag[TAGS];
	struct kma_vmem_qcache *qcache;
	struct kma_meta_cache *meta;
	struct target *target;
	struct heap *heap;
};

static const struct {
	enum kma_vmem_seg_type type;
	uintptr_t start;
	size_t length;
} tags[TAGS] = {
	{ KMA_VMEM_SEG_SPAN, 0x1000, 0x300 },
	{ KMA_VMEM_SEG_ALLOC, 0x1000, 0x100 },
	{ KMA_VMEM_SEG_FREE, 0x1100, 0x200 },
	{ KMA_VMEM_SEG_SPAN, UINTPTR_MAX - 0xff, 0x100 },
	{ KMA_VMEM_SEG_ALLOC, UINTPTR_MAX - 0xff, 0xf0 },
	{ KMA_VMEM_SEG_FREE, UINTPTR_MAX - 0xf, 0x10 },
};

static struct kma_vmem *make_arena(struct sample *s, const char *name)
{
	struct kma_vmem *arena = heap_image_alloc(s->image, sizeof(*arena));

	strcpy(arena->name, name);
	arena->quantum = 16;
	arena->limit = SIZE_MAX;
	return arena;
}

/* The host's pointer to the head's next, which must name the target's. */
static void *head_address(const struct sample *s)
{
	return (void *)(uintptr_t)(heap_image_address(s->image, s->child) +
				   offsetof(struct kma_vmem, head));
}

static void make_tags(struct sample *s)
{
	for (int i = 0; i < TAGS; i++) {
		s->tag[i] = heap_image_alloc(s->image, sizeof(*s->tag[i]));
		s->tag[i]->type = (uint8_t)tags[i].type;
		s->tag[i]->start = tags[i].start;
		s->tag[i]->length = tags[i].length;
		s->tag[i]->size = tags[i].length - 1;
	}
	for (int i = 0; i < TAGS; i++)
		s->tag[i]->next =
			i + 1 < TAGS ? IMAGE_POINTER(s->image, s->tag[i + 1])
				     : head_address(s);
	s->child->head.next = IMAGE_POINTER(s->image, s->tag[0]);
	s->child->segments = TAGS;
}

static struct sample make_sample(void)
{
	struct sample s = { .image = heap_image_create() };

	s.parent = make_arena(&s, "parent");
	s.child = make_arena(&s, "child");
	s.parent->flags = KMA_VMEM_ACCOUNT;
	/* Made after its child, as a list may have it. */
	s.image->root->arenas = IMAGE_POINTER(s.image, s.child);
	s.child->next = IMAGE_POINTER(s.image, s.parent);
	s.child->parent = IMAGE_POINTER(s.image, s.parent);
	make_tags(&s);
	s.qcache = heap_image_alloc(s.image, sizeof(*s.qcache));
	strcpy(s.qcache->name, "child_16");
	s.qcache->slabs = 2;
	s.qcache->slab_size = 128;
	s.qcache->total = 16;
	s.child->qcaches[0] = IMAGE_POINTER(s.image, s.qcache);
	s.child->qcache_count = 1;
	s.meta = heap_image_alloc(s.image, 2 * sizeof(*s.meta));
	strcpy(s.meta[0].name, "kmem_slab_cache");
	strcpy(s.meta[1].name, "vmem_seg");
	s.meta[1].memory = 4096;
	s.image->root->meta_caches = IMAGE_POINTER(s.image, s.meta);
	s.image->root->meta_cache_count = 2;
	return s;
}

static void open_heap(struct sample *s)
{
	s->target = heap_image_finish(s->image);
	assert_ok(heap_open(s->target, &s->heap));
}

static void close_heap(struct sample *s)
{
	heap_close(s->heap);
	target_close(s->target);
}

static const struct heap_arena *arena_named(struct sample *s, const char *name)
{
	const struct heap_arena *arenas;
	size_t count = heap_arenas(s->heap, &arenas);

	for (size_t i = 0; i < count; i++)
		if (strcmp(arenas[i].name, name) == 0)
			return &arenas[i];
	fail_msg("no arena %s", name);
	return NULL;
}

static size_t count_segments(struct sample *s, const char *name)
{
	struct heap_segment_walk *walk;
	struct heap_segment segment;
	size_t count = 0;

	assert_ok(heap_segment_open(s->heap, arena_named(s, name), &walk));
	while (heap_segment_next(walk, &segment))
		count++;
	heap_segment_close(walk);
	return count;
}

static void assert_problem(struct sample *s, const char *text)
{
	const struct heap_problem *problems;
	size_t count = heap_problems(s->heap, &problems);

	for (size_t i = 0; i < count; i++)
		if (strstr(problems[i].text, text))
			return;
	fail_msg("nobody says '%s'", text);
}

static void whole_arenas_are_shown(void **state)
{
	struct sample s = make_sample();
	const struct heap_side_cache *caches;
	const struct heap_problem *problems;
	const struct heap_arena *arenas, *arena;
	struct heap_segment segment;

	(void)state;
	open_heap(&s);
	assert_int_equal(heap_arenas(s.heap, &arenas), 2);
	assert_string_equal(arenas[0].name, "parent");
	assert_true(arenas[0].account);
	assert_string_equal(arenas[1].name, "child");
	assert_int_equal(arenas[1].depth, 1);
	assert_int_equal(count_segments(&s, "child"), TAGS);
	assert_int_equal(count_segments(&s, "parent"), 0);
	assert_int_equal(heap_side_caches(s.heap, &caches), 3);
	assert_int_equal(caches[0].memory, 256);
	assert_int_equal(caches[2].memory, 4096);
	assert_true(
		heap_segment_holding(s.heap, 0x10ff, false, &segment, &arena));
	assert_int_equal(segment.start, 0x1000);
	assert_int_equal(segment.size, 0xff);
	assert_false(
		heap_segment_holding(s.heap, 0x1100, false, &segment, &arena));
	assert_int_equal(heap_problems(s.heap, &problems), 0);
	close_heap(&s);
}

static void loop_in_tags(struct sample *s)
{
	s->tag[5]->next = IMAGE_POINTER(s->image, s->tag[5]);
}

static void tag_of_no_type(struct sample *s)
{
	s->tag[2]->type = 77;
}

static void tag_of_no_length(struct sample *s)
{
	s->tag[2]->length = 0;
}

static void tag_past_its_span(struct sample *s)
{
	s->tag[2]->length = 0x10000;
}

static void tag_with_a_gap(struct sample *s)
{
	s->tag[2]->start += 16;
}

static void wild_tag(struct sample *s)
{
	s->tag[3]->next = (void *)0x123456789000;
}

static void misaligned_tag(struct sample *s)
{
	s->tag[3]->next = (void *)((uintptr_t)s->tag[3]->next + 3);
}

static void span_cut_short(struct sample *s)
{
	s->tag[1]->next = IMAGE_POINTER(s->image, s->tag[3]);
}

/* A damage, what is said of it, and how many segments are still shown. */
static const struct {
	void (*apply)(struct sample *s);
	const char *told;
	size_t segments;
} damages[] = {
	{ loop_in_tags, "segments: loops at", TAGS },
	{ tag_of_no_type, "does not fit the one before it", 2 },
	{ tag_of_no_length, "does not fit the one before it", 2 },
	{ tag_past_its_span, "does not fit the one before it", 2 },
	{ tag_with_a_gap, "does not fit the one before it", 2 },
	{ wild_tag, "segments: ", 4 },
	{ misaligned_tag, "is misaligned", 4 },
	{ span_cut_short, "does not fit the one before it", 2 },
};

static void damaged_tags_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct sample s = make_sample();

		damages[i].apply(&s);
		open_heap(&s);
		assert_int_equal(count_segments(&s, "child"),
				 damages[i].segments);
		assert_problem(&s, damages[i].told);
		close_heap(&s);
	}
}

static void parents_that_loop_are_told(void **state)
{
	struct sample s = make_sample();
	const struct heap_arena *arenas;

	(void)state;
	s.parent->parent = IMAGE_POINTER(s.image, s.child);
	open_heap(&s);
	assert_int_equal(heap_arenas(s.heap, &arenas), 2);
	assert_problem(&s, "its parents lead nowhere");
	close_heap(&s);
	s = make_sample();
	s.child->parent = (void *)0x1234;
	open_heap(&s);
	assert_int_equal(heap_arenas(s.heap, &arenas), 2);
	assert_problem(&s, "arena child: its parents lead nowhere");
	close_heap(&s);
}

static void lists_that_lie_are_told(void **state)
{
	struct sample s = make_sample();
	const struct heap_side_cache *caches;
	const struct heap_arena *arenas;

	(void)state;
	s.parent->next = IMAGE_POINTER(s.image, s.child);
	s.child->qcache_count = 5000;
	s.image->root->meta_cache_count = 1 << 30;
	open_heap(&s);
	assert_int_equal(heap_arenas(s.heap, &arenas), 2);
	assert_int_equal(heap_side_caches(s.heap, &caches), 1);
	assert_problem(&s, "arena list: loops at");
	assert_problem(&s, "5000 quantum caches in a table of 16");
	assert_problem(&s, "kinds of metadata");
	close_heap(&s);
}

/* Each word of each structure, spoiled in turn: no walk hangs or crashes. */
static void no_word_does_harm(void **state)
{
	static const uint64_t values[] = { 0, 8, UINT64_MAX, 0x7f0000000000 };
	size_t words = sizeof(struct kma_vmem) / 8 +
		       TAGS * (sizeof(struct kma_vmem_seg) / 8);

	(void)state;
	for (size_t i = 0; i < words * 4; i++) {
		struct sample s = make_sample();
		size_t word = i / 4, tag_words = sizeof(*s.tag[0]) / 8;
		uint64_t *at = (uint64_t *)s.child + word;
		struct heap_segment segment;
		const struct heap_arena *arenas;

		if (word >= sizeof(struct kma_vmem) / 8) {
			word -= sizeof(struct kma_vmem) / 8;
			at = (uint64_t *)s.tag[word / tag_words] +
			     word % tag_words;
		}
		*at = values[i % 4];
		open_heap(&s);
		size_t count = heap_arenas(s.heap, &arenas);

		for (size_t j = 0; j < count; j++) {
			struct heap_segment_walk *walk;

			struct err *err =
				heap_segment_open(s.heap, &arenas[j], &walk);

			err_free(err);
			if (err)
				continue;
			while (heap_segment_next(walk, &segment))
				heap_segment_at(s.heap, segment.address,
						&segment);
			heap_segment_close(walk);
		}
		close_heap(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_arenas_are_shown),
		cmocka_unit_test(damaged_tags_are_told),
		cmocka_unit_test(parents_that_loop_are_told),
		cmocka_unit_test(lists_that_lie_are_told),
		cmocka_unit_test(no_word_does_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
