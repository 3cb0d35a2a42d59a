/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a stack may be read.
 *
 * A thread runs on its own stack nearly always, so its bounds are learnt once
 * and kept in its record: from the kernel's list of mappings, as libc's answer
 * takes locks and memory. glibc puts a thread's descriptor, which the thread
 * pointer names, at the top of the stack it made, so a mapping that happens to
 * continue above is cut there. The main thread's stack grows down: its bound
 * is as low as it may become.
 *
 * The kernel takes longer to answer than a short-lived thread can spare. Who
 * sees a thread start knows how large a stack was asked for, and the descriptor
 * where it ends: that is enough to begin with. What lies below the bound that
 * follows from it is looked up as before.
 *
 * Any other stack (sigaltstack, coroutine) is looked up and kept in a small
 * table by the page of sp. Such memory may be unmapped and mapped again, so an
 * answer from the table is used only for what mincore still finds mapped.
 *
 * An interrupted function may have popped a register that its row still finds
 * below sp, in the red zone: that much below sp is readable too.
 */
#include "alloc/unwind.h"

#include "alloc/mapping.h"
#include "alloc/pages.h"
#include "alloc/sys.h"
#include "alloc/thread.h"

#include <string.h>
#include <sys/auxv.h>

enum {
	FOREIGN_SLOTS = 256, /* pages of stacks that are not a thread's own */
	FOREIGN_PAGES = 256, /* at most this much of one is read */
	/* The kernel keeps this much below the main stack free of mappings. */
	MAIN_STACK_GAP = 128 << 20,
};

/* One word, so that it is read and written whole: page of sp, pages above. */
enum { FOREIGN_COUNT_BITS = 12 };
static uint64_t foreign_table[FOREIGN_SLOTS];

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(uintptr_t)(KMA_PAGE_SIZE - 1);
}

/* Is every page of the range mapped? */
static bool all_mapped(uintptr_t page, size_t count)
{
	unsigned char vector[FOREIGN_PAGES];

	while (count > 0) {
		size_t some = count < FOREIGN_PAGES ? count : FOREIGN_PAGES;

		if (sys_call(SYS_mincore, (long)page,
			     (long)(some << KMA_PAGE_SHIFT), (long)vector, 0, 0,
			     0) != 0)
			return false;
		page += some << KMA_PAGE_SHIFT;
		count -= some;
	}
	return true;
}

/* [sp - red zone, top), but nothing below floor. */
static struct kma_bounds bounds_make(uintptr_t sp, uintptr_t floor,
				     uintptr_t top)
{
	uintptr_t low = sp - KMA_ARCH_REDZONE;

	return (struct kma_bounds){ low < floor ? floor : low, top };
}

static struct kma_bounds foreign_bounds(uintptr_t sp, uintptr_t end)
{
	uintptr_t page = page_of(sp);
	size_t count = (end - page) >> KMA_PAGE_SHIFT;

	if (count > FOREIGN_PAGES)
		count = FOREIGN_PAGES;
	__atomic_store_n(
		&foreign_table[(page >> KMA_PAGE_SHIFT) % FOREIGN_SLOTS],
		(page >> KMA_PAGE_SHIFT) << FOREIGN_COUNT_BITS | count,
		__ATOMIC_RELAXED);
	return bounds_make(sp, page, page + (count << KMA_PAGE_SHIFT));
}

static bool foreign_recall(uintptr_t sp, struct kma_bounds *ret)
{
	uintptr_t number = sp >> KMA_PAGE_SHIFT;
	uint64_t word = __atomic_load_n(&foreign_table[number % FOREIGN_SLOTS],
					__ATOMIC_RELAXED);
	size_t count = word & ((1U << FOREIGN_COUNT_BITS) - 1);

	if (word >> FOREIGN_COUNT_BITS != number ||
	    !all_mapped(page_of(sp), count))
		return false;
	*ret = bounds_make(sp, page_of(sp),
			   page_of(sp) + (count << KMA_PAGE_SHIFT));
	return true;
}

/*
 * top is stored last: zero until then, it tells a signal handler that comes
 * between the stores that nothing is known yet.
 */
static struct kma_bounds own_bounds(struct kma_thread *self, uintptr_t sp,
				    uintptr_t low, uintptr_t top)
{
	self->stack_low = low;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self->stack_top = top;
	return bounds_make(sp, low, top);
}

/* The guard is not part of a stack's size; the descriptor, which has something
 * behind it, and the thread's variables are, and so may be what aligning them
 * took. */
void kma_bounds_started(struct kma_thread *self, size_t size)
{
	enum { UNSURE = 16 << 10 }; /* of where it begins */
	uintptr_t top = kma_arch_thread_pointer();
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t low = page_of(top - size + UNSURE);

	if (size > UNSURE && size < top && low < here && here < top)
		own_bounds(self, here, low, top);
}

/*
 * Without /proc: the thread's descriptor is its stack's top, and the main
 * thread's stack reaches to where the kernel put the program's name.
 */
static struct kma_bounds bounds_infer(struct kma_thread *self, uintptr_t sp)
{
	uintptr_t top = kma_arch_thread_pointer(), page = page_of(sp);

	if (top < sp)
		top = getauxval(AT_EXECFN) & ~(uintptr_t)7;
	if (self && top > sp && top - sp < MAIN_STACK_GAP &&
	    all_mapped(page, (page_of(top) - page) >> KMA_PAGE_SHIFT))
		return own_bounds(self, sp, page, top);
	if (all_mapped(page, 1))
		return foreign_bounds(sp, page + KMA_PAGE_SIZE);
	return (struct kma_bounds){ sp, sp };
}

/* The kernel's name for it, or what it put there: some (gVisor, valgrind) do
 * not name mappings. */
static bool is_main_stack(const struct kma_mapping *mapping, const char *name)
{
	uintptr_t program = getauxval(AT_EXECFN);

	return strcmp(name, "[stack]") == 0 ||
	       (program >= mapping->start && program < mapping->end);
}

static struct kma_bounds bounds_learn(struct kma_thread *self, uintptr_t sp)
{
	struct kma_mapping mapping;
	uintptr_t descriptor = kma_arch_thread_pointer();
	char name[16];

	if (!kma_mapping_find(sp, &mapping, name, sizeof(name)))
		return bounds_infer(self, sp);
	if (!mapping.readable)
		return (struct kma_bounds){ sp, sp };
	if (self && is_main_stack(&mapping, name))
		return own_bounds(self, sp, mapping.end - MAIN_STACK_GAP,
				  mapping.end);
	if (self && descriptor > sp && descriptor < mapping.end)
		return own_bounds(self, sp, mapping.start, descriptor);
	return foreign_bounds(sp, mapping.end);
}

struct kma_bounds kma_bounds_find(uintptr_t sp)
{
	struct kma_thread *self = kma_self;
	struct kma_bounds bounds;

	if (self && kma_bounds_own(self, sp, &bounds))
		return bounds;
	if (foreign_recall(sp, &bounds))
		return bounds;
	return bounds_learn(self, sp);
}

bool kma_bounds_is_own(const struct kma_bounds *bounds)
{
	return kma_self && bounds->top == kma_self->stack_top;
}

/* The main thread may have been on other stacks alone until now: its own is
 * where the kernel put the program's name. */
static void learn_main(struct kma_thread *self)
{
	if (self->stack_top == 0 && self->tid == (uint32_t)sys_getpid())
		bounds_learn(self, getauxval(AT_EXECFN));
}

/* The main thread's bounds reach below what is mapped of its stack. */
bool kma_bounds_find_own(uintptr_t sp, struct kma_bounds *ret)
{
	struct kma_bounds own;

	if (kma_self)
		learn_main(kma_self);
	if (!kma_self || !kma_bounds_own(kma_self, sp, &own) ||
	    !all_mapped(page_of(sp), 1))
		return false;
	*ret = (struct kma_bounds){ sp, own.top };
	return true;
}
