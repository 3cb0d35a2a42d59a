/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that dies in the way its argument names. What its dump must say it
 * prints first, a name and a number a line: tid (of the thread that dies) and,
 * where the end is about one, address.
 */
#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { FAULT = 0x18, SIZE = 700, FRAME = 4000 };

static void say(const char *name, uintptr_t value)
{
	printf("%s %" PRIuPTR "\n", name, value);
	fflush(stdout);
}

static void say_tid(void)
{
	say("tid", (uintptr_t)syscall(SYS_gettid));
}

static __attribute__((noinline)) void read_from(uintptr_t address)
{
	say_tid();
	say("address", address);
	(void)*(volatile char *)address;
}

static void segv(void)
{
	read_from(FAULT);
}

/* At tier guard a freed buffer cannot be touched. */
static void segv_freed(void)
{
	char *buffer = malloc(SIZE);
	uintptr_t address = (uintptr_t)buffer + 10;

	memset(buffer, 1, SIZE);
	free(buffer);
	read_from(address);
}

static void segv_beyond(void)
{
	char *buffer = malloc(4096);

	memset(buffer, 1, 4096);
	read_from((uintptr_t)buffer + 4096);
}

static void bus(void)
{
	int file = memfd_create("short", 0);
	char *memory = mmap(NULL, 8192, PROT_READ, MAP_SHARED, file, 0);

	read_from((uintptr_t)memory + 4096);
}

static void ill(void)
{
	say_tid();
	__asm__ volatile("ud2");
}

static void fpe(void)
{
	volatile int zero = 0;

	say_tid();
	zero = 7 / zero; /* not 1 / zero, which takes no division */
}

static void trap(void)
{
	say_tid();
	__asm__ volatile("int3");
}

static __attribute__((noinline)) uint64_t overflow(uint64_t depth)
{
	volatile char frame[FRAME];

	memset((char *)frame, (int)depth, sizeof(frame));
	return depth > UINT64_MAX - 2
		       ? 0
		       : overflow(depth + 1) + (uint64_t)frame[0];
}

static void stack(void)
{
	say_tid();
	overflow(1);
}

static void *run(void *argument)
{
	void (*function)(void);

	memcpy(&function, argument, sizeof(function));
	function();
	return NULL;
}

static void in_thread(void (*function)(void))
{
	pthread_t thread;

	pthread_create(&thread, NULL, run, &function);
	pthread_join(thread, NULL);
}

static void stack_thread(void)
{
	in_thread(stack);
}

static void fail_assertion(void)
{
	volatile int zero = 0;

	say_tid();
	assert(zero != 0);
}

static void assert_thread(void)
{
	in_thread(fail_assertion);
}

/* Found when it is freed. */
static void corrupt(void)
{
	char *buffer = malloc(SIZE);

	say_tid();
	say("address", (uintptr_t)buffer);
	for (volatile size_t i = 0; i < SIZE + 8; i++)
		buffer[i] = 1;
	__asm__ volatile("" ::"r"(buffer) : "memory");
	free(buffer);
}

/* What lies in the allocator's caches is run over: at tier off nobody looks,
 * and the end is what it is. */
static void corrupt_and_crash(void)
{
	char *buffer = malloc(SIZE);

	for (volatile size_t i = 0; i < 16 * SIZE; i++)
		buffer[i] = -1;
	segv();
}

static void on_alarm(int number)
{
	(void)number;
	say_tid();
	abort();
}

/* At some instruction of malloc or free, with whatever is locked there. */
static void abort_in_malloc(void)
{
	const struct itimerval soon = { { 0, 0 }, { 0, 2000 } };
	void *held[64] = { NULL };

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &soon, NULL);
	for (unsigned i = 0;; i++) {
		free(held[i % 64]);
		held[i % 64] = malloc(i * 797 % 200000);
	}
}

static void on_signal(int number)
{
	(void)number;
	segv();
}

static void altstack(void)
{
	static char room[65536];
	const stack_t own = { .ss_sp = room, .ss_size = sizeof(room) };
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = SA_ONSTACK };

	sigaltstack(&own, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

static struct sigaction before;

/* As a runtime does that tells overflows of its own stacks: not mine, so what
 * was there before, and once more. */
static void on_segv(int number, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	sigaction(number, &before, NULL);
}

static void runtime(void)
{
	static char room[65536];
	const stack_t own = { .ss_sp = room, .ss_size = sizeof(room) };
	struct sigaction action = { .sa_sigaction = on_segv,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaltstack(&own, NULL);
	sigaction(SIGSEGV, &action, &before);
	segv();
}

/* All that a limit leaves, and a null pointer that nobody expected. */
static void no_memory(void)
{
	char *last = (char *)1;

	while (last) {
		last = malloc(1 << 20);
		if (last)
			memset(last, 1, 1 << 20);
	}
	say_tid();
	say("address", 0);
	*(volatile char *)last = 1;
}

static void wait_for_it(void)
{
	say_tid();
	for (;;)
		pause();
}

static const struct {
	const char *name;
	void (*run)(void);
} ways[] = {
	{ "segv", segv },
	{ "segv-freed", segv_freed },
	{ "segv-beyond", segv_beyond },
	{ "bus", bus },
	{ "ill", ill },
	{ "fpe", fpe },
	{ "trap", trap },
	{ "abort", fail_assertion },
	{ "stack", stack },
	{ "stack-thread", stack_thread },
	{ "assert-thread", assert_thread },
	{ "corrupt", corrupt },
	{ "corrupt-and-crash", corrupt_and_crash },
	{ "abort-in-malloc", abort_in_malloc },
	{ "altstack", altstack },
	{ "runtime", runtime },
	{ "no-memory", no_memory },
	{ "wait", wait_for_it },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[1]) == 0)
			ways[i].run();
	return 2;
}
