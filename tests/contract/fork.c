/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Children of a program whose other threads are busy in the allocator at the
 * moment of the fork: they allocate, free what they inherited, start threads
 * and fork again, by whatever call they came to be.
 */
#include "tests/contract/contract.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { THREADS = 3, BUFFERS = 300, FORKS = 30 };

static atomic_bool stop;
static void *inherited[BUFFERS];

/*
 * Handlers of a library that was there before the allocator started: libc
 * calls them inside the allocator's own, and they allocate too.
 */
static __thread void *in_handler;

static void before(void)
{
	in_handler = malloc(500);
	CHECK(in_handler);
	free(opaque(calloc(1, 200000)));
}

static void after(void)
{
	free(in_handler);
	free(opaque(malloc(100)));
}

static void register_early(void)
{
	pthread_atfork(before, after, after);
}

__attribute__((section(".preinit_array"),
	       used)) static void (*const early)(void) = register_early;

static void work(int rounds)
{
	void *buffer[BUFFERS];

	for (int round = 0; round < rounds; round++) {
		for (size_t i = 0; i < BUFFERS; i++) {
			buffer[i] = malloc(i * 37 % 5000);
			CHECK(buffer[i]);
			memset(buffer[i], 1, i * 37 % 5000);
		}
		for (size_t i = 0; i < BUFFERS; i++)
			free(buffer[i]);
		free(opaque(malloc(300000)));
	}
}

static void *work_on(void *argument)
{
	while (!stop)
		work(1);
	return argument;
}

/* Forks at the same time as the main thread does. */
static void *fork_too(void *argument)
{
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			free(opaque(malloc(1000)));
			_exit(42);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
	}
	return argument;
}

static void *work_once(void *argument)
{
	work(3);
	return argument;
}

static void child(int depth)
{
	pthread_t thread;

	work(3);
	for (size_t i = 0; i < BUFFERS; i++)
		free(inherited[i]);
	CHECK(pthread_create(&thread, NULL, work_once, NULL) == 0);
	pthread_join(thread, NULL);
	if (depth == 0)
		_exit(42);

	pid_t pid = fork();
	int status;

	if (pid == 0) {
		work(1);
		_exit(42);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void await(pid_t pid)
{
	int status;

	CHECK(pid > 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static void fill_inherited(void)
{
	for (size_t i = 0; i < BUFFERS; i++)
		inherited[i] = malloc(i * 11);
}

static void free_inherited(void)
{
	for (size_t i = 0; i < BUFFERS; i++)
		free(inherited[i]);
}

static void by_fork(void)
{
	for (int i = 0; i < FORKS; i++) {
		fill_inherited();
		pid_t pid = fork();

		if (pid == 0)
			child(i % 2);
		await(pid);
		free_inherited();
	}
}

/* No handler runs. Other threads are quiet: what they would have left half
 * done is nobody's to repair. */
static void without_handlers(void)
{
	for (int i = 0; i < FORKS; i++) {
		fill_inherited();
		pid_t pid =
			i % 2 ? _Fork()
			      : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

		if (pid == 0) {
			work(3);
			free_inherited();
			_exit(42);
		}
		await(pid);
		free_inherited();
	}
}

static void by_vfork_and_spawn(void)
{
	char *arguments[] = { "sh", "-c", "exit 42", NULL };
	extern char **environ;
	pid_t pid;

	for (int i = 0; i < FORKS / 10; i++) {
		CHECK(posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments,
				  environ) == 0);
		await(pid);
		pid = vfork();
		if (pid == 0)
			_exit(42);
		await(pid);
		CHECK(WEXITSTATUS(system("exit 42")) == 42);
	}
}

int main(void)
{
	pthread_t thread[THREADS], forker;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, work_on, NULL);
	pthread_create(&forker, NULL, fork_too, NULL);
	by_fork();
	pthread_join(forker, NULL);
	by_vfork_and_spawn();
	stop = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	without_handlers();
	work(10);
	return 0;
}
