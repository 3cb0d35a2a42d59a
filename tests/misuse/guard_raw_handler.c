/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A runtime that sets its handler of SIGSEGV by a system call of its own hides
 * no read past the end of a buffer.
 */
#include "tests/misuse/misuse.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SOME = 40 };

static void on_fault(int number)
{
	(void)number;
	_exit(3);
}

/* As the kernel has it. */
static void set_raw(void (*handler)(int))
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		unsigned long mask;
	} action = { handler, 0, NULL, 0 };

	__asm__ volatile("xor %%r10d, %%r10d; mov $8, %%r10d; syscall"
			 :
			 : "a"(SYS_rt_sigaction), "D"(SIGSEGV), "S"(&action),
			   "d"(0)
			 : "rcx", "r10", "r11", "memory");
}

static APART int look(const char *p, size_t at)
{
	KEEP(p);
	return p[at];
}

int main(void)
{
	char *p = NULL;

	set_raw(on_fault);
	for (int i = 0; i < SOME; i++)
		p = make(64);
	return look(p, 64);
}
