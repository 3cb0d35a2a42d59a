/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping for memory. Whoever waits for room (room.h) hangs on
 * kma_root.waiters, for the debugger and for the reports; whatever may have
 * become available wakes all of them, and each tries again.
 *
 *	try -> give up what is kept, ask for more -> try -> sleep -> try ...
 */
#ifndef ALLOC_WAIT_H
#define ALLOC_WAIT_H

#include "alloc/lock.h"
#include "alloc/room.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kma_wait_kind {
	KMA_WAIT_HEAP = 1,  /* the limit of the heap, or the system's memory */
	KMA_WAIT_CACHE = 2, /* the limit of a cache */
	KMA_WAIT_TYPE = 3,  /* the limit of a type of malloc's */
	KMA_WAIT_ARENA = 4, /* space of an arena */
};

enum { KMA_WAIT_NAME_SIZE = 32 };

/* One that sleeps. */
struct kma_waiter {
	struct kma_waiter *next, *prev;
	uint32_t thread;               /* tid */
	uint32_t kind;                 /* enum kma_wait_kind */
	uint64_t size;                 /* bytes; objects of a cache: its size */
	uint64_t since;                /* ticks */
	uint32_t stack;                /* depot id */
	uint32_t told;                 /* that it waits long, or for ever */
	char name[KMA_WAIT_NAME_SIZE]; /* of what is short */
};

/* What is waited for. The callbacks run without locks. */
struct kma_wanted {
	enum kma_wait_kind kind;
	const char *name;     /* of what is short */
	const char *function; /* what the program called */
	size_t size;
	bool (*attempt)(void *context);  /* true: had it */
	bool (*possible)(void *context); /* could it ever be? */
	void (*relieve)(void *context);  /* try to make it possible */
	void *context;
};

/* For fork.c. */
extern struct kma_lock kma_wait_lock;
void kma_wait_forked(void);

/* Threads that sleep: frees then go to the slabs, and wake. */
extern uint32_t kma_wait_sleepers;

/*
 * The parts of kma_wait_until(), for who has a loop of its own: be listed, with
 * a record in metadata so that every dump has it, or in spare where there is
 * no memory; after a sleep, tell of one that is long or that nobody can end.
 */
struct kma_waiter *kma_wait_begin(const struct kma_wanted *wanted,
				  struct kma_waiter *spare);
void kma_wait_watch(struct kma_waiter *waiter, const struct kma_wanted *wanted);
void kma_wait_end(struct kma_waiter *waiter, const struct kma_waiter *spare);

/* True: attempt() had it. False: it was reported that it never can. The caller
 * has not entered. */
bool kma_wait_until(const struct kma_wanted *wanted);

static inline bool kma_wait_any(void)
{
	return __builtin_expect(
		__atomic_load_n(&kma_wait_sleepers, __ATOMIC_RELAXED) != 0, 0);
}

/* Something may have become available. Async-signal-safe. */
static inline void kma_wait_wake(void)
{
	if (kma_wait_any())
		kma_room_made();
}

#endif
