/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that end, threads that still run at exit, keys with destructors,
 * thread storage large and small, pointers handed from thread to thread, stacks
 * for signals that only the kernel knows. */
#include "corpus/escape.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORKERS = 6, STAYING = 3, SIGNAL_STACK = 32 << 10 };

static pthread_key_t key;
static sem_t ready;
static __thread void *mine;
static __thread char large_storage[20000];

static NOINLINE void take_signal_stack(void)
{
	stack_t stack = { .ss_size = SIGNAL_STACK };

	stack.ss_sp = malloc(SIGNAL_STACK);
	sigaltstack(&stack, NULL);
}

static NOINLINE void give_signal_stack_back(void)
{
	const stack_t none = { .ss_flags = SS_DISABLE };
	stack_t stack;

	sigaltstack(&none, &stack);
	free(stack.ss_sp);
}

static void *work(void *argument)
{
	void *volatile local = malloc(100);

	mine = malloc(200);
	pthread_setspecific(key, malloc(300));
	take_signal_stack();
	give_signal_stack_back();
	large_storage[0] = 1;
	escape(large_storage);
	free((void *)local);
	free(mine);
	mine = NULL;
	return argument;
}

static void *stay(void *argument)
{
	void *volatile local = malloc(100);

	mine = malloc(200);
	pthread_setspecific(key, malloc(300));
	take_signal_stack();
	forget();
	sem_post(&ready);
	for (;;)
		pause();
	escape((void *)local);
	return argument;
}

int main(void)
{
	pthread_t threads[WORKERS], other;

	pthread_key_create(&key, free);
	sem_init(&ready, 0, 0);
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&threads[i], NULL, work, malloc(64));
	for (int i = 0; i < WORKERS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		free(result);
	}
	for (int i = 0; i < STAYING; i++)
		pthread_create(&other, NULL, stay, NULL);
	for (int i = 0; i < STAYING; i++)
		sem_wait(&ready);
	take_signal_stack();
	forget();
	return 0;
}
