/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A type's limit: NOWAIT fails, WAITOK sleeps until the type frees, and no
 * other type is any the worse for it. */
#include "alloc/root.h"
#include "tests/contract/kernel.h"

#define KMA_BSD_NO_LIBC_NAMES
#include <kma/bsd_malloc.h>

enum { LIMIT = 64 << 10, PIECE = 1024 };

static uint64_t stat_of(int type, const char *name)
{
	return kma_type_stat(kma_type_numbered(type), name);
}

static void *waiting(void *argument)
{
	(void)argument;
	return bsd_malloc(PIECE, M_MOUNT, M_WAITOK);
}

static void ask_for_more(void *argument)
{
	(void)argument;
	bsd_malloc(LIMIT + 1, M_MOUNT, M_WAITOK);
}

int main(void)
{
	static void *pieces[LIMIT / PIECE + 1];
	unsigned count = 0;
	pthread_t thread;
	void *p;

	bsd_malloc_limit(M_MOUNT, LIMIT);
	while ((p = bsd_malloc(PIECE, M_MOUNT, M_NOWAIT)))
		pieces[count++] = p;
	CHECK(count > 10 && stat_of(M_MOUNT, "memuse") <= LIMIT);
	CHECK(stat_of(M_MOUNT, "limblocks") == 0);
	CHECK(stat_of(M_MOUNT, "fails") == 1);
	CHECK((p = bsd_malloc(PIECE, M_TEMP, M_NOWAIT)));
	bsd_free(p, M_TEMP);
	thread = start_thread(waiting, NULL);
	while (!__atomic_load_n(&kma_root.waiters, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	CHECK(stat_of(M_MOUNT, "limblocks") == 1);
	bsd_free(pieces[--count], M_MOUNT);
	CHECK((pieces[count++] = join_thread(thread)));
	CHECK(stat_of(M_MOUNT, "maxused") <= LIMIT);
	EXPECT_REPORT(ask_for_more, NULL, "IMPOSSIBLE", "mount");
	while (count)
		bsd_free(pieces[--count], M_MOUNT);
	CHECK(stat_of(M_MOUNT, "memuse") == 0);
	CHECK(stat_of(M_MOUNT, "inuse") == 0);
	return 0;
}
