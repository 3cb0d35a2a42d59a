/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Marking, in two passes over one byte for each buffer.
 *
 *	pass 1	from the roots along plain references: PLAIN. An inner reference
 *		only leaves INNER on its buffer and is not followed.
 *	pass 2	from every buffer that has INNER and not PLAIN, along all
 *		references: POSSIBLE.
 *
 * What has neither afterwards is leaked.
 *
 * Marking waits for memory, not for the processor: nearly every word leads to
 * a cache line that was not touched lately. So nothing is looked at at once. A
 * word goes through a queue, and the lines that tell its buffer's mark and its
 * extent are asked for as it enters; a buffer to scan goes through another,
 * and its first lines are asked for:
 *
 *	words --> [hits ...] --> mark --> stack of buffers --> [scans ...] -->
 *words
 *
 * A buffer enters the stack once, when it is first marked, so the stack never
 * holds more than there are live buffers, whatever the heap looks like.
 */
#include "kdbg/reach.h"

#include "kdbg/reach_scan.h"
#include "kdbg/session.h"
#include "kdbg/target.h"

#include <stdlib.h>
#include <string.h>

enum mark {
	MARK_LIVE = 1,
	MARK_INNER = 2,
	MARK_PLAIN = 4,
	MARK_POSSIBLE = 8,
};

enum {
	HIT_QUEUE = 32, /* powers of two */
	SCAN_QUEUE = 16,
	PAGE = 4096,
	ROOT_CHUNK = 1 << 20,   /* bytes of a root between looks at Ctrl-C */
	SCANS_PER_LOOK = 65536, /* buffers scanned between them */
};

struct reach {
	struct session *session;
	struct scan *scan;
	struct roots *roots;
	uint8_t *marks;
	struct reach_totals totals;
};

struct hit {
	uint64_t word; /* 0: empty */
	struct scan_buffer buffer;
};

struct marker {
	struct reach *reach;
	struct scan *scan;
	uint8_t *marks;
	struct hit hits[HIT_QUEUE];
	unsigned hit_at;
	struct scan_buffer scans[SCAN_QUEUE];
	unsigned scan_head, scan_count;
	struct scan_buffer *stack;
	size_t stack_count, stack_capacity;
	bool inner_is_plain; /* of the root being scanned, or in pass 2 */
	uint8_t found;       /* MARK_PLAIN, then MARK_POSSIBLE */
	uint64_t words, references, inner;
	uint64_t scanned;
	bool no_memory;
};

static void push(struct marker *m, struct scan_buffer buffer)
{
	if (m->stack_count == m->stack_capacity) {
		size_t capacity =
			m->stack_capacity ? 2 * m->stack_capacity : 4096;
		struct scan_buffer *grown =
			reallocarray(m->stack, capacity, sizeof(*m->stack));

		if (!grown) {
			m->no_memory = true;
			return;
		}
		m->stack = grown;
		m->stack_capacity = capacity;
	}
	m->stack[m->stack_count++] = buffer;
}

/* A word that left the queue: does it refer to what the program has? */
static inline void settle(struct marker *m, const struct hit *hit)
{
	uint8_t *mark = &m->marks[scan_number(m->scan, hit->buffer)];
	struct scan_extent extent;
	bool inner;

	if (!(*mark & MARK_LIVE))
		return;
	extent = scan_extent(m->scan, hit->buffer);
	if (hit->word - extent.user > extent.size)
		return; /* its canary or its slack */
	inner = hit->word != extent.user;
	m->references++;
	m->inner += inner;
	if (*mark & (MARK_PLAIN | m->found))
		return;
	if (inner && !m->inner_is_plain &&
	    !scan_by_design(m->scan, hit->buffer, extent, hit->word)) {
		*mark |= MARK_INNER;
		return;
	}
	*mark |= m->found;
	push(m, hit->buffer);
}

static inline void probe(struct marker *m, uint64_t word)
{
	struct hit *hit = &m->hits[m->hit_at % HIT_QUEUE];
	struct scan_buffer buffer;
	struct scan_slab *slab;
	const char *at;

	if (!scan_in_range(m->scan, word) || !scan_find(m->scan, word, &buffer))
		return;
	slab = &m->scan->slabs[buffer.slab];
	if (!slab->viewed)
		scan_view(m->scan, slab);
	__builtin_prefetch(&m->marks[scan_number(m->scan, buffer)], 1);
	at = scan_word_at(m->scan, buffer);
	if (at)
		__builtin_prefetch(at);
	if (hit->word)
		settle(m, hit);
	*hit = (struct hit){ word, buffer };
	m->hit_at++;
}

static void probe_words(struct marker *m, const char *words, size_t count)
{
	m->words += count;
	for (size_t i = 0; i < count; i++)
		probe(m, scan_load(words, i));
}

static void settle_all(struct marker *m)
{
	for (unsigned i = 0; i < HIT_QUEUE; i++) {
		struct hit *hit = &m->hits[m->hit_at++ % HIT_QUEUE];

		if (hit->word)
			settle(m, hit);
		hit->word = 0;
	}
}

static void scan_contents(struct marker *m, struct scan_buffer buffer)
{
	size_t count;
	const char *words = scan_words(m->scan, buffer, &count);

	m->scanned++;
	if (words)
		probe_words(m, words, count);
}

/* The next buffer of the queue, filled up from the stack. */
static bool next_scan(struct marker *m, struct scan_buffer *ret)
{
	while (m->stack_count && m->scan_count < SCAN_QUEUE) {
		struct scan_buffer buffer = m->stack[--m->stack_count];
		const char *at = scan_bytes_at(m->scan, buffer);

		if (at) {
			__builtin_prefetch(at);
			__builtin_prefetch(at + 64);
		}
		m->scans[(m->scan_head + m->scan_count++) % SCAN_QUEUE] =
			buffer;
	}
	if (!m->scan_count)
		return false;
	*ret = m->scans[m->scan_head++ % SCAN_QUEUE];
	m->scan_count--;
	return true;
}

/* Now and then: go on? */
static struct err *look_up(struct marker *m)
{
	struct session *session = m->reach->session;

	if (m->no_memory)
		return err_new(ERR_NO_MEMORY, "no memory to mark with");
	if (session_interrupted(session))
		return err_new(ERR_IO, "interrupted while marking");
	if (session->progress)
		session->progress(session, "marking", m->scanned,
				  m->reach->totals.buffers);
	return NULL;
}

/* Follow everything that was found. */
static struct err *drain(struct marker *m)
{
	struct scan_buffer buffer;
	struct err *err = NULL;

	for (;;) {
		while (!err && next_scan(m, &buffer)) {
			scan_contents(m, buffer);
			if (m->scanned % SCANS_PER_LOOK == 0)
				err = look_up(m);
		}
		if (err)
			return err;
		settle_all(m);
		if (!m->stack_count)
			return m->no_memory ? look_up(m) : NULL;
	}
}

/* Words of a root; of a chunk that is damaged, the pages that are not. */
static void probe_chunk(struct marker *m, uint64_t at, size_t size)
{
	const void *words;
	struct err *err = target_view(m->scan->target, at, size, &words);

	if (!err) {
		probe_words(m, words, size / 8);
		return;
	}
	err_free(err);
	if (size <= PAGE) {
		roots_add_missing(m->reach->roots, at, at + size,
				  "cannot be read");
		return;
	}
	for (uint64_t end = at + size, next; at < end; at = next) {
		next = (at + PAGE) & ~(uint64_t)(PAGE - 1);
		probe_chunk(m, at, (size_t)((next < end ? next : end) - at));
	}
}

static struct err *mark_range(struct marker *m, uint64_t start, uint64_t end)
{
	struct dump_extent run;
	struct err *err = NULL;

	for (uint64_t at = start;
	     !err && target_next_data(m->scan->target, at, end, &run);
	     at += ROOT_CHUNK) {
		at = run.start; /* no word before it is anything but zero */
		probe_chunk(m, at,
			    end - at < ROOT_CHUNK ? (size_t)(end - at)
						  : ROOT_CHUNK);
		err = drain(m);
		if (!err)
			err = look_up(m);
	}
	return err;
}

static struct err *mark_roots(struct marker *m)
{
	const struct root *roots;
	size_t count = roots_list(m->reach->roots, &roots);
	struct err *err = NULL;

	m->found = MARK_PLAIN;
	for (size_t i = 0; !err && i < count; i++) {
		m->inner_is_plain = roots[i].inner_is_plain;
		if (m->inner_is_plain) { /* of these words alone */
			const void *word;

			err = target_view(m->scan->target, roots[i].start, 8,
					  &word);
			if (!err)
				probe_words(m, word, 1);
			settle_all(m);
			m->inner_is_plain = false;
			err_free(err);
			err = drain(m);
		} else if (roots[i].words) {
			probe_words(m, roots[i].words, roots[i].words_size / 8);
			err = drain(m);
		} else {
			err = mark_range(m, roots[i].start, roots[i].end);
		}
	}
	return err;
}

static struct err *mark_possible(struct marker *m)
{
	struct err *err = NULL;

	m->found = MARK_POSSIBLE;
	m->inner_is_plain = true;
	for (uint32_t slab = 0; !err && slab < m->scan->slab_count; slab++) {
		const struct scan_slab *s = &m->scan->slabs[slab];
		uint8_t *marks = &m->marks[s->first_buffer];

		for (uint32_t i = 0; i < s->buffers; i++) {
			if ((marks[i] & (MARK_INNER | MARK_PLAIN |
					 MARK_POSSIBLE)) != MARK_INNER)
				continue;
			marks[i] |= MARK_POSSIBLE;
			push(m, (struct scan_buffer){ slab, i });
		}
		if (m->stack_count)
			err = drain(m);
	}
	return err;
}

/* Which buffers the program has, and how much it asked for. */
static bool mark_live(struct reach *reach)
{
	struct scan *scan = reach->scan;
	size_t room = 0;
	uint64_t *bits;

	for (size_t i = 0; i < scan->slab_count; i++)
		if (scan->slabs[i].buffers > room)
			room = scan->slabs[i].buffers;
	bits = calloc(room / 64 + 1, sizeof(*bits));
	if (!bits)
		return false;
	for (uint32_t slab = 0; slab < scan->slab_count; slab++) {
		uint8_t *marks = &reach->marks[scan->slabs[slab].first_buffer];

		heap_slab_live(scan->heap, slab, bits);
		for (uint32_t i = 0; i < scan->slabs[slab].buffers; i++) {
			if (!(bits[i / 64] >> i % 64 & 1))
				continue;
			marks[i] = MARK_LIVE;
			reach->totals.buffers++;
			reach->totals.bytes +=
				scan_extent(scan,
					    (struct scan_buffer){ slab, i })
					.size;
		}
	}
	free(bits);
	return true;
}

static void sum_up(struct reach *reach, const struct marker *m)
{
	struct reach_totals *totals = &reach->totals;

	for (uint64_t i = 0; i < reach->scan->buffer_count; i++) {
		enum reach_class class = reach_class_of(reach, i);

		totals->plain += class == REACH_PLAIN;
		totals->possible += class == REACH_POSSIBLE;
		totals->leaked += class == REACH_LEAKED;
	}
	totals->words = m->words;
	totals->references = m->references;
	totals->inner = m->inner;
	totals->unread = m->scan->unread;
}

static struct err *mark_all(struct reach *reach)
{
	struct marker marker = { .reach = reach,
				 .scan = reach->scan,
				 .marks = reach->marks };
	struct err *err = mark_roots(&marker);

	if (!err)
		err = mark_possible(&marker);
	if (!err)
		sum_up(reach, &marker);
	free(marker.stack);
	return err;
}

/* Without the program's bytes everything would look leaked. */
static struct err *check_level(const struct target *target)
{
	if (!target->process || target->process->level != DUMP_META)
		return NULL;
	return err_new(ERR_UNSUPPORTED,
		       "a dump of level meta has no pointers to follow");
}

static struct err *prepare(struct reach *reach, struct heap *heap)
{
	struct target *target = reach->session->target;
	struct err *err = check_level(target);

	if (!err)
		err = scan_create(target, heap, &reach->scan);
	if (!err)
		err = roots_create(target, heap, &reach->roots);
	if (err)
		return err;
	reach->marks = calloc(reach->scan->buffer_count + 1, 1);
	if (!reach->marks || !mark_live(reach))
		return err_new(ERR_NO_MEMORY, "no memory for %llu marks",
			       (unsigned long long)reach->scan->buffer_count);
	return NULL;
}

struct err *reach_create(struct session *session, struct reach **ret)
{
	struct reach *reach;
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	if (err)
		return err;
	reach = calloc(1, sizeof(*reach));
	if (!reach)
		return err_new(ERR_NO_MEMORY, "no memory for marking");
	reach->session = session;
	err = prepare(reach, heap);
	if (!err)
		err = mark_all(reach);
	if (err) {
		reach_destroy(reach);
		return err;
	}
	scan_forget(reach->scan);
	*ret = reach;
	return NULL;
}

void reach_destroy(struct reach *reach)
{
	if (!reach)
		return;
	scan_destroy(reach->scan);
	roots_destroy(reach->roots);
	free(reach->marks);
	free(reach);
}

enum reach_class reach_class_of(const struct reach *reach, uint64_t buffer)
{
	uint8_t mark = reach->marks[buffer];

	if (!(mark & MARK_LIVE))
		return REACH_NOT_LIVE;
	if (mark & MARK_PLAIN)
		return REACH_PLAIN;
	return mark & MARK_POSSIBLE ? REACH_POSSIBLE : REACH_LEAKED;
}

const struct reach_totals *reach_totals(const struct reach *reach)
{
	return &reach->totals;
}

const struct roots *reach_roots(const struct reach *reach)
{
	return reach->roots;
}

struct scan *reach_scan(const struct reach *reach)
{
	return reach->scan;
}
