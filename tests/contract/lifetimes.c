/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Allocation at every moment of a program's life: in constructors, in atexit
 * handlers and destructors, in destructors of thread-specific data in every
 * round of them, in libraries opened and closed, and in the frees of one
 * moment of what another took.
 *
 * Usage: lifetimes LIBRARY
 */
#include "tests/contract/contract.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

static void *early[100];
static pthread_key_t keys[40]; /* more than a thread has room for at once */

static void churn(void)
{
	void *p[50];

	for (size_t i = 0; i < 50; i++) {
		p[i] = malloc(i * 100);
		CHECK(p[i]);
		memset(p[i], 3, i * 100);
	}
	for (size_t i = 0; i < 50; i++)
		free(p[i]);
}

__attribute__((constructor(101))) static void first_of_all(void)
{
	for (size_t i = 0; i < 100; i++)
		early[i] = malloc(i * 50);
	churn();
}

static void last_of_all(void)
{
	for (size_t i = 50; i < 100; i++)
		free(early[i]);
	churn();
}

__attribute__((destructor)) static void after_that(void)
{
	churn();
}

struct rounds {
	pthread_key_t key;
	int left;
};

/* Comes back in every round, and allocates in each. */
static void in_destructor(void *argument)
{
	struct rounds *rounds = argument;

	churn();
	if (--rounds->left > 0)
		pthread_setspecific(rounds->key, rounds);
	else
		free(rounds);
}

static void *thread_with_destructors(void *argument)
{
	for (size_t i = 0; i < 40; i++) {
		struct rounds *rounds = malloc(sizeof(*rounds));

		rounds->key = keys[i];
		rounds->left = 1 + (int)i % PTHREAD_DESTRUCTOR_ITERATIONS;
		pthread_setspecific(keys[i], rounds);
	}
	churn();
	return argument;
}

static void thread_destructors_allocate(void)
{
	for (size_t i = 0; i < 40; i++)
		CHECK(pthread_key_create(&keys[i], in_destructor) == 0);
	for (int i = 0; i < 50; i++) {
		pthread_t thread;

		CHECK(pthread_create(&thread, NULL, thread_with_destructors,
				     NULL) == 0);
		pthread_join(thread, NULL);
	}
}

static void *use_library(void *argument)
{
	const char *path = argument;

	for (int i = 0; i < 20; i++) {
		void *library = dlopen(path, RTLD_NOW);

		CHECK(library);
		void *(*make)(size_t) =
			(void *(*)(size_t))dlsym(library, "library_make");
		CHECK(make);
		void *made = make(1000);
		memset(made, 5, 1000);
		CHECK(!dlsym(library, "no_such_function") && dlerror());
		dlclose(library);
		free(made);
	}
	return NULL;
}

static void libraries_come_and_go(char *path)
{
	pthread_t thread[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, use_library, path);
	use_library(path);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

/* A second libc in a namespace of its own has a malloc of its own. */
static void a_namespace_has_its_own(char *path)
{
	void *library = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);

	if (!library)
		return; /* no room for static TLS: not ours to judge */
	void *(*make)(size_t) =
		(void *(*)(size_t))dlsym(library, "library_make");
	CHECK(make && make(100));
	dlclose(library);
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	for (size_t i = 0; i < 50; i++)
		free(early[i]);
	atexit(last_of_all);
	thread_destructors_allocate();
	libraries_come_and_go(argv[1]);
	a_namespace_has_its_own(argv[1]);
	return 0;
}
