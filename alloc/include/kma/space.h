/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address space by pages, and memory for each processor: what uvm_km(9) and
 * percpu(9) of kma/netbsd.h are written with.
 */
#ifndef KMA_SPACE_H
#define KMA_SPACE_H

#include <kma/kma.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* --- maps ------------------------------------------------------------------
 */

struct kma_map;

enum kma_map_flags {
	/* One of these: addresses alone, which fault; memory that comes when
	 * it is touched; memory that is there, and that touching never faults
	 * for. */
	KMA_MAP_VAONLY = 0x1,
	KMA_MAP_PAGEABLE = 0x2,
	KMA_MAP_WIRED = 0x4,
	/* wait for addresses; else return 0 */
	KMA_MAP_SLEEP = 0x10,
	KMA_MAP_ANY = 0x20, /* free: whatever type it is of */
};

/*
 * WIRED is committed: memory is there, so that its want shows here and not as a
 * signal later. KMA_OPTIONS=wired=lock has it locked as well, where the limit
 * (RLIMIT_MEMLOCK) allows, and wired=require fails where it does not. Locks are
 * not inherited by the child of a fork.
 */

/* The map of the process, reserved at the first call; NULL: no address space.
 */
struct kma_map *kma_map_root(void);

/*
 * size bytes, rounded up to pages, at a multiple of align (0: a page); they
 * read as zeros. 0: no addresses, or no memory for WIRED. An align that is no
 * power of two, size 0 and no or two types are reported (BADFLAGS, ZEROSIZE).
 */
uintptr_t kma_map_alloc(struct kma_map *map, size_t size, size_t align,
			unsigned flags);

/* The same map, size and type: others are reported (BADADDR, BADSIZE,
 * BADTYPE). */
void kma_map_free(struct kma_map *map, uintptr_t address, size_t size,
		  unsigned flags);

/*
 * A map in a map: size bytes of it, exactly at *min if fixed. NULL: they are
 * not to be had. *min and *max tell where it lies.
 */
struct kma_map *kma_map_suballoc(struct kma_map *map, uintptr_t *min,
				 uintptr_t *max, size_t size, int fixed);

/* Less than a tenth of the root's addresses are free. */
int kma_map_is_starved(void);

/* --- memory for each processor ---------------------------------------------
 */

struct kma_percpu;

/* size bytes for each processor there may be, zeroed. May sleep; NULL: size 0
 * or more than a page. */
struct kma_percpu *kma_percpu_create(size_t size);

/* A pointer of the client's, kept with it; NULL at first. */
void kma_percpu_set_owner(struct kma_percpu *percpu, void *owner);
void *kma_percpu_owner(const struct kma_percpu *percpu);

/* size as it was created with; else reported (BADSIZE). */
void kma_percpu_destroy(struct kma_percpu *percpu, size_t size);

/*
 * The part of the processor that the caller runs on, held until it is put: a
 * process cannot stay where it is, so it is a lock that keeps others out. Not
 * in signal handlers; do not sleep while it is held.
 */
void *kma_percpu_get(struct kma_percpu *percpu);
void kma_percpu_put(struct kma_percpu *percpu);

/* All parts; without their locks. */
unsigned kma_percpu_count(const struct kma_percpu *percpu);
void *kma_percpu_at(struct kma_percpu *percpu, unsigned processor);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
