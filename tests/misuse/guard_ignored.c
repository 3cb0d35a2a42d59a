/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that ignores SIGSEGV: the kernel ends it on a fault all the same.
 * One that is sent to it is ignored.
 */
#include "tests/misuse/misuse.h"

#include <signal.h>

/* sigset() is what is tested, too. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static APART int look(const char *p, size_t at)
{
	KEEP(p);
	return p[at];
}

int main(void)
{
	char *p = make(64);

	if (signal(SIGSEGV, SIG_IGN) != SIG_DFL ||
	    sigset(SIGSEGV, SIG_IGN) != SIG_IGN)
		return 2;
	raise(SIGSEGV);
	return look(p, 64);
}
