/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything at once, for as long as asked: eight threads that trade buffers,
 * start threads, fork and load libraries, in an order that no run repeats. A
 * child finds every buffer as it was and can go on allocating, whatever lock
 * was held when it was made. At the end the counters add up.
 *
 *	stress LIBRARY SECONDS
 *
 * With KDBG_TEST_LONG=1 in the environment it takes ten minutes.
 */
#include "tests/contract/boxes.h"
#include "tests/contract/contract.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	THREADS = 8,
	STORM = 4, /* children at once */
	CHILD_TRADES = 200,
	VISIT_TRADES = 100,
	LONG_SECONDS = 600,
};

static const char *library;
static atomic_bool is_over;
static atomic_ulong trades, visits, children, loads;

static void *visit(void *argument)
{
	uint64_t random = (uintptr_t)argument;

	for (int i = 0; i < VISIT_TRADES; i++)
		boxes_trade(&random);
	return NULL;
}

static void start_visitor(uint64_t *random)
{
	uintptr_t seed = next_random(random);
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, visit, (void *)seed) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	visits++;
}

static void child_main(uint64_t random)
{
	alarm(60); /* a lock that was left held is a failure, not a wait */
	boxes_check();
	for (int i = 0; i < CHILD_TRADES; i++)
		boxes_trade(&random);
	start_visitor(&random);
	_exit(0);
}

static void fork_storm(uint64_t *random)
{
	pid_t child[STORM];

	for (int i = 0; i < STORM; i++) {
		uint64_t seed = next_random(random);

		child[i] = fork();
		CHECK(child[i] >= 0);
		if (child[i] == 0)
			child_main(seed);
		boxes_trade(random);
	}
	for (int i = 0; i < STORM; i++) {
		int status;

		CHECK(waitpid(child[i], &status, 0) == child[i]);
		CHECK(status == 0);
		children++;
	}
}

static void load_library(uint64_t *random)
{
	void *handle = dlopen(library, RTLD_NOW);
	void *(*make)(size_t);

	CHECK(handle);
	*(void **)&make = dlsym(handle, "library_make");
	CHECK(make);
	free(make(16 + next_random(random) % 5000));
	CHECK(dlclose(handle) == 0);
	loads++;
}

static void *live(void *argument)
{
	uint64_t random = (uintptr_t)argument;

	while (!is_over) {
		uint64_t choice = next_random(&random) % 20000;

		if (choice < 2)
			fork_storm(&random);
		else if (choice < 22)
			start_visitor(&random);
		else if (choice < 42)
			load_library(&random);
		else
			boxes_trade(&random);
		trades++;
	}
	return NULL;
}

static void live_for(unsigned seconds, uintptr_t seed)
{
	pthread_t thread[THREADS];

	is_over = false;
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, live,
				     (void *)(seed * THREADS + i)) == 0);
	sleep(seconds);
	is_over = true;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
}

/* What the program has, as the allocator's own counters tell it. */
static size_t in_use(void)
{
	return mallinfo2().uordblks;
}

int main(int argc, char **argv)
{
	const char *is_long = getenv("KDBG_TEST_LONG");
	unsigned seconds;

	CHECK(argc == 3);
	library = argv[1];
	seconds = (unsigned)atoi(argv[2]);
	if (is_long && strcmp(is_long, "1") == 0)
		seconds = LONG_SECONDS;

	live_for(1, 1); /* what libc keeps for ever is kept from now on */
	boxes_settle();
	size_t before = in_use();

	live_for(seconds, (uintptr_t)time(NULL));
	unsigned long buffers = boxes_settle();
	size_t after = in_use();

	printf("%lu operations: %lu buffers, %lu children, %lu threads, %lu "
	       "libraries; %zu bytes in use before, %zu after\n",
	       (unsigned long)trades, buffers, (unsigned long)children,
	       (unsigned long)visits, (unsigned long)loads, before, after);
	/* Each thread whose stack libc keeps has a table of its own. */
	CHECK(after <= before + 16384);
	return 0;
}
