/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handler runs on the thread's alternate stack. When the dump is written it
 * sets the default action and sends itself the same signal with the same
 * siginfo; that is delivered when it returns, so the kernel's core and the wait
 * status are what they would have been.
 *
 * A handler of the program's for SIGSEGV does not hide a fault in a guard:
 * that is reported first. Then the program ends as it would without the handler
 * or, under noabort, the handler has its turn.
 *
 * A thread that crashes while another is dumping waits, and is dumped as being
 * where its own signal found it.
 */
#include "alloc/dump_signal.h"

#include "alloc/arch.h"
#include "alloc/dump_impl.h"
#include "alloc/fault.h"
#include "alloc/guard.h"
#include "alloc/instance.h"
#include "alloc/options.h"
#include "alloc/sys.h"
#include "alloc/thread.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	ALTSTACK_SIZE = 64 << 10, /* a program's own handlers may run on it */
	GUARD_SIZE = 4096,
	SIGNALS_NAMED = 31, /* above: real-time ones */
};

static const int fatal_signals[] = {
	SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,  SIGABRT,
	SIGSYS,  SIGTRAP, SIGQUIT, SIGXCPU, SIGXFSZ,
};

/*
 * Asked for from outside, most often: no error of the program's, but its end
 * all the same, and a supervisor wants to know what it leaves.
 */
static const int ending_signals[] = {
	SIGHUP,  SIGINT,    SIGPIPE, SIGALRM, SIGTERM, SIGUSR1,
	SIGUSR2, SIGVTALRM, SIGPROF, SIGIO,   SIGPWR,  SIGSTKFLT,
};

/* libc's own, which stays reachable when sigaction is ours. */
extern int __sigaction(int number, const struct sigaction *action,
		       struct sigaction *old);

/* The signal again, for the default action, once this handler has returned. */
static void send_again(int number, const siginfo_t *info)
{
	const struct sigaction action = { .sa_handler = SIG_DFL };
	long tid = sys_gettid(), pid = sys_getpid();

	__sigaction(number, &action, NULL);
	if (sys_call(SYS_rt_tgsigqueueinfo, pid, tid, number,
		     (long)(uintptr_t)info, 0, 0) < 0)
		sys_call(SYS_tgkill, pid, tid, number, 0, 0, 0);
}

/* A bad access that a guard made visible; it has been reported. */
static bool is_guard_fault(int number, const siginfo_t *info,
			   const ucontext_t *context)
{
	return kma_options.guards && number == SIGSEGV && info->si_code > 0 &&
	       kma_guard_fault((uintptr_t)info->si_addr,
			       kma_arch_fault_is_write(context));
}

/* The dump, then the default action; ours: a guard made the fault. */
static void finish(int number, siginfo_t *info, void *context, bool ours)
{
	int saved_errno = errno;

	dump_thread_context = context;
	if (kma_options.dump.on_fatal || kma_options.dump.on_killed ||
	    (ours && kma_options.dump.on_error))
		kma_dump_write(KMA_DUMP_SIGNAL, info, context);
	send_again(number, info);
	errno = saved_errno;
}

static void on_fatal(int number, siginfo_t *info, void *context)
{
	bool ours = is_guard_fault(number, info, context) ||
		    (number == SIGSEGV && kma_fault_by_fill(info, context));

	finish(number, info, context, ours);
}

static void on_request(int number, siginfo_t *info, void *context)
{
	const ucontext_t *outer = dump_thread_context;

	(void)number;
	dump_thread_context = context;
	kma_dump_write(KMA_DUMP_REQUEST, info, context);
	dump_thread_context = outer;
	dump_resume_call(context);
}

void dump_signal_asked(const siginfo_t *info, void *context)
{
	const ucontext_t *outer = dump_thread_context;
	int saved_errno = errno;

	dump_thread_context = context;
	dump_asked(info, context);
	dump_thread_context = outer;
	dump_resume_call(context);
	errno = saved_errno;
}

/* --- dispositions ----------------------------------------------------------
 */

static bool is_among(const int *signals, size_t count, int number)
{
	for (size_t i = 0; i < count; i++)
		if (signals[i] == number)
			return true;
	return false;
}

#define IS_AMONG(signals, number) \
	is_among(signals, sizeof(signals) / sizeof((signals)[0]), number)

/* A guard's, or one that the fill of unused memory made. Who links libkma.so
 * has its handlers to itself. */
static bool tells_of_faults(void)
{
	return kma_options.guards ||
	       (kma_instance.interposes && kma_options.tier >= KMA_TIER_AUDIT);
}

/* Does its default action end the process, and a dump or a report come first?
 */
static bool is_fatal(int number)
{
	return (number == SIGSEGV && tells_of_faults()) ||
	       (kma_options.dump.on_fatal && IS_AMONG(fatal_signals, number)) ||
	       (kma_options.dump.on_killed && IS_AMONG(ending_signals, number));
}

/* All signals wait but those that libc never blocks, dump_threads.c's among
 * them. */
static struct sigaction fatal_action(void)
{
	struct sigaction action = {
		.sa_sigaction = on_fatal,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};

	sigfillset(&action.sa_mask);
	return action;
}

/*
 * Handlers of the program's that stand behind one of ours. One that is to run
 * once: the kernel would put the default action behind it, which is to be ours.
 * And where there are guards all for SIGSEGV: who has one (a runtime that finds
 * null pointers that way, a collector) would take a fault in a guard for its
 * own. To ignore it stands behind ours, too: the kernel ends the program on a
 * fault all the same, and would not ask us. Flags and mask stay the program's,
 * so its handler finds itself on the stack and among the blocked signals that
 * it asked for.
 */
static struct sigaction theirs[SIGNALS_NAMED + 1];

static void on_theirs(int number, siginfo_t *info, void *context)
{
	const struct sigaction action = theirs[number];

	bool ignored = action.sa_handler == SIG_IGN;
	bool by_guard = is_guard_fault(number, info, context);

	if ((by_guard && !kma_options.noabort) ||
	    (ignored && info->si_code > 0)) {
		finish(number, info, context, by_guard);
		return;
	}
	if (ignored)
		return;
	if (action.sa_flags & (int)SA_RESETHAND) {
		const struct sigaction ours = fatal_action();

		__sigaction(number, &ours, NULL);
	}
	if (action.sa_flags & SA_SIGINFO)
		action.sa_sigaction(number, info, context);
	else
		action.sa_handler(number);
}

static bool stands_behind(int number, const struct sigaction *action)
{
	if (kma_options.guards && number == SIGSEGV)
		return action->sa_handler != SIG_DFL;
	return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN &&
	       (action->sa_flags & (int)SA_RESETHAND);
}

/* What to install for an action that stands behind ours. */
static struct sigaction action_before(int number,
				      const struct sigaction *action)
{
	struct sigaction ours = *action;

	theirs[number] = *action;
	ours.sa_sigaction = on_theirs;
	ours.sa_flags |= SA_SIGINFO;
	ours.sa_flags &= ~(int)SA_RESETHAND;
	if (action->sa_handler == SIG_IGN) /* and nothing is interrupted */
		ours.sa_flags |= SA_ONSTACK | SA_RESTART;
	return ours;
}

static bool is_ours(const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) &&
	       action->sa_sigaction == on_fatal;
}

/* Does one of the program's stand behind it? */
static bool is_theirs(const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) &&
	       action->sa_sigaction == on_theirs;
}

int kma_dump_sigaction(int number, const struct sigaction *action,
		       struct sigaction *old)
{
	struct sigaction ours, before, theirs_before;

	if (!is_fatal(number))
		return __sigaction(number, action, old);
	theirs_before = theirs[number];
	if (action && action->sa_handler == SIG_DFL) {
		ours = fatal_action();
		action = &ours;
	} else if (action && stands_behind(number, action)) {
		ours = action_before(number, action);
		action = &ours;
	}
	if (__sigaction(number, action, &before) < 0)
		return -1;
	if (is_ours(&before))
		before = (struct sigaction){ .sa_handler = SIG_DFL };
	else if (is_theirs(&before))
		before = theirs_before;
	if (old)
		*old = before;
	return 0;
}

void kma_dump_catch_signals(void)
{
	for (int number = 1; number <= SIGNALS_NAMED; number++) {
		struct sigaction ours = fatal_action(), now;

		if (!is_fatal(number) || __sigaction(number, NULL, &now) < 0 ||
		    is_ours(&now) || is_theirs(&now))
			continue;
		if (stands_behind(number, &now))
			ours = action_before(number, &now);
		else if (now.sa_handler != SIG_DFL)
			continue;
		__sigaction(number, &ours, NULL);
	}
}

void kma_dump_keep_signals(void)
{
	struct sigaction now;

	if (kma_sandbox_is_set && kma_sandbox_forbids_call(SYS_rt_sigaction, 0))
		return; /* nor has the program called it */
	if (kma_instance.interposes && __sigaction(SIGSEGV, NULL, &now) == 0 &&
	    !is_ours(&now) && !is_theirs(&now))
		kma_dump_catch_signals();
}

void kma_dump_leave_signals(void)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };

	for (int number = 1; number <= SIGNALS_NAMED; number++) {
		struct sigaction now;

		if (!is_fatal(number) || __sigaction(number, NULL, &now) < 0)
			continue;
		if (is_ours(&now))
			__sigaction(number, &usual, NULL);
		else if (is_theirs(&now))
			__sigaction(number, &theirs[number], NULL);
	}
}

void dump_signal_init(void)
{
	int request = kma_options.dump.request_signal;

	kma_dump_catch_signals();
	if (request) {
		struct sigaction action = {
			.sa_sigaction = on_request,
			.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART,
		};

		sigfillset(&action.sa_mask);
		__sigaction(request, &action, NULL);
	}
	if (kma_self)
		kma_dump_thread_start(kma_self);
}

/* --- alternate stacks ------------------------------------------------------
 */

static long kernel_sigaltstack(const stack_t *stack, stack_t *old)
{
	return sys_call(SYS_sigaltstack, (long)(uintptr_t)stack,
			(long)(uintptr_t)old, 0, 0, 0, 0);
}

static stack_t own_stack(const struct kma_thread *thread)
{
	return (stack_t){
		.ss_sp = (void *)thread->altstack_base,
		.ss_size = thread->altstack_size,
	};
}

static void make_altstack(struct kma_thread *thread)
{
	size_t size = ALTSTACK_SIZE +
		      getauxval(AT_MINSIGSTKSZ) / GUARD_SIZE * GUARD_SIZE;
	stack_t now;

	if ((!kma_options.dump.on_fatal && !kma_options.guards) ||
	    thread->altstack_base || kernel_sigaltstack(NULL, &now) < 0 ||
	    !(now.ss_flags & SS_DISABLE))
		return;
	long base =
		sys_call(SYS_mmap, 0, (long)(GUARD_SIZE + size), PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base < 0 && base > -4096)
		return;
	sys_mprotect((uintptr_t)base + GUARD_SIZE, size,
		     PROT_READ | PROT_WRITE);
	thread->altstack_base = (uintptr_t)base + GUARD_SIZE;
	thread->altstack_size = size;
	stack_t ours = own_stack(thread);
	if (kernel_sigaltstack(&ours, NULL) < 0)
		kma_dump_thread_end(thread);
}

void kma_dump_thread_start(struct kma_thread *thread)
{
	dump_threads_listen();
	make_altstack(thread);
}

void kma_dump_thread_end(struct kma_thread *thread)
{
	const stack_t none = { .ss_flags = SS_DISABLE };
	stack_t now;

	if (!thread->altstack_base)
		return;
	if (kernel_sigaltstack(NULL, &now) < 0 ||
	    ((uintptr_t)now.ss_sp == thread->altstack_base &&
	     kernel_sigaltstack(&none, NULL) < 0))
		return; /* running on it, or nobody may ask: it stays */
	sys_call(SYS_munmap, (long)(thread->altstack_base - GUARD_SIZE),
		 (long)(thread->altstack_size + GUARD_SIZE), 0, 0, 0, 0);
	thread->altstack_base = 0;
	thread->altstack_size = 0;
}

int kma_dump_sigaltstack(const stack_t *stack, stack_t *old)
{
	struct kma_thread *thread = kma_self;
	bool have_own = thread && thread->altstack_base;
	bool disables = stack && stack->ss_flags & SS_DISABLE;
	stack_t ours, before;

	if (have_own && disables) {
		ours = own_stack(thread);
		stack = &ours;
	}
	long status = kernel_sigaltstack(stack, &before);
	if (status < 0) {
		errno = (int)-status;
		return -1;
	}
	if (thread && stack)
		thread->signal_stack = disables ? 0 : (uintptr_t)stack->ss_sp;
	if (have_own && (uintptr_t)before.ss_sp == thread->altstack_base)
		before = (stack_t){ .ss_flags = SS_DISABLE };
	if (old)
		*old = before;
	return 0;
}
