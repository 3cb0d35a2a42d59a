/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FreeBSD's zone(9), caches of objects of one size, over libkma's. Included by
 * kma/bsd_malloc.h with KMA_FREEBSD, and by nobody else.
 *
 *	init, fini	when an item comes out of a slab, and goes back
 *	ctor, dtor	with each uma_zalloc() and uma_zfree()
 *
 * At tiers audit and guard, which fill what is free, init and fini run as often
 * as the others.
 */
#ifndef KMA_FREEBSD_UMA_H
#define KMA_FREEBSD_UMA_H

#ifndef KMA_BSD_MALLOC_H
#error "include kma/bsd_malloc.h"
#endif

typedef int (*uma_ctor)(void *mem, int size, void *arg, int flags);
typedef void (*uma_dtor)(void *mem, int size, void *arg);
typedef int (*uma_init)(void *mem, int size, int flags);
typedef void (*uma_fini)(void *mem, int size);

struct uma_zone {
	struct kma_cache *uz_cache;
	int uz_size;
	uma_ctor uz_ctor;
	uma_dtor uz_dtor;
	uma_init uz_init;
	uma_fini uz_fini;
	int uz_max;
	const char *uz_warning;
};
typedef struct uma_zone *uma_zone_t;

/* An alignment, less one. */
#define UMA_ALIGN_PTR     (sizeof(void *) - 1)
#define UMA_ALIGN_LONG    (sizeof(long) - 1)
#define UMA_ALIGN_INT     (sizeof(int) - 1)
#define UMA_ALIGN_SHORT   (sizeof(short) - 1)
#define UMA_ALIGN_CHAR    ((size_t)0)
#define UMA_ALIGN_CACHE   ((size_t)64 - 1)
#define UMA_ALIGNOF(type) (__alignof__(type) - 1)

/* What is said of slabs and pages is taken and means nothing. */
#define UMA_ZONE_UNMANAGED  0x0001
#define UMA_ZONE_ZINIT      0x0002
#define UMA_ZONE_CONTIG     0x0004
#define UMA_ZONE_NOTOUCH    0x0008
#define UMA_ZONE_MALLOC     0x0010
#define UMA_ZONE_NOFREE     0x0020
#define UMA_ZONE_MTXCLASS   0x0040
#define UMA_ZONE_VM         0x0080
#define UMA_ZONE_NOTPAGE    0x0100
#define UMA_ZONE_SECONDARY  0x0200
#define UMA_ZONE_NOBUCKET   0x0400
#define UMA_ZONE_MAXBUCKET  0x0800
#define UMA_ZONE_FIRSTTOUCH 0x4000
#define UMA_ZONE_ROUNDROBIN 0x8000
#define UMA_ZONE_NODUMP     0x10000

#define UMA_RECLAIM_DRAIN     1
#define UMA_RECLAIM_DRAIN_CPU 2
#define UMA_RECLAIM_TRIM      3

KMA_DIALECT int kma_uma_init(void *object, void *arg, int flags)
{
	const struct uma_zone *zone = (const struct uma_zone *)arg;

	return zone->uz_init(object, zone->uz_size,
			     flags ? M_NOWAIT : M_WAITOK);
}

KMA_DIALECT void kma_uma_fini(void *object, void *arg)
{
	const struct uma_zone *zone = (const struct uma_zone *)arg;

	zone->uz_fini(object, zone->uz_size);
}

KMA_DIALECT int kma_uma_zero(void *object, int size, int flags)
{
	(void)flags;
	memset(object, 0, (size_t)size);
	return 0;
}

/* NULL: no memory, or no such zone can be. */
KMA_DIALECT uma_zone_t uma_zcreate(const char *name, size_t size, uma_ctor ctor,
				   uma_dtor dtor, uma_init init, uma_fini fini,
				   size_t align, uint32_t flags)
{
	struct kma_cache_params params;
	uma_zone_t zone = (uma_zone_t)kma_alloc(
		sizeof(*zone),
		(unsigned)KMA_BSD | (unsigned)KMA_SLEEP | (unsigned)KMA_ZERO);

	zone->uz_size = (int)size;
	zone->uz_ctor = ctor;
	zone->uz_dtor = dtor;
	zone->uz_init = init                     ? init
			: flags & UMA_ZONE_ZINIT ? kma_uma_zero
						 : NULL;
	zone->uz_fini = fini;
	memset(&params, 0, sizeof(params));
	params.name = name;
	params.size = size;
	params.align = align > 7 ? align + 1 : 0;
	params.flags = (unsigned)KMA_BSD | (unsigned)KMA_INTR_SAFE |
		       (flags & UMA_ZONE_NOBUCKET ? (unsigned)KMA_POOL : 0);
	params.construct = zone->uz_init ? kma_uma_init : NULL;
	params.destruct = fini ? kma_uma_fini : NULL;
	params.arg = zone;
	params.owner = zone;
	zone->uz_cache = kma_cache_create(&params);
	if (zone->uz_cache)
		return zone;
	kma_free(zone, sizeof(*zone), KMA_BSD);
	return NULL;
}

KMA_DIALECT void uma_zdestroy(uma_zone_t zone)
{
	if (kma_cache_destroy(zone->uz_cache) == 0)
		kma_free(zone, sizeof(*zone), KMA_BSD);
}

/* M_ZERO before the constructor, which may fail: then NULL. */
KMA_DIALECT void *uma_zalloc_arg(uma_zone_t zone, void *arg, int flags)
{
	void *item = kma_cache_alloc(zone->uz_cache, kma_bsd_flags(flags));

	if (!item || !zone->uz_ctor ||
	    zone->uz_ctor(item, zone->uz_size, arg, flags) == 0)
		return item;
	kma_cache_free(zone->uz_cache, item);
	return NULL;
}

KMA_DIALECT void *uma_zalloc(uma_zone_t zone, int flags)
{
	return uma_zalloc_arg(zone, NULL, flags);
}

KMA_DIALECT void uma_zfree_arg(uma_zone_t zone, void *item, void *arg)
{
	if (!item)
		return;
	if (zone->uz_dtor)
		zone->uz_dtor(item, zone->uz_size, arg);
	kma_cache_free(zone->uz_cache, item);
}

KMA_DIALECT void uma_zfree(uma_zone_t zone, void *item)
{
	uma_zfree_arg(zone, item, NULL);
}

KMA_DIALECT void uma_prealloc(uma_zone_t zone, int count)
{
	kma_cache_prime(zone->uz_cache, (unsigned)count);
}

KMA_DIALECT void uma_zone_reserve(uma_zone_t zone, int count)
{
	kma_cache_set_low(zone->uz_cache, (unsigned)count);
}

KMA_DIALECT void kma_uma_set_limit(uma_zone_t zone)
{
	enum { SECONDS = 300 }; /* between warnings */

	kma_cache_set_limit(zone->uz_cache,
			    zone->uz_max ? (unsigned)zone->uz_max : UINT32_MAX,
			    zone->uz_warning, SECONDS);
}

/* The count is exact here, and returned. */
KMA_DIALECT int uma_zone_set_max(uma_zone_t zone, int count)
{
	zone->uz_max = count;
	kma_uma_set_limit(zone);
	return count;
}

KMA_DIALECT int uma_zone_get_max(uma_zone_t zone)
{
	return zone->uz_max;
}

KMA_DIALECT void uma_zone_set_warning(uma_zone_t zone, const char *warning)
{
	zone->uz_warning = warning;
	kma_uma_set_limit(zone);
}

KMA_DIALECT int uma_zone_get_cur(uma_zone_t zone)
{
	return (int)kma_cache_stat(zone->uz_cache, "buf_inuse");
}

KMA_DIALECT void uma_zone_reclaim(uma_zone_t zone, int request)
{
	(void)request;
	kma_cache_reclaim(zone->uz_cache);
}

KMA_DIALECT void uma_reclaim(int request)
{
	(void)request;
	kma_reap();
}

#endif
