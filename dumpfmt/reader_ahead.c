/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks before they are asked for.
 *
 * Who looks at a large part of a heap looks at nearly all of it. So once
 * AHEAD_AFTER blocks had to be waited for, each further one makes helper
 * threads fetch the AHEAD blocks behind it, while the caller works on what it
 * has. A question that touches a few blocks starts no thread. Stored blocks are
 * the caller's: to map and check one takes less time than to hand it on.
 *
 * A block is UNREAD, BUSY (somebody fetches it), READY or BAD; it changes with
 * the lock held, and READY once is READY for ever, so that is looked at
 * without. A helper that fails leaves it UNREAD: the caller, who can be told,
 * fails again.
 *
 * After a fork the threads are gone, and what they were busy with is nobody's:
 * the child fetches for itself and touches no lock.
 */
#include "dumpfmt/reader_impl.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { HELPERS_MAX = 4, AHEAD = 16, AHEAD_AFTER = 32 };

struct reader_ahead {
	struct dump *dump;
	pid_t owner;
	pthread_mutex_t lock;
	pthread_cond_t wanted, changed;
	pthread_t threads[HELPERS_MAX];
	size_t thread_count;
	bool stopping;
	size_t next, end; /* blocks that are to be fetched */
	struct reader_home home;
};

static uint32_t state_of(const struct reader_block *block)
{
	return __atomic_load_n(&block->state, __ATOMIC_ACQUIRE);
}

static void set_state(struct reader_block *block, uint32_t state)
{
	__atomic_store_n(&block->state, state, __ATOMIC_RELEASE);
}

static bool is_packed(const struct reader_block *block)
{
	return block->entry.codec == DUMP_CODEC_ZLIB ||
	       block->entry.codec == DUMP_CODEC_ZSTD;
}

static void count(struct dump *dump, const struct reader_block *block)
{
	if (is_packed(block))
		__atomic_fetch_add(&dump->unpacked, block->entry.size,
				   __ATOMIC_RELAXED);
}

/* --- a helper --------------------------------------------------------------
 */

/* The next block to fetch, now BUSY; NULL: none. With the lock held. */
static struct reader_block *take(struct reader_ahead *ahead)
{
	while (ahead->next < ahead->end) {
		struct reader_block *block =
			&ahead->dump->blocks[ahead->next++];

		if (is_packed(block) && block->state == BLOCK_UNREAD) {
			set_state(block, BLOCK_BUSY);
			return block;
		}
	}
	return NULL;
}

static void *help(void *argument)
{
	struct reader_ahead *ahead = argument;
	struct reader_unpacker unpacker = { 0 };

	pthread_mutex_lock(&ahead->lock);
	while (!ahead->stopping) {
		struct reader_home home = ahead->home;
		struct reader_block *block = take(ahead);

		if (!block) {
			pthread_cond_wait(&ahead->wanted, &ahead->lock);
			continue;
		}
		pthread_mutex_unlock(&ahead->lock);
		struct err *err =
			reader_unpack(ahead->dump, block, &home, &unpacker);
		pthread_mutex_lock(&ahead->lock);
		set_state(block, err ? BLOCK_UNREAD : BLOCK_READY);
		if (!err)
			count(ahead->dump, block);
		err_free(err);
		pthread_cond_broadcast(&ahead->changed);
	}
	pthread_mutex_unlock(&ahead->lock);
	reader_unpacker_deinit(&unpacker);
	return NULL;
}

/* --- the caller ------------------------------------------------------------
 */

/* One for each processor but the caller's. */
static size_t helpers(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0
			    ? CPU_COUNT(&set) - 1
			    : 0;

	return count > HELPERS_MAX ? HELPERS_MAX : (size_t)count;
}

/* Signals are for the program's own thread. */
static void start_threads(struct reader_ahead *ahead, size_t count)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (ahead->thread_count < count &&
	       pthread_create(&ahead->threads[ahead->thread_count], NULL, help,
			      ahead) == 0)
		ahead->thread_count++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static struct reader_ahead *start(struct dump *dump)
{
	size_t count = helpers();
	struct reader_ahead *ahead = count ? calloc(1, sizeof(*ahead)) : NULL;

	if (!ahead)
		return NULL;
	ahead->dump = dump;
	ahead->owner = getpid();
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->wanted, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	dump->ahead = ahead;
	start_threads(ahead, count);
	return ahead;
}

static bool is_ours(const struct reader_ahead *ahead)
{
	return ahead && ahead->owner == getpid();
}

void reader_ahead_stop(struct dump *dump)
{
	struct reader_ahead *ahead = dump->ahead;

	if (is_ours(ahead)) {
		pthread_mutex_lock(&ahead->lock);
		ahead->stopping = true;
		pthread_cond_broadcast(&ahead->wanted);
		pthread_mutex_unlock(&ahead->lock);
		for (size_t i = 0; i < ahead->thread_count; i++)
			pthread_join(ahead->threads[i], NULL);
		pthread_mutex_destroy(&ahead->lock);
		pthread_cond_destroy(&ahead->wanted);
		pthread_cond_destroy(&ahead->changed);
	}
	free(ahead);
	dump->ahead = NULL;
}

/* Those of the same extent that come after block i. With the lock held. */
static void want_behind(struct reader_ahead *ahead, size_t i,
			const struct reader_home *home)
{
	const struct dump *dump = ahead->dump;
	size_t end = i + 1;

	while (end < dump->block_count && end <= i + AHEAD &&
	       dump->blocks[end].entry.address < home->end)
		end++;
	ahead->home = *home;
	ahead->next = i + 1;
	ahead->end = end;
	pthread_cond_broadcast(&ahead->wanted);
}

/* What a helper is at, and now is BUSY with the caller. With the lock held;
 * false: it is READY. */
static bool claim(struct reader_ahead *ahead, struct reader_block *block)
{
	while (block->state == BLOCK_BUSY)
		pthread_cond_wait(&ahead->changed, &ahead->lock);
	if (block->state != BLOCK_UNREAD)
		return block->state == BLOCK_BAD;
	set_state(block, BLOCK_BUSY);
	return true;
}

static struct err *fetch(struct dump *dump, struct reader_block *block,
			 const struct reader_home *home, bool known_bad)
{
	const struct dump_page_entry *e = &block->entry;
	struct err *err =
		known_bad ? err_new(ERR_CORRUPT, "bad checksum or data")
			  : reader_unpack(dump, block, home, &dump->unpacker);

	return err_wrap(err, "block at byte %" PRIu64 " (memory %#" PRIx64 ")",
			e->offset, e->address);
}

static struct err *fetch_alone(struct dump *dump, struct reader_block *block,
			       const struct reader_home *home)
{
	struct err *err = fetch(dump, block, home, block->state == BLOCK_BAD);

	set_state(block, err ? BLOCK_BAD : BLOCK_READY);
	count(dump, block);
	return err;
}

static struct err *fetch_helped(struct dump *dump, size_t i,
				const struct reader_home *home)
{
	struct reader_ahead *ahead = dump->ahead;
	struct reader_block *block = &dump->blocks[i];
	struct err *err = NULL;

	pthread_mutex_lock(&ahead->lock);
	if (claim(ahead, block)) {
		bool bad = block->state == BLOCK_BAD;

		want_behind(ahead, i, home);
		pthread_mutex_unlock(&ahead->lock);
		err = fetch(dump, block, home, bad);
		pthread_mutex_lock(&ahead->lock);
		set_state(block, err ? BLOCK_BAD : BLOCK_READY);
		count(dump, block);
	}
	pthread_mutex_unlock(&ahead->lock);
	return err;
}

/* The limit is not exact: helpers may be busy. */
static void keep_limit(struct dump *dump)
{
	if (dump->in_files &&
	    __atomic_load_n(&dump->unpacked, __ATOMIC_RELAXED) >
		    dump->memory_max)
		reader_let_go(dump);
}

struct err *reader_fetch(struct dump *dump, size_t i,
			 const struct reader_home *home)
{
	struct reader_block *block = &dump->blocks[i];

	if (state_of(block) == BLOCK_READY)
		return NULL;
	if (!is_packed(block))
		return fetch_alone(dump, block, home);
	keep_limit(dump);
	if (!dump->ahead && ++dump->misses == AHEAD_AFTER)
		start(dump);
	if (is_ours(dump->ahead))
		return fetch_helped(dump, i, home);
	return fetch_alone(dump, block, home);
}
