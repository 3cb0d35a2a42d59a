/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	right:	| start ..... user ... end .|guard|	end as near to it as
 *	left:	|guard| user ......... end .......|	alignment lets it be
 *	filled:	|guard| user ......... end .|guard|	where no guard bytes
 *						fit at the other side
 *
 * What lies between the request and the edges of its pages is guard bytes,
 * verified when the buffer is freed. Freeing makes all pages untouchable, and
 * the buffer the youngest of a queue; the oldest leaves it, and its pages go.
 *
 * MADV_GUARD_INSTALL (Linux 6.13) marks pages without cutting the mapping, so
 * any number of guards fit under vm.max_map_count, and gives their memory back.
 * Before that only mprotect() is left, with two mappings a guard: then at most
 * FALLBACK_MAX stand at a time, and a buffer beyond has none, which is counted
 * in kma_root.guards_missing.
 *
 * A buffer of a few bytes has a page. So that a program with millions of them
 * does not take all memory, live ones have at most guard_limit bytes of pages,
 * or half of what was available at the start; those beyond are audited, and
 * counted, too.
 *
 * System calls do not fault: read(2) into a guard returns EFAULT or less than
 * was asked for.
 */
#include "alloc/guard.h"

#include "alloc/audit.h"
#include "alloc/available.h"
#include "alloc/dump_signal.h"
#include "alloc/meta.h"
#include "alloc/options.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/slab.h"
#include "alloc/slab_queue.h"
#include "alloc/sys.h"

#include <sys/mman.h>

enum {
	FALLBACK_MAX = 8192,
	SHARE_WAITING = 4, /* of the heap's addresses, freed ones: a quarter */
	SHARE_OF_MEMORY = 2, /* of what is available, live ones: half */
};

/* What of a slab cannot be touched: kma_slab.guarded. */
enum { EDGE_BEFORE = 1, BUFFER = 2, EDGE_BEHIND = 4 };

static bool no_markers;        /* the kernel has no MADV_GUARD_INSTALL */
static uint32_t fallback_used; /* ranges that mprotect() made untouchable */

static void release(struct kma_slab *slab);

static struct kma_slab_queue queue = { .release = release }; /* size 0: none
								waits */

/* Bytes of pages that live buffers have, and may. */
static size_t memory_used, memory_max;

static size_t memory_share(void)
{
	size_t available;

	if (kma_options.guard_limit)
		return kma_options.guard_limit;
	available = kma_memory_available();
	return available == SIZE_MAX ? SIZE_MAX : available / SHARE_OF_MEMORY;
}

bool kma_guard_init(void)
{
	size_t depth = kma_options.guard_depth;

	if (!kma_options.guards)
		return true;
	memory_max = memory_share();
	if (depth == 0)
		return true;
	queue.slab = kma_meta_alloc(depth * sizeof(queue.slab[0]));
	queue.size = queue.slab ? depth : 0;
	kma_root.guard_depth = queue.size;
	return queue.slab != NULL;
}

/* --- guards ----------------------------------------------------------------
 */

static bool place_by_protection(uintptr_t base, size_t size)
{
	if (__atomic_add_fetch(&fallback_used, 1, __ATOMIC_RELAXED) <=
		    FALLBACK_MAX &&
	    sys_mprotect(base, size, PROT_NONE) == 0) {
		sys_madvise(base, size, MADV_DONTNEED);
		return true;
	}
	__atomic_sub_fetch(&fallback_used, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&kma_root.guards_missing, 1, __ATOMIC_RELAXED);
	return false;
}

/* Not while somebody looks at buffers without a lock: he may be at this one. */
static bool place(uintptr_t base, size_t size)
{
	if (kma_audit_is_verifying())
		return false;
	if (!__atomic_load_n(&no_markers, __ATOMIC_RELAXED)) {
		if (sys_madvise(base, size, SYS_GUARD_INSTALL) == 0)
			return true;
		__atomic_store_n(&no_markers, true, __ATOMIC_RELAXED);
	}
	return place_by_protection(base, size);
}

/* Both ways back: which one made the guard is not known of each. */
static void lift(uintptr_t base, size_t size)
{
	long result = sys_madvise(base, size, SYS_GUARD_REMOVE);

	if (result == 0 && !__atomic_load_n(&no_markers, __ATOMIC_RELAXED))
		return;
	if (result == -EPERM && sys_map_anew(base, size))
		return; /* a filter's doing: a marker would have stayed */
	sys_mprotect(base, size, PROT_READ | PROT_WRITE);
	__atomic_sub_fetch(&fallback_used, 1, __ATOMIC_RELAXED);
}

static uintptr_t edge_before(const struct kma_slab *slab)
{
	return slab->base + slab->first - KMA_PAGE_SIZE;
}

static uintptr_t edge_behind(const struct kma_slab *slab)
{
	return slab->base + slab->first + slab->stride;
}

static bool has_page_behind(const struct kma_slab *slab)
{
	return edge_behind(slab) < slab->base + kma_slab_bytes(slab);
}

static void place_edges(struct kma_slab *slab)
{
	if (slab->first && place(edge_before(slab), KMA_PAGE_SIZE))
		slab->guarded |= EDGE_BEFORE;
	if (has_page_behind(slab) && place(edge_behind(slab), KMA_PAGE_SIZE))
		slab->guarded |= EDGE_BEHIND;
}

static void lift_edges(struct kma_slab *slab)
{
	if (slab->guarded & EDGE_BEFORE)
		lift(edge_before(slab), KMA_PAGE_SIZE);
	if (slab->guarded & EDGE_BEHIND)
		lift(edge_behind(slab), KMA_PAGE_SIZE);
}

/* --- memory
 * -------------------------------------------------------------------
 */

static void unreserve(size_t size)
{
	__atomic_sub_fetch(&memory_used, size, __ATOMIC_RELAXED);
}

/* False: there is no memory for so many pages more. Told once. */
static bool reserve(size_t size)
{
	static bool told;
	size_t used = __atomic_load_n(&memory_used, __ATOMIC_RELAXED);

	while (size <= memory_max && used <= memory_max - size)
		if (__atomic_compare_exchange_n(
			    &memory_used, &used, used + size, true,
			    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	__atomic_add_fetch(&kma_root.guards_missing, 1, __ATOMIC_RELAXED);
	if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
		kma_message("guarded buffers take all the memory that they "
			    "may (guard_limit): others are audited");
	return false;
}

/* --- taking ------------------------------------------------------------------
 */

static void set_words(const struct kma_slab *slab)
{
	kma_pages_set(slab->base, slab->pages,
		      kma_pages_word(slab, KMA_PAGE_LARGE, KMA_TIER_GUARD,
				     slab->cache->index));
}

/* Pages of a request, without its guard; 0: more than there can be. */
static size_t pages_for(size_t size)
{
	if (size > PTRDIFF_MAX - KMA_PAGE_SIZE)
		return 0;
	return size ? (size + KMA_PAGE_SIZE - 1) >> KMA_PAGE_SHIFT : 1;
}

/* Whose handler comes first when a guard is touched. */
static void keep_signals(void)
{
	enum { EVERY = 16 };
	static unsigned taken;

	if (__atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED) % EVERY == 0)
		kma_dump_keep_signals();
}

bool kma_guard_take(struct kma_cache *cache, size_t size, size_t align,
		    struct kma_buffer *ret)
{
	size_t step = align > KMA_PAGE_SIZE ? align : KMA_PAGE_SIZE;
	size_t count = pages_for(size), bytes = count << KMA_PAGE_SHIFT;
	bool filled = bytes - size < (align > 16 ? align : 16);
	size_t first = kma_options.guard_left || filled ? step : 0;
	size_t behind = kma_options.guard_left && !filled ? 0 : 1;
	size_t pages = (first >> KMA_PAGE_SHIFT) + count + behind;
	bool zeroed;

	if (!count || !reserve(bytes))
		return false;

	uintptr_t base = kma_pages_alloc(pages, step, &zeroed);
	struct kma_slab *slab =
		base ? kma_slab_create_large(cache, base, pages, first,
					     KMA_TIER_GUARD, zeroed)
		     : NULL;

	if (!slab) {
		if (base)
			kma_pages_free(base, pages);
		unreserve(bytes);
		return false;
	}
	keep_signals();
	slab->stride = bytes;
	place_edges(slab);
	set_words(slab);
	*ret = (struct kma_buffer){ .slab = slab,
				    .start = base + first,
				    .bufctl = slab->bufctls };
	return true;
}

uintptr_t kma_guard_user(const struct kma_buffer *buffer, size_t size,
			 size_t align)
{
	const struct kma_slab *slab = buffer->slab;

	if (kma_options.guard_left)
		return buffer->start;
	if (align < 16)
		align = 16;
	return (buffer->start + slab->stride - size) & ~(uintptr_t)(align - 1);
}

/* --- giving back -------------------------------------------------------------
 */

static void release(struct kma_slab *slab)
{
	lift_edges(slab);
	if (slab->guarded & BUFFER)
		lift(slab->base + slab->first, slab->stride);
	kma_pages_free(slab->base, slab->pages);
	kma_slab_destroy_large(slab);
}

void kma_guard_put(struct kma_slab *slab)
{
	size_t room =
		(kma_reserve.heap.end - kma_reserve.heap.base) / SHARE_WAITING;

	unreserve(slab->stride);
	if (queue.size == 0) {
		release(slab);
		return;
	}
	if (place(slab->base + slab->first, slab->stride))
		slab->guarded |= BUFFER;
	kma_slab_queue_put(&queue, slab, room);
}

void kma_guard_drain(void)
{
	kma_slab_queue_drain(&queue);
}

size_t kma_guard_quarantined(void)
{
	return kma_slab_queue_oversize(&queue);
}

/* --- faults -----------------------------------------------------------------
 */

static bool find_at(uintptr_t address, struct kma_buffer *ret)
{
	uint64_t word = kma_pages_lookup(address);
	struct kma_slab *slab =
		(struct kma_slab *)(uintptr_t)(word & KMA_PAGE_SLAB_MASK);

	if ((word & KMA_PAGE_KIND_MASK) != KMA_PAGE_LARGE ||
	    slab->tier != KMA_TIER_GUARD)
		return false;
	*ret = (struct kma_buffer){ .slab = slab,
				    .start = slab->base + slab->first,
				    .bufctl = slab->bufctls };
	return true;
}

/* How far address is from the request; 0: in it. */
static size_t distance(const struct kma_buffer *buffer, uintptr_t address)
{
	uintptr_t user = kma_buffer_user(buffer);
	uintptr_t end = user + kma_buffer_size(buffer);

	if (address < user)
		return user - address;
	return address >= end ? address - end + 1 : 0;
}

/* A page that is nobody's, or was given back. */
static bool is_idle(uintptr_t address)
{
	uint64_t word = kma_pages_lookup(address);

	return !word || (word & KMA_PAGE_KIND_MASK) == KMA_PAGE_FREE;
}

/* A guard lies between two buffers: the nearer one is meant. Guards on one side
 * have pages on the other that nobody may touch either, if none are in use. */
static bool find_nearest(uintptr_t address, struct kma_buffer *ret)
{
	struct kma_buffer other;
	uintptr_t page = address & ~(uintptr_t)(KMA_PAGE_SIZE - 1);

	if (is_idle(address))
		return find_at(page - 1, ret) ||
		       find_at(page + KMA_PAGE_SIZE, ret);
	if (!find_at(address, ret))
		return false;
	bool beyond = address >= ret->start;

	if (distance(ret, address) &&
	    find_at(beyond ? page + KMA_PAGE_SIZE : page - 1, &other) &&
	    other.slab != ret->slab &&
	    distance(&other, address) < distance(ret, address))
		*ret = other;
	return true;
}

bool kma_guard_fault(uintptr_t address, bool is_write)
{
	struct kma_buffer buffer;

	if (!find_nearest(address, &buffer))
		return false;
	kma_report(&(struct kma_report){
		.code = KMA_ERROR_GUARDFAULT,
		.address = address,
		.buffer = &buffer,
		.is_write = is_write,
	});
	return true;
}
