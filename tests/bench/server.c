/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server's load, after Larson and Krishnan: each connection is a thread that
 * lives a while on objects it inherits, replaces them at random, and hands
 * them to the thread that follows. So most buffers are freed by a thread other
 * than the one that allocated them, long after that one has ended.
 *
 *	server LINES COUNT
 *
 * LINES is how many connections are open at once, COUNT the replacements of
 * one line over all its connections.
 */
#include "tests/bench/bench.h"

#include <pthread.h>

enum { OBJECTS = 1000, CONNECTION = 20000 };

struct connection {
	void *objects[OBJECTS];
	uint64_t state;
	unsigned long replacements;
};

static unsigned long count;

static void *serve(void *argument)
{
	struct connection *connection = argument;

	for (unsigned long i = 0; i < connection->replacements; i++) {
		uint64_t number = bench_random(&connection->state);
		void **slot = &connection->objects[number % OBJECTS];

		free(*slot);
		*slot = bench_touch(malloc(10 + (number >> 20) % 491));
	}
	return NULL;
}

static void work(unsigned index)
{
	struct connection connection = { .state = bench_seed(index) };
	pthread_t thread;

	for (unsigned long done = 0; done < count;
	     done += connection.replacements) {
		connection.replacements =
			count - done < CONNECTION ? count - done : CONNECTION;
		if (pthread_create(&thread, NULL, serve, &connection) == 0)
			pthread_join(thread, NULL);
		else
			exit(1);
	}
	for (int i = 0; i < OBJECTS; i++)
		free(connection.objects[i]);
}

int main(int argc, char **argv)
{
	unsigned lines = (unsigned)bench_argument(argv, argc, 1, 2);

	count = bench_argument(argv, argc, 2, 4000000);
	bench_run(lines, count, work);
	return 0;
}
