/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From words to buffers to words, until there are no more.
 *
 * Marking waits for memory, not for the processor: nearly every word leads to
 * a cache line that was not touched lately. So nothing is looked at at once. A
 * word goes through a queue: its buffer's mark and record are asked for as it
 * enters, its slab is not: there is one for a thousand words. A buffer to scan
 * goes through another, and its first lines are asked for:
 *
 *	words -> [hits ...] -> mark -> stack of buffers -> [scans ...] -> words
 *
 * The fewer instructions lie between two of them, the more of them the
 * processor waits for at the same time. So both queues are always full, of
 * words and buffers that are none at first and at the end, and most words are
 * told to be no pointers four at a time.
 *
 * A buffer enters a stack once, when it is first marked, so the stacks never
 * hold more than there are live buffers, whatever the heap looks like, and a
 * few for each that is very large.
 */
#include "kdbg/reach_marker.h"
#include "kdbg/session.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* What a queue is full of when there is nothing. */
static const struct scan_slab no_slab = { .reciprocal = 1 };

/*
 * A word that leads to a live buffer that is not marked as yet. In line: it is
 * the start of one whose words can be looked at where they are. False: another.
 */
static ALWAYS_INLINE bool settle_start(struct marker *m, const struct hit *hit)
{
	const struct scan_slab *slab = hit->slab;
	uint64_t offset = hit->word - slab->first, size = slab->stride;
	uint32_t number = (uint32_t)(slab - m->scan->slabs);

	if (offset != hit->index * slab->stride || hit->word % 8 ||
	    !slab->bytes || size > WORK_WORDS * 8)
		return false;
	if (slab->bufctls) {
		const struct heap_bufctl_layout *layout =
			&m->scan->layouts[slab->layout];
		uint64_t record = scan_word_in(layout, slab, hit->index);

		if (record >> layout->offset_shift & layout->offset_mask)
			return false;
		record >>= layout->size_shift;
		size = record < size ? record : size;
	}
	if (marker_set_found(m, hit->mark) && size >= 8)
		marker_push_words(m, work_make(slab->bytes + offset,
					       (uint32_t)(size / 8), number));
	return true;
}

/* Any other. */
static __attribute__((noinline)) void
settle_new(struct marker *m, const struct hit *hit, uint8_t mark)
{
	const struct scan_slab *slab = hit->slab;
	struct scan_extent extent = scan_extent_in(m->scan, slab, hit->index);

	if (hit->word - extent.user > extent.size)
		return; /* its canary or its slack */
	if (hit->word != extent.user && !m->inner_is_plain &&
	    !scan_by_design(m->scan, slab, extent, hit->word)) {
		if (!(mark & MARK_INNER))
			marker_set_inner(hit->mark);
		return;
	}
	if (marker_set_found(m, hit->mark))
		marker_push(m, slab, hit->index, extent);
}

/* A word that left the queue: does it refer to what the program has? */
static ALWAYS_INLINE void settle(struct marker *m, const struct hit *hit)
{
	uint8_t mark = __atomic_load_n(hit->mark, __ATOMIC_RELAXED);

	m->counts.references += mark & MARK_LIVE;
	if ((mark & (MARK_LIVE | MARK_PLAIN | m->found)) == MARK_LIVE &&
	    !settle_start(m, hit))
		settle_new(m, hit, mark);
}

/* Ask for the mark and the record of the buffer that the word leads to. */
static ALWAYS_INLINE void aim(struct marker *m, struct hit *hit)
{
	const struct scan_slab *slab = hit->slab;

	hit->mark = scan_index_in(slab, hit->word, &hit->index)
			    ? &m->marks[slab->first_buffer + hit->index]
			    : &m->none;
	__builtin_prefetch(hit->mark, 1);
	if (slab->bufctls)
		__builtin_prefetch(
			slab->bufctls +
			(size_t)hit->index *
				m->scan->layouts[slab->layout].stride);
}

/* Into the queue, and the oldest out of it. */
static ALWAYS_INLINE void enter(struct marker *m, uint64_t word,
				const struct scan_slab *slab)
{
	struct hit *hit = &m->hits[m->hit_at++ % HIT_QUEUE];

	settle(m, hit);
	hit->word = word;
	hit->slab = slab;
	aim(m, hit);
}

/* A word that points into the heap. */
static ALWAYS_INLINE void probe(struct marker *m, uint64_t word)
{
	const struct scan_slab *slab = scan_slab_at(m->scan, word);

	if (slab)
		enter(m, word, slab);
}

/* Words as they stand. True: they may hide others. */
static ALWAYS_INLINE bool probe_plain(struct marker *m, const char *words,
				      size_t count)
{
	const uint64_t low = m->scan->low, span = m->scan->span;
	halves hiding = { 0 };
	char rest[HIDDEN_WORDS * sizeof(uint64_t)];

	m->counts.words += count;
	while (count) {
		unsigned left;

		if (count < HIDDEN_WORDS) {
			memset(rest, 0, sizeof(rest));
			memcpy(rest, words, count * sizeof(uint64_t));
			words = rest;
			count = HIDDEN_WORDS;
		}
		left = hidden_pointers(&m->hidden, words, &hiding);
		for (; left; left &= left - 1) {
			uint64_t word =
				scan_load(words, (unsigned)__builtin_ctz(left));

			if (word - low < span)
				probe(m, word);
		}
		words += sizeof(rest);
		count -= HIDDEN_WORDS;
	}
	return hidden_any(hiding);
}

void marker_probe(struct marker *m, const struct scan *scan, const char *words,
		  size_t count)
{
	if (scan_is_plain(scan)) {
		probe_plain(m, words, count);
		return;
	}
	count = scan_pointers(scan, count);
	m->counts.words += count;
	for (size_t i = 0; i < count; i++) {
		uint64_t word = scan_pointer_read(scan, words, i);

		if (scan_in_range(scan, word))
			probe(m, word);
	}
}

/* Often there is one word or two, as in a list that hangs on nothing else. */
void marker_settle(struct marker *m)
{
	struct hit *hits[HIT_QUEUE];
	unsigned count = 0;

	for (unsigned i = 0; i < HIT_QUEUE; i++) {
		struct hit *hit = &m->hits[(m->hit_at + i) % HIT_QUEUE];

		if (hit->slab != &no_slab)
			hits[count++] = hit;
	}
	for (unsigned i = 0; i < count; i++) {
		settle(m, hits[i]);
		*hits[i] = (struct hit){ .slab = &no_slab, .mark = &m->none };
	}
}

void marker_init(struct marker *m)
{
	m->hidden = hidden_in(m->scan->low, m->scan->span);
	for (unsigned i = 0; i < HIT_QUEUE; i++)
		m->hits[i] = (struct hit){ .slab = &no_slab, .mark = &m->none };
}

static struct err *no_memory(void)
{
	return err_new(ERR_NO_MEMORY, "no memory to mark with");
}

struct err *marker_look_up(struct marker *m)
{
	if (m->no_memory)
		return no_memory();
	if (session_interrupted(m->session))
		return err_new(ERR_IO, "interrupted while marking");
	if (!m->helps)
		session_progress(m->session, "marking", m->scanned, m->live);
	return NULL;
}

/* From the stack into the queue; what was the oldest there, perhaps none. */
static ALWAYS_INLINE struct work next_scan(struct marker *m)
{
	struct work *place = &m->scans[m->scan_at++ % SCAN_QUEUE];
	struct work oldest = *place, work = { 0 };

	if (m->stack.count) {
		work = m->stack.list[--m->stack.count];
		__builtin_prefetch(work.words);
		if ((uintptr_t)work.words % LINE + 8 * work_count(work) > LINE)
			__builtin_prefetch(work.words + LINE);
		m->scan_count++;
	}
	m->scan_count -= oldest.size != 0;
	*place = work;
	return oldest;
}

static ALWAYS_INLINE void scan_work(struct marker *m, struct work work,
				    bool plain)
{
	bool hides;

	if (plain) {
		hides = probe_plain(m, work.words, work_count(work));
	} else {
		marker_probe(m, m->scan, work.words, work_count(work));
		hides = hidden_may(&m->hidden, work.words, work_count(work));
	}
	if (hides)
		scan_set_hides(&m->scan->slabs[work_slab(work)]);
}

/* Until stack and queue of buffers are empty. */
static ALWAYS_INLINE struct err *drain_scans(struct marker *m, bool plain)
{
	while (m->stack.count || m->scan_count) {
		struct work work = next_scan(m);
		struct err *err;

		if (!work.size)
			continue;
		scan_work(m, work, plain);
		if (marker_may_share(m))
			marker_share(m);
		if (++m->scanned % SCANS_PER_LOOK)
			continue;
		err = marker_look_up(m);
		if (err)
			return err;
	}
	return NULL;
}

struct err *marker_drain(struct marker *m)
{
	struct err *err;

	do {
		err = scan_is_plain(m->scan) ? drain_scans(m, true)
					     : drain_scans(m, false);
		if (err)
			return err;
		marker_settle(m);
	} while (m->stack.count);
	return m->no_memory ? no_memory() : NULL;
}
