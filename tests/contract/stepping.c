/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A signal handler that comes in between any two instructions of malloc() and
 * of free(), and itself frees or allocates what lies in the same magazine: the
 * processor traps after each instruction, and in one of those traps, another
 * each time, the handler does it. As often as a magazine has rounds, so that it
 * is empty, or full, or about to be.
 */
#include "tests/contract/contract.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

enum {
	SIZE = 1000,
	OFTEN = 20,
	STEPS = 100, /* till the thread is inside, and then some */
	HELD = 500,
};

#define TRAP_FLAG 0x100

static volatile int steps, at;
static volatile bool frees, is_over;
static void *volatile held;

static void act(void)
{
	void *p = held;

	if (frees && p) {
		held = NULL;
		free(p);
	} else if (!frees && !p) {
		held = malloc(SIZE);
	}
}

static void on_trap(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)number, (void)info;
	if (++steps == at)
		act();
	if (is_over || steps >= at)
		registers[REG_EFL] &= ~TRAP_FLAG;
}

static void begin(void)
{
	steps = 0;
	is_over = false;
	__asm__ volatile("pushfq; orq %0, (%%rsp); popfq"
			 :
			 : "i"(TRAP_FLAG)
			 : "memory", "cc");
}

static void end(void)
{
	is_over = true;
	__asm__ volatile("nop; nop" ::: "memory");
}

/* One call of each, and beside what the handler does one more of either, so
 * that the next finds the magazine otherwise. */
static void step(bool in_free)
{
	void *p = in_free ? malloc(SIZE) : NULL;

	held = frees ? malloc(SIZE) : NULL;
	begin();
	if (in_free)
		free(p);
	else
		p = malloc(SIZE);
	end();
	if (!in_free) {
		CHECK(p && p != held);
		memset(p, 1, SIZE);
		free(p);
	}
	free(held);
	free(opaque(malloc(SIZE)));
}

static int compare(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return (x > y) - (x < y);
}

/* All of them at once: none twice, none in another. */
static void check_heap(void)
{
	static char *p[HELD];

	for (int i = 0; i < HELD; i++) {
		p[i] = malloc(SIZE);
		CHECK(p[i]);
		memset(p[i], i, SIZE);
	}
	qsort(p, HELD, sizeof(p[0]), compare);
	for (int i = 1; i < HELD; i++)
		CHECK(p[i] - p[i - 1] >= SIZE);
	for (int i = 0; i < HELD; i++)
		free(p[i]);
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_trap,
				    .sa_flags = SA_SIGINFO };

	CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
	check_heap();
	for (int way = 0; way < 2; way++) {
		frees = way;
		for (at = 1; at <= STEPS; at++)
			for (int i = 0; i < OFTEN; i++)
				step(frees);
	}
	check_heap();
	return 0;
}
