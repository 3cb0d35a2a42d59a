/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A waiter counts itself before it looks again; who makes room looks for
 * waiters after having made it. So one of them sees the other.
 *
 * A waiter that looks frees things on the way: what it could not use, or what
 * it drained. It takes those events of its own as seen, or it would wake itself
 * for ever; others hear of them.
 */
#include "alloc/room.h"

#include "alloc/sys.h"

#include <limits.h>
#include <linux/futex.h>
#include <time.h>

enum { DELAY_FIRST = 100, DELAY_MAX = 5000 }; /* milliseconds */

static uint32_t event; /* a futex: rises when room is made */
static uint32_t waiters;
static __thread uint32_t made_here; /* events that this thread caused */

void kma_room_wait(struct kma_room *room)
{
	if (!room->waiting) {
		room->waiting = true;
		room->delay = DELAY_FIRST;
		__atomic_add_fetch(&waiters, 1, __ATOMIC_SEQ_CST);
	} else {
		room->seen += made_here - room->made_before;
		struct timespec delay = {
			.tv_sec = room->delay / 1000,
			.tv_nsec = room->delay % 1000 * 1000000L,
		};

		sys_call(SYS_futex, (long)(uintptr_t)&event, FUTEX_WAIT_PRIVATE,
			 room->seen, (long)(uintptr_t)&delay, 0, 0);
		room->delay = room->delay * 2 < DELAY_MAX ? room->delay * 2
							  : DELAY_MAX;
	}
	room->made_before = made_here;
	room->seen = __atomic_load_n(&event, __ATOMIC_SEQ_CST);
}

void kma_room_leave(struct kma_room *room)
{
	if (room->waiting)
		__atomic_sub_fetch(&waiters, 1, __ATOMIC_SEQ_CST);
	room->waiting = false;
}

void kma_room_made(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&waiters, __ATOMIC_SEQ_CST))
		return;
	made_here++;
	__atomic_add_fetch(&event, 1, __ATOMIC_SEQ_CST);
	sys_call(SYS_futex, (long)(uintptr_t)&event, FUTEX_WAKE_PRIVATE,
		 INT_MAX, 0, 0, 0);
}

void kma_room_forked(void)
{
	__atomic_store_n(&waiters, 0, __ATOMIC_RELAXED);
}
