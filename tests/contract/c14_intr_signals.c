/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A signal handler that allocates every 100 microseconds while four threads do
 * nothing else: no deadlock, nothing damaged, nothing lost. Two seconds; ten
 * with KDBG_TEST_LONG.
 */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>
#include <sys/time.h>

enum { THREADS = 4, HELD = 64, INTERVAL_US = 100 };

static int stop;
static uint64_t in_handler, failed_in_handler;
static sigset_t alarm_alone;

enum { KEPT = 7 };

/* What the handlers of a thread hold from one signal to the next: a handler
 * that gave back all it took would leave what it interrupted as it was. */
static __thread unsigned char *kept[KEPT];
static __thread unsigned turn;

static void give_back(unsigned char **slot)
{
	if (!*slot)
		return;
	for (int at = 0; at < 64; at++)
		CHECK((*slot)[at] == 0x77);
	kmem_intr_free(*slot, 64);
	*slot = NULL;
}

static void handle(int number)
{
	unsigned char **slot = &kept[turn++ % KEPT];
	int saved = errno;

	(void)number;
	KMA_INTR_ENTER();
	give_back(slot);
	*slot = kmem_intr_alloc(64, KM_NOSLEEP);
	if (*slot) {
		memset(*slot, 0x77, 64);
		__atomic_add_fetch(&in_handler, 1, __ATOMIC_RELAXED);
	} else {
		__atomic_add_fetch(&failed_in_handler, 1, __ATOMIC_RELAXED);
	}
	KMA_INTR_EXIT();
	errno = saved;
}

/* How many of each there were, in whatever thread, and how many buffers live.
 */
static struct kma_stats counted(void)
{
	struct kma_stats stats;

	CHECK(kma_stats(&stats, sizeof(stats)) == 0);
	return stats;
}

static uint64_t in_threads;

static void *churn(void *argument)
{
	uint64_t count = 0;
	unsigned char *held[HELD] = { NULL };
	unsigned char mark = (unsigned char)(uintptr_t)argument;

	for (uint64_t i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		unsigned char **slot = &held[i * 7 % HELD];

		if (*slot) {
			for (int at = 0; at < 64; at++)
				CHECK((*slot)[at] == mark);
			kmem_free(*slot, 64);
		}
		*slot = kmem_alloc(64, KM_SLEEP);
		memset(*slot, mark, 64);
		count++;
	}
	for (int i = 0; i < HELD; i++)
		if (held[i])
			kmem_free(held[i], 64);
	CHECK(pthread_sigmask(SIG_BLOCK, &alarm_alone, NULL) == 0);
	for (int i = 0; i < KEPT; i++)
		give_back(&kept[i]);
	__atomic_add_fetch(&in_threads, count, __ATOMIC_RELAXED);
	return NULL;
}

int main(void)
{
	const struct itimerval every = { { 0, INTERVAL_US },
					 { 0, INTERVAL_US } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = handle,
				    .sa_flags = SA_RESTART };
	struct kma_stats before, after;
	pthread_t threads[THREADS];

	kmem_free(kmem_alloc(64, KM_SLEEP), 64);
	before = counted();
	sigemptyset(&alarm_alone);
	sigaddset(&alarm_alone, SIGALRM);
	for (intptr_t i = 0; i < THREADS; i++)
		threads[i] = start_thread(churn, (void *)(i + 1));
	/* The kernel would rather have the main thread, which does nothing: the
	 * handler is to come in where the others are. */
	CHECK(pthread_sigmask(SIG_BLOCK, &alarm_alone, NULL) == 0);
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
	uint64_t end = now_ms() + (getenv("KDBG_TEST_LONG") ? 10000 : 2000);

	while (now_ms() < end)
		sleep_ms(20);
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
	set_flag(&stop);
	for (int i = 0; i < THREADS; i++)
		join_thread(threads[i]);
	CHECK(in_handler > 100);
	kmem_free(kmem_alloc(64, KM_SLEEP), 64); /* takes what was deferred */
	after = counted();
	CHECK(after.allocations - before.allocations ==
	      in_threads + in_handler + 1);
	CHECK(after.frees - before.frees == in_threads + in_handler + 1);
	CHECK(after.buffers_in_use == before.buffers_in_use);
	return 0;
}
