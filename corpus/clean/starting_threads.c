/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that were only just created when the program ends: some have not run
 * yet, and nothing but what pthread_create() keeps holds their arguments. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 60 };

static void *hold(void *argument)
{
	for (;;)
		pause();
	return argument;
}

int main(void)
{
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, hold, malloc(30)) != 0)
			return 1;
	}
	return 0;
}
