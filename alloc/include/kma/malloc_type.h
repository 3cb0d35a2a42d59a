/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types of malloc(9) that are declared, as FreeBSD and NetBSD have them.
 * Included by kma/bsd_malloc.h and kma/netbsd_malloc.h, and by nobody else.
 */
#ifndef KMA_MALLOC_TYPE_H
#define KMA_MALLOC_TYPE_H

#include <kma/personality.h>
#include <kma/types.h>

struct malloc_type {
	struct kma_type *ks_type;
	const char *ks_shortdesc;
	const char *ks_longdesc;
};

#define MALLOC_DECLARE(type) extern struct malloc_type type[1]
#define MALLOC_DEFINE(type, shortdesc, longdesc) \
	struct malloc_type type[1] = { { NULL, shortdesc, longdesc } }

/* One that every kernel has; in all of a program's units the same. */
#define KMA_MALLOC_TYPE(type, shortdesc, longdesc) \
	__attribute__((weak)) MALLOC_DEFINE(type, shortdesc, longdesc)

/* Made at the first use; of two who do it at once, one wins. */
KMA_DIALECT struct kma_type *kma_malloc_type(struct malloc_type *type)
{
	struct kma_type *native, *none = NULL;

	if (!type)
		return NULL;
	native = __atomic_load_n(&type->ks_type, __ATOMIC_ACQUIRE);
	if (native)
		return native;
	native = kma_type_create(type->ks_shortdesc, type->ks_longdesc, 0);
	if (__atomic_compare_exchange_n(&type->ks_type, &none, native, 0,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return native;
	return none;
}

#endif
