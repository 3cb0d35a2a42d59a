/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls beside FreeBSD's malloc(9): memory of a domain, and
 * contigmalloc(9). Included by kma/bsd_malloc.h with KMA_FREEBSD, and by nobody
 * else.
 */
#ifndef KMA_FREEBSD_MALLOC_H
#define KMA_FREEBSD_MALLOC_H

#ifndef KMA_BSD_MALLOC_H
#error "include kma/bsd_malloc.h"
#endif

#include <stdbool.h>

/* --- domains ---------------------------------------------------------------
 *
 * Where memory lies is the system's concern: a domain is taken and means
 * nothing.
 */

struct domainset;

#define DOMAINSET_FIXED(domain) ((struct domainset *)NULL)
#define DOMAINSET_PREF(domain)  ((struct domainset *)NULL)
#define DOMAINSET_FT()          ((struct domainset *)NULL)
#define DOMAINSET_IL()          ((struct domainset *)NULL)
#define DOMAINSET_RR()          ((struct domainset *)NULL)

KMA_DIALECT void *bsd_malloc_domainset(size_t size, struct malloc_type *type,
				       struct domainset *ds, int flags)
{
	(void)ds;
	return bsd_malloc(size, type, flags);
}

KMA_DIALECT void *bsd_malloc_domainset_aligned(size_t size, size_t align,
					       struct malloc_type *type,
					       struct domainset *ds, int flags)
{
	(void)ds;
	return bsd_malloc_aligned(size, align, type, flags);
}

KMA_DIALECT void *bsd_mallocarray_domainset(size_t count, size_t size,
					    struct malloc_type *type,
					    struct domainset *ds, int flags)
{
	(void)ds;
	return bsd_mallocarray(count, size, type, flags);
}

/* Is count * size more than a size can be? */
KMA_DIALECT bool WOULD_OVERFLOW(size_t count, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(count, size, &total);
}

/* --- contigmalloc(9) -------------------------------------------------------
 *
 * A process does not see physical addresses: addresses follow each other as in
 * all memory, low and high are taken and mean nothing.
 */

typedef uint64_t vm_paddr_t;

/* What keeps size bytes from crossing a multiple of boundary, where they can be
 * kept from it. */
KMA_DIALECT unsigned long kma_bsd_contig_align(unsigned long size,
					       unsigned long align,
					       vm_paddr_t boundary)
{
	unsigned long least = align > 4096 ? align : 4096;

	while (boundary && least < size && least < boundary)
		least *= 2;
	return least;
}

KMA_DIALECT void *contigmalloc(unsigned long size, struct malloc_type *type,
			       int flags, vm_paddr_t low, vm_paddr_t high,
			       unsigned long align, vm_paddr_t boundary)
{
	(void)low, (void)high;
	return bsd_malloc_aligned(
		size, kma_bsd_contig_align(size, align, boundary), type, flags);
}

KMA_DIALECT void *contigmalloc_domainset(unsigned long size,
					 struct malloc_type *type,
					 struct domainset *ds, int flags,
					 vm_paddr_t low, vm_paddr_t high,
					 unsigned long align,
					 vm_paddr_t boundary)
{
	(void)ds;
	return contigmalloc(size, type, flags, low, high, align, boundary);
}

KMA_DIALECT void contigfree(void *p, unsigned long size,
			    struct malloc_type *type)
{
	(void)size;
	bsd_free(p, type);
}

#endif
