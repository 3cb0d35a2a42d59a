/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pointers in every place that is hard to see, all of them alive when the
 * program is killed by a signal: a general register, a vector register, the
 * red zone below the stack pointer, thread storage and stack of another
 * thread. Beside each, a buffer that is lost.
 */
#include "corpus/escape.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

static __thread void *volatile in_thread_storage;
static sem_t ready;

static NOINLINE void *allocate_held(void)
{
	return escape(malloc(64));
}

static NOINLINE void *allocate_lost(void)
{
	return escape(malloc(96));
}

static void *work(void *argument)
{
	void *volatile on_stack = allocate_held();

	in_thread_storage = allocate_held();
	allocate_lost();
	forget();
	sem_post(&ready);
	for (;;)
		pause();
	escape((void *)on_stack);
	return argument;
}

/* Keep one pointer in r12, one in xmm15 and one in the red zone, none anywhere
 * else, and die. The pointers come inverted, so that no copy of them is one. */
static NOINLINE void die(unsigned long a, unsigned long b, unsigned long c)
{
	__asm__ volatile("mov %0, %%r12\n\t"
			 "not %%r12\n\t"
			 "mov %1, %%r13\n\t"
			 "not %%r13\n\t"
			 "movq %%r13, %%xmm15\n\t"
			 "mov %2, %%r13\n\t"
			 "not %%r13\n\t"
			 "mov %%r13, -64(%%rsp)\n\t"
			 "xor %%r13d, %%r13d\n\t"
			 "ud2"
			 :
			 : "r"(a), "r"(b), "r"(c)
			 : "r12", "r13", "xmm15", "memory");
}

int main(void)
{
	pthread_t thread;
	unsigned long a, b, c;

	sem_init(&ready, 0, 0);
	pthread_create(&thread, NULL, work, NULL);
	sem_wait(&ready);
	a = ~(unsigned long)allocate_held();
	b = ~(unsigned long)allocate_held();
	c = ~(unsigned long)allocate_held();
	in_thread_storage = allocate_held();
	allocate_lost();
	forget();
	die(a, b, c);
	return 0;
}
