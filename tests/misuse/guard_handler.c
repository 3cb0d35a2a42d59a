/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that handles SIGSEGV itself, as runtimes do, reads past the end of
 * a buffer. Its handler must not make the error invisible.
 */
#include "tests/misuse/misuse.h"

#include <signal.h>
#include <unistd.h>

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	_exit(3);
}

static APART int look(const char *p, size_t at)
{
	KEEP(p);
	return p[at];
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO };
	char *p = make(64);

	sigaction(SIGSEGV, &action, NULL);
	look(p, 0);
	return look(p, 64);
}
