/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libkma's native interface: what kma/netbsd.h, kma/illumos.h and
 * kma/bsd_malloc.h are written with. A program may call it as it is.
 *
 * Every function is thread-safe. Callbacks (constructors, hooks, imports) run
 * without any lock of the library's, so they may call it. What may sleep and
 * what is good in a signal handler is said with each; nothing here is a
 * cancellation point.
 *
 * Misuse is reported on stderr under a name (BADSIZE, DUPFREE, ...) and ends
 * the process, unless KMA_DEBUG has noabort: then the call does nothing, or
 * fails.
 */
#ifndef KMA_KMA_H
#define KMA_KMA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/*
 * Flags of a call. Exactly one of SLEEP and NOSLEEP is given. No kernel's flag
 * has these values, so that a flag which came from another header is found.
 *
 * KMA_SLEEP never fails for want of memory: it waits. Before it does, what the
 * library itself keeps is given up, and caches with a reclaim callback are
 * asked for theirs, by a thread of the library's own. What can never be
 * satisfied is reported at once (IMPOSSIBLE), and so is a process all of whose
 * threads sleep (DEADLOCK). Not in a signal handler (SLEEPINTR).
 *
 * KMA_NOSLEEP returns NULL at once. Between kma_intr_enter() and
 * kma_intr_exit(), and in a handler that interrupted the library, it takes no
 * lock that it would have to wait for.
 */
enum {
	KMA_SLEEP = 0x100,
	KMA_NOSLEEP = 0x200,
	KMA_ZERO = 0x400,      /* the memory reads as zeros */
	KMA_LIMITFAIL = 0x800, /* SLEEP: fail at the limit of the cache */
	KMA_PANIC = 0x1000,    /* NOSLEEP: a failure ends the process */
	KMA_INTR = 0x2000,     /* good between kma_intr_enter() and _exit() */
	/* Whose rules hold where the kernels differ; none: the native ones. */
	KMA_NETBSD = 0x10000,
	KMA_ILLUMOS = 0x20000,
	KMA_BSD = 0x30000,
	KMA_PERSONALITY = 0x30000,
};

/* --- memory by size ------------------------------------------------------- */

/*
 * size bytes, aligned to 16, or to 8 where size is less than 16; to 64 where
 * it is a multiple of 64, to a page where it is a multiple of that. What they
 * hold is not defined. Size 0 is reported (ZEROSIZE); with KMA_ILLUMOS it is
 * NULL and counted, with KMA_BSD the smallest object.
 */
void *kma_alloc(size_t size, unsigned flags);

/*
 * size as it was asked for; any other is reported (BADSIZE), at every tier but
 * off. flags: a personality, KMA_INTR. p NULL is reported (NULLFREE) but for
 * size 0 with KMA_ILLUMOS. Never sleeps.
 */
void kma_free(void *p, size_t size, unsigned flags);

/*
 * What the heap's slabs and large buffers may hold, in bytes; 0: no limit. A
 * raised limit wakes who sleeps. Below what is in use it stops growth alone.
 */
void kma_set_heap_limit(size_t bytes);
size_t kma_heap_limit(void);
size_t kma_heap_used(void);

/* Give up what caches keep; ask reclaim callbacks. Good at any time outside of
 * signal handlers; returns before the callbacks have run. */
void kma_reap(void);

/* How long a call sleeps before it says so on stderr; seconds, default 30. */
extern unsigned kma_sleep_report_seconds;

/* --- asynchronous signal handlers ------------------------------------------
 */

/*
 * Mark the calling thread as in a signal handler: whatever may sleep, or is not
 * meant for it, is reported (SLEEPINTR). They nest. Async-signal-safe.
 */
void kma_intr_enter(void);
void kma_intr_exit(void);
int kma_intr_depth(void);

/* --- caches of objects ------------------------------------------------------
 */

struct kma_cache;

enum kma_cache_params_flags {
	KMA_POOL = 0x1,          /* no magazines: limits are exact */
	KMA_NOTOUCH = 0x2,       /* objects are not memory of ours to write */
	KMA_NOALIGN = 0x4,       /* imported pages are not aligned to size */
	KMA_NODEBUG = 0x8,       /* never above tier lite */
	KMA_INTR_SAFE = 0x10,    /* get and put in signal handlers */
	KMA_LARGE_GROUPS = 0x20, /* larger magazines */
	KMA_IDENTIFIER = 0x40,   /* numbers, no memory; with KMA_NOTOUCH */
	KMA_PREFILL = 0x80,      /* one slab at once */
	/* and a personality: it tells callbacks their flags, orders their
	 * arguments, and what a destroy with live objects is */
};

enum kma_move {
	KMA_MOVE_YES,       /* moved; the old one is not used any more */
	KMA_MOVE_NO,        /* not now and not later */
	KMA_MOVE_LATER,     /* three times is NO */
	KMA_MOVE_DONT_NEED, /* neither is needed any more */
	KMA_MOVE_DONT_KNOW, /* not an object the client knows */
};

/*
 * What a cache is made with. name is copied and cut at 31 characters; size is
 * of an object; align a power of two, or 0 for the natural one; objects lie so
 * that (object + align_offset) % align is 0.
 *
 * construct(object, arg, flags) runs when an object leaves its slab for the
 * program, not when it comes out of a magazine, and returns 0 or fails;
 * destruct(object, arg) before it goes back. With KMA_NETBSD they are called as
 * construct(arg, object, flags) and destruct(arg, object). At tiers audit and
 * guard, which fill what is free, they run with each allocation and free.
 * flags are the personality's own values.
 *
 * reclaim(arg) and move(object, target, size, arg) run in a thread of the
 * library's, one at a time over all caches. move frees neither.
 *
 * import(source, size, flags) makes a slab's memory, release(source, memory,
 * size) takes it back; NULL for the heap. slab_size is what is imported, a
 * multiple of the page, and begins at one. Where not one object has room for a
 * redzone beside it there, objects have none; with KMA_NOTOUCH such caches are
 * not above tier lite.
 */
struct kma_cache_params {
	const char *name;
	size_t size, align, align_offset;
	unsigned flags;
	int (*construct)(void *object, void *arg, int flags);
	void (*destruct)(void *object, void *arg);
	void (*reclaim)(void *arg);
	enum kma_move (*move)(void *object, void *target, size_t size,
			      void *arg);
	void *arg;
	void *(*import)(void *source, size_t size, unsigned flags);
	void (*release)(void *source, void *memory, size_t size);
	void *source;
	size_t slab_size;
	void *owner; /* what the client calls the cache by */
};

/* NULL with errno EINVAL (an impossible size or alignment) or ENOMEM. */
struct kma_cache *kma_cache_create(const struct kma_cache_params *params);

/*
 * Objects that live are reported (LEAK), and with KMA_NETBSD that ends the
 * process; their memory stays. A later use of the cache is reported. Returns
 * how many live.
 */
size_t kma_cache_destroy(struct kma_cache *cache);

/*
 * An object, constructed. NULL: no memory or at the limit (NOSLEEP), at the
 * limit (LIMITFAIL), or the constructor failed: with SLEEP, which it must not,
 * that is reported (CTORFAIL).
 */
void *kma_cache_alloc(struct kma_cache *cache, unsigned flags);

/* Constructed as it was handed out. Of another cache: BADCACHE. */
void kma_cache_free(struct kma_cache *cache, void *object);

/* The same, destructed at once and not kept in a magazine. */
void kma_cache_free_now(struct kma_cache *cache, void *object);

/*
 * Destruct every object that lies in a magazine, of whatever thread. Objects
 * that the program has are not touched. Not in a signal handler.
 */
void kma_cache_invalidate(struct kma_cache *cache);

/*
 * Give unused memory back: objects in magazines, then slabs that have been
 * empty for kma_pool_idle_seconds, as far as the low water mark and priming
 * allow. Returns the slabs that went.
 */
size_t kma_cache_reclaim(struct kma_cache *cache);
extern unsigned kma_pool_idle_seconds; /* default 10 */

/*
 * At most count objects outside of the slabs; UINT32_MAX: no limit. A raised
 * limit wakes who sleeps. warning, if not NULL, is written to stderr when an
 * allocation fails at the limit, at most once in ratecap seconds.
 */
void kma_cache_set_limit(struct kma_cache *cache, unsigned count,
			 const char *warning, unsigned ratecap);

/* Keep at least count objects in the slabs, from now on: never sleeps, a
 * failure is counted. */
void kma_cache_set_low(struct kma_cache *cache, unsigned count);

/* Keep at most the slabs for count objects; a slab beyond goes when it is
 * empty. Not called: they stay until kma_cache_reclaim(). */
void kma_cache_set_high(struct kma_cache *cache, unsigned count);

/* Slabs for count more objects, for ever; 0 or ENOMEM, which leaves what was
 * had. _to: for count objects in all. Never sleeps. */
int kma_cache_prime(struct kma_cache *cache, unsigned count);
int kma_cache_prime_to(struct kma_cache *cache, unsigned count);

/* hook(arg, flags) is asked to free objects at the limit, when memory is short
 * and by kma_cache_reclaim(). One hook only: a second is reported (BUSY). */
void kma_cache_set_drain_hook(struct kma_cache *cache,
			      void (*hook)(void *arg, int flags), void *arg);

void kma_cache_set_move(struct kma_cache *cache,
			enum kma_move (*move)(void *object, void *target,
					      size_t size, void *arg));

/* The object that move() was LATER or NO about may be asked for again. */
void kma_cache_move_notify(struct kma_cache *cache, void *object);

/* Have reclaim and move callbacks called, and wait until they have been. Not
 * from a callback. */
void kma_cache_reap_now(struct kma_cache *cache);

/*
 * A word to remember for an object, until its slab goes; 0: none, as at first.
 * Without memory for it, or in a handler that interrupted the library, it is
 * forgotten.
 */
void kma_cache_set_note(struct kma_cache *cache, const void *object,
			uint64_t note);
uint64_t kma_cache_note(struct kma_cache *cache, const void *object);

/*
 * The live caches of clients, oldest first: the one after another, or after
 * NULL; NULL: there is no more. owner: what it was created with.
 */
struct kma_cache *kma_cache_next(const struct kma_cache *after);
void *kma_cache_owner(const struct kma_cache *cache);

/* kma_cache_reclaim() for the caches of one personality by turns, until one has
 * given a slab; that one. NULL: none had any. */
struct kma_cache *kma_cache_reclaim_one(unsigned personality);

/* 0: what the slabs of the cache say of themselves agrees. */
int kma_cache_check(struct kma_cache *cache);

/* A number by its name (kma_cache(3) lists them); 0 for a name unknown. */
uint64_t kma_cache_stat(struct kma_cache *cache, const char *name);
const char *kma_cache_name(const struct kma_cache *cache);

/* The cache whose object p is in; NULL: none. Async-signal-safe. */
struct kma_cache *kma_cache_holding(const void *p);

/* --- dumps and tiers ------------------------------------------------------ */

/*
 * Write a dump of this process to path (created 0600, replaced when complete).
 * path NULL: the template of KMA_DUMP. Returns 0, or -1 with errno. Safe in a
 * signal handler. The other threads are stopped only while their registers are
 * read.
 */
int kma_dump(const char *path);

/*
 * From now on new buffers of the named cache ("kmem_alloc_256"), or of all
 * where cache is NULL, are of the tier: "off", "lite", "audit", "guard".
 * Buffers that exist keep theirs. Returns 0, or -1 with errno EINVAL (no such
 * tier), ENOENT (no such cache) or ENOMEM. KMA_OPTIONS=tier:CACHE=TIER does the
 * same at start.
 */
int kma_set_tier(const char *cache, const char *tier);

/* Not 0: new buffers are of tier audit or guard, where no cache says
 * otherwise. */
int kma_is_debugging(void);

/*
 * What the allocator holds. Fields are added at the end and never change their
 * meaning; version rises when they do. Bytes, where nothing else is said.
 */
struct kma_stats {
	uint32_t size;    /* bytes that this library knows of the structure */
	uint32_t version; /* 1 */

	uint64_t reserved;       /* addresses */
	uint64_t committed;      /* of them usable: heap and all below */
	uint64_t heap_committed; /* for slabs, large buffers and arenas */
	uint64_t heap_in_use;    /* of that, handed out */
	uint64_t heap_limit;     /* KMA_OPTIONS=limit; UINT64_MAX: none */
	uint64_t slabs;          /* in use by slabs of caches */
	uint64_t large;          /* in use by buffers above 128 KiB */
	uint64_t metadata_committed;
	uint64_t metadata_in_use;
	uint64_t stacks; /* kept stacks of allocations and frees */
	uint64_t logs;

	uint64_t buffers;                      /* number, in all slabs */
	uint64_t buffers_in_use;               /* of them with the program */
	uint64_t allocations, frees, failures; /* since the start */
};

/*
 * Fill in *ret, of which the caller knows size bytes: sizeof(*ret). What the
 * library does not know reads as 0. Counts of threads at work are a moment old.
 * Returns 0, or -1 with errno EINVAL (size too small) or EAGAIN (in a signal
 * handler that interrupted the allocator). Takes locks: not for signal
 * handlers otherwise.
 */
int kma_stats(struct kma_stats *ret, size_t size);

/*
 * p, and what only it leads to, is lost on purpose: kdbg does not call it
 * leaked. Until p is freed or moved by realloc(); at tier off, which keeps
 * nothing of a buffer, for ever: so is what comes to lie there later. Returns
 * 0, or -1 with errno EINVAL (no live buffer); at tier off also ENOMEM, and
 * EAGAIN in a signal handler that interrupted the allocator. Safe in a signal
 * handler.
 */
int kma_ignore(const void *p);

/*
 * [start, start + size) holds pointers although kdbg would not look there by
 * itself: writable memory outside the heap it reads anyway, a buffer that
 * nothing leads to it does not. Remove takes what add was given. Returns 0, or
 * -1 with errno EINVAL, ENOENT (nothing such to remove), ENOMEM, or EAGAIN (in
 * a signal handler that interrupted the allocator).
 */
int kma_root_add(const void *start, size_t size);
int kma_root_remove(const void *start, size_t size);

/*
 * Give this moment a name, of which 47 bytes are kept: ::findleaks --since NAME
 * then judges what was allocated later. Of a name given again the last counts.
 * A call costs 64 bytes that stay. Returns 0, or -1 with errno EINVAL, ENOMEM
 * or EAGAIN, as above.
 */
int kma_checkpoint(const char *name);

/*
 * The calling thread's stack, as backtrace(3) has it, without need of frame
 * pointers: return addresses, the caller's own place first, at most size; how
 * many. A place that a signal interrupted, and the kernel's trampoline there,
 * is told as its address plus one, so that one less than any entry lies in the
 * instruction that it is about. Takes no lock and no memory: safe in a signal
 * handler, whatever it interrupted.
 */
int kma_backtrace(void **buffer, int size);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
