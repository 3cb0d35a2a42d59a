/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BSDs' malloc(9): 386BSD's, where a type is a number, and FreeBSD's, where
 * it is declared by MALLOC_DEFINE(). The kernel's names, arguments and rules,
 * over libkma.
 *
 *	p = malloc(size, M_TEMP, M_WAITOK);	386BSD
 *	free(p, M_TEMP);
 *
 *	MALLOC_DEFINE(M_FOO, "foo", "buffers of foo");	FreeBSD
 *	p = malloc(size, M_FOO, M_WAITOK | M_ZERO);
 *
 * The kernel's malloc and free are macros of three and of two arguments, and
 * stand for bsd_malloc and bsd_free; libc's are not to be had in such a unit
 * after this header. With KMA_BSD_NO_LIBC_NAMES only the bsd_ names are
 * defined. With KMA_FREEBSD the types are FreeBSD's, and its zone(9) and
 * vmem(9) are there.
 */
#ifndef KMA_BSD_MALLOC_H
#define KMA_BSD_MALLOC_H

#if defined(KMA_NETBSD_H) || defined(KMA_ILLUMOS_H)
#error "one translation unit has one personality: kma/bsd_malloc.h is another"
#endif

#include <kma/personality.h>
#include <kma/space.h>
#include <kma/types.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- flags -----------------------------------------------------------------
 */

#ifdef KMA_FREEBSD

#define M_NOWAIT      0x0001
#define M_WAITOK      0x0002
#define M_NORECLAIM   0x0080
#define M_ZERO        0x0100
#define M_NOVM        0x0200
#define M_USE_RESERVE 0x0400
#define M_NODUMP      0x0800
#define M_FIRSTFIT    0x1000
#define M_BESTFIT     0x2000
#define M_EXEC        0x4000
#define M_NEXTFIT     0x8000
#define M_NEVERFREED  0x10000

KMA_DIALECT unsigned kma_bsd_flags(int flags)
{
	/* What is said of pages, of which a process knows nothing, is taken and
	 * means nothing; no memory of the heap's is executable. */
	const int known = M_NOWAIT | M_WAITOK | M_ZERO | M_NOVM |
			  M_USE_RESERVE | M_NORECLAIM | M_NODUMP | M_FIRSTFIT |
			  M_BESTFIT | M_EXEC | M_NEXTFIT | M_NEVERFREED;

	return (unsigned)KMA_BSD |
	       (flags & M_WAITOK ? (unsigned)KMA_SLEEP : 0) |
	       (flags & M_NOWAIT ? (unsigned)KMA_NOSLEEP : 0) |
	       (flags & M_ZERO ? (unsigned)KMA_ZERO : 0) |
	       (flags & ~known ? 0x80000000u : 0);
}

#else

#define M_WAITOK  0x0
#define M_NOWAIT  0x1
#define M_ZERO_IT 0x2

KMA_DIALECT unsigned kma_bsd_flags(int flags)
{
	return (unsigned)KMA_BSD |
	       (flags & M_NOWAIT ? (unsigned)KMA_NOSLEEP
				 : (unsigned)KMA_SLEEP) |
	       (flags & M_ZERO_IT ? (unsigned)KMA_ZERO : 0) |
	       (flags & ~(M_NOWAIT | M_ZERO_IT) ? 0x80000000u : 0);
}

#endif

/* --- types -----------------------------------------------------------------
 */

#ifdef KMA_FREEBSD

#include <kma/malloc_type.h>

KMA_MALLOC_TYPE(M_CACHE, "cache", "cache entries");
KMA_MALLOC_TYPE(M_DEVBUF, "devbuf", "memory of drivers");
KMA_MALLOC_TYPE(M_TEMP, "temp", "temporary memory");
KMA_MALLOC_TYPE(M_IOV, "iov", "vectors of buffers");

KMA_DIALECT struct kma_type *kma_bsd_type(struct malloc_type *type)
{
	return kma_malloc_type(type);
}

typedef struct malloc_type *kma_bsd_type_t;

#else

#define M_FREE      0
#define M_MBUF      1
#define M_DEVBUF    2
#define M_SOCKET    3
#define M_PCB       4
#define M_RTABLE    5
#define M_HTABLE    6
#define M_FTABLE    7
#define M_ZOMBIE    8
#define M_IFADDR    9
#define M_SOOPTS    10
#define M_SONAME    11
#define M_NAMEI     12
#define M_GPROF     13
#define M_IOCTLOPS  14
#define M_MAPMEM    15
#define M_CRED      16
#define M_PGRP      17
#define M_SESSION   18
#define M_IOV       19
#define M_MOUNT     20
#define M_FHANDLE   21
#define M_NFSREQ    22
#define M_NFSMNT    23
#define M_NFSNODE   24
#define M_VNODE     25
#define M_CACHE     26
#define M_DQUOT     27
#define M_UFSMNT    28
#define M_SHM       29
#define M_VMMAP     30
#define M_VMMAPENT  31
#define M_VMOBJ     32
#define M_VMOBJHASH 33
#define M_VMPMAP    34
#define M_VMPVENT   35
#define M_VMPAGER   36
#define M_VMPGDATA  37
#define M_FILE      38
#define M_FILEDESC  39
#define M_LOCKF     40
#define M_PROC      41
#define M_SUBPROC   42
#define M_TEMP      49
#define M_LAST      50

KMA_DIALECT struct kma_type *kma_bsd_type(int type)
{
	return kma_type_numbered(type);
}

typedef int kma_bsd_type_t;

#endif

/* The most that a type may use, in bytes; 0: no limit. */
KMA_DIALECT void bsd_malloc_limit(kma_bsd_type_t type, size_t bytes)
{
	struct kma_type *native = kma_bsd_type(type);

	if (native)
		kma_type_set_limit(native, bytes);
}

/* --- malloc(9) -------------------------------------------------------------
 */

KMA_DIALECT void *bsd_malloc(size_t size, kma_bsd_type_t type, int flags)
{
	return kma_type_alloc(kma_bsd_type(type), size, kma_bsd_flags(flags));
}

KMA_DIALECT void bsd_free(void *p, kma_bsd_type_t type)
{
#ifdef KMA_FREEBSD
	if (!p)
		return;
#endif
	kma_type_free(kma_bsd_type(type), p, KMA_BSD);
}

#ifdef KMA_FREEBSD

KMA_DIALECT void *bsd_realloc(void *p, size_t size, kma_bsd_type_t type,
			      int flags)
{
	return kma_type_realloc(kma_bsd_type(type), p, size,
				kma_bsd_flags(flags));
}

/* Frees p, and what was there is not to be read any more. */
KMA_DIALECT void bsd_zfree(void *p, kma_bsd_type_t type)
{
	size_t size = kma_type_usable_size(p);

	if (size)
		memset(p, 0, size);
	__asm__ volatile("" : : "r"(p) : "memory");
	bsd_free(p, type);
}

/* size bytes at a multiple of align, a power of two; free() takes it back. */
KMA_DIALECT void *bsd_malloc_aligned(size_t size, size_t align,
				     kma_bsd_type_t type, int flags)
{
	return kma_type_alloc_aligned(kma_bsd_type(type), size, align,
				      kma_bsd_flags(flags));
}

/* What p may hold; 0 for NULL. */
KMA_DIALECT size_t bsd_malloc_usable_size(const void *p)
{
	return kma_type_usable_size(p);
}

/* Frees p where it fails. */
KMA_DIALECT void *bsd_reallocf(void *p, size_t size, kma_bsd_type_t type,
			       int flags)
{
	void *moved = bsd_realloc(p, size, type, flags);

	if (!moved)
		bsd_free(p, type);
	return moved;
}

KMA_DIALECT void *bsd_mallocarray(size_t count, size_t size,
				  kma_bsd_type_t type, int flags)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		total = SIZE_MAX;
	return bsd_malloc(total, type, flags);
}

#endif

#ifdef KMA_FREEBSD
#include <kma/freebsd_malloc.h>
#include <kma/freebsd_uma.h>
#include <kma/freebsd_vmem.h>
#endif

/* --- 386BSD's kmem(9), the pages below malloc(9) ---------------------------
 */

#ifndef KMA_FREEBSD

typedef struct kma_map *vm_map_t;
typedef uintptr_t vm_offset_t;
typedef size_t vm_size_t;
typedef int boolean_t;

#define M_SPACE_ONLY 0x4 /* addresses alone */
#define M_IO         0x18

#define kmem_map   kma_map_root()
#define kernel_map kma_map_root()

/* Whole pages of zeros. 0: no space in the map; M_WAITOK waits for it. */
KMA_DIALECT vm_offset_t kmem_alloc(vm_map_t map, vm_size_t size, int flags)
{
	return kma_map_alloc(
		map, size, 0,
		(flags & M_SPACE_ONLY ? (unsigned)KMA_MAP_VAONLY
				      : (unsigned)KMA_MAP_WIRED) |
			(flags & M_NOWAIT ? 0 : (unsigned)KMA_MAP_SLEEP));
}

/* size as it was asked for; else reported (BADSIZE). */
KMA_DIALECT void kmem_free(vm_map_t map, vm_offset_t address, vm_size_t size)
{
	kma_map_free(map, address, size, KMA_MAP_ANY);
}

/* A map of its own in kmem_map; NULL: no space. Pages come when they are asked
 * for either way: pageable is ignored. */
KMA_DIALECT vm_map_t kmem_suballoc(vm_size_t size, boolean_t pageable)
{
	uintptr_t min, max;

	(void)pageable;
	return kma_map_suballoc(kmem_map, &min, &max, size, 0);
}

#endif

#ifndef KMA_BSD_NO_LIBC_NAMES
#undef malloc
#undef free
#define malloc(size, type, flags) bsd_malloc(size, type, flags)
#define free(p, type)             bsd_free(p, type)
#define MALLOC(space, cast, size, type, flags) \
	((space) = (cast)bsd_malloc(size, type, flags))
#define FREE(p, type) bsd_free(p, type)
#ifdef KMA_FREEBSD
#undef realloc
#define realloc(p, size, type, flags)  bsd_realloc(p, size, type, flags)
#define reallocf(p, size, type, flags) bsd_reallocf(p, size, type, flags)
#define zfree(p, type)                 bsd_zfree(p, type)
#define malloc_usable_size(p)          bsd_malloc_usable_size(p)
#define malloc_aligned(size, align, type, flags) \
	bsd_malloc_aligned(size, align, type, flags)
#define mallocarray(count, size, type, flags) \
	bsd_mallocarray(count, size, type, flags)
#define malloc_exec(size, type, flags) bsd_malloc(size, type, (flags) | M_EXEC)
#define malloc_domainset(size, type, ds, flags) \
	bsd_malloc_domainset(size, type, ds, flags)
#define malloc_domainset_exec(size, type, ds, flags) \
	bsd_malloc_domainset(size, type, ds, (flags) | M_EXEC)
#define malloc_domainset_aligned(size, align, type, ds, flags) \
	bsd_malloc_domainset_aligned(size, align, type, ds, flags)
#define mallocarray_domainset(count, size, type, ds, flags) \
	bsd_mallocarray_domainset(count, size, type, ds, flags)
#define free_domain(p, type) bsd_free(p, type)
#endif
#endif

#ifdef __cplusplus
}
#endif

#endif
