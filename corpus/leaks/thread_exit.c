/* SPDX-License-Identifier: BSD-2-Clause */
/* The only pointers were on the stack and in the thread storage of a thread
 * that has ended; glibc keeps both for the next thread. */
#include "corpus/escape.h"

#include <pthread.h>
#include <stdlib.h>

static __thread void *volatile in_thread_storage;

static NOINLINE void *allocate_for_stack(void)
{
	return escape(malloc(48));
}

static NOINLINE void *allocate_for_storage(void)
{
	return escape(malloc(80));
}

static void *work(void *argument)
{
	void *volatile on_stack = allocate_for_stack();

	in_thread_storage = allocate_for_storage();
	escape((void *)on_stack);
	return argument;
}

int main(void)
{
	for (int i = 0; i < times(5); i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, work, NULL);
		pthread_join(thread, NULL);
	}
	forget();
	return 0;
}
