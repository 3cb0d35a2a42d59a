/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For the tests of kernels' interfaces, which are linked with libkma: misuse in
 * a child, whose report is read; threads; what time it is.
 */
#ifndef TESTS_CONTRACT_KERNEL_H
#define TESTS_CONTRACT_KERNEL_H

#include "tests/contract/contract.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { REPORT_MAX = 64 * 1024 };

/* What a child that runs misuse() writes to stderr, and how it ends. */
struct outcome {
	char text[REPORT_MAX];
	int status; /* of waitpid() */
};

static inline void outcome_read(int fd, struct outcome *ret)
{
	size_t size = 0;
	ssize_t got;

	while ((got = read(fd, ret->text + size,
			   sizeof(ret->text) - 1 - size)) > 0)
		size += (size_t)got;
	ret->text[size] = '\0';
}

static inline struct outcome *run_child(void (*misuse)(void *), void *argument)
{
	static struct outcome outcome;
	int ends[2];
	pid_t child;

	CHECK(pipe(ends) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		misuse(argument);
		_exit(0);
	}
	close(ends[1]);
	outcome_read(ends[0], &outcome);
	close(ends[0]);
	CHECK(waitpid(child, &outcome.status, 0) == child);
	return &outcome;
}

static inline void expect_text(const struct outcome *outcome, const char *text)
{
	if (strstr(outcome->text, text))
		return;
	dprintf(2, "not told: %s\n--- told was:\n%s---\n", text, outcome->text);
	_exit(1);
}

/* The child is to be aborted, with a report of that name and these words. */
static inline void expect_report_of(void (*misuse)(void *), void *argument,
				    const char *name, const char *words)
{
	struct outcome *outcome = run_child(misuse, argument);
	char first[64];

	snprintf(first, sizeof(first), "kma: %s: ", name);
	expect_text(outcome, first);
	if (words)
		expect_text(outcome, words);
	CHECK(WIFSIGNALED(outcome->status) &&
	      WTERMSIG(outcome->status) == SIGABRT);
}

#define EXPECT_REPORT(misuse, argument, name, words) \
	expect_report_of((misuse), (argument), (name), (words))

static inline uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline uint64_t now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

static inline void sleep_ms(unsigned milliseconds)
{
	const struct timespec time = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000L,
	};

	nanosleep(&time, NULL);
}

static inline pthread_t start_thread(void *(*run)(void *), void *argument)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, run, argument) == 0);
	return thread;
}

static inline void *join_thread(pthread_t thread)
{
	void *result;

	CHECK(pthread_join(thread, &result) == 0);
	return result;
}

/* Until *flag is set; a minute is for ever. */
static inline void wait_for_flag(const int *flag)
{
	uint64_t end = now_ms() + 60000;

	while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE)) {
		CHECK(now_ms() < end);
		sleep_ms(1);
	}
}

static inline void set_flag(int *flag)
{
	__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

/* Is the tier that the program runs at this one, or above? */
static inline bool tier_is(const char *name)
{
	const char *tier = getenv("KMA_DEBUG");

	return strcmp(tier ? tier : "lite", name) == 0;
}

#endif
