/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Marking, in three passes over one byte for each buffer.
 *
 * 1. From the roots along plain references: PLAIN. An inner reference only
 *    leaves INNER on its buffer and is not followed.
 * 2. From every buffer that has INNER and not PLAIN, along all references:
 *    POSSIBLE.
 * 3. What was reached is looked at again where it may hide pointers to the
 *    start of what was not: at multiples of four, where packed structures have
 *    them, or with bits above the address, as tags. What they lead to is
 *    POSSIBLE, too. Until nothing more is found.
 *
 * What has neither afterwards is leaked.
 *
 * The roots are read by one thread. What they lead to is followed by several,
 * each with queues and a stack of its own: one that has work to spare puts some
 * in the pool when another waits there, and when all wait all is done. Marks
 * are bits of a byte (marker_set_found()); which thread is first makes no
 * difference to what is marked in the end. Targets are not for several threads,
 * so slabs are viewed beforehand, and buffers of those that cannot be, and have
 * to be copied, are left for the first thread at the end.
 */
#include "kdbg/reach_marker.h"
#include "kdbg/roots.h"
#include "kdbg/session.h"
#include "kdbg/target.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define EACH(bit) ((uint64_t)(bit)*UINT64_C(0x0101010101010101))

static struct err *drain_with_others(struct marker *m)
{
	struct err *err;

	if (m->closer)
		marker_look_at_slabs(m);
	do
		err = marker_drain(m);
	while (!err && marker_wait(m));
	if (err)
		pool_stop(m->pool);
	return err;
}

static void *run_marker(void *context)
{
	return drain_with_others(context);
}

static unsigned thread_count(const struct marker *m)
{
	cpu_set_t set;
	int count;

	if (m->live < WORTH_THREADS || sched_getaffinity(0, sizeof(set), &set))
		return 1;
	count = CPU_COUNT(&set);
	return count > THREADS_MAX ? THREADS_MAX : (unsigned)count;
}

static void add_counts(struct mark_counts *sum, const struct mark_counts *more)
{
	sum->words += more->words;
	sum->references += more->references;
}

struct helper {
	pthread_t thread;
	struct marker marker;
};

/* The work of one marker and of helpers, which start with nothing. */
static struct err *drain_helped(struct marker *m, struct helper *helpers,
				unsigned wanted)
{
	struct pool *pool = m->pool;
	unsigned started = 0;
	struct err *err, *other;
	void *result;

	m->several = true;
	m->lane = 0;
	m->lanes = wanted + 1;
	pool->markers = wanted + 1;
	pool->waiting = 0;
	for (; started < wanted; started++) {
		struct marker *marker = &helpers[started].marker;

		*marker = (struct marker){ .session = m->session,
					   .scan = m->scan,
					   .pool = pool,
					   .marks = m->marks,
					   .live = m->live,
					   .inner_is_plain = m->inner_is_plain,
					   .found = m->found,
					   .several = true,
					   .helps = true,
					   .closer = m->closer,
					   .lane = started + 1,
					   .lanes = m->lanes };
		marker_init(marker);
		if (pthread_create(&helpers[started].thread, NULL, run_marker,
				   marker) != 0)
			break;
	}
	pthread_mutex_lock(&pool->lock);
	pool->markers = started + 1;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	if (m->closer) /* what is of threads that did not start */
		for (m->lane = wanted; m->lane > started; m->lane--)
			marker_look_at_slabs(m);
	err = drain_with_others(m);
	while (started-- > 0) {
		pthread_join(helpers[started].thread, &result);
		other = result;
		add_counts(&m->counts, &helpers[started].marker.counts);
		free(helpers[started].marker.stack.list);
		if (err)
			err_free(other);
		else
			err = other;
	}
	m->several = false;
	return err;
}

/* What has to be copied to be looked at. */
static void probe_unviewed(struct marker *m)
{
	struct pool *pool = m->pool;
	struct scan_buffer buffer = pool->unviewed[--pool->unviewed_count];
	struct scan_extent extent = scan_extent(m->scan, buffer);
	size_t count;
	const char *words = scan_words(m->scan, buffer, &count);

	if (words)
		marker_probe(m, m->scan, words, scan_word_count(extent));
	marker_settle(m); /* the copy is the next one's */
}

/* Follow everything that was found, and what had to be left. */
static struct err *drain_all(struct marker *m)
{
	unsigned threads = thread_count(m);
	struct helper *helpers = NULL;
	struct err *err = NULL;

	marker_settle(m);
	m->lane = 0;
	m->lanes = 1;
	if (threads > 1)
		helpers = calloc(threads - 1, sizeof(*helpers));
	if (helpers)
		err = drain_helped(m, helpers, threads - 1);
	else if (m->closer)
		marker_look_at_slabs(m);
	free(helpers);
	if (!err)
		err = marker_drain(m);
	while (!err && m->pool->unviewed_count) {
		probe_unviewed(m);
		err = marker_drain(m);
	}
	return err;
}

/* --- from the roots ---------------------------------------------------------
 */

/* Words of a root; of a chunk that is damaged, the pages that are not. */
static void probe_chunk(struct marker *m, const struct scan *scan, uint64_t at,
			size_t size)
{
	const void *words;
	struct err *err = target_view(m->scan->target, at, size, &words);

	if (!err && m->closer)
		marker_look_closer(m, words, size / 8);
	else if (!err)
		marker_probe(m, scan, words, size / 8);
	if (!err)
		return;
	err_free(err);
	if (size <= PAGE) {
		roots_add_missing(m->roots, at, at + size, "cannot be read");
		return;
	}
	for (uint64_t end = at + size, next; at < end; at = next) {
		next = (at + PAGE) & ~(uint64_t)(PAGE - 1);
		probe_chunk(m, scan, at,
			    (size_t)((next < end ? next : end) - at));
	}
}

/* Chunks overlap by a word that starts in the one and ends in the other. */
static struct err *probe_range(struct marker *m, const struct root *root)
{
	struct scan scan = *m->scan;
	struct dump_extent run;
	struct err *err = NULL;
	size_t overlap;

	scan.forms.unaligned |= root->unaligned;
	overlap = scan.forms.unaligned ? sizeof(uint64_t) : 0;
	for (uint64_t at = root->start, end = root->end;
	     !err && target_next_data(m->scan->target, at, end, &run);
	     at += ROOT_CHUNK) {
		at = run.start; /* no word before it is anything but zero */
		probe_chunk(m, &scan, at,
			    end - at < ROOT_CHUNK + overlap
				    ? (size_t)(end - at)
				    : ROOT_CHUNK + overlap);
		err = marker_look_up(m);
	}
	return err;
}

/* A word that leads inside by design, of these words alone. */
static void probe_single(struct marker *m, uint64_t address)
{
	struct scan plain = *m->scan;
	const void *word;
	struct err *err = target_view(m->scan->target, address, 8, &word);

	plain.forms.unaligned = false;
	marker_settle(m);
	m->inner_is_plain = true;
	if (!err)
		marker_probe(m, &plain, word, 1);
	marker_settle(m);
	m->inner_is_plain = false;
	err_free(err);
}

static struct err *probe_root(struct marker *m, const struct root *root)
{
	if (root->inner_is_plain)
		probe_single(m, root->start);
	else if (root->words)
		marker_probe(m, m->scan, root->words, root->words_size / 8);
	else
		return probe_range(m, root);
	return NULL;
}

static struct err *mark_plain(struct marker *m, unsigned kinds)
{
	const struct root *roots;
	size_t count = roots_list(m->roots, &roots);
	struct err *err = NULL;

	m->found = MARK_PLAIN;
	for (size_t i = 0; !err && i < count; i++)
		if (kinds >> roots[i].kind & 1)
			err = probe_root(m, &roots[i]);
	return err ? err : drain_all(m);
}

/* The marks of eight buffers. */
static inline uint64_t marks_load(const uint8_t *marks)
{
	uint64_t word;

	memcpy(&word, marks, sizeof(word));
	return word;
}

static struct err *mark_possible(struct marker *m)
{
	m->found = MARK_POSSIBLE;
	m->inner_is_plain = true;
	for (uint32_t slab = 0; slab < m->scan->slab_count; slab++) {
		const struct scan_slab *s = &m->scan->slabs[slab];
		uint8_t *marks = &m->marks[s->first_buffer];

		for (uint32_t i = 0; i < s->buffers; i++) {
			if (i + 8 <= s->buffers &&
			    !(marks_load(marks + i) & EACH(MARK_INNER))) {
				i += 7;
				continue;
			}
			if ((marks[i] & (MARK_INNER | MARK_PLAIN)) !=
			    MARK_INNER)
				continue;
			marks[i] |= MARK_POSSIBLE;
			marker_push(m, s, i, scan_extent_in(m->scan, s, i));
		}
	}
	return m->stack.count ? drain_all(m) : NULL;
}

/* What is marked is live. */
static uint64_t count_leaked(const struct marker *m)
{
	uint64_t plain, possible;

	marks_count(m->marks, m->scan->buffer_count, &plain, &possible);
	return m->live - plain - possible;
}

/* Roots that are words are registers: nothing is packed or tagged there. */
static struct err *mark_hidden(struct marker *m, unsigned kinds)
{
	const struct root *roots;
	size_t count = roots_list(m->roots, &roots);
	uint64_t left = count_leaked(m), before = left + 1;
	struct err *err = NULL;

	m->closer = true;
	for (int i = 0; !err && left && left < before && i < CLOSER_ROUNDS;
	     i++) {
		for (size_t j = 0; !err && !i && j < count; j++)
			if (kinds >> roots[j].kind & 1 && !roots[j].words)
				err = probe_range(m, &roots[j]);
		if (!err)
			err = drain_all(m);
		before = left;
		left = count_leaked(m);
	}
	m->closer = false;
	return err;
}

struct err *mark_reachable(struct session *session, struct scan *scan,
			   struct roots *roots, unsigned kinds, uint8_t *marks,
			   uint64_t live, struct mark_counts *ret)
{
	struct pool pool = { .lock = PTHREAD_MUTEX_INITIALIZER,
			     .changed = PTHREAD_COND_INITIALIZER };
	struct marker marker = { .session = session,
				 .scan = scan,
				 .roots = roots,
				 .pool = &pool,
				 .marks = marks,
				 .live = live };
	struct err *err;

	marker_init(&marker);
	err = mark_plain(&marker, kinds);
	if (!err)
		err = mark_possible(&marker);
	if (!err)
		err = mark_hidden(&marker, kinds);
	*ret = marker.counts;
	free(marker.stack.list);
	free(pool.work.list);
	free(pool.unviewed);
	pthread_mutex_destroy(&pool.lock);
	pthread_cond_destroy(&pool.changed);
	return err;
}
