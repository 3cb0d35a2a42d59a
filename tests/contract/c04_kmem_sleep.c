/* SPDX-License-Identifier: GPL-3.0-or-later */
/* At the limit KM_SLEEP sleeps until another thread frees, and does not spin.
 */
#include "alloc/root.h"
#include "tests/contract/limit.h"

#include <kma/netbsd.h>

static int is_there;

static void *sleeper(void *argument)
{
	uint64_t cpu = clock_ms(CLOCK_THREAD_CPUTIME_ID);
	void *p;

	set_flag(&is_there);
	p = kmem_alloc(BLOCK, KM_SLEEP);
	cpu = clock_ms(CLOCK_THREAD_CPUTIME_ID) - cpu;
	*(uint64_t *)argument = cpu;
	return p;
}

int main(void)
{
	uint64_t cpu = 0, waits;
	pthread_t thread;
	void *p;

	limit_use_up();
	waits = kma_root.wait_count;
	thread = start_thread(sleeper, &cpu);
	wait_for_flag(&is_there);
	while (!__atomic_load_n(&kma_root.waiters, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	sleep_ms(200);
	CHECK(kma_root.waiters);
	limit_give_back();
	limit_give_back();
	p = join_thread(thread);
	CHECK(p);
	CHECK(cpu < 50); /* of the 200 ms and more that it slept */
	CHECK(kma_root.wait_count == waits + 1);
	CHECK(!kma_root.waiters);
	kmem_free(p, BLOCK);
	limit_end();
	return 0;
}
