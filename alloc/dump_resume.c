/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that is dumped while it goes on is to notice nothing. But to stop a
 * thread we send it a signal, and there are system calls that SA_RESTART does
 * not bring back (signal(7)): pause() and sigsuspend() return after any
 * handler, sleep() and poll() tell EINTR before their time. A main() that waits
 * in pause() would end because somebody looked.
 *
 * So our handlers have such a call begin anew. It is known by the thread's pc,
 * which is behind a system call that returned EINTR, and by the number, which
 * is still in the code: no more is left of it (arch.h). Only calls are repeated
 * that have done nothing when they return EINTR; others (close, connect) are
 * left. What the kernel has written back of the time that is left is what the
 * call is begun with; where it writes nothing back (poll, epoll_wait, usleep),
 * the whole time is waited again.
 *
 * If a signal of the program's came meanwhile, EINTR is its effect and stays.
 */
#include "alloc/dump_impl.h"

#include "alloc/arch.h"
#include "alloc/sys.h"

#include <errno.h>
#include <signal.h>

enum { SIGNALS = 64 };

static bool is_repeatable(long number)
{
	switch (number) {
	case SYS_read:
	case SYS_readv:
	case SYS_write:
	case SYS_writev:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_recvmmsg:
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_sendmmsg:
	case SYS_accept:
	case SYS_accept4:
	case SYS_poll:
	case SYS_ppoll:
	case SYS_select:
	case SYS_pselect6:
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
	case SYS_pause:
	case SYS_rt_sigsuspend:
	case SYS_rt_sigtimedwait:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_msgrcv:
	case SYS_msgsnd:
	case SYS_semop:
	case SYS_semtimedop:
	case SYS_io_getevents:
	case SYS_io_pgetevents:
	case SYS_futex:
		return true;
	default:
		return false;
	}
}

/* Would it run a handler, or end the process? */
static bool has_effect(int number)
{
	struct {
		uintptr_t handler;
		unsigned long flags;
		uintptr_t restorer;
		uint64_t mask;
	} action;

	if (sys_call(SYS_rt_sigaction, number, 0, (long)(uintptr_t)&action,
		     sizeof(action.mask), 0, 0) < 0)
		return true;
	if (action.handler != (uintptr_t)SIG_DFL)
		return action.handler != (uintptr_t)SIG_IGN;
	return number != SIGCHLD && number != SIGURG && number != SIGWINCH &&
	       number != SIGCONT;
}

/* A signal of the program's that waits for ours to be over. */
static bool is_awaited(const ucontext_t *context)
{
	uint64_t pending = 0, blocked;

	sys_call(SYS_rt_sigpending, (long)(uintptr_t)&pending, sizeof(pending),
		 0, 0, 0, 0);
	__builtin_memcpy(&blocked, &context->uc_sigmask, sizeof(blocked));
	pending &= ~blocked;
	for (int number = 1; pending && number <= SIGNALS; number++)
		if (pending >> (number - 1) & 1 && has_effect(number))
			return true;
	return false;
}

/* A thread may be about to run into nowhere: is what lies before its pc there?
 */
static bool has_code(const ucontext_t *context)
{
	enum { CALL = 2 }; /* bytes of the instruction, in one page */
	uintptr_t call = (uintptr_t)context->uc_mcontext.gregs[REG_RIP] - CALL;
	unsigned char there;

	return call % DUMP_PAGE_SIZE <= DUMP_PAGE_SIZE - CALL &&
	       sys_mincore(call & ~(uintptr_t)(DUMP_PAGE_SIZE - 1),
			   DUMP_PAGE_SIZE, &there) == 0;
}

void dump_resume_call(ucontext_t *context)
{
	long number;

	if (context->uc_mcontext.gregs[REG_RAX] != -EINTR ||
	    !has_code(context) || kma_arch_call_result(context) != -EINTR)
		return;
	number = kma_arch_call_number(context);
	if (is_repeatable(number) && !is_awaited(context))
		kma_arch_repeat_call(context, number);
}
