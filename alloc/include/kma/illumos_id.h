/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * id_space(9F) of illumos, numbers out of an arena: minor numbers, instances.
 * Included by kma/illumos.h, and by nobody else.
 */
#ifndef KMA_ILLUMOS_ID_H
#define KMA_ILLUMOS_ID_H

#ifndef KMA_ILLUMOS_H
#error "include kma/illumos.h"
#endif

#include <sys/types.h>

/* An arena's numbers begin at 1: vmem has no 0. */
typedef struct kma_vmem id_space_t;

/* Numbers from low up to but not including high. */
KMA_DIALECT id_space_t *id_space_create(const char *name, id_t low, id_t high)
{
	return vmem_create(name, (void *)((uintptr_t)low + 1),
			   (size_t)(high - low), 1, NULL, NULL, NULL, 0,
			   VM_SLEEP | VMC_IDENTIFIER);
}

KMA_DIALECT void id_space_destroy(id_space_t *ids)
{
	vmem_destroy(ids);
}

KMA_DIALECT void id_space_extend(id_space_t *ids, id_t low, id_t high)
{
	vmem_add(ids, (void *)((uintptr_t)low + 1), (size_t)(high - low),
		 VM_SLEEP);
}

/* Another than was freed last, as far as there is one. */
KMA_DIALECT id_t id_alloc(id_space_t *ids)
{
	return (id_t)((uintptr_t)vmem_alloc(ids, 1, VM_SLEEP | VM_NEXTFIT) - 1);
}

/* -1: there is none. */
KMA_DIALECT id_t id_alloc_nosleep(id_space_t *ids)
{
	return (id_t)((uintptr_t)vmem_alloc(ids, 1, VM_NOSLEEP | VM_NEXTFIT) -
		      1);
}

/* The lowest. */
KMA_DIALECT id_t id_allocff(id_space_t *ids)
{
	return (id_t)((uintptr_t)vmem_alloc(ids, 1, VM_SLEEP | VM_FIRSTFIT) -
		      1);
}

KMA_DIALECT id_t id_allocff_nosleep(id_space_t *ids)
{
	return (id_t)((uintptr_t)vmem_alloc(ids, 1, VM_NOSLEEP | VM_FIRSTFIT) -
		      1);
}

/* That one; -1: it is taken. */
KMA_DIALECT id_t id_alloc_specific_nosleep(id_space_t *ids, id_t id)
{
	uintptr_t at = (uintptr_t)id + 1;

	return vmem_xalloc(ids, 1, 1, 0, 0, (void *)at, (void *)(at + 1),
			   VM_NOSLEEP)
		       ? id
		       : (id_t)-1;
}

KMA_DIALECT void id_free(id_space_t *ids, id_t id)
{
	vmem_free(ids, (void *)((uintptr_t)id + 1), 1);
}

#endif
