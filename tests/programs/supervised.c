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
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_actions(char **words);

/* Out of the optimiser's sight, and of nobody's reach once it is replaced. */
static void *volatile held;
static char **program; /* argv */

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

static void wait_for(pid_t pid)
{
	int status;

	if (pid <= 0)
		_exit(98);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

/* argv for ourselves, or "= PROGRAM ARG..." for another. */
static char **child_argv(char **list)
{
	static char *argv[64];
	size_t count = 0;

	if (list[0] && strcmp(list[0], "=") == 0)
		return list + 1;
	argv[count++] = program[0];
	while (*list && count < 63)
		argv[count++] = *list++;
	argv[count] = NULL;
	return argv;
}

static void run_child(pid_t pid, char **list)
{
	if (pid == 0) {
		run_actions(list);
		exit(0);
	}
	wait_for(pid);
}

static void daemonise(char **list)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		if (fork() == 0) {
			usleep(300 * 1000);
			run_actions(list);
			exit(0);
		}
		_exit(0);
	}
	wait_for(pid);
}

static int run_list(void *list)
{
	run_actions(list);
	return 0;
}

/* A child by clone(2), which ends when its function returns. */
static void clone_child(char **list)
{
	static _Alignas(16) char stack[256 << 10];

	wait_for(clone(run_list, stack + sizeof(stack), SIGCHLD, list));
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

static void exec_child(bool by_vfork, bool cleared, char **list)
{
	char *none[] = { NULL };
	char **argv = child_argv(list);
	pid_t pid = by_vfork ? vfork() : fork();

	if (pid == 0) {
		execve(argv[0], argv, cleared ? none : environ);
		_exit(97);
	}
	wait_for(pid);
}

static int failed(int result)
{
	return result < 0 ? errno : 0;
}

/*
 * Pointers of the exec family's that cannot be read, one at a time: text and
 * list run into a page that is not there. How many did not fail with EFAULT.
 */
static int exec_badly(char *text, char **list)
{
	char *path = program[0], *argv[] = { path, NULL };
	char *bad[] = { text, NULL };
	const int errors[] = {
		failed(execve(text, argv, environ)),
		failed(execve((char *)(uintptr_t)4096, argv, environ)),
		failed(execve(path, list, environ)),
		failed(execve(path, bad, environ)),
		failed(execve(path, argv, list)),
		failed(execve(path, argv, bad)),
		failed(execv(text, argv)),
		failed(execl(text, path, NULL)),
		failed(execl(path, text, NULL)),
		failed(execvp(path, list)),
		failed(execlp(path, path, text, NULL)),
		failed(execvpe(path, argv, list)),
		failed(execle(path, path, NULL, list)),
		posix_spawn(NULL, text, NULL, NULL, argv, environ),
		posix_spawn(NULL, path, NULL, NULL, argv, list),
	};
	int wrong = 0;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		wrong += errors[i] != EFAULT;
	return wrong;
}

/* The end of a page behind which there is none. */
static char *before_hole(size_t page)
{
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE))
		exit(90);
	return pages + page;
}

/* Here, and in a child that has our memory. */
static void exec_unreadable(void)
{
	enum { PAGE = 4096, TEXT = 10 };
	char *text = before_hole(PAGE) - TEXT;
	char **list = (char **)before_hole(PAGE) - 3;
	int status;

	memset(text, 'x', TEXT);
	list[0] = list[1] = list[2] = program[0];
	if (exec_badly(text, list))
		exit(89);
	pid_t pid = vfork();
	if (pid == 0)
		_exit(exec_badly(text, list));
	if (waitpid(pid, &status, 0) < 0 || status)
		exit(88);
}

static void spawn_child(bool cleared, char **list)
{
	char *none[] = { NULL };
	char **argv = child_argv(list);
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv,
			 cleared ? none : environ))
		_exit(96);
	wait_for(pid);
}

/* A shell's command line: ourselves with these actions. */
static const char *command_line(char **list)
{
	static char line[4096];
	size_t used = (size_t)snprintf(line, sizeof(line), "'%s'", program[0]);

	for (; *list && used < sizeof(line); list++)
		used += (size_t)snprintf(line + used, sizeof(line) - used,
					 " '%s'", *list);
	return line;
}

static void pipe_from(char **list)
{
	FILE *stream = popen(command_line(list), "r");
	char text[256];

	while (stream && fgets(text, sizeof(text), stream))
		fputs(text, stdout);
	if (!stream || pclose(stream) < 0)
		_exit(95);
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

/* The actions that make a child. False: it is another. */
static bool make_child(const char *action, char **list)
{
	if (strcmp(action, "fork") == 0) {
		fflush(stdout);
		run_child(fork(), list);
	} else if (strcmp(action, "daemon") == 0) {
		daemonise(list);
	} else if (strcmp(action, "clone") == 0) {
		clone_child(list);
	} else if (strcmp(action, "fork-exec") == 0) {
		exec_child(false, false, list);
	} else if (strcmp(action, "vfork-exec") == 0) {
		exec_child(true, false, list);
	} else if (strcmp(action, "cleared-exec") == 0) {
		exec_child(false, true, list);
	} else if (strcmp(action, "cleared-vfork") == 0) {
		exec_child(true, true, list);
	} else if (strcmp(action, "spawn") == 0) {
		spawn_child(false, list);
	} else if (strcmp(action, "cleared-spawn") == 0) {
		spawn_child(true, list);
	} else if (strcmp(action, "system") == 0) {
		if (system(command_line(list)) < 0)
			_exit(93);
	} else if (strcmp(action, "popen") == 0) {
		pipe_from(list);
	} else if (strcmp(action, "exec") == 0) {
		char **argv = child_argv(list);
		execv(argv[0], argv);
		_exit(92);
	} else {
		return false;
	}
	return true;
}

/* The actions that take a number. */
static bool act(const char *action, int number)
{
	if (strcmp(action, "leak") == 0)
		lose(number);
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

static void run_actions(char **words)
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
