/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a checked program can do, one thing for each name on its command line:
 *
 *	supervised leak 3	lose three buffers
 *	supervised fork leak 1 -- exit 4
 *				a child that leaks and ends, then exit(4)
 *
 * Actions run in order; those that make a child take the words up to "--" as
 * the child's own actions. The end of the list is exit(0).
 */
#include "tests/programs/supervised.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Out of the optimiser's sight, and of nobody's reach once it is replaced. */
static void *volatile held;
char **program;

__attribute__((noinline)) static void lose_one(void)
{
	held = malloc(100);
	if (held)
		memset(held, 1, 100);
	held = NULL;
}

__attribute__((always_inline)) static inline void *get_inlined(void)
{
	return malloc(100);
}

__attribute__((noinline)) static void lose_inlined(void)
{
	held = get_inlined();
	held = NULL;
}

/* Leave no copy of the pointer in a dead frame. */
__attribute__((noinline)) static void wipe_stack(void)
{
	volatile char space[8192];

	for (size_t i = 0; i < sizeof(space); i++)
		space[i] = 0;
}

static void lose(int count)
{
	for (int i = 0; i < count; i++)
		lose_one();
	wipe_stack();
}

__attribute__((noinline)) static int lose_below(int frames)
{
	volatile int below = frames;

	if (frames == 0)
		lose(1);
	else
		below += lose_below(frames - 1);
	return below;
}

static void *lose_in_thread(void *count)
{
	lose(*(int *)count);
	return NULL;
}

static void thread(int count)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, lose_in_thread, &count))
		_exit(99);
	pthread_join(thread, NULL);
}

/* An index that has nothing to do with the buffer. */
static void write_far(void)
{
	enum { FAR = 64 << 20 };

	held = malloc(40);
	((volatile char *)held)[FAR] = 1;
}

/* Words up to "--", NULL-terminated; *words is moved behind it. */
static char **take_list(char ***words)
{
	char **list = *words, **p = list;

	while (*p && strcmp(*p, "--") != 0)
		p++;
	*words = *p ? p + 1 : p;
	*p = NULL;
	return list;
}

/* Lose a buffer whose address lies all over the unused stack, and have the
 * parent end by daemon(3) there. */
__attribute__((noinline)) static void strew(const void *p)
{
	const void *volatile space[1024];

	for (size_t i = 0; i < sizeof(space) / sizeof(space[0]); i++)
		space[i] = p;
}

static void daemonise_on_strewn_stack(void)
{
	strew(malloc(100));
	if (daemon(0, 0) < 0)
		exit(91);
}

static void misuse(const char *what)
{
	volatile char *volatile p = malloc(24);

	if (!p)
		_exit(94);
	if (strcmp(what, "double-free") == 0) {
		free((char *)p);
		free((char *)p);
	} else if (strcmp(what, "overrun") == 0) {
		p[24] = 'x';
		free((char *)p);
	} else {
		char *volatile inside = (char *)p + 8;
		free(inside);
	}
}

/* Damage that nothing meets before the end. */
static void overrun_kept(void)
{
	static char *volatile kept;

	kept = malloc(24);
	if (kept)
		kept[24] = 'x';
}

__attribute__((noinline)) static void read_null(void)
{
	static char *volatile null;

	held = null + 0x10;
	raise(*(volatile char *)held);
}

__attribute__((noinline)) static void overrun_guard(void)
{
	volatile char *volatile p = malloc(32);

	if (p)
		p[32] = 'x';
}

/* So many megabytes of addresses, and no more. */
static void limit_addresses(int megabytes)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_AS, &limit))
		_exit(93);
	limit.rlim_cur = (rlim_t)megabytes << 20;
	if (setrlimit(RLIMIT_AS, &limit))
		_exit(93);
}

static void wait_for_signals(int count)
{
	sigset_t all;
	int signal;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	puts("ready");
	fflush(stdout);
	while (count-- > 0 && sigwait(&all, &signal) == 0) {
		printf("signal %d\n", signal);
		fflush(stdout);
	}
}

static void show_terminal(void)
{
	printf("tty %d foreground %d leader %d\n", isatty(0),
	       tcgetpgrp(0) == getpgrp(), getsid(0) == getpid());
}

static void show_input(void)
{
	char text[256];

	while (fgets(text, sizeof(text), stdin))
		fputs(text, stdout);
	fflush(stdout);
}

/* The actions that take a number. */
static bool act(const char *action, int number)
{
	if (strcmp(action, "leak") == 0)
		lose(number);
	else if (strcmp(action, "leak-below") == 0)
		lose_below(number);
	else if (strcmp(action, "thread-leak") == 0)
		thread(number);
	else if (strcmp(action, "hold") == 0)
		held = malloc((size_t)number);
	else if (strcmp(action, "hold-middle") == 0)
		held = (char *)malloc((size_t)number) + number / 2;
	else if (strcmp(action, "exit") == 0)
		exit(number);
	else if (strcmp(action, "_exit") == 0)
		_exit(number);
	else if (strcmp(action, "_Exit") == 0)
		_Exit(number);
	else if (strcmp(action, "quick_exit") == 0)
		quick_exit(number);
	else if (strcmp(action, "raw-exit") == 0)
		syscall(SYS_exit_group, number);
	else if (strcmp(action, "raise") == 0)
		raise(number);
	else if (strcmp(action, "sleep") == 0)
		sleep((unsigned)number);
	else if (strcmp(action, "close-fds") == 0)
		for (int fd = number; fd < 1024; fd++)
			close(fd);
	else if (strcmp(action, "limit") == 0)
		limit_addresses(number);
	else if (strcmp(action, "signals") == 0)
		wait_for_signals(number);
	else
		return false;
	return true;
}

static void exit_if(bool failed)
{
	if (failed)
		exit(91);
}

/* The actions without an argument. */
static bool act_alone(const char *action)
{
	if (strcmp(action, "leak-last") == 0)
		lose_one(); /* what it leaves on the stack stays there */
	else if (strcmp(action, "leak-inlined") == 0)
		lose_inlined(), wipe_stack();
	else if (strcmp(action, "clearenv") == 0)
		clearenv();
	else if (strcmp(action, "libc-daemon") == 0)
		exit_if(daemon(0, 0) < 0);
	else if (strcmp(action, "strewn-daemon") == 0)
		daemonise_on_strewn_stack();
	else if (strcmp(action, "terminal") == 0)
		show_terminal();
	else if (strcmp(action, "input") == 0)
		show_input();
	else if (strcmp(action, "double-free") == 0 ||
		 strcmp(action, "overrun") == 0 ||
		 strcmp(action, "bad-free") == 0)
		misuse(action);
	else if (strcmp(action, "overrun-kept") == 0)
		overrun_kept();
	else if (strcmp(action, "far") == 0)
		write_far();
	else if (strcmp(action, "exec-unreadable") == 0)
		exec_unreadable();
	else if (strcmp(action, "null") == 0)
		read_null();
	else if (strcmp(action, "guard-overrun") == 0)
		overrun_guard();
	else
		return false;
	return true;
}

void run_actions(char **words)
{
	while (*words) {
		const char *action = *words++;
		char **rest = words;

		if (act_alone(action))
			continue;
		if (*words && act(action, atoi(*words))) {
			words++;
			continue;
		}
		if (make_child(action, take_list(&rest))) {
			words = rest;
			continue;
		}
		fprintf(stderr, "supervised: what is %s?\n", action);
		exit(91);
	}
}

int main(int argc, char **argv)
{
	program = argv;
	if (argc > 1 && strcmp(argv[1], "leak-in-main") == 0) {
		held = malloc(100);
		held = NULL;
		wipe_stack();
	} else if (argc > 0) {
		run_actions(argv + 1);
	}
	return 0;
}
