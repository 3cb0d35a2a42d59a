/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that ends in the way its argument names, with two more threads
 * waiting. What its dump must say it prints first, a name and a number a line:
 * pc (of the instruction that crashes), fault (address), tid (that crashes).
 */
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAULT = 0x18, OTHERS = 2 };

extern int kma_dump(const char *path) __attribute__((weak));

extern const char crash_pc[], overflow_pc[];

static pthread_barrier_t started;
static char handler_stack[65536];
static sigjmp_buf back;

/* What runs last of the program: the dump must be later still. */
static volatile int ended;

__attribute__((destructor)) static void note_end(void)
{
	ended = 42;
}

static uintptr_t gettid_number(void)
{
	return (uintptr_t)syscall(SYS_gettid);
}

static void say(const char *name, uintptr_t value)
{
	printf("%s %" PRIuPTR "\n", name, value);
	fflush(stdout);
}

__attribute__((noinline)) static void crash(void)
{
	say("tid", gettid_number());
	say("pc", (uintptr_t)crash_pc);
	say("fault", FAULT);
	__asm__ volatile(".globl crash_pc\ncrash_pc: movl $1, (%0)"
			 :
			 : "r"((uintptr_t)FAULT)
			 : "memory");
}

__attribute__((noinline)) static uint64_t overflow(uint64_t depth)
{
	volatile char frame[4000];

	memset((char *)frame, (int)depth, sizeof(frame));
	return depth > UINT64_MAX - 2
		       ? 0
		       : overflow(depth + 1) + (uint64_t)frame[0];
}

static void *wait_for_ever(void *argument)
{
	pthread_barrier_wait(&started);
	for (;;)
		pause();
	return argument;
}

static void *allocate_for_ever(void *argument)
{
	pthread_barrier_wait(&started);
	for (;;)
		free(malloc(100000));
	return argument;
}

static void *block_all(void *argument)
{
	uint64_t all = UINT64_MAX;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, sizeof(all));
	say("silent", gettid_number());
	return wait_for_ever(argument);
}

static void start_threads(void *(*function)(void *argument))
{
	pthread_barrier_init(&started, NULL, OTHERS + 1);
	for (int i = 0; i < OTHERS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, i ? wait_for_ever : function,
				   NULL) != 0)
			exit(99);
	}
	pthread_barrier_wait(&started);
}

static void on_signal_crash(int number)
{
	(void)number;
	crash();
}

static void on_segv_return(int number)
{
	signal(number, SIG_DFL); /* and the instruction runs again */
}

static void on_segv_leave(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static void use_own_stack(void)
{
	stack_t stack = { .ss_sp = handler_stack,
			  .ss_size = sizeof(handler_stack) };

	sigaltstack(&stack, NULL);
}

static void segv_in_handler(void)
{
	struct sigaction action = { .sa_handler = on_signal_crash,
				    .sa_flags = SA_ONSTACK };

	use_own_stack();
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

static void segv_own_handler(void)
{
	signal(SIGSEGV, on_segv_leave);
	if (sigsetjmp(back, 1) == 0)
		crash();
	exit(5);
}

static void segv_handler_gives_up(void)
{
	signal(SIGSEGV, on_segv_return);
	crash();
}

static void on_segv_once(int number)
{
	(void)number; /* and the instruction runs again, by default now */
}

static void segv_handler_runs_once(void)
{
	struct sigaction action = { .sa_handler = on_segv_once,
				    .sa_flags = (int)SA_RESETHAND };
	struct sigaction old;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGSEGV, NULL, &old);
	if (old.sa_handler != on_segv_once ||
	    !(old.sa_flags & (int)SA_RESETHAND))
		exit(91);
	crash();
}

static void *run_crash(void *argument)
{
	crash();
	return argument;
}

static void *run_overflow(void *argument)
{
	say("tid", gettid_number());
	overflow(1);
	return argument;
}

static void *run_exit(void *argument)
{
	exit(9);
	return argument;
}

static void in_thread(void *(*function)(void *argument))
{
	pthread_t thread;

	pthread_create(&thread, NULL, function, NULL);
	for (;;)
		pause();
}

static void segv_in_thread(void)
{
	in_thread(run_crash);
}

static void overflow_main(void)
{
	say("tid", gettid_number());
	overflow(1);
}

static void overflow_thread(void)
{
	in_thread(run_overflow);
}

static void exit_in_thread(void)
{
	in_thread(run_exit);
}

static void do_abort(void)
{
	say("tid", gettid_number());
	abort();
}

static void do_exit_now(void)
{
	_exit(7);
}

static void limit_files(void)
{
	const struct rlimit limit = { 4096, 4096 };

	setrlimit(RLIMIT_FSIZE, &limit);
	_exit(7);
}

static void do_quick_exit(void)
{
	quick_exit(8);
}

static void do_return(void)
{
	say("ended", (uintptr_t)&ended);
	exit(3);
}

static void fork_child(void)
{
	pid_t child = fork();

	if (child == 0)
		abort();
	say("child", (uintptr_t)child);
	waitpid(child, NULL, 0);
	exit(0);
}

static void vfork_child(void)
{
	pid_t child = vfork();

	if (child == 0)
		_exit(1);
	say("child", (uintptr_t)child);
	waitpid(child, NULL, 0);
	exit(0);
}

/* A dump without threads must not be in the way of one with. */
static void call_kma_dump_alone(void)
{
	if (!kma_dump || kma_dump(getenv("VICTIM_DUMP")) != 0)
		exit(98);
}

static void call_kma_dump(void)
{
	const char *path = getenv("VICTIM_DUMP");
	int status;

	if (!kma_dump || kma_dump(path) != 0)
		exit(98);
	if (wait(&status) != -1) /* the copy that wrote it is nobody's child */
		exit(97);
	exit(0);
}

static void wait_for_request(void)
{
	say("ready", 1);
	getchar(); /* until the driver has its dump, or EINTR */
	exit(0);
}

/* siginterrupt() is deprecated, and used. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* Everything a program can ask must be as if we were not there. */
static void look_at_dispositions(void)
{
	struct sigaction old, set = { .sa_handler = SIG_IGN };
	stack_t stack;

	if (sigaction(SIGSEGV, NULL, &old) != 0 || old.sa_handler != SIG_DFL ||
	    sigaction(SIGSEGV, &set, &old) != 0 || old.sa_handler != SIG_DFL ||
	    signal(SIGSEGV, SIG_DFL) != SIG_IGN ||
	    signal(SIGSEGV, SIG_DFL) != SIG_DFL)
		exit(96);
	if (siginterrupt(SIGTERM, 1) != 0 ||
	    signal(SIGTERM, on_segv_return) != SIG_DFL ||
	    sigaction(SIGTERM, NULL, &old) != 0 || old.sa_flags & SA_RESTART)
		exit(92);
	if (sigaltstack(NULL, &stack) != 0 || stack.ss_flags != SS_DISABLE)
		exit(95);
	use_own_stack();
	if (sigaltstack(NULL, &stack) != 0 || stack.ss_sp != handler_stack)
		exit(94);
	stack.ss_flags = SS_DISABLE;
	if (sigaltstack(&stack, NULL) != 0 || sigaltstack(NULL, &stack) != 0 ||
	    stack.ss_flags != SS_DISABLE)
		exit(93);
	exit(0);
}

static void double_free(void)
{
	void *volatile p = malloc(100);

	say("tid", gettid_number());
	free(p);
	free(p);
}

static void bus_error(void)
{
	char name[] = "/tmp/victim-XXXXXX";
	int fd = mkstemp(name);
	volatile char *map;

	unlink(name);
	if (ftruncate(fd, 4096) != 0)
		exit(92);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (ftruncate(fd, 0) != 0)
		exit(92);
	say("tid", gettid_number());
	say("fault", (uintptr_t)map);
	(void)*map;
}

static const struct {
	const char *name;
	void (*function)(void);
	void *(*others)(void *argument); /* NULL: they wait */
} ways[] = {
	{ "segv", crash, NULL },
	{ "segv-thread", segv_in_thread, NULL },
	{ "segv-busy", crash, allocate_for_ever },
	{ "segv-silent", crash, block_all },
	{ "segv-in-handler", segv_in_handler, NULL },
	{ "segv-own-handler", segv_own_handler, NULL },
	{ "segv-handler-gives-up", segv_handler_gives_up, NULL },
	{ "segv-handler-once", segv_handler_runs_once, NULL },
	{ "bus", bus_error, NULL },
	{ "abort", do_abort, NULL },
	{ "overflow", overflow_main, NULL },
	{ "overflow-thread", overflow_thread, NULL },
	{ "return", do_return, NULL },
	{ "_exit", do_exit_now, NULL },
	{ "file-limit", limit_files, NULL },
	{ "quick_exit", do_quick_exit, NULL },
	{ "exit-thread", exit_in_thread, NULL },
	{ "fork", fork_child, NULL },
	{ "vfork", vfork_child, NULL },
	{ "kma_dump", call_kma_dump, allocate_for_ever },
	{ "request", wait_for_request, NULL },
	{ "dispositions", look_at_dispositions, NULL },
	{ "double-free", double_free, NULL },
};

int main(int argc, char **argv)
{
	say("pid", (uintptr_t)getpid());
	if (argc == 2 && !strcmp(argv[1], "kma_dump"))
		call_kma_dump_alone();
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (argc == 2 && !strcmp(argv[1], ways[i].name)) {
			start_threads(ways[i].others ? ways[i].others
						     : wait_for_ever);
			ways[i].function();
		}
	return 99;
}
