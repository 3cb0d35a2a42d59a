/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A raised limit wakes who sleeps. */
#include "alloc/root.h"
#include "tests/contract/limit.h"

#include <kma/netbsd.h>

static void *sleeper(void *argument)
{
	(void)argument;
	return kmem_alloc(BLOCK, KM_SLEEP);
}

int main(void)
{
	pthread_t thread;
	void *p;

	limit_use_up();
	thread = start_thread(sleeper, NULL);
	while (!__atomic_load_n(&kma_root.waiters, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	kma_set_heap_limit(kma_heap_limit() + ROOM);
	p = join_thread(thread);
	CHECK(p);
	kmem_free(p, BLOCK);
	limit_end();
	return 0;
}
