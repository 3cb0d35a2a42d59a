/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of kma/vmem.h: arguments checked, a segment found or a span
 * imported, waiting where that is allowed, misuse told.
 */
#include "alloc/vmem.h"

#include "alloc/clock.h"
#include "alloc/intr.h"
#include "alloc/reap.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/thread.h"
#include "alloc/vmem_impl.h"
#include "alloc/wait.h"

#include <errno.h>

enum {
	SLEEP_FLAGS = KMA_VM_SLEEP | KMA_VM_NOSLEEP,
	FIT_FLAGS = KMA_VM_INSTANTFIT | KMA_VM_BESTFIT | KMA_VM_FIRSTFIT |
		    KMA_VM_NEXTFIT,
	ALLOC_FLAGS = SLEEP_FLAGS | FIT_FLAGS | KMA_VM_PANIC | KMA_VM_MAYFAIL,
	LARGE_IMPORT = 16, /* times what is asked for */
};

struct kma_thread *kma_vmem_enter(struct kma_lock *lock)
{
	struct kma_thread *self = kma_thread_enter();

	kma_lock_acquire(lock);
	return self;
}

void kma_vmem_leave(struct kma_lock *lock, struct kma_thread *self)
{
	kma_lock_release(lock);
	kma_thread_leave(self);
}

/* --- misuse ------------------------------------------------------------------
 */

static int refuse(enum kma_error_code code, struct kma_vmem *vmem,
		  const char *function, size_t size, uintptr_t argument)
{
	const struct kma_report report = {
		.code = code,
		.function = function,
		.vmem = vmem,
		.claimed_size = size,
		.address = argument,
	};

	kma_report(&report);
	return EINVAL;
}

static bool is_power(size_t number)
{
	return number && (number & (number - 1)) == 0;
}

static bool one_or_none(unsigned flags)
{
	return (flags & (flags - 1)) == 0;
}

/*
 * An arena's locks are waited for, so no handler that interrupted the library
 * can be served; one that did not, and says that it is one, must not sleep.
 */
static int check_context(const struct kma_vmem *vmem, const char *function,
			 unsigned *flags)
{
	bool inside = kma_thread_inside(kma_self);

	if (!inside && !kma_intr_depth_now()) {
		if (kma_vmem_deferred_count)
			kma_vmem_free_deferred();
		return 0;
	}
	if (!kma_vmem_is_safe(vmem) || *flags & KMA_VM_SLEEP)
		kma_intr_refuse(function, vmem->name);
	*flags = (*flags & ~(unsigned)KMA_VM_SLEEP) | KMA_VM_NOSLEEP;
	return inside ? ENOMEM : 0;
}

static int check_call(struct kma_vmem *vmem, const char *function, size_t size,
		      unsigned *flags_in)
{
	unsigned flags = *flags_in;

	if (size == 0)
		return refuse(KMA_ERROR_ZEROSIZE, vmem, function, size, 0);
	if (!is_power(flags & SLEEP_FLAGS) || !one_or_none(flags & FIT_FLAGS) ||
	    (flags & ~(unsigned)ALLOC_FLAGS))
		return refuse(KMA_ERROR_BADFLAGS, vmem, function, size, flags);
	return check_context(vmem, function, flags_in);
}

static bool is_consistent(const struct kma_vmem *vmem,
			  const struct kma_vmem_want *want)
{
	size_t units = want->align | want->phase | want->nocross;

	return is_power(want->align) && want->phase < want->align &&
	       units % vmem->quantum == 0 && want->min <= want->max &&
	       (!want->nocross ||
		(is_power(want->nocross) &&
		 want->phase % want->nocross + want->size <= want->nocross));
}

/* --- taking and putting ------------------------------------------------------
 */

static struct kma_vmem_origin origin_now(void)
{
	struct kma_vmem_origin origin = { 0 };

	if (kma_root.tier < KMA_TIER_AUDIT)
		return origin;

	struct kma_thread *self = kma_thread_enter();

	origin.time = kma_clock_now();
	origin.thread = self ? self->tid : 0;
	origin.stack = kma_stack_intern(KMA_STACK_OF_ALLOC);
	kma_thread_leave(self);
	return origin;
}

static void settle(struct kma_vmem *vmem, struct kma_vmem_seg *seg, size_t size,
		   enum kma_vmem_giver giver,
		   const struct kma_vmem_origin *origin)
{
	seg->size = size;
	seg->giver = (uint8_t)giver;
	seg->time = origin->time;
	seg->stack = origin->stack;
	seg->thread = origin->thread;
	vmem->next_fit = seg;
	vmem->next_fit_at = seg->start + seg->length;
	vmem->alloc++;
}

static bool may_import(const struct kma_vmem *vmem,
		       const struct kma_vmem_want *want)
{
	return vmem->source.import && !want->nocross && !want->min &&
	       want->max == UINTPTR_MAX;
}

static bool within_limit(const struct kma_vmem *vmem, size_t size)
{
	return vmem->in_use <= vmem->limit &&
	       size <= vmem->limit - vmem->in_use;
}

/* A span from the source, without locks. 0 or an errno number. */
static int import(struct kma_vmem *vmem, const struct kma_vmem_want *want,
		  unsigned flags, uintptr_t *address, size_t *size)
{
	size_t enough, large;

	if (__builtin_add_overflow(want->size, want->align - vmem->quantum,
				   &enough))
		return ENOMEM;
	flags &= SLEEP_FLAGS;
	if ((vmem->flags & KMA_VMC_LARGEIMPORT) &&
	    !__builtin_mul_overflow(enough, LARGE_IMPORT, &large)) {
		*size = large;
		if (vmem->source.import(&vmem->source, size, KMA_VM_NOSLEEP,
					address) == 0)
			return 0;
	}
	if (vmem->source.quantum &&
	    __builtin_add_overflow(enough, vmem->source.quantum - 1, &enough))
		return ENOMEM;
	if (vmem->source.quantum)
		enough -= enough % vmem->source.quantum;
	*size = enough;
	int failed = vmem->source.import(&vmem->source, size, flags, address);

	if (!failed && (*size < enough || *size % vmem->quantum ||
			*address % vmem->quantum)) {
		if (vmem->source.release)
			vmem->source.release(&vmem->source, *address, *size);
		failed = EINVAL;
	}
	return failed;
}

/* The arena has no room: import some, and take from that before others do. */
static struct kma_vmem_seg *take_imported(struct kma_vmem *vmem,
					  const struct kma_vmem_want *want,
					  unsigned flags,
					  struct kma_thread **self)
{
	struct kma_vmem_seg *seg = NULL;
	uintptr_t address, at;
	size_t size;

	kma_vmem_leave(&vmem->lock, *self);
	int failed = import(vmem, want, flags, &address, &size);

	*self = kma_vmem_enter(&vmem->lock);
	if (failed)
		return NULL;
	seg = kma_vmem_span_add(vmem, address, size, true);
	if (!seg) {
		kma_vmem_leave(&vmem->lock, *self);
		if (vmem->source.release)
			vmem->source.release(&vmem->source, address, size);
		*self = kma_vmem_enter(&vmem->lock);
		return NULL;
	}
	if (!kma_vmem_fits(seg->start, seg->length, want, &at))
		return NULL;
	return kma_vmem_cut(vmem, seg, at, want->size);
}

int kma_vmem_take(struct kma_vmem *vmem, const struct kma_vmem_want *want,
		  size_t size, unsigned flags, enum kma_vmem_giver giver,
		  const struct kma_vmem_origin *origin,
		  struct kma_vmem_seg **ret)
{
	struct kma_thread *self = kma_vmem_enter(&vmem->lock);
	struct kma_vmem_seg *seg = NULL;
	uintptr_t at;

	if (within_limit(vmem, want->size)) {
		seg = kma_vmem_find(vmem, want, flags, &at);
		if (seg)
			seg = kma_vmem_cut(vmem, seg, at, want->size);
		else if (may_import(vmem, want))
			seg = take_imported(vmem, want, flags, &self);
	}
	if (seg) {
		settle(vmem, seg, size, giver, origin);
		*ret = seg;
	}
	kma_vmem_leave(&vmem->lock, self);
	return seg ? 0 : ENOMEM;
}

static enum kma_vmem_freed check_segment(const struct kma_vmem_seg *seg,
					 size_t size, enum kma_vmem_giver giver,
					 size_t *found)
{
	if (!seg)
		return KMA_VMEM_NOT_THERE;
	if (seg->giver != giver)
		return KMA_VMEM_NOT_OURS;
	*found = seg->size;
	return seg->size == size ? KMA_VMEM_FREED : KMA_VMEM_BAD_SIZE;
}

enum kma_vmem_freed kma_vmem_put(struct kma_vmem *vmem, uintptr_t address,
				 size_t size, enum kma_vmem_giver giver,
				 size_t *found)
{
	struct kma_thread *self = kma_vmem_enter(&vmem->lock);
	struct kma_vmem_seg *seg = kma_vmem_lookup(vmem, address);
	enum kma_vmem_freed freed = check_segment(seg, size, giver, found);
	bool release = false;
	uintptr_t span;
	size_t span_size;

	if (freed == KMA_VMEM_FREED) {
		vmem->free++;
		release = kma_vmem_merge(vmem, seg, &span, &span_size);
	}
	kma_vmem_leave(&vmem->lock, self);
	if (release)
		vmem->source.release(&vmem->source, span, span_size);
	if (freed == KMA_VMEM_FREED)
		kma_wait_wake_fenced();
	return freed;
}

/* --- allocating --------------------------------------------------------------
 */

static bool could_ever(struct kma_vmem *vmem, const struct kma_vmem_want *want)
{
	struct kma_thread *self = kma_vmem_enter(&vmem->lock);
	bool could = may_import(vmem, want)
			     ? want->size <= vmem->limit
			     : (!vmem->spans && want->size <= vmem->limit) ||
				       kma_vmem_could_grant(vmem, want);

	kma_vmem_leave(&vmem->lock, self);
	return could;
}

static void count_failure(struct kma_vmem *vmem)
{
	__atomic_add_fetch(&vmem->alloc_fail, 1, __ATOMIC_RELAXED);
}

static int fail(struct kma_vmem *vmem, const char *function, size_t size,
		unsigned flags)
{
	count_failure(vmem);
	if (flags & KMA_VM_PANIC)
		refuse(KMA_ERROR_LIMIT, vmem, function, size, 0);
	return ENOMEM;
}

/* --- waiting ----------------------------------------------------------------
 */

struct shortage {
	struct kma_vmem *vmem;
	const struct kma_vmem_want *want;
	size_t size;
	unsigned flags;
	enum kma_vmem_giver giver;
	struct kma_vmem_origin origin;
	uintptr_t address;
};

/* One try; through a quantum cache where one serves the size. */
static bool attempt(void *context)
{
	struct shortage *shortage = context;
	struct kma_vmem *vmem = shortage->vmem;
	struct kma_vmem_seg *seg;

	if (shortage->giver == KMA_VMEM_BY_ALLOC &&
	    kma_vmem_qcache_take(kma_vmem_qcache_for(vmem, shortage->size),
				 shortage->size, &shortage->origin,
				 &shortage->address))
		return true;
	if (kma_vmem_take(vmem, shortage->want, shortage->size, shortage->flags,
			  shortage->giver, &shortage->origin, &seg))
		return false;
	shortage->address = seg->start;
	return true;
}

/* What the client can give up. */
static bool reclaimed(struct shortage *shortage)
{
	struct kma_vmem *vmem = shortage->vmem;

	if (!vmem->reclaim || kma_intr_depth_now())
		return false;
	vmem->reclaim(vmem, shortage->flags & SLEEP_FLAGS);
	return attempt(shortage);
}

static bool possible(void *context)
{
	const struct shortage *shortage = context;

	return could_ever(shortage->vmem, shortage->want);
}

/* The slabs of its own quantum caches; then whoever may draw on it. */
static void relieve(void *context)
{
	const struct shortage *shortage = context;

	kma_vmem_reap(shortage->vmem);
	if (shortage->vmem->reclaim)
		shortage->vmem->reclaim(shortage->vmem,
					shortage->flags & SLEEP_FLAGS);
	if (shortage->vmem->source.import)
		kma_reap_everything();
	else
		kma_reap_importers();
}

static bool sleep_for(struct shortage *shortage, const char *function)
{
	struct kma_vmem *vmem = shortage->vmem;

	__atomic_add_fetch(&vmem->waits, 1, __ATOMIC_RELAXED);
	return kma_wait_until(&(struct kma_wanted){
		.kind = KMA_WAIT_ARENA,
		.name = vmem->name,
		.function = function,
		.vmem = vmem,
		.size = shortage->size,
		.may_fail = shortage->flags & KMA_VM_MAYFAIL,
		.attempt = attempt,
		.possible = possible,
		.relieve = relieve,
		.context = shortage,
	});
}

static int allocate(struct kma_vmem *vmem, const char *function,
		    const struct kma_vmem_want *want, size_t size,
		    unsigned flags, enum kma_vmem_giver giver,
		    uintptr_t *address)
{
	struct shortage shortage = {
		.vmem = vmem,
		.want = want,
		.size = size,
		.flags = flags,
		.giver = giver,
		.origin = origin_now(),
	};

	if (!attempt(&shortage) && !reclaimed(&shortage) &&
	    (!(flags & KMA_VM_SLEEP) || !sleep_for(&shortage, function)))
		return fail(vmem, function, size, flags);
	*address = shortage.address;
	return 0;
}

int kma_vmem_alloc(struct kma_vmem *vmem, size_t size, unsigned flags,
		   uintptr_t *address)
{
	static const char function[] = "kma_vmem_alloc";
	const struct kma_vmem_want want = {
		.size = kma_vmem_roundup(vmem, size),
		.align = vmem->quantum,
		.max = UINTPTR_MAX,
	};
	int failed = check_call(vmem, function, size, &flags);

	if (failed)
		return failed;
	if (want.size == 0)
		return fail(vmem, function, size, flags);
	return allocate(vmem, function, &want, size, flags,
			size <= vmem->qcache_max ? KMA_VMEM_BY_ALLOC
						 : KMA_VMEM_BY_XALLOC,
			address);
}

/* NOLINTNEXTLINE(*-function-size): vmem(9)'s arguments */
int kma_vmem_xalloc(struct kma_vmem *vmem, size_t size, size_t align,
		    size_t phase, size_t nocross, uintptr_t min, uintptr_t max,
		    unsigned flags, uintptr_t *address)
{
	static const char function[] = "kma_vmem_xalloc";
	const struct kma_vmem_want want = {
		.size = kma_vmem_roundup(vmem, size),
		.align = align ? align : vmem->quantum,
		.phase = phase,
		.nocross = nocross,
		.min = min,
		.max = max,
	};
	int failed = check_call(vmem, function, size, &flags);

	if (failed)
		return failed;
	if (want.size == 0)
		return fail(vmem, function, size, flags);
	if (!is_consistent(vmem, &want))
		return refuse(KMA_ERROR_IMPOSSIBLE, vmem, function, size, 0);
	return allocate(vmem, function, &want, size, flags, KMA_VMEM_BY_XALLOC,
			address);
}
