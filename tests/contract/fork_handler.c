/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fork() in a signal handler that came in anywhere in the allocator: in a
 * process of one thread that works, and the child goes on where it was. */
#include "tests/contract/contract.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 300, HELD = 64, SIZE_MAX_ASKED = 300000, IN_CHILD = 200 };

static volatile sig_atomic_t forks;
static volatile bool is_child;

/* Once: at fixed intervals as short as a fork takes nothing would go on. */
static void alarm_soon(void)
{
	const struct itimerval soon = { { 0, 0 }, { 0, 50 + forks % 200 } };

	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
}

static void on_alarm(int signal)
{
	int saved_errno = errno, status;

	(void)signal;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		is_child = true;
	} else {
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		forks++;
		alarm_soon();
	}
	errno = saved_errno;
}

static unsigned next(void)
{
	static unsigned state = 1;

	state = state * 1103515245 + 12345;
	return state >> 8;
}

static void change_one(char **held)
{
	unsigned i = next() % HELD;
	size_t size = next() % (i % 2 ? 500 : SIZE_MAX_ASKED) + 1;

	if (held[i])
		CHECK(held[i][0] == (char)i);
	free(held[i]);
	held[i] = opaque(malloc(size));
	CHECK(held[i] != NULL);
	memset(held[i], (int)i, size < 64 ? size : 64);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_alarm,
				    .sa_flags = SA_RESTART };
	char *held[HELD] = { NULL };

	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	alarm_soon();
	while (forks < FORKS && !is_child)
		change_one(held);
	for (int i = 0; is_child && i < IN_CHILD; i++)
		change_one(held);
	_exit(0);
}
