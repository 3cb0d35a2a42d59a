/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A signal handler that allocates and frees whatever its thread was doing. No
 * program may count on malloc there, but it must neither hang nor break the
 * heap: NULL is an answer.
 */
#include "tests/contract/contract.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { HELD = 64, SECONDS = 2 };

static _Atomic(char *) held[HELD];
static _Atomic(char *) large;
static atomic_ulong handled, refused;
static atomic_bool stop;

/* Its pages are nobody's to move while the thread may hold their lock. */
static void resize_in_handler(size_t number)
{
	char *p = atomic_exchange(&large, NULL);

	if (!p)
		return;
	char *resized = realloc(p, 200000 + number % 7 * 65536);

	atomic_store(&large, resized ? resized : p);
}

static void in_handler(int number)
{
	int saved_errno = errno;
	size_t place = handled++ % HELD;
	char *p = malloc(place * 40);

	(void)number;
	if (!p)
		refused++;
	else
		memset(p, (int)place, place * 40);
	free(atomic_exchange(&held[place], p));
	resize_in_handler(place);
	errno = saved_errno;
}

static void *work_on(void *argument)
{
	char *p[200];

	while (!stop) {
		for (size_t i = 0; i < 200; i++) {
			p[i] = malloc(i * i % 3000);
			CHECK(p[i]);
			memset(p[i], (int)i, i * i % 3000);
		}
		for (size_t i = 0; i < 200; i++) {
			for (size_t j = 0; j < i * i % 3000; j++)
				CHECK(p[i][j] == (char)i);
			free(p[i]);
		}
		free(realloc(opaque(malloc(200000)), 500000));
	}
	return argument;
}

int main(void)
{
	struct sigaction action = { .sa_handler = in_handler,
				    .sa_flags = SA_RESTART };
	struct itimerval often = { { 0, 100 }, { 0, 100 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	pthread_t thread[2];

	large = malloc(200000);
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGPROF, &action, NULL);
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, work_on, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	setitimer(ITIMER_PROF, &often, NULL);

	time_t end = time(NULL) + SECONDS;

	while (time(NULL) < end)
		free(opaque(malloc(100)));
	setitimer(ITIMER_REAL, &never, NULL);
	setitimer(ITIMER_PROF, &never, NULL);
	stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	for (size_t i = 0; i < HELD; i++)
		free(held[i]);
	free(large);
	printf("%lu handled, %lu refused\n", (unsigned long)handled,
	       (unsigned long)refused);
	CHECK(handled > 100 && refused < handled / 2);
	return 0;
}
