/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From words to buffers to words, until there are no more.
 *
 * Marking waits for memory, not for the processor: nearly every word leads to
 * a cache line that was not touched lately. So nothing is looked at at once,
 * but many of a kind together, and what they are about to need is asked for:
 *
 *	take	buffers from the stack; their first lines are asked for
 *	scan	those taken the time before: words that may be pointers
 *	aim	from each to its buffer, the mark of which is asked for
 *	settle	those aimed at the time before: what is new goes to the stack
 *
 * Each is a short loop whose turns do not depend on each other, so that the
 * processor works on several at once and waits for all they wait for at the
 * same time. What no processor can guess is not asked by a branch: whether a
 * buffer was met before, or which words are pointers. It is written behind the
 * others in any case, and counted if it is so. Most words are told to be no
 * pointers four at a time.
 *
 * A buffer enters a stack once, when it is first marked, so the stacks never
 * hold more than there are live buffers, whatever the heap looks like, and a
 * few for each that is very large.
 */
#include "kdbg/reach_marker.h"
#include "kdbg/session.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* --- from words to buffers --------------------------------------------------
 */

/* All the words of the buffer that a word leads to, where they lie, if that is
 * its start; else none: then its record is asked. */
static ALWAYS_INLINE struct work start_at(const struct scan_slab *slab,
					  uint64_t word, uint32_t index,
					  uint32_t number)
{
	uint64_t offset = word - slab->first;

	if (offset != index * slab->stride || word % 8 || !slab->bytes ||
	    slab->stride > WORK_WORDS * 8)
		return (struct work){ 0 };
	return work_make(slab->bytes + offset, (uint32_t)(slab->stride / 8),
			 number);
}

/* From the words to the marks of the buffers they lead to. What the loop needs
 * is had before: marks are bytes, and storing one might, as far as the compiler
 * knows, change anything that is in memory. */
static void aim(struct marker *m)
{
	const struct scan *scan = m->scan;
	const struct heap_pages pages = scan->first_pages;
	const struct scan_slab *slabs = scan->slabs;
	const uint64_t slab_count = scan->slab_count;
	const unsigned count = m->word_count;
	const uint64_t *words = m->words;
	uint8_t *marks = m->marks, *none = &m->none;
	struct hit *hit = m->hits;

	for (unsigned i = 0; i < count; i++) {
		const uint64_t word = words[i];
		const uint32_t number = scan_slab_number(scan, &pages, word);
		const struct scan_slab *slab;
		uint32_t index;

		if (number >= slab_count)
			continue;
		slab = &slabs[number];
		hit->mark = scan_index_in(slab, word, &index)
				    ? &marks[slab->first_buffer + index]
				    : none;
		__builtin_prefetch(hit->mark, 1);
		hit->word = word;
		hit->work = start_at(slab, word, index, number);
		hit++;
	}
	m->hit_count = (unsigned)(hit - m->hits);
	m->word_count = 0;
}

/* A word that is no start, or one of a buffer whose record tells the rest. */
static void settle_by_record(struct marker *m, const struct hit *hit)
{
	uint8_t mark = __atomic_load_n(hit->mark, __ATOMIC_RELAXED);
	struct scan_extent extent;
	const struct scan_slab *slab;
	uint32_t index;

	if ((mark & (MARK_LIVE | MARK_PLAIN | m->found)) != MARK_LIVE)
		return; /* another word of these has led there */
	slab = scan_slab_of(m->scan, hit->word, &index);
	extent = scan_extent_in(m->scan, slab, index);
	if (hit->word - extent.user > extent.size)
		return; /* its canary or its slack */
	if (hit->word != extent.user && !m->inner_is_plain &&
	    !scan_by_design(m->scan, slab, extent, hit->word)) {
		if (!(mark & MARK_INNER))
			marker_set_inner(hit->mark);
		return;
	}
	if (marker_set_found(m, hit->mark))
		marker_push(m, slab, index, extent);
}

/*
 * Which of the words aimed at refer to what the program has? For marks that
 * stay as they are another byte is stored to, so that no line of them is taken
 * away from another marker for nothing. See marker_set_found().
 */
static void settle(struct marker *m)
{
	const unsigned count = m->hit_count;
	const uint8_t found = m->found, met = MARK_PLAIN | found;
	const struct hit *hits = m->hits, *others[HITS];
	unsigned other_count = 0;
	uint64_t references = 0;
	uint8_t *spare = &m->spare;
	struct work *top;

	if (!count)
		return;
	m->hit_count = 0;
	if (!work_list_reserve(&m->stack, count)) {
		m->no_memory = true;
		return;
	}
	top = m->stack.list + m->stack.count;
	for (unsigned i = 0; i < count; i++) {
		const struct hit *hit = &hits[i];
		uint8_t mark = __atomic_load_n(hit->mark, __ATOMIC_RELAXED);
		unsigned is_new = (mark & (MARK_LIVE | met)) == MARK_LIVE;
		bool known = hit->work.words && mark < MARK_ASK;
		struct work work = hit->work;

		work.size -= mark / MARK_SHORT;
		references += mark & MARK_LIVE;
		if (__builtin_expect(!known, 0)) {
			others[other_count] = hit;
			other_count += is_new;
			continue;
		}
		__atomic_store_n(is_new ? hit->mark : spare,
				 (uint8_t)(mark | found), __ATOMIC_RELAXED);
		*top = work;
		top += is_new;
	}
	m->counts.references += references;
	m->stack.count = (size_t)(top - m->stack.list);
	for (unsigned i = 0; i < other_count; i++)
		settle_by_record(m, others[i]);
}

/* What was aimed at the time before, and what was found since. */
static void advance(struct marker *m)
{
	settle(m);
	if (marker_may_share(m))
		marker_share(m);
	aim(m);
}

void marker_settle(struct marker *m)
{
	advance(m);
	settle(m);
}

/* --- from buffers to words --------------------------------------------------
 */

/*
 * Of some words those that point into the heap, behind the at that there are
 * already. All are written, and those counted that do: room for count, then.
 */
static ALWAYS_INLINE unsigned collect(const struct hidden *hidden,
				      const char *words, size_t count,
				      uint64_t *to, unsigned at,
				      struct hiding *hiding)
{
	for (; count >= HIDDEN_WORDS; count -= HIDDEN_WORDS) {
		if (hidden_four(hidden, words, hiding))
			for (unsigned i = 0; i < HIDDEN_WORDS; i++) {
				to[at] = scan_load(words, i);
				at += to[at] - hidden->low < hidden->span;
			}
		words += HIDDEN_WORDS * sizeof(uint64_t);
	}
	for (; count; count--, words += sizeof(uint64_t)) {
		to[at] = scan_load(words, 0);
		hidden_one(hidden, to[at], hiding);
		at += to[at] - hidden->low < hidden->span;
	}
	return at;
}

/* Words as they stand. True: they may hide others. */
static ALWAYS_INLINE bool probe_plain(struct marker *m,
				      const struct hidden *hidden,
				      const char *words, size_t count)
{
	struct hiding hiding = hiding_none();

	m->counts.words += count;
	for (size_t part; count; count -= part) {
		part = count < WORDS_AT_ONCE ? count : WORDS_AT_ONCE;
		if (m->word_count > HITS - WORDS_AT_ONCE)
			advance(m);
		m->word_count = collect(hidden, words, part, m->words,
					m->word_count, &hiding);
		words += part * sizeof(uint64_t);
	}
	return hidden_any(&hiding);
}

void marker_probe(struct marker *m, const struct scan *scan, const char *words,
		  size_t count)
{
	if (scan_is_plain(scan)) {
		probe_plain(m, &m->hidden, words, count);
		return;
	}
	count = scan_pointers(scan, count);
	m->counts.words += count;
	for (size_t i = 0; i < count; i++) {
		uint64_t word = scan_pointer_read(scan, words, i);

		if (!scan_in_range(scan, word))
			continue;
		if (m->word_count == HITS)
			advance(m);
		m->words[m->word_count++] = word;
	}
}

static ALWAYS_INLINE void scan_work(struct marker *m,
				    const struct hidden *hidden,
				    struct work work, bool plain)
{
	bool hides;

	if (plain) {
		hides = probe_plain(m, hidden, work.words, work_count(work));
	} else {
		marker_probe(m, m->scan, work.words, work_count(work));
		hides = hidden_may(hidden, work.words, work_count(work));
	}
	if (hides)
		scan_set_hides(&m->scan->slabs[work_slab(work)]);
}

/* --- until there are no more ------------------------------------------------
 */

struct batch {
	struct work works[BATCH];
	unsigned count;
};

/* From the stack; the first line of each and the next are asked for. */
static ALWAYS_INLINE void take(struct marker *m, struct batch *batch)
{
	size_t count = m->stack.count < BATCH ? m->stack.count : BATCH;

	for (size_t i = 0; i < count; i++) {
		struct work work = m->stack.list[--m->stack.count];
		size_t last = 8 * work_count(work) - 1;

		__builtin_prefetch(work.words);
		__builtin_prefetch(work.words + (last < LINE ? last : LINE));
		batch->works[i] = work;
	}
	batch->count = (unsigned)count;
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

/* Until stack and batches are empty. */
static ALWAYS_INLINE struct err *drain_batches(struct marker *m, bool plain)
{
	struct batch batches[2];
	struct batch *now = &batches[0], *next = &batches[1], *swap;
	uint64_t looked = m->scanned;
	const struct hidden hidden = m->hidden; /* in no memory with marks */

	now->count = 0;
	do {
		take(m, next);
		for (unsigned i = 0; i < now->count; i++)
			scan_work(m, &hidden, now->works[i], plain);
		advance(m);
		m->scanned += now->count;
		swap = now, now = next, next = swap;
		if (m->scanned - looked < SCANS_PER_LOOK)
			continue;
		looked = m->scanned;
		struct err *err = marker_look_up(m);
		if (err)
			return err;
	} while (now->count || m->hit_count || m->stack.count);
	return NULL;
}

struct err *marker_drain(struct marker *m)
{
	struct err *err = scan_is_plain(m->scan) ? drain_batches(m, true)
						 : drain_batches(m, false);

	if (err)
		return err;
	return m->no_memory ? no_memory() : NULL;
}

void marker_init(struct marker *m)
{
	m->hidden = hidden_in(m->scan->low, m->scan->span);
}
