/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * illumos's (Solaris's) allocators: kmem_alloc(9F), kmem_cache_create(9F) and
 * vmem. The kernel's names, arguments, flags and rules, over libkma; what
 * differs in a process is said with each, and in libkma_illumos(3).
 */
#ifndef KMA_ILLUMOS_H
#define KMA_ILLUMOS_H

#if defined(KMA_NETBSD_H) || defined(KMA_BSD_MALLOC_H)
#error "one translation unit has one personality: kma/illumos.h is another"
#endif

#include <kma/kma.h>
#include <kma/personality.h>
#include <kma/vmem.h>

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- kmem_alloc(9F) --------------------------------------------------------
 */

#define KM_SLEEP     0x0000
#define KM_NOSLEEP   0x0001
#define KM_PANIC     0x0002
#define KM_PUSHPAGE  0x0004
#define KM_NORMALPRI 0x0008
#define KM_VMFLAGS   0x00ff
#define KM_FLAGS     0xffff

#define KM_NOSLEEP_LAZY (KM_NOSLEEP | KM_NORMALPRI)

KMA_DIALECT unsigned kma_illumos_flags(int flags)
{
	const int known = KM_NOSLEEP | KM_PANIC | KM_PUSHPAGE | KM_NORMALPRI;
	unsigned native = KMA_ILLUMOS;

	native |= flags & KM_NOSLEEP || flags & KM_PANIC ? (unsigned)KMA_NOSLEEP
							 : (unsigned)KMA_SLEEP;
	if (flags & KM_PANIC)
		native |= (unsigned)KMA_PANIC;
	return flags & ~known ? native | 0x80000000u : native;
}

KMA_DIALECT void *kmem_alloc(size_t size, int flags)
{
	return kma_alloc(size, kma_illumos_flags(flags));
}

KMA_DIALECT void *kmem_zalloc(size_t size, int flags)
{
	return kma_alloc(size, kma_illumos_flags(flags) | (unsigned)KMA_ZERO);
}

KMA_DIALECT void kmem_free(void *p, size_t size)
{
	kma_free(p, size, KMA_ILLUMOS);
}

/* Less and less, down to 8 bytes; *got is what it became. */
KMA_DIALECT void *kmem_alloc_tryhard(size_t size, size_t *got, int flags)
{
	for (*got = size; *got >= 8; *got /= 2) {
		void *p = kmem_alloc(*got, (flags & ~KM_PANIC) | KM_NOSLEEP);

		if (p)
			return p;
	}
	*got = size < 8 ? size : 8;
	return kmem_alloc(*got, flags);
}

#include <kma/kmem_string.h>

KMA_DIALECT char *kmem_strdup(const char *string)
{
	size_t bytes = strlen(string) + 1;
	char *copy = (char *)kmem_alloc(bytes, KM_SLEEP);

	return copy ? (char *)memcpy(copy, string, bytes) : NULL;
}

/* As the system's types.h has it. */
typedef enum kma_illumos_boolean {
	B_FALSE,
	B_TRUE,
} boolean_t;

/* Are buffers checked: is the tier of all above lite? */
KMA_DIALECT int kmem_debugging(void)
{
	return kma_is_debugging();
}

KMA_DIALECT void kmem_reap(void)
{
	kma_reap();
}

/* Arenas of identifiers are reaped with all others. */
KMA_DIALECT void kmem_reap_idspace(void)
{
	kma_reap();
}

/* What the heap's limit leaves; all there is where it has none. */
KMA_DIALECT size_t kmem_avail(void)
{
	size_t limit = kma_heap_limit(), used = kma_heap_used();

	if (!limit)
		return SIZE_MAX;
	return limit > used ? limit - used : 0;
}

KMA_DIALECT size_t kmem_maxavail(void)
{
	size_t limit = kma_heap_limit();

	return limit ? limit : SIZE_MAX;
}

/* --- kmem_cache_create(9F) -------------------------------------------------
 */

#define KMC_NOTOUCH    0x00010000
#define KMC_NODEBUG    0x00020000
#define KMC_NOMAGAZINE 0x00040000
#define KMC_NOHASH     0x00080000
#define KMC_QCACHE     0x00100000
#define KMC_KMEM_ALLOC 0x00200000
#define KMC_IDENTIFIER 0x00400000
#define KMC_PREFILL    0x00800000

typedef struct kma_cache kmem_cache_t;

typedef enum kma_move kmem_cbrc_t;
#define KMEM_CBRC_YES       KMA_MOVE_YES
#define KMEM_CBRC_NO        KMA_MOVE_NO
#define KMEM_CBRC_LATER     KMA_MOVE_LATER
#define KMEM_CBRC_DONT_NEED KMA_MOVE_DONT_NEED
#define KMEM_CBRC_DONT_KNOW KMA_MOVE_DONT_KNOW

/*
 * For move callbacks: a pointer in an object, of which the client knows that it
 * is even, and marks when it frees the object. What the library fills memory
 * with does not look valid.
 */
#define POINTER_IS_VALID(p) (!((uintptr_t)(p)&0x3))
#define POINTER_INVALIDATE(pp) \
	(*(pp) = (void *)((uintptr_t)(*(pp)) | (uintptr_t)0x1))

KMA_DIALECT unsigned kma_illumos_cache_flags(int flags)
{
	return (unsigned)KMA_ILLUMOS |
	       (flags & KMC_NOTOUCH ? (unsigned)KMA_NOTOUCH : 0) |
	       (flags & KMC_NODEBUG ? (unsigned)KMA_NODEBUG : 0) |
	       (flags & KMC_NOMAGAZINE ? (unsigned)KMA_POOL : 0) |
	       (flags & KMC_IDENTIFIER
			? (unsigned)KMA_IDENTIFIER | (unsigned)KMA_NOTOUCH
			: 0) |
	       (flags & KMC_PREFILL ? (unsigned)KMA_PREFILL : 0);
}

KMA_DIALECT void *kma_illumos_import(void *source, size_t size, unsigned flags)
{
	uintptr_t address = 0;
	unsigned vm = flags & (unsigned)KMA_SLEEP ? (unsigned)KMA_VM_SLEEP
						  : (unsigned)KMA_VM_NOSLEEP;

	return kma_vmem_xalloc((struct kma_vmem *)source, size, size, 0, 0, 0,
			       UINTPTR_MAX, vm, &address) == 0
		       ? (void *)address
		       : NULL;
}

KMA_DIALECT void kma_illumos_release(void *source, void *memory, size_t size)
{
	kma_vmem_xfree((struct kma_vmem *)source, (uintptr_t)memory, size);
}

KMA_DIALECT size_t kma_illumos_slab_size(size_t bufsize)
{
	size_t size = 4096;

	while (size < bufsize * 8)
		size *= 2;
	return size;
}

/* vmp: where slabs come from; NULL for the heap. */
KMA_DIALECT kmem_cache_t *
kmem_cache_create(const char *name, size_t bufsize, size_t align,
		  int (*constructor)(void *buf, void *priv, int flags),
		  void (*destructor)(void *buf, void *priv),
		  void (*reclaim)(void *priv), void *priv, struct kma_vmem *vmp,
		  int flags)
{
	struct kma_cache_params params;

	memset(&params, 0, sizeof(params));
	params.name = name;
	params.size = bufsize;
	params.align = align;
	params.flags = kma_illumos_cache_flags(flags);
	params.construct = constructor;
	params.destruct = destructor;
	params.reclaim = reclaim;
	params.arg = priv;
	if (vmp) {
		params.import = kma_illumos_import;
		params.release = kma_illumos_release;
		params.source = vmp;
		params.slab_size = kma_illumos_slab_size(bufsize);
	}
	return kma_cache_create(&params);
}

KMA_DIALECT void
kmem_cache_set_move(kmem_cache_t *cache,
		    kmem_cbrc_t (*move)(void *object, void *target, size_t size,
					void *priv))
{
	kma_cache_set_move(cache, move);
}

KMA_DIALECT void kmem_cache_move_notify(kmem_cache_t *cache, void *buf)
{
	kma_cache_move_notify(cache, buf);
}

KMA_DIALECT void kmem_cache_destroy(kmem_cache_t *cache)
{
	kma_cache_destroy(cache);
}

KMA_DIALECT void *kmem_cache_alloc(kmem_cache_t *cache, int flags)
{
	return kma_cache_alloc(cache, kma_illumos_flags(flags));
}

KMA_DIALECT void kmem_cache_free(kmem_cache_t *cache, void *buf)
{
	kma_cache_free(cache, buf);
}

KMA_DIALECT uint64_t kmem_cache_stat(kmem_cache_t *cache, const char *name)
{
	return kma_cache_stat(cache, name);
}

/* Reclaim callbacks are never under way when a reap returns. */
KMA_DIALECT boolean_t kmem_cache_reap_active(void)
{
	return B_FALSE;
}

KMA_DIALECT void kmem_cache_reap_now(kmem_cache_t *cache)
{
	kma_cache_reap_now(cache);
}

/* illumos's newer name; this one waits too. */
KMA_DIALECT void kmem_cache_reap_soon(kmem_cache_t *cache)
{
	kma_cache_reap_now(cache);
}

/* --- vmem ------------------------------------------------------------------
 */

typedef struct kma_vmem vmem_t;

#define VM_SLEEP    0x00000000
#define VM_NOSLEEP  0x00000001
#define VM_PANIC    0x00000002
#define VM_PUSHPAGE 0x00000004
#define VM_KMFLAGS  0x000000ff
#define VM_BESTFIT  0x00000100
#define VM_FIRSTFIT 0x00000200
#define VM_NEXTFIT  0x00000400
#define VM_MEMLOAD  0x00000800
#define VM_NORELOC  0x00001000
#define VM_ABORT    0x00002000
#define VM_ENDALLOC 0x00004000
#define VM_FLAGS    0x0000ffff

#define VMC_POPULATOR  0x00010000
#define VMC_NO_QCACHE  0x00020000
#define VMC_IDENTIFIER 0x00040000
#define VMC_XALLOC     0x00080000
#define VMC_XALIGN     0x00100000
#define VMC_FLAGS      0xffff0000

#define VMEM_ALLOC 0x01
#define VMEM_FREE  0x02
#define VMEM_SPAN  0x10

/* vmem_walk() never holds a lock while it calls. */
#define VMEM_REENTRANT 0x80000000

typedef void *vmem_alloc_t(vmem_t *vm, size_t size, int flags);
typedef void vmem_free_t(vmem_t *vm, void *address, size_t size);
typedef void *vmem_ximport_t(vmem_t *vm, size_t *size, size_t align, int flags);

KMA_DIALECT unsigned kma_illumos_vm_flags(int flags)
{
	unsigned native = flags & VM_NOSLEEP || flags & VM_PANIC
				  ? (unsigned)KMA_VM_NOSLEEP
				  : (unsigned)KMA_VM_SLEEP;

	return native | (flags & VM_PANIC ? (unsigned)KMA_VM_PANIC : 0) |
	       (flags & VM_BESTFIT ? (unsigned)KMA_VM_BESTFIT : 0) |
	       (flags & VM_FIRSTFIT ? (unsigned)KMA_VM_FIRSTFIT : 0) |
	       (flags & VM_NEXTFIT ? (unsigned)KMA_VM_NEXTFIT : 0);
}

KMA_DIALECT int kma_illumos_vm_import(const struct kma_vmem_source *source,
				      size_t *size, unsigned flags,
				      uintptr_t *address)
{
	vmem_alloc_t *own = (vmem_alloc_t *)source->foreign_import;
	void *span =
		own(source->arena, *size,
		    flags & (unsigned)KMA_VM_SLEEP ? VM_SLEEP : VM_NOSLEEP);

	*address = (uintptr_t)span;
	return span ? 0 : ENOMEM;
}

KMA_DIALECT int kma_illumos_vm_ximport(const struct kma_vmem_source *source,
				       size_t *size, unsigned flags,
				       uintptr_t *address)
{
	vmem_ximport_t *own = (vmem_ximport_t *)source->foreign_import;
	void *span =
		own(source->arena, size, 1,
		    flags & (unsigned)KMA_VM_SLEEP ? VM_SLEEP : VM_NOSLEEP);

	*address = (uintptr_t)span;
	return span ? 0 : ENOMEM;
}

KMA_DIALECT void kma_illumos_vm_release(const struct kma_vmem_source *source,
					uintptr_t address, size_t size)
{
	((vmem_free_t *)source->foreign_release)(source->arena, (void *)address,
						 size);
}

KMA_DIALECT vmem_t *kma_illumos_vmem_make(const char *name, void *base,
					  size_t size, size_t quantum,
					  void (*import)(void), int ximport,
					  vmem_free_t *release, vmem_t *arena,
					  size_t qcache_max, int flags)
{
	struct kma_vmem_source source;

	memset(&source, 0, sizeof(source));
	source.import =
		ximport ? kma_illumos_vm_ximport : kma_illumos_vm_import;
	source.release = release ? kma_illumos_vm_release : NULL;
	source.arena = arena;
	source.foreign_import = import;
	source.foreign_release = (void (*)(void))release;
	return kma_vmem_xcreate(
		name, (uintptr_t)base, size, quantum, import ? &source : NULL,
		flags & VMC_NO_QCACHE ? 0 : qcache_max,
		kma_illumos_vm_flags(flags) | (unsigned)KMA_VMC_LEAKS_PASS |
			(unsigned)KMA_VMC_INTR_SAFE |
			(flags & VMC_IDENTIFIER ? (unsigned)KMA_VMC_IDENTIFIER
						: 0));
}

KMA_DIALECT vmem_t *vmem_create(const char *name, void *base, size_t size,
				size_t quantum, vmem_alloc_t *import,
				vmem_free_t *release, vmem_t *source,
				size_t qcache_max, int flags)
{
	return kma_illumos_vmem_make(name, base, size, quantum,
				     (void (*)(void))import, 0, release, source,
				     qcache_max, flags);
}

KMA_DIALECT vmem_t *vmem_xcreate(const char *name, void *base, size_t size,
				 size_t quantum, vmem_ximport_t *import,
				 vmem_free_t *release, vmem_t *source,
				 size_t qcache_max, int flags)
{
	return kma_illumos_vmem_make(name, base, size, quantum,
				     (void (*)(void))import, 1, release, source,
				     qcache_max, flags);
}

KMA_DIALECT void vmem_destroy(vmem_t *vm)
{
	kma_vmem_destroy(vm);
}

KMA_DIALECT void *vmem_alloc(vmem_t *vm, size_t size, int flags)
{
	uintptr_t address = 0;

	return kma_vmem_alloc(vm, size, kma_illumos_vm_flags(flags),
			      &address) == 0
		       ? (void *)address
		       : NULL;
}

KMA_DIALECT void vmem_free(vmem_t *vm, void *address, size_t size)
{
	kma_vmem_free(vm, (uintptr_t)address, size);
}

/* max is the first address beyond; NULL: there is none. */
KMA_DIALECT void *vmem_xalloc(vmem_t *vm, size_t size, size_t align,
			      size_t phase, size_t nocross, void *min,
			      void *max, int flags)
{
	uintptr_t address = 0;
	uintptr_t last = max ? (uintptr_t)max - 1 : UINTPTR_MAX;

	return kma_vmem_xalloc(vm, size, align, phase, nocross, (uintptr_t)min,
			       last, kma_illumos_vm_flags(flags), &address) == 0
		       ? (void *)address
		       : NULL;
}

KMA_DIALECT void vmem_xfree(vmem_t *vm, void *address, size_t size)
{
	kma_vmem_xfree(vm, (uintptr_t)address, size);
}

KMA_DIALECT void *vmem_add(vmem_t *vm, void *address, size_t size, int flags)
{
	return kma_vmem_add(vm, (uintptr_t)address, size,
			    kma_illumos_vm_flags(flags)) == 0
		       ? address
		       : NULL;
}

KMA_DIALECT int vmem_contains(vmem_t *vm, void *address, size_t size)
{
	return kma_vmem_contains(vm, (uintptr_t)address, size);
}

struct kma_illumos_walk {
	void (*callback)(void *arg, void *address, size_t size);
	void *arg;
};

KMA_DIALECT void kma_illumos_walk_one(void *argument, enum kma_vmem_types type,
				      uintptr_t address, size_t size)
{
	struct kma_illumos_walk *walk = (struct kma_illumos_walk *)argument;

	(void)type;
	walk->callback(walk->arg, (void *)address, size);
}

KMA_DIALECT void
vmem_walk(vmem_t *vm, int types,
	  void (*callback)(void *arg, void *address, size_t size), void *arg)
{
	struct kma_illumos_walk walk;

	walk.callback = callback;
	walk.arg = arg;
	kma_vmem_walk(vm, (unsigned)types & 3u, kma_illumos_walk_one, &walk);
}

/* Slabs of quantum caches that nobody has pieces of go back. */
KMA_DIALECT void vmem_qcache_reap(vmem_t *vm)
{
	kma_vmem_reap(vm);
}

KMA_DIALECT size_t vmem_size(vmem_t *vm, int types)
{
	return kma_vmem_size(vm, (unsigned)types & 3u);
}

#include <kma/illumos_id.h>

#ifdef __cplusplus
}
#endif

#endif
