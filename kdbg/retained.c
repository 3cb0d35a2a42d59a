/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Buffer X dominates B when every way from a root to B leads through X. A
 * buffer outside of what X leads to can be got at without X; so what is shared
 * begins where such a buffer, or a root, refers to one inside:
 *
 *	1. what X leads to: INSIDE
 *	2. all words of roots and of the buffers outside: what they refer to
 *	   inside, but X, is SHARED, and so is what that leads to
 *
 * One pass over the heap and no tree, for one buffer; the pass is sequential,
 * so that it costs what reading memory costs.
 */
#include "kdbg/retained.h"

#include "kdbg/references.h"
#include "kdbg/vector.h"

#include <inttypes.h>
#include <stdlib.h>

enum { INSIDE = 1, SHARED = 2, STEPS_PER_LOOK = 65536 };

struct search {
	struct session *session;
	struct reach *reach;
	struct scan *scan;
	uint64_t wanted;
	enum reach_class least; /* of a holder that counts */
	uint8_t *marks;
	struct scan_buffer *stack;
	size_t stack_count;
	uint64_t steps;
	struct err *err; /* the first, which ends all */
};

/* Give a buffer the mark, and go on from it later. */
static void mark(struct search *search, const struct reference *to, uint8_t bit)
{
	struct scan_buffer *grown;

	if (search->marks[to->number] & bit)
		return;
	grown = vector_grow(search->stack, search->stack_count, sizeof(*grown));
	if (!grown) {
		if (!search->err)
			search->err = err_new(ERR_NO_MEMORY,
					      "no memory to follow references");
		return;
	}
	search->marks[to->number] |= bit;
	search->stack = grown;
	grown[search->stack_count++] = to->to;
}

static bool go_on(struct search *search)
{
	if (++search->steps % STEPS_PER_LOOK == 0 && !search->err &&
	    session_interrupted(search->session))
		search->err = err_new(ERR_IO,
				      "interrupted while following references");
	return !search->err;
}

/* Everything the stack leads to. Shared is only what is inside. */
static void follow(struct search *search, uint8_t bit)
{
	while (search->stack_count && go_on(search)) {
		struct scan_buffer from = search->stack[--search->stack_count];
		size_t count;
		const char *words = scan_words(search->scan, from, &count);

		for (size_t i = 0; words && i < count; i++) {
			struct reference to;

			if (reference_get(search->reach,
					  scan_pointer(search->scan, words, i),
					  &to) &&
			    (bit == INSIDE || to.number != search->wanted))
				mark(search, &to, bit);
		}
	}
}

static void share(struct search *search, const struct scan *scan,
		  const char *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct reference to;

		if (reference_get(search->reach, scan_pointer(scan, words, i),
				  &to) &&
		    to.number != search->wanted &&
		    search->marks[to.number] == INSIDE)
			mark(search, &to, SHARED);
	}
	follow(search, SHARED);
}

static bool share_root(void *context, const struct root_words *words)
{
	struct search *search = context;

	share(search, words->scan, words->words, words->count);
	return !search->err;
}

static void share_buffers(struct search *search)
{
	struct scan *scan = search->scan;

	for (uint32_t slab = 0; slab < scan->slab_count; slab++)
		for (uint32_t i = 0; i < scan->slabs[slab].buffers; i++) {
			struct scan_buffer buffer = { slab, i };
			uint64_t number = scan_number(scan, buffer);
			const char *words;
			size_t count;

			if (search->marks[number] ||
			    reach_class_of(search->reach, number) <
				    search->least)
				continue;
			if (!go_on(search))
				return;
			words = scan_words(scan, buffer, &count);
			if (words)
				share(search, scan, words, count);
		}
}

static void add_up(const struct search *search, struct retained *ret)
{
	struct scan *scan = search->scan;

	for (uint32_t slab = 0; slab < scan->slab_count; slab++)
		for (uint32_t i = 0; i < scan->slabs[slab].buffers; i++) {
			struct scan_buffer buffer = { slab, i };
			uint8_t marks =
				search->marks[scan_number(scan, buffer)];
			uint64_t size;

			if (!marks)
				continue;
			size = scan_extent(scan, buffer).size;
			ret->reach_buffers++;
			ret->reach_bytes += size;
			if (marks & SHARED)
				continue;
			ret->buffers++;
			ret->bytes += size;
		}
}

static struct err *find_wanted(struct search *search, uint64_t address,
			       struct reference *ret)
{
	struct heap_buffer buffer;
	struct heap *heap;
	struct err *err = session_heap(search->session, &heap);

	if (err)
		return err;
	if (!heap_buffer_at(heap, address, &buffer))
		return err_new(ERR_NOT_FOUND, "%#" PRIx64 " is in no buffer",
			       address);
	*ret = (struct reference){ .to = { (uint32_t)buffer.slab,
					   buffer.index } };
	ret->number = scan_number(search->scan, ret->to);
	search->wanted = ret->number;
	search->least =
		reach_class_of(search->reach, ret->number) == REACH_LEAKED
			? REACH_LEAKED
			: REACH_POSSIBLE;
	if (reach_class_of(search->reach, ret->number) == REACH_NOT_LIVE)
		return err_new(ERR_NOT_FOUND, "%#" PRIx64 " is not allocated",
			       address);
	return NULL;
}

struct err *retained_find(struct session *session, uint64_t address,
			  struct retained *ret)
{
	struct search search = { .session = session };
	struct reference wanted;
	struct heap *heap;
	struct err *err = session_reach(session, &search.reach);

	*ret = (struct retained){ 0 };
	if (err)
		return err;
	search.scan = reach_scan(search.reach);
	err = find_wanted(&search, address, &wanted);
	if (err)
		return err;
	search.marks = calloc(search.scan->buffer_count + 1, 1);
	if (!search.marks)
		return err_new(ERR_NO_MEMORY, "no memory for marks");
	mark(&search, &wanted, INSIDE);
	follow(&search, INSIDE);
	err = references_each_root(session, search.reach, share_root, &search);
	if (search.err)
		err_free(err);
	else
		search.err = err;
	if (!search.err)
		share_buffers(&search);
	add_up(&search, ret);
	err_free(session_heap(session, &heap));
	heap_buffer_at(heap, address, &ret->buffer);
	scan_forget(search.scan);
	free(search.marks);
	free(search.stack);
	return search.err;
}
