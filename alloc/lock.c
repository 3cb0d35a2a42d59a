/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/lock.h"

#include "alloc/sys.h"

#include <linux/futex.h>

enum { LOCK_FREE, LOCK_HELD, LOCK_CONTENDED };

/* Holders leave within a microsecond as a rule: look again before sleeping. */
enum { SPINS = 100 };

static void spin_pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static long futex(struct kma_lock *lock, int operation, uint32_t value)
{
	return sys_call(SYS_futex, (long)(uintptr_t)&lock->word,
			operation | FUTEX_PRIVATE_FLAG, value, 0, 0, 0);
}

bool kma_lock_try(struct kma_lock *lock)
{
	uint32_t expected = LOCK_FREE;

	return __atomic_compare_exchange_n(&lock->word, &expected, LOCK_HELD,
					   false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static void wait_for(struct kma_lock *lock)
{
	for (int i = 0; i < SPINS; i++) {
		if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) ==
			    LOCK_FREE &&
		    kma_lock_try(lock))
			return;
		spin_pause();
	}
	while (__atomic_exchange_n(&lock->word, LOCK_CONTENDED,
				   __ATOMIC_ACQUIRE) != LOCK_FREE)
		futex(lock, FUTEX_WAIT, LOCK_CONTENDED);
}

void kma_lock_acquire(struct kma_lock *lock)
{
	if (__builtin_expect(!kma_lock_try(lock), 0))
		wait_for(lock);
}

void kma_lock_release(struct kma_lock *lock)
{
	if (__builtin_expect(__atomic_exchange_n(&lock->word, LOCK_FREE,
						 __ATOMIC_RELEASE) ==
				     LOCK_CONTENDED,
			     0))
		futex(lock, FUTEX_WAKE, 1);
}

void kma_lock_reset(struct kma_lock *lock)
{
	__atomic_store_n(&lock->word, LOCK_FREE, __ATOMIC_RELAXED);
}
