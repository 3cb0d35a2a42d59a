/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program's own handlers of SIGSEGV, as runtimes have them that find null
 * pointers by faults: they run as they would without the library, and what the
 * program asks of its dispositions is what it set.
 */
#include "tests/contract/contract.h"

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ALTSTACK = 64 << 10 };

static sigjmp_buf back;
static char *hole; /* pages that cannot be touched */
static char altstack[ALTSTACK];
static volatile int faults, plain;
static void *volatile address;
static volatile bool on_altstack, usr1_blocked, segv_blocked;

static bool is_blocked(int number)
{
	sigset_t now;

	sigprocmask(SIG_SETMASK, NULL, &now);
	return sigismember(&now, number) == 1;
}

static void note(const void *local)
{
	faults++;
	on_altstack = (uintptr_t)local - (uintptr_t)altstack < ALTSTACK;
	usr1_blocked = is_blocked(SIGUSR1);
	segv_blocked = is_blocked(SIGSEGV);
}

static void with_info(int number, siginfo_t *info, void *context)
{
	CHECK(number == SIGSEGV && info->si_code == SEGV_ACCERR && context);
	address = info->si_addr;
	note(&number);
	siglongjmp(back, 1);
}

static void without_info(int number)
{
	CHECK(number == SIGSEGV);
	plain++;
	note(&number);
	siglongjmp(back, 1);
}

static void fault_at(char *p)
{
	if (sigsetjmp(back, 1) == 0)
		*(volatile char *)p = 1;
}

static struct sigaction action_with(int flags)
{
	struct sigaction action = { .sa_sigaction = with_info,
				    .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&action.sa_mask);
	return action;
}

static void check_told(const struct sigaction *wanted)
{
	struct sigaction now;

	CHECK(sigaction(SIGSEGV, NULL, &now) == 0);
	CHECK(now.sa_sigaction == wanted->sa_sigaction);
	CHECK((now.sa_flags & 0x7fffffff & ~0x04000000) ==
	      (wanted->sa_flags & 0x7fffffff));
	CHECK(sigismember(&now.sa_mask, SIGUSR1) ==
	      sigismember(&wanted->sa_mask, SIGUSR1));
}

static void check_flags(void)
{
	struct sigaction action = action_with(0);

	sigaddset(&action.sa_mask, SIGUSR1);
	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	check_told(&action);
	fault_at(hole + 8);
	CHECK(faults == 1 && address == hole + 8 && !on_altstack);
	CHECK(usr1_blocked && segv_blocked);

	action = action_with(SA_ONSTACK | SA_NODEFER);
	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	check_told(&action);
	fault_at(hole + 16);
	CHECK(faults == 2 && address == hole + 16 && on_altstack);
	CHECK(!usr1_blocked && !segv_blocked);
}

static void check_signal(void)
{
	CHECK((uintptr_t)signal(SIGSEGV, without_info) == (uintptr_t)with_info);
	fault_at(hole);
	CHECK(faults == 3 && plain == 1 && !on_altstack);
	CHECK(signal(SIGSEGV, SIG_IGN) == without_info);
	CHECK(signal(SIGSEGV, without_info) == SIG_IGN);
	CHECK(signal(SIGSEGV, SIG_DFL) == without_info);
	CHECK(signal(SIGSEGV, SIG_DFL) == SIG_DFL);
}

static void check_once(void)
{
	struct sigaction action = action_with((int)SA_RESETHAND), now;

	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	CHECK(sigaction(SIGSEGV, NULL, &now) == 0);
	CHECK(now.sa_sigaction == with_info &&
	      (now.sa_flags & (int)SA_RESETHAND));
	fault_at(hole);
	CHECK(faults == 4);
	CHECK(sigaction(SIGSEGV, NULL, &now) == 0);
	CHECK(now.sa_handler == SIG_DFL);

	pid_t child = fork();
	int status;

	if (child == 0) {
		fault_at(hole);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

int main(void)
{
	const stack_t stack = { .ss_sp = altstack, .ss_size = ALTSTACK };

	hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(hole != MAP_FAILED);
	CHECK(sigaltstack(&stack, NULL) == 0);
	free(opaque(malloc(100)));
	check_flags();
	check_signal();
	check_once();
	return 0;
}
