/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For early_thread.c: a constructor whose first call of all makes a thread. */
#include <pthread.h>

int library_thread_joined(void);

static pthread_t thread;
static int error;

static void *work(void *argument)
{
	return argument;
}

__attribute__((constructor)) static void load(void)
{
	error = pthread_create(&thread, NULL, work, NULL);
}

int library_thread_joined(void)
{
	return error ? error : pthread_join(thread, NULL);
}
