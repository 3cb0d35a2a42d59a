/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping until there may be memory again. Who cannot be served, and may
 * sleep, waits for room: for a free in any arena, for a limit that is raised,
 * or for a while, as the kernel tells nobody when it has pages again.
 *
 *	struct kma_room room = { 0 };
 *	while (!try())
 *		kma_room_wait(&room);
 *	kma_room_leave(&room);
 *
 * One word serves all who wait: they are few, and each looks again for itself.
 */
#ifndef ALLOC_ROOM_H
#define ALLOC_ROOM_H

#include <stdbool.h>
#include <stdint.h>

struct kma_room {
	bool waiting;
	uint32_t seen;        /* the event that it knows of */
	uint32_t made_before; /* of the events of its own, those in seen */
	uint32_t delay;       /* milliseconds */
};

/* The first time it returns at once: what was freed before is not told. Holds
 * no lock, and the caller must not either. */
void kma_room_wait(struct kma_room *room);
void kma_room_leave(struct kma_room *room);

/* There is room that was not. A load when nobody waits. */
void kma_room_made(void);

/* In the child of a fork, where no waiter is left. */
void kma_room_forked(void);

#endif
