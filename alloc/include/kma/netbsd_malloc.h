/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBSD's malloc(9), for code that has it beside kmem(9) and pool(9):
 *
 *	#include <kma/netbsd.h>
 *	#include <kma/netbsd_malloc.h>
 *
 * As in the kernel, malloc, realloc and free are macros then; libc's are not to
 * be had in such a unit after this header. Good in interrupt context with
 * M_NOWAIT.
 */
#ifndef KMA_NETBSD_MALLOC_H
#define KMA_NETBSD_MALLOC_H

#include <kma/netbsd.h>

#include <kma/malloc_type.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

#define M_WAITOK  0x0000
#define M_NOWAIT  0x0001
#define M_ZERO    0x0002
#define M_CANFAIL 0x0004 /* M_WAITOK may fail: it does not */

KMA_MALLOC_TYPE(M_DEVBUF, "devbuf", "memory of drivers");
KMA_MALLOC_TYPE(M_DMAMAP, "DMA map", "maps of transfers");
KMA_MALLOC_TYPE(M_FREE, "free", "what is of no type");
KMA_MALLOC_TYPE(M_PCB, "pcb", "protocol control blocks");
KMA_MALLOC_TYPE(M_SOFTINTR, "softintr", "soft interrupts");
KMA_MALLOC_TYPE(M_TEMP, "temp", "temporary memory");

KMA_DIALECT unsigned kma_netbsd_malloc_flags(int flags)
{
	const int known = M_NOWAIT | M_ZERO | M_CANFAIL;

	return (unsigned)KMA_NETBSD | (unsigned)KMA_INTR |
	       (flags & M_NOWAIT ? (unsigned)KMA_NOSLEEP
				 : (unsigned)KMA_SLEEP) |
	       (flags & M_ZERO ? (unsigned)KMA_ZERO : 0) |
	       (flags & ~known ? 0x80000000u : 0);
}

KMA_DIALECT void *kma_netbsd_malloc(size_t size, struct malloc_type *type,
				    int flags)
{
	return kma_type_alloc(kma_malloc_type(type), size,
			      kma_netbsd_malloc_flags(flags));
}

KMA_DIALECT void *kma_netbsd_realloc(void *p, size_t size,
				     struct malloc_type *type, int flags)
{
	return kma_type_realloc(kma_malloc_type(type), p, size,
				kma_netbsd_malloc_flags(flags));
}

KMA_DIALECT void kma_netbsd_free(void *p, struct malloc_type *type)
{
	kma_type_free(kma_malloc_type(type), p,
		      (unsigned)KMA_NETBSD | (unsigned)KMA_INTR);
}

/* Types are made when they are first used. */
KMA_DIALECT void malloc_type_attach(struct malloc_type *type)
{
	(void)kma_malloc_type(type);
}

KMA_DIALECT void malloc_type_detach(struct malloc_type *type)
{
	(void)type;
}

#undef malloc
#undef realloc
#undef free
#define malloc(size, type, flags)     kma_netbsd_malloc(size, type, flags)
#define realloc(p, size, type, flags) kma_netbsd_realloc(p, size, type, flags)
#define free(p, type)                 kma_netbsd_free(p, type)

#ifdef __cplusplus
}
#endif

#endif
