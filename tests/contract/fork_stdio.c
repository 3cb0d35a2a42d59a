/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fork() while other threads read and flush files: each of stdio's and the
 * allocator's locks is free in the child, and no thread waits for ever. */
#include "tests/contract/contract.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READERS = 3, FORKERS = 2, FORKS = 15, LINE = 200000 };

static bool done;

static FILE *file_with_a_long_line(void)
{
	FILE *file = tmpfile();

	CHECK(file != NULL);
	for (int i = 0; i < LINE; i++)
		putc('x', file);
	return file;
}

/* Allocates with its file locked: the line grows as it is read, beyond what
 * magazines serve without a lock. */
static void *read_lines(void *unused)
{
	FILE *file = file_with_a_long_line();

	while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
		char *line = NULL;
		size_t size = 0;

		rewind(file);
		CHECK(getline(&line, &size, file) == LINE);
		free(line);
	}
	fclose(file);
	return unused;
}

/* Has the list of all files locked, and waits for each of them. */
static void *flush_all(void *unused)
{
	while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
		fflush(NULL);
		usleep(300); /* its lock is not fair */
	}
	return unused;
}

static void in_child(void)
{
	FILE *file = fopen("/dev/null", "w");

	if (!file || fputs("text", file) < 0 || fclose(file))
		_exit(1);
	free(opaque(malloc(5000)));
	_exit(0);
}

static void *fork_often(void *unused)
{
	int status;

	for (int i = 0; i < FORKS; i++) {
		pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0)
			in_child();
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	return unused;
}

int main(void)
{
	pthread_t readers[READERS], forkers[FORKERS], flusher;

	for (int i = 0; i < READERS; i++)
		CHECK(!pthread_create(&readers[i], NULL, read_lines, NULL));
	for (int i = 0; i < FORKERS; i++)
		CHECK(!pthread_create(&forkers[i], NULL, fork_often, NULL));
	CHECK(!pthread_create(&flusher, NULL, flush_all, NULL));
	for (int i = 0; i < FORKERS; i++)
		CHECK(!pthread_join(forkers[i], NULL));
	__atomic_store_n(&done, true, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++)
		CHECK(!pthread_join(readers[i], NULL));
	CHECK(!pthread_join(flusher, NULL));
	return 0;
}
