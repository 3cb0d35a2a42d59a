/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps: ranges of the address space, cut into runs of pages by an arena each.
 *
 *	reservation (PROT_NONE, costs nothing)
 *	| root map: arena "kernel_map" ........................ |
 *	      | submap: an arena on a run of its parent |
 *
 * How many pages a run has, and of which type, stands beside its first page.
 * Freed pages go back to the system and are untouchable again.
 */
#include "alloc/space.h"

#include "alloc/meta.h"
#include "alloc/options.h"
#include "alloc/pages.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/sys.h"
#include "alloc/thread.h"

#include "kma/space.h"
#include "kma/vmem.h"

#include <string.h>
#include <sys/mman.h>

enum {
	TYPES = KMA_MAP_VAONLY | KMA_MAP_PAGEABLE | KMA_MAP_WIRED,
	RUN_SHIFT = 3,
	STARVED_PART = 10,
};

static const size_t root_max = (size_t)16 << 30;
static const size_t root_min = (size_t)16 << 20;

struct kma_map {
	struct kma_vmem *arena;
	uintptr_t base;
	size_t size;
	uint32_t *runs; /* of each page that begins one: pages << 3 | type */
};

struct kma_lock kma_map_lock;

static struct kma_map *root; /* guarded by it; never changes again */

/* --- making -----------------------------------------------------------------
 */

/* As much as the limit of the address space leaves. */
static uintptr_t reserve(size_t *size)
{
	for (*size = root_max; *size >= root_min; *size /= 2) {
		long base = sys_call(
			SYS_mmap, 0, (long)*size, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (base > 0 || base < -4095) {
			sys_madvise((uintptr_t)base, *size, MADV_DONTDUMP);
			return (uintptr_t)base;
		}
	}
	return 0;
}

/* Of a range; the caller has it. */
static struct kma_map *map_create(const char *name, uintptr_t base, size_t size)
{
	struct kma_thread *self = kma_thread_enter();
	struct kma_map *map = kma_init() ? kma_meta_alloc(sizeof(*map)) : NULL;

	if (map)
		map->runs = kma_meta_alloc((size >> KMA_PAGE_SHIFT) *
					   sizeof(map->runs[0]));
	kma_thread_leave(self);
	if (!map || !map->runs)
		return NULL;
	map->base = base;
	map->size = size;
	map->arena =
		kma_vmem_create(name, base, size, KMA_PAGE_SIZE, NULL, 0, 0);
	return map->arena ? map : NULL;
}

struct kma_map *kma_map_root(void)
{
	struct kma_map *map = __atomic_load_n(&root, __ATOMIC_ACQUIRE);
	uintptr_t base;
	size_t size;

	if (map)
		return map;

	struct kma_thread *self = kma_thread_enter();

	kma_lock_acquire(&kma_map_lock);
	if (!root && (base = reserve(&size)) != 0) {
		map = map_create("kernel_map", base, size);
		__atomic_store_n(&root, map, __ATOMIC_RELEASE);
	}
	kma_lock_release(&kma_map_lock);
	kma_thread_leave(self);
	return root;
}

struct kma_map *kma_map_suballoc(struct kma_map *map, uintptr_t *min,
				 uintptr_t *max, size_t size, int fixed)
{
	uintptr_t low = fixed ? *min : 0;
	uintptr_t high = fixed ? *min + size - 1 : UINTPTR_MAX;
	uintptr_t base;
	struct kma_map *submap;

	size = (size + KMA_PAGE_SIZE - 1) & ~(size_t)(KMA_PAGE_SIZE - 1);
	if (kma_vmem_xalloc(map->arena, size, 0, 0, 0, low, high,
			    KMA_VM_NOSLEEP, &base) != 0)
		return NULL;
	submap = map_create("submap", base, size);
	if (!submap) {
		kma_vmem_xfree(map->arena, base, size);
		return NULL;
	}
	*min = base;
	*max = base + size;
	return submap;
}

int kma_map_is_starved(void)
{
	const struct kma_map *map = __atomic_load_n(&root, __ATOMIC_ACQUIRE);

	return map && kma_vmem_size(map->arena, KMA_VMEM_FREE) <
			      map->size / STARVED_PART;
}

/* --- memory -----------------------------------------------------------------
 */

static uint32_t *run_at(const struct kma_map *map, uintptr_t address)
{
	return &map->runs[(address - map->base) >> KMA_PAGE_SHIFT];
}

/* Where the kernel cannot populate (before 5.14), touching does. */
static bool populate(uintptr_t base, size_t size)
{
	long result = sys_madvise(base, size, SYS_POPULATE_WRITE);

	if (result == -22) /* EINVAL: it does not know the advice */
		for (size_t at = 0; at < size; at += KMA_PAGE_SIZE)
			*(volatile char *)(base + at) = 0;
	return result == 0 || result == -22;
}

/* As far as the environment wants it (KMA_OPTIONS=wired). */
static bool lock(uintptr_t base, size_t size)
{
	return kma_options.wired == KMA_WIRED_COMMIT ||
	       sys_call(SYS_mlock, (long)base, (long)size, 0, 0, 0, 0) == 0 ||
	       kma_options.wired == KMA_WIRED_LOCK;
}

static bool back(uintptr_t base, size_t size, unsigned type)
{
	if (type == KMA_MAP_VAONLY)
		return true;
	if (sys_mprotect(base, size, PROT_READ | PROT_WRITE) != 0)
		return false;
	sys_madvise(base, size, MADV_DODUMP);
	return type == KMA_MAP_PAGEABLE ||
	       (populate(base, size) && lock(base, size));
}

static void unback(uintptr_t base, size_t size, unsigned type)
{
	/* Locked pages cannot be given away. */
	if (type == KMA_MAP_WIRED && kma_options.wired != KMA_WIRED_COMMIT)
		sys_call(SYS_munlock, (long)base, (long)size, 0, 0, 0, 0);
	sys_madvise(base, size, MADV_DONTNEED);
	sys_mprotect(base, size, PROT_NONE);
	sys_madvise(base, size, MADV_DONTDUMP);
}

/* --- the calls --------------------------------------------------------------
 */

static void refuse(enum kma_error_code code, const char *function,
		   uintptr_t address, size_t size, const char *detail)
{
	kma_report(&(struct kma_report){ .code = code,
					 .function = function,
					 .address = address,
					 .claimed_size = size,
					 .detail = detail });
}

static bool is_one_type(unsigned flags)
{
	return __builtin_popcount(flags & TYPES) == 1;
}

uintptr_t kma_map_alloc(struct kma_map *map, size_t size, size_t align,
			unsigned flags)
{
	unsigned type = flags & TYPES;
	uintptr_t address;

	if (size == 0 || !map) {
		refuse(KMA_ERROR_ZEROSIZE, "uvm_km_alloc", 0, size, NULL);
		return 0;
	}
	if (!is_one_type(flags) || (align & (align - 1))) {
		refuse(KMA_ERROR_BADFLAGS, "uvm_km_alloc", flags, size,
		       "one of WIRED, PAGEABLE and VAONLY, a power of two");
		return 0;
	}
	size = (size + KMA_PAGE_SIZE - 1) & ~(size_t)(KMA_PAGE_SIZE - 1);
	if (kma_vmem_xalloc(map->arena, size, align, 0, 0, 0, UINTPTR_MAX,
			    flags & KMA_MAP_SLEEP
				    ? KMA_VM_SLEEP | KMA_VM_MAYFAIL
				    : KMA_VM_NOSLEEP,
			    &address) != 0)
		return 0;
	if (!back(address, size, type)) {
		unback(address, size, type);
		kma_vmem_xfree(map->arena, address, size);
		return 0;
	}
	*run_at(map, address) =
		(uint32_t)(size >> KMA_PAGE_SHIFT) << RUN_SHIFT | type;
	return address;
}

void kma_map_free(struct kma_map *map, uintptr_t address, size_t size,
		  unsigned flags)
{
	uint32_t run;

	size = (size + KMA_PAGE_SIZE - 1) & ~(size_t)(KMA_PAGE_SIZE - 1);
	if (!map || address < map->base || address - map->base >= map->size ||
	    address % KMA_PAGE_SIZE ||
	    !(run = __atomic_exchange_n(run_at(map, address), 0,
					__ATOMIC_ACQ_REL))) {
		refuse(KMA_ERROR_BADADDR, "uvm_km_free", address, size,
		       "nothing was allocated there, from this map");
		return;
	}
	if (flags & KMA_MAP_ANY)
		flags = run;
	if ((run & TYPES) != (flags & TYPES) ||
	    run >> RUN_SHIFT != size >> KMA_PAGE_SHIFT) {
		*run_at(map, address) = run;
		refuse((run & TYPES) != (flags & TYPES) ? KMA_ERROR_BADTYPE
							: KMA_ERROR_BADSIZE,
		       "uvm_km_free", address, size, NULL);
		return;
	}
	unback(address, size, run & TYPES);
	kma_vmem_xfree(map->arena, address, size);
}
