/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each of these buffers is held by one word, in a place where one has to know
 *to look: all are alive when a signal kills the program. Beside them one is
 *lost.
 *
 *	argument: a library with thread storage of its own (storage.c)
 */
#include "corpus/escape.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, STACK = 64 << 10, KEYS = 40 };

static sem_t ready;
static ucontext_t suspended, outside;
static void *volatile stack_of_suspended;

static NOINLINE void *map(int protection, int flags)
{
	return mmap(NULL, STACK, protection, flags | MAP_ANONYMOUS, -1, 0);
}

static NOINLINE void lose(void)
{
	escape(malloc(96));
}

static NOINLINE void in_anonymous_mapping(void)
{
	void **page = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);

	page[100] = escape(malloc(64));
}

static NOINLINE void in_shared_mapping(void)
{
	void **page = map(PROT_READ | PROT_WRITE, MAP_SHARED);

	page[100] = escape(malloc(64));
}

/* Written, and then made read-only. */
static NOINLINE void in_sealed_mapping(void)
{
	void **page = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);

	page[100] = escape(malloc(64));
	mprotect(page, STACK, PROT_READ);
}

/* The operand of an instruction, at an odd address. */
static NOINLINE void in_machine_code(void)
{
	unsigned char *page = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	void *held = escape(malloc(64));

	page[801] = 0x48; /* movabs $held, %rax; ret */
	page[802] = 0xb8;
	memcpy(page + 803, &held, sizeof(held));
	page[811] = 0xc3;
	mprotect(page, STACK, PROT_READ | PROT_EXEC);
}

/* The last of so many keys lies in a block of its own. */
static NOINLINE void in_thread_specific_data(void)
{
	pthread_key_t key = 0;

	for (int i = 0; i < times(KEYS); i++)
		pthread_key_create(&key, NULL);
	pthread_setspecific(key, escape(malloc(64)));
}

static NOINLINE void in_storage_of_library(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	void (*keep)(void *);

	*(void **)&keep = dlsym(library, "keep_in_thread_storage");
	keep(escape(malloc(64)));
}

static NOINLINE void in_coroutine(void)
{
	void *volatile held = escape(malloc(64));

	swapcontext(&suspended, &outside);
	escape((void *)held);
}

static NOINLINE void suspend_coroutine(void)
{
	getcontext(&suspended);
	stack_of_suspended = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	suspended.uc_stack.ss_sp = (void *)stack_of_suspended;
	suspended.uc_stack.ss_size = STACK;
	makecontext(&suspended, in_coroutine, 0);
	swapcontext(&outside, &suspended);
}

static void on_alternate_stack(int number)
{
	void *volatile held = escape(malloc(64));

	forget();
	sem_post(&ready);
	for (;;)
		pause();
	escape((void *)held);
	(void)number;
}

static NOINLINE void on_interrupted_stack(void)
{
	void *volatile held = escape(malloc(64));

	forget();
	raise(SIGUSR1);
	escape((void *)held);
}

static void *work(void *argument)
{
	stack_t alternate = { .ss_size = STACK };
	struct sigaction action = { .sa_handler = on_alternate_stack,
				    .sa_flags = SA_ONSTACK };

	alternate.ss_sp = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	sigaltstack(&alternate, NULL);
	sigaction(SIGUSR1, &action, NULL);
	on_interrupted_stack();
	return argument;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	in_anonymous_mapping();
	in_shared_mapping();
	in_sealed_mapping();
	in_machine_code();
	in_thread_specific_data();
	if (argc > 1)
		in_storage_of_library(argv[1]);
	suspend_coroutine();
	sem_init(&ready, 0, 0);
	pthread_create(&thread, NULL, work, NULL);
	sem_wait(&ready);
	lose();
	forget();
	__builtin_trap();
}
