/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A marker and what several of them share: between reach_mark.c, which marks,
 * reach_drain.c, which follows references, reach_pool.c, which hands work from
 * one to the other, and reach_closer.c, which looks again for what is hidden.
 */
#ifndef KDBG_REACH_MARKER_H
#define KDBG_REACH_MARKER_H

#include "kdbg/reach_hidden.h"
#include "kdbg/reach_mark.h"
#include "kdbg/reach_scan.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HITS = 128, /* words that are looked up together, at most */
	WORDS_AT_ONCE = HITS / 2,
	BATCH = 32, /* buffers that are scanned together */
	LINE = 64,
	PAGE = 4096,
	ROOT_CHUNK = 1 << 20,   /* bytes of a root between looks at Ctrl-C */
	WORK_WORDS = 1 << 20,   /* of a buffer at a time */
	SCANS_PER_LOOK = 65536, /* buffers scanned between them */
	SHARE_MIN = 64,         /* buffers on a stack that can be shared */
	SHARE_MAX = 16384,      /* of them at a time */
	THREADS_MAX = 16,
	WORTH_THREADS = 100000, /* live buffers */
	CLOSER_ROUNDS = 8,
};

/*
 * A buffer to scan, or a part of a large one: its words where they lie. What is
 * put on a stack is often taken from it at once, and the processor hands on
 * only what it loads as it was stored: so count and slab are one number.
 */
struct work {
	const char *words;
	uint64_t size; /* slab << 32 | count of words */
};

static inline struct work work_make(const char *words, uint32_t count,
				    uint32_t slab)
{
	return (struct work){ words, (uint64_t)slab << 32 | count };
}

static inline size_t work_count(struct work work)
{
	return (uint32_t)work.size;
}

static inline uint32_t work_slab(struct work work)
{
	return (uint32_t)(work.size >> 32);
}

struct work_list {
	struct work *list;
	size_t count, capacity;
};

/* What the markers share. */
struct pool {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct work_list work;
	struct scan_buffer *unviewed; /* for the first marker, at the end */
	size_t unviewed_count;
	unsigned markers, waiting;
	bool stop;       /* interrupted, or no memory */
	uint32_t hungry; /* one waits; read without the lock */
};

struct hit { /* a word and the buffer it leads to */
	uint64_t word;
	uint8_t *mark;    /* or of none */
	struct work work; /* no words: its record is asked */
};

struct marker {
	struct session *session;
	struct scan *scan;
	struct roots *roots;
	struct pool *pool;
	uint8_t *marks;
	uint64_t live;
	uint64_t words[HITS]; /* that point into the heap */
	struct hit hits[HITS];
	unsigned word_count, hit_count;
	struct hidden hidden;
	struct work_list stack;
	bool inner_is_plain; /* of the root being scanned, or in pass 2 */
	uint8_t found;       /* MARK_PLAIN, then MARK_POSSIBLE */
	bool several;        /* others mark at the same time */
	bool helps;          /* is not the first of them */
	bool closer; /* pass 3: first look at slabs lane, lane + lanes */
	unsigned lane, lanes;
	struct mark_counts counts;
	uint64_t scanned;
	uint8_t none;  /* the mark of what is no buffer */
	uint8_t spare; /* stored to instead of a mark that stays */
	bool no_memory;
};

bool work_list_grow(struct work_list *list);

/* Have room for so many more. */
static inline bool work_list_reserve(struct work_list *list, size_t more)
{
	while (__builtin_expect(list->capacity - list->count < more, 0))
		if (!work_list_grow(list))
			return false;
	return true;
}

static inline bool work_list_add(struct work_list *list, struct work work)
{
	if (__builtin_expect(list->count == list->capacity, 0) &&
	    !work_list_grow(list))
		return false;
	list->list[list->count++] = work;
	return true;
}

/* For the first marker: what has to be copied to be scanned. */
void marker_leave(struct marker *m, struct scan_buffer buffer);

void marker_push_parts(struct marker *m, struct work work, size_t count);

static inline void marker_push_words(struct marker *m, struct work work)
{
	if (!work_list_add(&m->stack, work))
		m->no_memory = true;
}

/* Have the words of a buffer scanned. */
static inline void marker_push(struct marker *m, const struct scan_slab *slab,
			       uint32_t index, struct scan_extent extent)
{
	uint64_t start = (extent.user + 7) & ~(uint64_t)7;
	size_t count = scan_word_count(extent);
	uint32_t number = (uint32_t)(slab - m->scan->slabs);
	struct work work;

	if (!count)
		return;
	if (__builtin_expect(!slab->bytes, 0)) {
		marker_leave(m, (struct scan_buffer){ number, index });
		return;
	}
	work = work_make(slab->bytes + (start - slab->first), (uint32_t)count,
			 number);
	if (__builtin_expect(count > WORK_WORDS, 0))
		marker_push_parts(m, work, count);
	else
		marker_push_words(m, work);
}

/*
 * Mark as found. False: another thread has since. No locked instruction, which
 * would wait for all that was asked for before: two threads that come at the
 * same moment both scan the buffer, which changes no mark. A bit that another
 * sets meanwhile may be lost; INNER is all that can be, and is of no interest
 * where a buffer is found.
 */
static inline bool marker_set_found(const struct marker *m, uint8_t *mark)
{
	uint8_t old = __atomic_load_n(mark, __ATOMIC_RELAXED);

	if (old & m->found)
		return false;
	__atomic_store_n(mark, (uint8_t)(old | m->found), __ATOMIC_RELAXED);
	return true;
}

/* Never loses what another found. */
static inline void marker_set_inner(uint8_t *mark)
{
	__atomic_fetch_or(mark, MARK_INNER, __ATOMIC_RELAXED);
}

/* --- reach_drain.c ----------------------------------------------------------
 */

/* Words that may be pointers, into the queue. */
void marker_probe(struct marker *m, const struct scan *scan, const char *words,
		  size_t count);

/* Empty the queue: what it led to is on the stack. */
void marker_settle(struct marker *m);

/* Follow everything that is on the stack. */
struct err *marker_drain(struct marker *m) MUST_USE;

/* Now and then: go on? */
struct err *marker_look_up(struct marker *m) MUST_USE;

/* A marker, before anything else. */
void marker_init(struct marker *m);

/* --- reach_pool.c -----------------------------------------------------------
 */

/* Is it time to share? Then from the bottom of the stack: what was found first
 * leads to most. */
static inline bool marker_may_share(const struct marker *m)
{
	return m->several && m->stack.count >= SHARE_MIN &&
	       __atomic_load_n(&m->pool->hungry, __ATOMIC_RELAXED);
}
void marker_share(struct marker *m);

/* Wait for work of others. False: there is none any more. */
bool marker_wait(struct marker *m);

/* Nobody waits any longer. */
void pool_stop(struct pool *pool);

/* --- reach_closer.c ---------------------------------------------------------
 */

/* Look for packed and tagged pointers to what is leaked: in so many words, in
 * the reached buffers of the slabs that are this marker's. */
void marker_look_closer(struct marker *m, const char *words, size_t count);
void marker_look_at_slabs(struct marker *m);

#endif
