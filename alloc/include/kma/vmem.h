/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: sets of integers (addresses, identifiers) that are handed out in
 * segments and come back, after vmem(9) of NetBSD and of Solaris.
 *
 *	arena --> spans --> segments, allocated or free
 *
 * A span is a range that the arena was given (static), or one that it took
 * from a source when it ran out (imported). No segment crosses a span's edge;
 * free neighbours are one segment; an imported span that is wholly free goes
 * back. The arena never touches what its integers name, and keeps its own
 * records elsewhere.
 *
 * This is the native form that both systems' vmem(9) translate to: calls
 * return 0 or an errno number, addresses come by an out-parameter (0 is an
 * address like any other), sizes are exact, maxima are inclusive.
 *
 * Thread-safe; not for signal handlers but for arenas of KMA_VMC_INTR_SAFE.
 * Calls with KMA_VM_SLEEP may sleep, the others do not wait for memory. Misuse
 * (a size or an address that was not allocated, a live arena destroyed, bad
 * arguments) is reported as libkma reports a bad free: told, dumped, aborted,
 * or passed over by noabort.
 */
#ifndef KMA_VMEM_H
#define KMA_VMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct kma_vmem;

/* The bits are none of NetBSD's or Solaris's, so that a flag of the wrong
 * header is told. */
enum kma_vm_flags {
	/* One of these two, with every call that takes flags. */
	KMA_VM_SLEEP = 1 << 21,   /* wait until there is room */
	KMA_VM_NOSLEEP = 1 << 22, /* ENOMEM when there is none */
	/* With NOSLEEP: report and abort when there is no room. */
	KMA_VM_PANIC = 1 << 23,
	/* With SLEEP: ENOMEM for what the arena could not grant were it empty.
	 * Without, that is misuse (IMPOSSIBLE): it would sleep for ever. */
	KMA_VM_MAYFAIL = 1 << 24,
	/* At most one of these; none is INSTANTFIT. */
	KMA_VM_INSTANTFIT = 1 << 25, /* any segment surely long enough: O(1) */
	KMA_VM_BESTFIT = 1 << 26,    /* the shortest that holds it */
	KMA_VM_FIRSTFIT = 1 << 27,   /* the first that holds it */
	KMA_VM_NEXTFIT = 1 << 28,    /* the next after the last one given: no
				      * address comes again before all others */
};

enum kma_vmc_flags {
	/* Integers that are no memory: process ids, offsets. */
	KMA_VMC_IDENTIFIER = 1 << 29,
	/* Import sixteen times what is asked for, or what can be had. */
	KMA_VMC_LARGEIMPORT = 1 << 30,
	/* What is live when the arena is destroyed is told, and no reason to
	 * abort. */
	KMA_VMC_LEAKS_PASS = 1 << 20,
	/* Good between kma_intr_enter() and kma_intr_exit(), but for SLEEP. In
	 * a handler that interrupted the library, which may hold the arena's
	 * locks, an allocation fails (ENOMEM), and what is freed is free by the
	 * next call of another. */
	KMA_VMC_INTR_SAFE = 1 << 15,
};

/* For kma_vmem_size() and kma_vmem_walk(); may be added. */
enum kma_vmem_types {
	KMA_VMEM_ALLOC = 1,
	KMA_VMEM_FREE = 2,
	KMA_VMEM_SPAN = 4, /* walk only */
};

enum { KMA_VMEM_NAME_SIZE = 32 };

/*
 * Where an arena takes spans from. Both functions are called without locks,
 * from whatever thread allocates or frees, and may use any arena but the one
 * they import for.
 */
struct kma_vmem_source {
	/*
	 * Find a span of at least *size; 0 with its address and true size, or
	 * an errno number. size and address are multiples of the arena's
	 * quantum, or it is refused. flags holds KMA_VM_SLEEP (may sleep) or
	 * KMA_VM_NOSLEEP.
	 */
	int (*import)(const struct kma_vmem_source *source, size_t *size,
		      unsigned flags, uintptr_t *address);
	/* Take a span back; NULL: imported spans are kept. */
	void (*release)(const struct kma_vmem_source *source, uintptr_t address,
			size_t size);
	/* The arena they take from, shown by ::vmem; may be NULL. */
	struct kma_vmem *arena;
	/* Whatever else they need: a pair of functions of another form. */
	void (*foreign_import)(void);
	void (*foreign_release)(void);
	void *argument;
	/* What is imported is a multiple of it, a multiple of the arena's
	 * quantum; 0: that of the arena. */
	size_t quantum;
};

/*
 * A new arena, or NULL with errno (ENOMEM, EINVAL). [base, base + size) is its
 * first static span; size 0: none yet. quantum is a power of two: sizes are
 * rounded up to it for placement, base and size are multiples of it. The name
 * is copied and cut at KMA_VMEM_NAME_SIZE - 1.
 *
 * qcache_max: kma_vmem_alloc() serves multiples of the quantum up to it (of
 * at most sixteen quanta) from caches named NAME_SIZE, which take slabs of
 * many from the arena; 0: none.
 *
 * source: imports by kma_vmem_alloc() from that arena; NULL: none. flags are
 * of enum kma_vmc_flags, and KMA_VM_SLEEP or KMA_VM_NOSLEEP if one likes.
 */
struct kma_vmem *kma_vmem_create(const char *name, uintptr_t base, size_t size,
				 size_t quantum, struct kma_vmem *source,
				 size_t qcache_max, unsigned flags);

/* The same with functions that import. *source is copied. */
struct kma_vmem *kma_vmem_xcreate(const char *name, uintptr_t base, size_t size,
				  size_t quantum,
				  const struct kma_vmem_source *source,
				  size_t qcache_max, unsigned flags);

/* From now on it imports like that. Not while others use it. */
void kma_vmem_set_source(struct kma_vmem *vmem,
			 const struct kma_vmem_source *source);

/* Called, without locks, when a request finds no room, before it fails or
 * sleeps: flags has its KMA_VM_SLEEP or KMA_VM_NOSLEEP. NULL: nobody is.
 * foreign is kept for it: a function of another form. */
void kma_vmem_set_reclaim(struct kma_vmem *vmem,
			  void (*reclaim)(struct kma_vmem *vmem,
					  unsigned flags),
			  void (*foreign)(void));
void (*kma_vmem_foreign_reclaim(const struct kma_vmem *vmem))(void);

/*
 * Give an arena up. Live segments are misuse (LEAK): the first are listed, and
 * the arena stays as it is, for whoever frees them and for the debugger.
 */
void kma_vmem_destroy(struct kma_vmem *vmem);

/* Add a static span. 0, ENOMEM, or EINVAL: no multiple of the quantum, or it
 * overlaps another span. */
int kma_vmem_add(struct kma_vmem *vmem, uintptr_t address, size_t size,
		 unsigned flags);

/* 0 with *address, or ENOMEM; EINVAL after misuse that noabort passed over. */
int kma_vmem_alloc(struct kma_vmem *vmem, size_t size, unsigned flags,
		   uintptr_t *address);

/* size as it was asked for, to the byte. */
void kma_vmem_free(struct kma_vmem *vmem, uintptr_t address, size_t size);

/*
 * An address that is phase modulo align (a power of two, 0: the quantum), so
 * that the segment lies in [min, max] and crosses no multiple of nocross (a
 * power of two, 0: whatever). align, phase and nocross are multiples of the
 * quantum. Never from a quantum cache. Spans are not imported for a nocross,
 * min or max.
 */
int kma_vmem_xalloc(struct kma_vmem *vmem, size_t size, size_t align,
		    size_t phase, size_t nocross, uintptr_t min, uintptr_t max,
		    unsigned flags, uintptr_t *address);

/* What kma_vmem_xalloc() gave; what kma_vmem_alloc() gave is refused if it may
 * be a quantum cache's. */
void kma_vmem_xfree(struct kma_vmem *vmem, uintptr_t address, size_t size);

/* Free all that was given, but for what is a quantum cache's. */
void kma_vmem_free_all(struct kma_vmem *vmem);

/* Bytes allocated (with what quantum caches keep), free, or both. */
size_t kma_vmem_size(struct kma_vmem *vmem, unsigned types);

/*
 * Tell each segment of these types, as they were at one moment; none is locked
 * while callback runs. 0, or ENOMEM.
 */
int kma_vmem_walk(struct kma_vmem *vmem, unsigned types,
		  void (*callback)(void *argument, enum kma_vmem_types type,
				   uintptr_t address, size_t size),
		  void *argument);

/*
 * The arenas of the program, oldest first: the one after another, or after
 * NULL; NULL: there is no more. None may be destroyed meanwhile.
 */
struct kma_vmem *kma_vmem_next(const struct kma_vmem *after);

/* p, if it is one of them; else NULL. */
struct kma_vmem *kma_vmem_known(const void *p);

const char *kma_vmem_name(const struct kma_vmem *vmem);

/* A multiple of the quantum: what a segment of so many bytes takes; 0: none. */
size_t kma_vmem_roundup(const struct kma_vmem *vmem, size_t size);

/* Does one span hold all of [address, address + size)? */
bool kma_vmem_contains(struct kma_vmem *vmem, uintptr_t address, size_t size);

/* The most that may be allocated at a time, in bytes; SIZE_MAX: no limit. What
 * is allocated stays, sleepers look again. */
void kma_vmem_set_limit(struct kma_vmem *vmem, size_t limit);

/*
 * The arena of the heap's pages, kmem_va: memory to read and write, of no
 * defined contents, in multiples of 4096. To allocate from, or as a source of
 * other arenas. NULL: the allocator could not start.
 */
struct kma_vmem *kma_vmem_heap(void);

/* Give back what quantum caches keep in whole slabs; bytes. */
size_t kma_vmem_reap(struct kma_vmem *vmem);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
