/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/lock.h"

#include "alloc/arch.h"
#include "alloc/sys.h"

#include <limits.h>
#include <linux/futex.h>

enum {
	LOCK_FREE,
	LOCK_HELD,
	LOCK_CONTENDED,      /* held and waited for */
	LOCK_FORKING,        /* held for a fork */
	LOCK_FORKING_WAITED, /* that, and waited for */
};

/* Holders leave within a microsecond as a rule: look again before sleeping. */
enum { SPINS = 100 };

/* Thread pointer of who holds locks for a fork. One at a time: who forks
 * second waits for the first of them. */
static uintptr_t forking_thread;

static long futex(struct kma_lock *lock, int operation, uint32_t value)
{
	return sys_call(SYS_futex, (long)(uintptr_t)&lock->word,
			operation | FUTEX_PRIVATE_FLAG, value, 0, 0, 0);
}

static bool change(struct kma_lock *lock, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&lock->word, &from, to, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static uint32_t look(const struct kma_lock *lock)
{
	return __atomic_load_n(&lock->word, __ATOMIC_RELAXED);
}

static bool passes_through(const struct kma_lock *lock)
{
	return look(lock) >= LOCK_FORKING &&
	       __atomic_load_n(&forking_thread, __ATOMIC_RELAXED) ==
		       kma_arch_thread_pointer();
}

bool kma_lock_try(struct kma_lock *lock)
{
	return change(lock, LOCK_FREE, LOCK_HELD) || passes_through(lock);
}

static void wait_for(struct kma_lock *lock)
{
	for (int i = 0; i < SPINS; i++) {
		if (look(lock) == LOCK_FREE &&
		    change(lock, LOCK_FREE, LOCK_HELD))
			return;
		kma_arch_pause();
	}
	while (!change(lock, LOCK_FREE, LOCK_CONTENDED)) {
		uint32_t word = look(lock);
		uint32_t waited = word >= LOCK_FORKING ? LOCK_FORKING_WAITED
						       : LOCK_CONTENDED;

		if (word != LOCK_FREE &&
		    (word == waited || change(lock, word, waited)))
			futex(lock, FUTEX_WAIT, waited);
	}
}

void kma_lock_acquire(struct kma_lock *lock)
{
	if (__builtin_expect(!kma_lock_try(lock), 0))
		wait_for(lock);
}

void kma_lock_release(struct kma_lock *lock)
{
	if (__builtin_expect(look(lock) >= LOCK_FORKING, 0))
		return;
	if (__builtin_expect(__atomic_exchange_n(&lock->word, LOCK_FREE,
						 __ATOMIC_RELEASE) ==
				     LOCK_CONTENDED,
			     0))
		futex(lock, FUTEX_WAKE, 1);
}

void kma_lock_fork_hold(struct kma_lock *lock)
{
	kma_lock_acquire(lock);
	__atomic_store_n(&forking_thread, kma_arch_thread_pointer(),
			 __ATOMIC_RELAXED);
	/* Who slept before it was ours sleeps on. */
	if (!change(lock, LOCK_HELD, LOCK_FORKING))
		__atomic_store_n(&lock->word, LOCK_FORKING_WAITED,
				 __ATOMIC_RELAXED);
}

void kma_lock_fork_release(struct kma_lock *lock)
{
	if (__atomic_exchange_n(&lock->word, LOCK_FREE, __ATOMIC_RELEASE) ==
	    LOCK_FORKING_WAITED)
		futex(lock, FUTEX_WAKE, INT_MAX);
}

void kma_lock_reset(struct kma_lock *lock)
{
	__atomic_store_n(&lock->word, LOCK_FREE, __ATOMIC_RELAXED);
}
