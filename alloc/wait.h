/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping for memory. Whoever does hangs on kma_root.waiters, for the debugger
 * and for the reports; whatever may have become available wakes all of them,
 * and each tries again.
 *
 *	try -> give up what is kept, ask for more -> try -> sleep -> try ...
 *
 * A free wakes, in any cache or arena, and a limit that is raised; and so does
 * time, as the system tells nobody when it has pages again. One word serves all
 * who sleep: they are few, and each looks again for itself.
 */
#ifndef ALLOC_WAIT_H
#define ALLOC_WAIT_H

#include "alloc/lock.h"

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
	const char *name;      /* of what is short */
	const char *function;  /* what the program called */
	struct kma_vmem *vmem; /* that it is of, or NULL */
	size_t size;
	bool may_fail;                   /* what can never be had is no error */
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

/* True: attempt() had it. False: it never can, which was reported where that is
 * an error. The caller has not entered. */
bool kma_wait_until(const struct kma_wanted *wanted);

static inline bool kma_wait_any(void)
{
	return __builtin_expect(
		__atomic_load_n(&kma_wait_sleepers, __ATOMIC_RELAXED) != 0, 0);
}

void kma_wait_wake_all(void);

/* Something may have become available. Async-signal-safe. */
static inline void kma_wait_wake(void)
{
	if (kma_wait_any())
		kma_wait_wake_all();
}

/* The same from where no lock was released since: who sleeps counts itself
 * before it looks again, so one of the two sees the other. */
static inline void kma_wait_wake_fenced(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	kma_wait_wake();
}

#endif
