/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An address on the stack of a thread that has done nothing yet. */
#include "tests/misuse/misuse.h"

#include <pthread.h>
#include <sys/prctl.h>

static pthread_barrier_t both;
static void *shown;

static void *show_local(void *argument)
{
	char local[64];

	(void)argument;
	shown = local;
	KEEP(shown);
	pthread_barrier_wait(&both);
	pthread_barrier_wait(&both);
	return NULL;
}

int main(void)
{
	pthread_t thread;

	pthread_barrier_init(&both, NULL, 2);
	prctl(PR_SET_NAME, "other");
	pthread_create(&thread, NULL, show_local, NULL);
	prctl(PR_SET_NAME, "main");
	pthread_barrier_wait(&both);
	drop(shown);
	pthread_barrier_wait(&both);
	pthread_join(thread, NULL);
	return 0;
}
