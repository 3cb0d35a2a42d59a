/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ipl of an arena: one of IPL_NONE is told of in interrupt context; another
 * serves a handler, even one that interrupts the library while it has the
 * arena's locks: it gets an address or ENOMEM, and what it frees is free.
 */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

#include <sys/time.h>

enum { NUMBERS = 4096, KEPT = 16, MILLISECONDS = 500, EVERY = 1000 };

static vmem_t *none, *safe;

static vmem_t *make(const char *name, vmem_size_t qcache_max, int ipl)
{
	vmem_t *vm = vmem_create(name, 1, NUMBERS, 1, NULL, NULL, NULL,
				 qcache_max, VM_SLEEP, ipl);

	CHECK(vm);
	return vm;
}

/* --- in interrupt context --------------------------------------------------
 */

static void alloc_none(void *argument)
{
	vmem_addr_t address;

	(void)argument;
	KMA_INTR_ENTER();
	vmem_alloc(none, 1, VM_NOSLEEP | VM_INSTANTFIT, &address);
}

static void free_none(void *argument)
{
	vmem_addr_t address;

	(void)argument;
	CHECK(vmem_alloc(none, 1, VM_SLEEP | VM_INSTANTFIT, &address) == 0);
	KMA_INTR_ENTER();
	vmem_free(none, address, 1);
}

static void sleep_safe(void *argument)
{
	vmem_addr_t address;

	(void)argument;
	KMA_INTR_ENTER();
	vmem_alloc(safe, 1, VM_SLEEP | VM_INSTANTFIT, &address);
}

static void check_contexts(void)
{
	vmem_addr_t address;

	none = make("none", 0, IPL_NONE);
	safe = make("safe", 0, IPL_VM);
	EXPECT_REPORT(alloc_none, NULL, "SLEEPINTR", "none");
	EXPECT_REPORT(free_none, NULL, "SLEEPINTR", "none");
	EXPECT_REPORT(sleep_safe, NULL, "SLEEPINTR", "safe");
	KMA_INTR_ENTER();
	CHECK(vmem_alloc(safe, 1, VM_NOSLEEP | VM_INSTANTFIT, &address) == 0);
	vmem_free(safe, address, 1);
	KMA_INTR_EXIT();
	vmem_destroy(none);
	vmem_destroy(safe);
}

/* --- whatever it interrupted ------------------------------------------------
 */

static vmem_addr_t kept[KEPT];
static size_t kept_count;
static volatile unsigned handled;
static volatile bool ended; /* a last signal may be on its way */

static void free_kept(void)
{
	while (kept_count > 0) {
		kept_count--;
		if (kept_count % 2)
			vmem_xfree(safe, kept[kept_count], 2);
		else
			vmem_free(safe, kept[kept_count], 2);
	}
}

/* Frees all it has, and takes anew. */
static void on_alarm(int number)
{
	(void)number;
	if (ended)
		return;
	KMA_INTR_ENTER();
	free_kept();
	for (; kept_count < KEPT; kept_count++)
		if (kept_count % 2
			    ? vmem_xalloc(safe, 2, 0, 0, 0, VMEM_ADDR_MIN,
					  VMEM_ADDR_MAX,
					  VM_NOSLEEP | VM_BESTFIT,
					  &kept[kept_count])
			    : vmem_alloc(safe, 2, VM_NOSLEEP | VM_INSTANTFIT,
					 &kept[kept_count]))
			break;
	handled++;
	KMA_INTR_EXIT();
}

static void set_timer(unsigned microseconds)
{
	const struct itimerval timer = {
		.it_interval.tv_usec = microseconds,
		.it_value.tv_usec = microseconds,
	};

	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void check_handler(vmem_size_t qcache_max)
{
	uint64_t end = now_ms() + MILLISECONDS;
	vmem_addr_t mine[8];

	safe = make("handler", qcache_max, IPL_VM);
	ended = false;
	set_timer(EVERY);
	while (now_ms() < end || handled < 10) {
		for (size_t i = 0; i < 8; i++)
			CHECK(vmem_alloc(safe, i + 1, VM_SLEEP | VM_INSTANTFIT,
					 &mine[i]) == 0);
		for (size_t i = 0; i < 8; i++)
			vmem_free(safe, mine[i], i + 1);
	}
	set_timer(0);
	ended = true;
	free_kept();
	vmem_destroy(safe); /* tells of what is left, and aborts */
	handled = 0;
}

int main(void)
{
	const struct sigaction action = { .sa_handler = on_alarm,
					  .sa_flags = SA_RESTART };

	check_contexts();
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	check_handler(0);
	check_handler(4);
	return 0;
}
