/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/reap.h"

#include "alloc/allocate.h"
#include "alloc/client.h"
#include "alloc/guard.h"
#include "alloc/magazine_depot.h"
#include "alloc/options.h"
#include "alloc/pages.h"
#include "alloc/root.h"
#include "alloc/sys.h"
#include "alloc/thread.h"
#include "alloc/wait.h"

#include "kma/kma.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>

/* Futexes: how often it was asked, and up to which of these it is through. */
static uint32_t asked, done;

static uint32_t started; /* 1: the thread runs */
static uint32_t thread_id;

/* Whose callback may run now. */
static struct kma_cache *visited;

static const void *moving[2];

static void wake(uint32_t *word)
{
	sys_call(SYS_futex, (long)(uintptr_t)word, FUTEX_WAKE_PRIVATE, INT_MAX,
		 0, 0, 0);
}

/* False: so many seconds went by; 0: as long as it takes. */
static bool wait_for(uint32_t *word, uint32_t value, size_t seconds)
{
	const struct timespec limit = { .tv_sec = (time_t)seconds };

	return sys_call(SYS_futex, (long)(uintptr_t)word, FUTEX_WAIT_PRIVATE,
			value, seconds ? (long)(uintptr_t)&limit : 0, 0,
			0) != -ETIMEDOUT;
}

static void wait_on(uint32_t *word, uint32_t value)
{
	wait_for(word, value, 0);
}

/* --- the thread -------------------------------------------------------------
 */

static struct kma_cache *client_at(unsigned index)
{
	struct kma_cache *cache = kma_caches[index];

	return cache->client && __atomic_load_n(&cache->client->state,
						__ATOMIC_ACQUIRE) ==
					KMA_CLIENT_LIVE
		       ? cache
		       : NULL;
}

static void set_visited(struct kma_cache *cache)
{
	__atomic_store_n(&visited, cache, __ATOMIC_SEQ_CST);
	if (!cache)
		wake(&done);
}

/* What was moved out of may lie in quarantine. */
static void move_out(struct kma_cache *cache)
{
	kma_move_consolidate(cache);
	kma_client_drain(cache, true);
}

/* As kma_reap_leave() has it: visited is set, then the state is looked at. */
static void visit(unsigned index, bool move)
{
	struct kma_cache *cache = client_at(index);

	if (!cache)
		return;
	set_visited(cache);
	if (client_at(index)) {
		struct kma_client *client = cache->client;

		if (client->reclaim)
			client->reclaim(client->arg);
		kma_client_run_drain_hook(cache, KMA_NOSLEEP);
		kma_client_drain(cache, true);
		if (client->move && move)
			move_out(cache);
		__atomic_add_fetch(&client->reaps, 1, __ATOMIC_RELAXED);
		kma_client_release(cache, 0);
	}
	set_visited(NULL);
}

/*
 * What was freed and then not wanted for an interval goes on its way back: from
 * the depots to the slabs, from there to the heap, from there to the system.
 * What lies in a thread's own magazines stays with it.
 */
static void age(void)
{
	struct kma_thread *self = kma_thread_enter();

	for (unsigned i = 0; i < kma_cache_count; i++)
		if (kma_caches[i]->bufsize && !kma_caches[i]->client)
			kma_magazine_depot_age(kma_caches[i]);
	kma_pages_age(kma_options.reap_interval);
	kma_thread_leave(self);
}

static void *run(void *argument)
{
	uint32_t seen;

	(void)argument;
	__atomic_store_n(&thread_id, sys_gettid(), __ATOMIC_RELEASE);
	for (;;) {
		seen = __atomic_load_n(&asked, __ATOMIC_ACQUIRE);
		if (seen == done) {
			if (!wait_for(&asked, seen, kma_options.reap_interval))
				age();
			continue;
		}
		for (unsigned i = 0; i < kma_cache_count; i++)
			visit(i, true);
		__atomic_store_n(&done, seen, __ATOMIC_RELEASE);
		wake(&done);
		kma_wait_wake();
	}
	return NULL;
}

void kma_reap_start(void)
{
	uint32_t none = 0;
	sigset_t all, before;
	pthread_attr_t attributes;
	pthread_t thread;

	if (!__atomic_compare_exchange_n(&started, &none, 1, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, run, NULL) != 0)
		__atomic_store_n(&started, 0, __ATOMIC_RELEASE);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void kma_reap_forked(void)
{
	started = 0;
	thread_id = 0;
	visited = NULL;
	done = asked;
	moving[0] = moving[1] = NULL;
}

unsigned kma_reap_threads(void)
{
	return __atomic_load_n(&started, __ATOMIC_ACQUIRE);
}

bool kma_reap_is_idle(void)
{
	return !started || __atomic_load_n(&asked, __ATOMIC_ACQUIRE) ==
				   __atomic_load_n(&done, __ATOMIC_ACQUIRE);
}

static bool is_own_thread(void)
{
	return __atomic_load_n(&thread_id, __ATOMIC_ACQUIRE) == sys_gettid();
}

void kma_reap_leave(struct kma_cache *cache)
{
	uint32_t seen;

	/* From now on visit() passes it by, or has it in visited. */
	__atomic_store_n(&cache->client->reclaim, NULL, __ATOMIC_SEQ_CST);
	__atomic_store_n(&cache->client->move, NULL, __ATOMIC_SEQ_CST);
	while (!is_own_thread()) {
		seen = __atomic_load_n(&done, __ATOMIC_ACQUIRE);
		if (__atomic_load_n(&visited, __ATOMIC_SEQ_CST) != cache)
			return;
		const struct timespec pause = { .tv_nsec = 1000000 };

		sys_call(SYS_futex, (long)(uintptr_t)&done, FUTEX_WAIT_PRIVATE,
			 seen, (long)(uintptr_t)&pause, 0, 0);
	}
}

bool kma_reap_is_moving(const void *object)
{
	return __builtin_expect(moving[0] != NULL, 0) && is_own_thread() &&
	       (object == moving[0] || object == moving[1]);
}

void kma_reap_set_moving(const void *object, const void *target)
{
	moving[1] = target;
	moving[0] = object;
}

/* --- asking -----------------------------------------------------------------
 */

/* What only that thread may call: a sleeper may hold its client's locks. */
static bool has_callbacks(const struct kma_client *client)
{
	return client->reclaim || client->move || client->drain ||
	       client->destruct;
}

static uint32_t ask(void)
{
	uint32_t ticket = __atomic_add_fetch(&asked, 1, __ATOMIC_ACQ_REL);

	wake(&asked);
	return ticket;
}

/* Of clients' caches, or of those whose slabs are not the heap's: what
 * magazines and empty slabs keep, and what only their callbacks can give. */
static void reap_clients(bool importing_only)
{
	bool needs_thread = false;

	for (unsigned i = 0; i < kma_cache_count; i++) {
		struct kma_cache *cache = client_at(i);

		if (!cache || (importing_only && !cache->client->import))
			continue;
		if (!cache->client->destruct)
			kma_client_drain(cache, true);
		kma_client_release(cache, 0);
		needs_thread |= has_callbacks(cache->client);
	}
	if (needs_thread && kma_reap_is_idle()) {
		kma_reap_start();
		ask();
	}
}

void kma_reap_everything(void)
{
	struct kma_thread *self = kma_thread_enter();

	if (!kma_thread_nested(self)) {
		for (unsigned i = 0; i < kma_cache_count; i++)
			if (kma_caches[i]->bufsize && !kma_caches[i]->client)
				kma_magazine_drain(kma_caches[i]);
		kma_large_drain();
		kma_guard_drain();
	}
	kma_thread_leave(self);
	reap_clients(false);
}

void kma_reap_importers(void)
{
	reap_clients(true);
}

void kma_reap(void)
{
	kma_reap_everything();
}

void kma_cache_reap_now(struct kma_cache *cache)
{
	uint32_t ticket, seen;

	if (!kma_client_check(cache, "kma_cache_reap_now") || is_own_thread())
		return;
	kma_reap_start();
	ticket = ask();
	while ((int32_t)((seen = __atomic_load_n(&done, __ATOMIC_ACQUIRE)) -
			 ticket) < 0)
		wait_on(&done, seen);
}
