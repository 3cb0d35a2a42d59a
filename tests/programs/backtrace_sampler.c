/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded beside libkma: at random moments of processor time the program's
 * own stack, by kma_backtrace() from a signal handler. backtrace_gdb.py has a
 * breakpoint at sample_taken(), where gdb sees the same stack.
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>

enum { FRAMES = 512, SHORTEST = 500, RANGE = 16000 }; /* microseconds */

static int (*take_backtrace)(void **buffer, int size);
static uint32_t random_state;

/* Not static: gdb finds the arguments where the ABI has them. */
void sample_taken(void *const *frames, int count);

__attribute__((noinline)) void sample_taken(void *const *frames, int count)
{
	__asm__ volatile("" : : "r"(frames), "r"(count) : "memory");
}

static void arm(void)
{
	random_state = random_state * 1664525 + 1013904223;

	const struct itimerval once = {
		.it_value.tv_usec = SHORTEST + (random_state >> 8) % RANGE,
	};

	setitimer(ITIMER_PROF, &once, NULL);
}

static void in_handler(int number)
{
	int saved_errno = errno;
	void *frames[FRAMES];

	(void)number;
	sample_taken(frames, take_backtrace(frames, FRAMES));
	arm();
	errno = saved_errno;
}

__attribute__((constructor)) static void start(void)
{
	const char *seed = getenv("SAMPLER_SEED");
	struct sigaction action = { .sa_handler = in_handler,
				    .sa_flags = SA_RESTART };

	*(void **)&take_backtrace = dlsym(RTLD_DEFAULT, "kma_backtrace");
	if (!seed || !take_backtrace)
		return;
	random_state = (uint32_t)strtoul(seed, NULL, 0);
	sigaction(SIGPROF, &action, NULL);
	arm();
}
