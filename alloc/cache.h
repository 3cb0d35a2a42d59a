/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Caches, slabs and buffers.
 *
 *	cache --> slabs (per tier: partial, full, empty) --> buffers
 *	      \-> depot (per tier: full and empty magazines)
 *
 * A slab is a run of pages cut into buffers of one size, all of one tier. Its
 * header, its bitmap of free buffers and (audit) its bufctls lie in the
 * metadata arena. Buffer i of a slab starts at base + first + i * stride.
 *
 * Tier off and lite: stride is the cache's bufsize; the user's pointer is the
 * buffer. Lite has a word out of line for each (word.h).
 * Tier audit: first is KMA_CANARY_SIZE rounded to 16; stride is bufsize + 16:
 *
 *	| canary of i | user's bytes | redzone | canary of i + 1 | ...
 *	  8 bytes       size           >= 8      8 bytes
 *	              ^ start, 16-aligned      ^ start + stride - 8
 *
 * On pages that a client brought, where not one buffer fits like that, a slab
 * is bare: stride is bufsize, no canaries, and a redzone where size leaves one.
 *
 * The redzone runs from the byte after the request to the next canary, so the
 * first byte too far shows. Alignment above 16 moves the user's pointer up
 * inside its buffer by the bufctl's offset; the bytes before it are canary.
 *
 * Tier guard: a slab of one buffer and one guard page (guard.h); no canary
 * before the buffer, guard bytes from the request to the ends of its pages.
 *
 * With the cache lock held: in_use counts the buffers taken from the slab (by
 * the program, by magazines, by quarantine); a set bit in free_bits is a
 * buffer the slab still has. Whether the program has an audited buffer is the
 * bufctl's state, changed by one atomic exchange: that is what finds a double
 * free at once, wherever the buffer is parked.
 */
#ifndef ALLOC_CACHE_H
#define ALLOC_CACHE_H

#include "alloc/lock.h"
#include "alloc/pages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kma_tier {
	KMA_TIER_OFF = 0,
	KMA_TIER_LITE = 1,
	KMA_TIER_AUDIT = 2,
	KMA_TIER_GUARD = 3,
	KMA_TIER_COUNT = 4
};

enum {
	KMA_CANARY_SIZE = 8,         /* before the user's pointer */
	KMA_REDZONE_MIN = 8,         /* after the request */
	KMA_CACHED_MAX = 128 * 1024, /* above: kmem_oversize */
};

/*
 * Every audited buffer: what happened to it last. 40 bytes, out of line, found
 * by index. word packs
 *
 *	63    20 19    8 7       6    4 3   0
 *	| size  | offset | ignored | family | state |
 *
 * size is the request in bytes, offset is in units of 16 bytes; ignored: the
 * program loses the buffer on purpose (annotate.h).
 */
struct kma_bufctl {
	uint64_t word;
	uint64_t alloc_time, free_time;     /* raw ticks; clock.h */
	uint32_t alloc_thread, free_thread; /* tids */
	uint32_t alloc_stack, free_stack;   /* depot ids; 0 none */
};

enum {
	KMA_BUFCTL_STATE_SHIFT = 0,
	KMA_BUFCTL_STATE_MASK = 0xf, /* masks are after the shift */
	KMA_BUFCTL_FAMILY_SHIFT = 4,
	KMA_BUFCTL_FAMILY_MASK = 0x7,
	KMA_BUFCTL_IGNORED = 1 << 7,
	KMA_BUFCTL_OFFSET_SHIFT = 8,
	KMA_BUFCTL_OFFSET_MASK = 0xfff,
	KMA_BUFCTL_SIZE_SHIFT = 20,
};

enum kma_buffer_state {
	KMA_BUFFER_NEVER = 0, /* never handed out */
	KMA_BUFFER_ALLOCATED = 1,
	KMA_BUFFER_FREE = 2,     /* also in magazines and quarantine */
	KMA_BUFFER_CHANGING = 3, /* a thread is between two of these */
};

/* Who hands out and takes back must agree; reported when they do not. */
enum kma_family {
	KMA_FAMILY_MALLOC = 0,
	KMA_FAMILY_NEW = 1,
	KMA_FAMILY_NEW_ARRAY = 2,
	KMA_FAMILY_KMEM = 3,
	KMA_FAMILY_TYPED = 4,   /* kma_slab.types says of which type */
	KMA_FAMILY_CACHE = 5,   /* an object of a client's cache */
	KMA_FAMILY_ALIGNED = 6, /* new with an alignment */
	KMA_FAMILY_ALIGNED_ARRAY = 7,
	KMA_FAMILY_COUNT
};

static inline bool kma_family_is_kernel(enum kma_family family)
{
	return family >= KMA_FAMILY_KMEM && family <= KMA_FAMILY_CACHE;
}

struct kma_slab { /* 64-byte aligned: the page map counts on it */
	/* What finding a buffer reads, in one line of the processor's cache;
	 * where fast.h says. */
	struct kma_cache *cache;
	size_t stride;  /* bytes from one buffer to the next */
	uint8_t tier;   /* enum kma_tier */
	uint8_t kind;   /* enum kma_page_kind */
	uint8_t list;   /* enum kma_slab_list */
	uint8_t zeroed; /* large: the kernel's zeros, untouched yet */
	uint32_t buffers;
	uintptr_t origin;           /* of buffer 0: base + first */
	uint64_t *words;            /* lite: of each buffer; else NULL */
	struct kma_bufctl *bufctls; /* audit, guard; else NULL */
	uint32_t in_use;
	uint8_t guarded;     /* guard: what cannot be touched (guard.c) */
	uint8_t hollow;      /* audit, large, freed: see hollow.h */
	uint8_t stuck;       /* how often its objects could not be moved */
	uint8_t hoarded;     /* a type keeps its pages (types.h) */
	uint64_t reciprocal; /* of stride, times 2^64, rounded up */
	uintptr_t base;
	size_t first;    /* offset of buffer 0 from base */
	uint16_t *types; /* typed malloc: of each buffer; NULL: none yet */
	uint64_t *notes; /* clients' (note.c), likewise */
	/* What only the cache's lists and counts need. */
	size_t pages;
	uint64_t *free_bits;          /* bit set: free in the slab */
	struct kma_slab *next, *prev; /* on one list of the cache */
	uint64_t empty_since;         /* clients': nanoseconds */
	uint8_t bare;     /* audit: no room for canaries and redzones */
	uint8_t pristine; /* audit: what was never handed out is zero */
	uint8_t sampled;  /* audit: for samples alone; cell.h */
};

enum kma_slab_list {
	KMA_SLABS_PARTIAL,
	KMA_SLABS_FULL,
	KMA_SLABS_EMPTY,
	KMA_SLAB_LIST_COUNT
};

struct kma_magazine;
struct kma_client;

enum {
	KMA_CACHE_NAME_SIZE = 32,
	KMA_CACHES_MAX = 1 << 16, /* an index has 16 bits */
};

struct kma_cache {
	/* A line that hardly changes. fast_* are for the fast path of clients'
	 * caches (fast_kernel.h), where fast.h says: the index, or
	 * UINT32_MAX, which no thread has a set for: not served; the page map's
	 * word but for the slab; a live object's word. */
	struct kma_cache *next; /* all caches, oldest first */
	uint32_t index;  /* in the page map's word, and of magazine sets */
	uint32_t flags;  /* enum kma_cache_flags: what it does */
	uint32_t cflags; /* what its creator asked for */
	uint32_t fast_index;
	uint64_t fast_page, fast_live;
	uint32_t align;
	uint32_t align_offset; /* (buffer + this) % align is 0 */
	size_t bufsize;
	uint32_t tier; /* enum kma_tier: what new buffers get; tier.h */
	char name[KMA_CACHE_NAME_SIZE];
	struct kma_lock lock; /* slabs, statistics below */
	struct kma_lock depot_lock;
	struct kma_slab *slabs[KMA_TIER_COUNT][KMA_SLAB_LIST_COUNT];
	struct kma_magazine *full_magazines[KMA_TIER_COUNT];
	struct kma_magazine *full_tails[KMA_TIER_COUNT]; /* audit: FIFO */
	struct kma_magazine *empty_magazines[KMA_TIER_COUNT];
	uint32_t full_count[KMA_TIER_COUNT]; /* magazines on the full list */
	uint32_t full_least[KMA_TIER_COUNT]; /* of that, since the last look */
	uint32_t depot_updated;              /* when that was, in seconds */
	uint32_t depot_waits;                /* for depot_lock, since then */
	uint32_t magazine_size;              /* rounds of the next ones */
	/* What threads that have exited did, and what bypassed magazines. */
	uint64_t alloc, free, alloc_fail;
	uint64_t slab_create, slab_destroy;
	uint64_t buf_total; /* buffers in all slabs */
	uint64_t pages;     /* pages in all slabs */
	/* What left the slabs, for the program or for magazines, and how much
	 * may. Clients' caches have a limit; of others out means nothing. */
	uint64_t out, limit;
	uint64_t slab_alloc;       /* ever taken from the slabs */
	struct kma_client *client; /* NULL: a class of kmem_alloc's */
};

/* As mdb's FLAG column shows them (mdb's umem_flags values). */
enum kma_cache_flags {
	KMA_CACHE_AUDIT = 0x1,
	KMA_CACHE_DEADBEEF = 0x2,
	KMA_CACHE_REDZONE = 0x4,
	KMA_CACHE_NOMAGAZINE = 0x20,
	KMA_CACHE_FIREWALL = 0x40,
	KMA_CACHE_LITE = 0x100,
};

/* A buffer named by any pointer into it. */
struct kma_buffer {
	struct kma_slab *slab;
	uint32_t index;
	uintptr_t start;           /* base + first + index * stride */
	struct kma_bufctl *bufctl; /* NULL where the tier has none */
};

/* What an offset from buffer 0 is in buffers: whole ones above, the rest in
 * units of stride / 2^64 below; a rest less than the reciprocal is none. */
static inline unsigned __int128 kma_slab_divide(const struct kma_slab *slab,
						uintptr_t offset)
{
	return (unsigned __int128)offset * slab->reciprocal;
}

/*
 * Which buffer holds address (its user's bytes, redzone or slack)? False when
 * none does. Takes no lock, trusts nothing; good in a signal handler.
 */
static inline bool kma_buffer_find(uintptr_t address, struct kma_buffer *ret)
{
	uint64_t word = kma_pages_lookup(address);
	unsigned kind = (unsigned)(word & KMA_PAGE_KIND_MASK);

	if (kind != KMA_PAGE_SLAB && kind != KMA_PAGE_LARGE)
		return false;

	struct kma_slab *slab =
		(struct kma_slab *)(uintptr_t)(word & KMA_PAGE_SLAB_MASK);

	if (address < slab->origin)
		return false;
	ret->index =
		(uint32_t)(kma_slab_divide(slab, address - slab->origin) >> 64);
	if (ret->index >= slab->buffers)
		return false;
	ret->slab = slab;
	ret->start = slab->origin + ret->index * slab->stride;
	ret->bufctl = slab->bufctls ? &slab->bufctls[ret->index] : NULL;
	return true;
}

/* The same for a cache whose pages its client may have brought. */
bool kma_buffer_find_in(const struct kma_cache *cache, uintptr_t address,
			struct kma_buffer *ret);

/* The user's pointer and request of a buffer; at tier off what it holds. */
uintptr_t kma_buffer_user(const struct kma_buffer *buffer);
size_t kma_buffer_size(const struct kma_buffer *buffer);

/*
 * The caches by index; kma_cache_count of them, none NULL. The table moves when
 * it grows, and the old one stays as it was. The classes of kmem_alloc and
 * kmem_oversize come first and exist before the first thread record does, so a
 * thread has a magazine set for each of these; for clients' caches, which come
 * and go, kma_thread_magset() makes room.
 */
extern struct kma_cache **kma_caches;
extern unsigned kma_cache_count;

/* The registry: kma_root's list and the table. Before any cache's lock. */
extern struct kma_lock kma_registry_lock;

/* Make the size classes and kmem_oversize. */
bool kma_cache_init(void);

/*
 * Enter a cache whose fields are filled in: give it an index (its own, where it
 * had one before) and list it; take it off the list. False: no room.
 */
bool kma_cache_register(struct kma_cache *cache, bool has_index);
void kma_cache_unregister(struct kma_cache *cache);

/* Rounds that magazines for buffers of that size have at first. */
uint32_t kma_cache_first_rounds(size_t bufsize);

/*
 * The index of the class for a request, by (size + 15) / 16, for malloc's fast
 * path, which serves tier off alone: where the cache is of another, the
 * oversize cache stands, which never has magazines.
 */
extern uint8_t kma_fast_table[KMA_CACHED_MAX / 16 + 1]
	__attribute__((visibility("hidden")));

/*
 * The same for kmem_alloc's, by (size + 7) / 8: aligned as kma/kma.h has it,
 * and served at tier lite, too, where KMA_KMEM_LITE is added to the index.
 */
enum { KMA_KMEM_LITE = 0x80 };
extern uint8_t kma_kmem_table[KMA_CACHED_MAX / 8 + 1]
	__attribute__((visibility("hidden")));

/* For malloc's at tier audit, by (size + 15) / 16; else the oversize cache. */
extern uint8_t kma_audit_table[KMA_CACHED_MAX / 16 + 1]
	__attribute__((visibility("hidden")));

/* The fast paths serve the cache at tier; KMA_TIER_COUNT: they do not. */
void kma_cache_set_fast(const struct kma_cache *cache, enum kma_tier tier);

/*
 * "kmem_alloc_N" for a request at a tier, or the kmem_oversize cache. Aligned
 * requests get buffers that are so by nature (off) or leave room to move the
 * user's pointer up (audit).
 */
struct kma_cache *kma_cache_for(size_t size, size_t align, enum kma_tier tier);
struct kma_cache *kma_cache_oversize(void);

/* How many rounds its next magazines have; more. Only ever grows. */
uint32_t kma_cache_magazine_size(const struct kma_cache *cache);
void kma_cache_magazine_grow(struct kma_cache *cache);

/* Is it one of malloc's size classes? */
bool kma_cache_is_class(const struct kma_cache *cache);

/*
 * One buffer of the cache at that tier, from the thread's magazine, the depot,
 * a slab; undressed. False with nothing changed when memory is exhausted.
 */
bool kma_cache_take(struct kma_cache *cache, enum kma_tier tier,
		    struct kma_buffer *ret);
void kma_cache_put(const struct kma_buffer *buffer);

/* A large buffer of its own pages; cache kmem_oversize. */
bool kma_large_take(size_t size, size_t align, enum kma_tier tier,
		    struct kma_buffer *ret);
void kma_large_put(const struct kma_buffer *buffer);

/* Bytes of freed large buffers that wait before their pages go. */
size_t kma_large_quarantined(void);

/* Let those go that wait. */
void kma_large_drain(void);

/* Make a large buffer of tier off hold size bytes where it lies. */
bool kma_large_resize(const struct kma_buffer *buffer, size_t size);

/*
 * Give the pages with the first bytes of a large buffer to another, which has
 * nothing in it yet, instead of a copy; what the first holds then is undefined.
 */
enum kma_carried {
	KMA_CARRIED,
	KMA_CARRIED_NOT,  /* nothing changed: it does not pay, or cannot be */
	KMA_CARRIED_LOST, /* nor is there memory at to any more, for nobody */
};
enum kma_carried kma_large_carry_over(void *to, void *from, size_t bytes);

#endif
