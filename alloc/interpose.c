/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of libc that libkma_malloc.so stands in front of so that a dump is
 * written at the right moment, and stacks are named by the libraries of their
 * time (exec.c has those about other programs). Each does what libc's does, as
 * far as the program can tell.
 */
#include "alloc/arch.h"
#include "alloc/clock.h"
#include "alloc/dump.h"
#include "alloc/dump_signal.h"
#include "alloc/meta.h"
#include "alloc/module.h"
#include "alloc/root.h"
#include "alloc/sandbox.h"
#include "alloc/stack.h"
#include "alloc/sys.h"
#include "alloc/thread.h"
#include "alloc/unwind.h"
#include "kma/kma.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { MAX_ERRNO = 4095 };

/* --- ways out that run no handler ------------------------------------------
 */

static _Noreturn void end(int status, const struct kma_registers *here)
{
	kma_dump_exit(status, here);
	for (;;)
		sys_call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

EXPORT _Noreturn void _exit(int status)
{
	struct kma_registers here;

	kma_arch_registers(&here);
	end(status, &here);
}

EXPORT _Noreturn void _Exit(int status)
{
	_exit(status);
}

EXPORT _Noreturn void quick_exit(int status)
{
	void (*next)(int) = (void (*)(int))dlsym(RTLD_NEXT, "quick_exit");

	kma_dump_expect_quick_exit(status);
	if (next)
		next(status);
	_exit(status);
}

/*
 * clone(2) with memory of its own is a fork whose child the C library ends by a
 * system call when the function returns. Guests of our memory are as they were.
 */
struct clone_start {
	int (*function)(void *);
	void *argument;
};

static int run_and_exit(void *argument)
{
	const struct clone_start *start = argument;

	_exit(start->function(start->argument));
}

extern int __clone(int (*function)(void *), void *stack, int flags,
		   void *argument, ...);

EXPORT int clone(int (*function)(void *), void *stack, int flags,
		 void *argument, ...)
{
	struct clone_start start = { function, argument };
	bool is_fork = function && !(flags & CLONE_VM);
	va_list list;

	/* Those that were not passed are not looked at, for want of a flag. */
	va_start(list, argument);
	pid_t *parent_tid = va_arg(list, pid_t *);
	void *tls = va_arg(list, void *);
	pid_t *child_tid = va_arg(list, pid_t *);
	va_end(list);
	return __clone(is_fork ? run_and_exit : function, stack, flags,
		       is_fork ? &start : argument, parent_tid, tls, child_tid);
}

/* daemon(3)'s parent leaves by libc's own _exit(), which nobody can stand in
 * front of. */
static bool to_null(void)
{
	int fd = open("/dev/null", O_RDWR);
	struct stat status;

	if (fd < 0)
		return false;
	if (fstat(fd, &status) < 0 || !S_ISCHR(status.st_mode)) {
		close(fd);
		errno = ENODEV;
		return false;
	}
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		dup2(fd, i);
	if (fd > STDERR_FILENO)
		close(fd);
	return true;
}

/* As the caller's frame leaves it: ours has room that nobody wrote, where
 * earlier calls left what passes for references. */
__attribute__((noinline)) static _Noreturn void leave_daemon(void)
{
	struct kma_registers here;

	kma_arch_registers(&here);
	kma_unwind_out_of((uintptr_t)daemon, &here);
	end(0, &here);
}

EXPORT int daemon(int stay, int keep_files)
{
	pid_t child = fork();

	if (child < 0)
		return -1;
	if (child > 0)
		leave_daemon();
	if (setsid() < 0)
		return -1;
	if (!stay && chdir("/") < 0)
		(void)errno; /* as libc's: it goes on where it is */
	return keep_files || to_null() ? 0 : -1;
}

/* --- dispositions of signals -----------------------------------------------
 */

EXPORT int sigaction(int number, const struct sigaction *action,
		     struct sigaction *old)
{
	return kma_dump_sigaction(number, action, old);
}

EXPORT int sigaltstack(const stack_t *stack, stack_t *old)
{
	return kma_dump_sigaltstack(stack, old);
}

/* Handlers set by signal() interrupt system calls for these: siginterrupt(). */
static sigset_t interrupting;

static int restart_flag(int number)
{
	return sigismember(&interrupting, number) == 1 ? 0 : SA_RESTART;
}

static __sighandler_t set_handler(int number, __sighandler_t handler, int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	struct sigaction old;

	sigemptyset(&action.sa_mask);
	if (handler == SIG_ERR || number < 1 || number >= NSIG) {
		errno = EINVAL;
		return SIG_ERR;
	}
	if (!(flags & SA_NODEFER))
		sigaddset(&action.sa_mask, number);
	return kma_dump_sigaction(number, &action, &old) < 0 ? SIG_ERR
							     : old.sa_handler;
}

EXPORT __sighandler_t signal(int number, __sighandler_t handler)
{
	return set_handler(number, handler, restart_flag(number));
}

EXPORT int siginterrupt(int number, int interrupt)
{
	struct sigaction action;

	if (kma_dump_sigaction(number, NULL, &action) < 0)
		return -1;
	if (interrupt) {
		sigaddset(&interrupting, number);
		action.sa_flags &= ~SA_RESTART;
	} else {
		sigdelset(&interrupting, number);
		action.sa_flags |= SA_RESTART;
	}
	return kma_dump_sigaction(number, &action, NULL);
}

/* In the library still, no longer in its headers. */
__sighandler_t bsd_signal(int number, __sighandler_t handler);

EXPORT __sighandler_t bsd_signal(int number, __sighandler_t handler)
{
	return set_handler(number, handler, restart_flag(number));
}

EXPORT __sighandler_t ssignal(int number, __sighandler_t handler)
{
	return set_handler(number, handler, restart_flag(number));
}

EXPORT __sighandler_t __sysv_signal(int number, __sighandler_t handler)
{
	return set_handler(number, handler, (int)SA_RESETHAND | SA_NODEFER);
}

EXPORT __sighandler_t sysv_signal(int number, __sighandler_t handler)
{
	return __sysv_signal(number, handler);
}

/* Unblocks what it sets, and tells whether that was blocked. */
EXPORT __sighandler_t sigset(int number, __sighandler_t handler)
{
	struct sigaction action = { .sa_handler = handler }, old;
	sigset_t set, blocked;

	sigemptyset(&set);
	sigemptyset(&action.sa_mask);
	if (handler == SIG_ERR || sigaddset(&set, number) < 0) {
		errno = EINVAL;
		return SIG_ERR;
	}
	if (kma_dump_sigaction(number, handler == SIG_HOLD ? NULL : &action,
			       &old) < 0 ||
	    sigprocmask(handler == SIG_HOLD ? SIG_BLOCK : SIG_UNBLOCK, &set,
			&blocked) < 0)
		return SIG_ERR;
	return sigismember(&blocked, number) ? SIG_HOLD : old.sa_handler;
}

EXPORT int sigignore(int number)
{
	struct sigaction action = { .sa_handler = SIG_IGN };

	sigemptyset(&action.sa_mask);
	return kma_dump_sigaction(number, &action, NULL);
}

/* --- filters of system calls -------------------------------------------------
 */

/* What a thread's first allocation learns from files (how far its stack
 * reaches) is learnt before they are forbidden. */
static void enter_sandbox(const struct sock_fprog *filter, bool all_threads)
{
	free(malloc(1));
	kma_sandbox_enter(filter, all_threads);
}

/* With none the kernel is asked what it knows (libseccomp does). */
static bool is_filter(const struct sock_fprog *filter)
{
	return filter && filter->filter && filter->len > 0 &&
	       filter->len <= BPF_MAXINSNS;
}

/* The program's own call, whatever it comes to. */
/* NOLINTNEXTLINE(*-function-size): as many arguments as the kernel takes */
static long program_call(long number, long a, long b, long c, long d, long e,
			 long f)
{
	return kma_arch_syscall(number, a, b, c, d, e, f);
}

static bool is_error(long result)
{
	return result < 0 && result >= -MAX_ERRNO;
}

static long finish_call(long result)
{
	if (is_error(result)) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

EXPORT int prctl(int operation, ...)
{
	unsigned long a[4];
	va_list arguments;

	va_start(arguments, operation);
	for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++)
		a[i] = va_arg(arguments, unsigned long);
	va_end(arguments);

	const struct sock_fprog *filter = (const struct sock_fprog *)a[1];
	bool is_strict = a[0] == SECCOMP_MODE_STRICT;
	bool enters = operation == PR_SET_SECCOMP &&
		      (is_strict ||
		       (a[0] == SECCOMP_MODE_FILTER && is_filter(filter)));

	if (enters)
		enter_sandbox(is_strict ? NULL : filter, false);
	long result = program_call(SYS_prctl, operation, (long)a[0], (long)a[1],
				   (long)a[2], (long)a[3], 0);
	if (enters && is_error(result))
		kma_sandbox_refused();
	return (int)finish_call(result);
}

EXPORT long syscall(long number, ...)
{
	long a[6];
	va_list arguments;

	va_start(arguments, number);
	for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);

	const struct sock_fprog *filter = (const struct sock_fprog *)a[2];
	bool is_strict = number == SYS_seccomp &&
			 a[0] == SECCOMP_SET_MODE_STRICT && !a[1] && !filter;
	bool enters = is_strict ||
		      (number == SYS_seccomp &&
		       a[0] == SECCOMP_SET_MODE_FILTER && is_filter(filter));

	if (enters)
		enter_sandbox(filter, ((unsigned long)a[1] &
				       SECCOMP_FILTER_FLAG_TSYNC) != 0);
	long result = program_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (enters && is_error(result))
		kma_sandbox_refused();
	return finish_call(result);
}

/* --- threads ---------------------------------------------------------------
 */

struct start {
	void *(*function)(void *argument);
	void *argument; /* a root: until the thread runs nothing else need
			 * hold it */
	size_t stack_size;
	uint64_t time; /* of the thread's record, as by and stack */
	uint32_t by, stack;
	bool is_filtered;
};

/* 0: a stack that the program brings, which may be anything. */
static size_t size_of_stack(const pthread_attr_t *attributes)
{
	void *start;
	size_t size, usual = 0;

	if (pthread_attr_getstack(attributes, &start, &size) != 0 ||
	    (uintptr_t)start + size != 0)
		return 0;
	pthread_attr_getstacksize(attributes, &usual);
	return usual;
}

static size_t stack_size(const pthread_attr_t *attributes)
{
	pthread_attr_t usual;
	size_t size;

	if (attributes)
		return size_of_stack(attributes);
	if (pthread_attr_init(&usual) != 0)
		return 0;
	size = size_of_stack(&usual);
	pthread_attr_destroy(&usual);
	return size;
}

/* Who creates a thread, where stacks are kept. */
static void note_creator(struct start *start, const struct kma_thread *self)
{
	if (kma_root.tier < KMA_TIER_AUDIT &&
	    kma_root.sample_tier < KMA_TIER_AUDIT)
		return;
	start->time = kma_clock_now();
	start->by = self ? self->tid : sys_gettid();
	start->stack = kma_stack_intern(KMA_STACK_OF_FREE);
}

/* Entering starts the allocator, should a constructor come here first. */
static struct start *start_create(void *(*function)(void *argument),
				  void *argument, size_t size)
{
	struct kma_thread *self = kma_thread_enter();
	struct start *start = kma_meta_alloc(sizeof(*start));

	if (start) {
		*start = (struct start){ .function = function,
					 .argument = argument,
					 .stack_size = size,
					 .is_filtered = kma_sandbox_is_here() };
		note_creator(start, self);
	}
	kma_thread_leave(self);
	if (!start)
		return NULL;
	kma_root_add(&start->argument, sizeof(start->argument));
	return start;
}

static void start_destroy(struct start *start)
{
	struct kma_thread *self;

	kma_root_remove(&start->argument, sizeof(start->argument));
	self = kma_thread_enter();
	kma_meta_free(start, sizeof(*start));
	kma_thread_leave(self);
}

/* A thread has its record, and its alternate stack, before its first line. */
static void *run_thread(void *argument)
{
	struct start start = *(struct start *)argument;

	kma_sandbox_thread_start(start.is_filtered);
	start_destroy(argument);
	if (kma_self) {
		kma_bounds_started(kma_self, start.stack_size);
		kma_self->created_time = start.time;
		kma_self->created_by = start.by;
		kma_self->created_stack = start.stack;
	}
	return start.function(start.argument);
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*function)(void *argument), void *argument)
{
	int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
		    void *) =
		(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
			 void *))dlsym(RTLD_NEXT, "pthread_create");
	struct start *start =
		start_create(function, argument, stack_size(attributes));

	if (!next || !start)
		return EAGAIN;
	int error = next(thread, attributes, run_thread, start);
	if (error)
		start_destroy(start);
	return error;
}

/* --- libraries -------------------------------------------------------------
 */

EXPORT int dlclose(void *handle)
{
	int (*next)(void *) = (int (*)(void *))dlsym(RTLD_NEXT, "dlclose");
	int error = next ? next(handle) : -1;

	kma_module_closed();
	return error;
}
