/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kmem_alloc and kmem_free, as the kernels' headers call them: the shared
 * allocation with exact sizes, each kernel's rules for what is no size and no
 * pointer, and sleep.
 */
#include "alloc/kmem.h"

#include "alloc/allocate.h"
#include "alloc/clock.h"
#include "alloc/fast_kernel.h"
#include "alloc/guard.h"
#include "alloc/intr.h"
#include "alloc/log.h"
#include "alloc/options.h"
#include "alloc/reap.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/thread.h"
#include "alloc/wait.h"

#include "kma/kma.h"

#include <errno.h>

static const char *function_of(unsigned flags, bool alloc)
{
	if (!(flags & KMA_PERSONALITY))
		return alloc ? "kma_alloc" : "kma_free";
	if (flags & KMA_INTR && (flags & KMA_PERSONALITY) == KMA_NETBSD)
		return alloc ? "kmem_intr_alloc" : "kmem_intr_free";
	return alloc ? "kmem_alloc" : "kmem_free";
}

size_t kma_kmem_align(size_t size)
{
	if (size < 16)
		return 8;
	if (size % KMA_PAGE_SIZE == 0)
		return KMA_PAGE_SIZE;
	return size % 64 == 0 ? 64 : 16;
}

/* --- sleeping ---------------------------------------------------------------
 */

struct shortage {
	const struct kma_request *request;
	void *p;
};

static bool attempt(void *context)
{
	struct shortage *shortage = context;

	shortage->p = kma_allocate(shortage->request);
	return shortage->p != NULL;
}

static bool possible(void *context)
{
	const struct shortage *shortage = context;
	size_t limit = kma_pages_limit();
	size_t most = limit ? limit
			    : (kma_reserve.heap.end - kma_reserve.heap.base) >>
				      KMA_PAGE_SHIFT;

	return shortage->request->size <= most << KMA_PAGE_SHIFT;
}

static void relieve(void *context)
{
	(void)context;
	kma_reap_everything();
}

void *kma_kmem_sleep(const struct kma_request *request, const char *function)
{
	struct shortage shortage = { .request = request };

	kma_wait_until(&(struct kma_wanted){
		.kind = KMA_WAIT_HEAP,
		.name = "the heap",
		.function = function,
		.size = request->size,
		.attempt = attempt,
		.possible = possible,
		.relieve = relieve,
		.context = &shortage,
	});
	return shortage.p;
}

/* --- the calls -------------------------------------------------------------
 */

/* The caller has not entered. SLEEP is taken back where it may not be. */
static bool check_call(unsigned *flags)
{
	const char *function = function_of(*flags, true);

	if (!kma_flags_fit(*flags, function))
		return false;
	if (__builtin_expect(
		    !kma_intr_depth_now() && !kma_thread_inside(kma_self), 1))
		return true;
	if (*flags & KMA_SLEEP ||
	    (kma_intr_depth_now() && !(*flags & KMA_INTR))) {
		kma_intr_refuse(function, NULL);
		*flags = (*flags & ~(unsigned)KMA_SLEEP) | KMA_NOSLEEP;
	}
	return true;
}

static void count_zero_sized(void)
{
	struct kma_thread *self = kma_thread_enter();

	__atomic_add_fetch(&kma_root.zero_sized, 1, __ATOMIC_RELAXED);
	if (kma_init() && kma_log_keeps_failures())
		kma_log_failure(kma_clock_now(), 0,
				kma_stack_intern(KMA_STACK_OF_FREE), 0);
	kma_thread_leave(self);
}

/* What a request of no bytes is, by the environment or by the kernel. */
static enum kma_zero_size zero_rule(unsigned flags)
{
	if (kma_options.zero_size != KMA_ZERO_BY_KERNEL)
		return kma_options.zero_size;
	switch (flags & KMA_PERSONALITY) {
	case KMA_BSD:
		return KMA_ZERO_MIN;
	case KMA_ILLUMOS:
		return KMA_ZERO_NULL_LOG;
	default:
		return KMA_ZERO_ABORT;
	}
}

bool kma_kmem_size_fits(size_t *size, unsigned flags)
{
	if (__builtin_expect(*size != 0, 1))
		return true;
	switch (zero_rule(flags)) {
	case KMA_ZERO_MIN:
		*size = 1;
		return true;
	case KMA_ZERO_NULL_LOG:
		count_zero_sized();
		return false;
	default:
		kma_report(&(struct kma_report){
			.code = KMA_ERROR_ZEROSIZE,
			.function = function_of(flags, true),
		});
		return false;
	}
}

static void *fail(unsigned flags)
{
	if (flags & KMA_PANIC)
		kma_report(&(struct kma_report){
			.code = KMA_ERROR_LIMIT,
			.function = function_of(flags, true),
		});
	return NULL;
}

__attribute__((noinline)) static void *allocate(size_t size, unsigned flags)
{
	struct kma_request request;
	void *p;

	if (!check_call(&flags) || !kma_kmem_size_fits(&size, flags))
		return NULL;
	request = (struct kma_request){
		.size = size,
		.align = kma_kmem_align(size),
		.family = KMA_FAMILY_KMEM,
		.zero = flags & KMA_ZERO,
		.must = flags & KMA_SLEEP,
	};
	p = kma_allocate(&request);
	if (__builtin_expect(p != NULL, 1))
		return p;
	return flags & KMA_SLEEP
		       ? kma_kmem_sleep(&request, function_of(flags, true))
		       : fail(flags);
}

KMA_ENTRY void *kma_alloc(size_t size, unsigned flags)
{
	void *p = kma_fast_kmem_alloc(size, flags);

	return __builtin_expect(p != NULL, 1) ? p : allocate(size, flags);
}

__attribute__((noinline)) static void release(void *p, size_t size,
					      unsigned flags)
{
	const char *function = function_of(flags, false);

	if (kma_intr_depth_now() && !(flags & KMA_INTR))
		kma_intr_refuse(function, NULL);
	if (!p) {
		/* What zero_size gave for no bytes may come back. */
		if (size || ((flags & KMA_PERSONALITY) != KMA_ILLUMOS &&
			     kma_options.zero_size != KMA_ZERO_NULL_LOG))
			kma_report(&(struct kma_report){
				.code = KMA_ERROR_NULLFREE,
				.function = function,
			});
		return;
	}
	if (size == 0 && zero_rule(flags) == KMA_ZERO_MIN)
		size = 1; /* what it was given */
	kma_release(p, size, KMA_FAMILY_KMEM, function);
}

KMA_ENTRY void kma_free(void *p, size_t size, unsigned flags)
{
	if (!kma_fast_kmem_free(p, size))
		release(p, size, flags);
}

/* --- the limit of the heap --------------------------------------------------
 */

void kma_set_heap_limit(size_t bytes)
{
	struct kma_thread *self = kma_thread_enter();

	kma_pages_set_limit((bytes + KMA_PAGE_SIZE - 1) >> KMA_PAGE_SHIFT);
	kma_root.heap_limit = bytes;
	kma_thread_leave(self);
	kma_wait_wake();
}

size_t kma_heap_limit(void)
{
	return kma_root.heap_limit;
}

size_t kma_heap_used(void)
{
	struct kma_thread *self = kma_thread_enter();
	size_t free_pages, extent;

	kma_pages_count(&free_pages, &extent);
	kma_thread_leave(self);
	return (extent - free_pages) << KMA_PAGE_SHIFT;
}
