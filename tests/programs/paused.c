/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program in a state that is known and stays: buffers of several sizes, some
 * leaked, in threads that wait. Says "ready" and ends at the end of its input.
 *
 * paused [SECRET [OVERRUN]]: a buffer, the stacks, registers and the data have
 * the secret; the overrun is what a report of libkma's quotes.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	THREADS = 3,
	HELD = 500,
	HELD_SIZE = 700,
	LEAKED = 20,
	LEAKED_SIZE = 1800,
	SECRET_SIZE = 64,
};

static void *held[HELD];
static char data_secret[SECRET_SIZE] = "data";
static char *heap_secret;
static sem_t arrived;
static pid_t waiters[THREADS];

static __attribute__((noinline)) void leak_some(size_t count)
{
	for (volatile size_t i = 0; i < count; i++)
		memset(malloc(LEAKED_SIZE), 'x', LEAKED_SIZE);
}

/* pause(), with the first bytes of text in a register. */
static void pause_with(const char *text)
{
	uint64_t word;
	long result;

	memcpy(&word, text, sizeof(word));
	__asm__ volatile("syscall"
			 : "=a"(result), "+b"(word)
			 : "0"((long)SYS_pause)
			 : "rcx", "r11", "memory");
}

/* Freed, it is found and reported with the bytes that are there. */
static void run_over(const char *text)
{
	char *buffer = malloc(LEAKED_SIZE);

	memcpy(buffer + LEAKED_SIZE, text, strnlen(text, sizeof(uint64_t)));
	/* Else the compiler sees that nobody reads it. */
	__asm__ volatile("" ::"r"(buffer) : "memory");
	free(buffer);
}

static __attribute__((noinline)) void wait_below(const char *text)
{
	char stack_secret[SECRET_SIZE];

	snprintf(stack_secret, sizeof(stack_secret), "%s", text);
	sem_post(&arrived);
	for (;;)
		pause_with(text);
	__asm__ volatile("" ::"r"(stack_secret) : "memory");
}

static void *wait_in_thread(void *argument)
{
	char name[16];

	snprintf(name, sizeof(name), "waiter %d", *(int *)argument);
	prctl(PR_SET_NAME, name);
	waiters[*(int *)argument] = gettid();
	leak_some(LEAKED);
	wait_below(data_secret);
	return NULL;
}

/* The state that stays is that in which all are in pause(). */
static void await_pause(pid_t thread)
{
	char path[64], text[16] = "";

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", thread);
	while (strtol(text, NULL, 10) != SYS_pause) {
		int file = open(path, O_RDONLY);

		if (file < 0 || read(file, text, sizeof(text) - 1) < 0)
			return; /* nobody may ask */
		close(file);
		usleep(1000);
	}
}

/* What is below the frame of a function that returned is not looked at. */
static __attribute__((noinline)) void clear_stack(void)
{
	volatile char below[16384];

	for (size_t i = 0; i < sizeof(below); i++)
		below[i] = 0;
}

int main(int argc, char **argv)
{
	static int numbers[THREADS];
	pthread_t thread;

	if (argc > 1)
		snprintf(data_secret, sizeof(data_secret), "%s", argv[1]);
	heap_secret = strdup(data_secret);
	if (argc > 2)
		run_over(argv[2]);
	for (size_t i = 0; i < HELD; i++)
		held[i] = malloc(HELD_SIZE);
	for (size_t i = 0; i < HELD; i += 5) {
		free(held[i]);
		held[i] = NULL;
	}
	sem_init(&arrived, 0, 0);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		if (pthread_create(&thread, NULL, wait_in_thread, &numbers[i]))
			return 1;
		sem_wait(&arrived);
	}
	leak_some(LEAKED);
	for (int i = 0; i < THREADS; i++)
		await_pause(waiters[i]);
	clear_stack();
	puts("ready");
	fflush(stdout);
	char byte;
	return read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 1;
}
