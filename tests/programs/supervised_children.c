/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What supervised can do that makes a child, or another program of itself. */
#include "tests/programs/supervised.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

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

void exec_unreadable(void)
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

bool make_child(const char *action, char **list)
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
