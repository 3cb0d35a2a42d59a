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
#define KM_FLAGS     0xffff

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

/* Freed by kmem_strfree() while its length is what it was. */
KMA_DIALECT __attribute__((format(printf, 1, 2))) char *
kmem_asprintf(const char *format, ...)
{
	va_list arguments;
	char *text;
	int size;

	va_start(arguments, format);
	size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (size < 0)
		return NULL;
	text = (char *)kmem_alloc((size_t)size + 1, KM_SLEEP);
	if (!text)
		return NULL;
	va_start(arguments, format);
	vsnprintf(text, (size_t)size + 1, format, arguments);
	va_end(arguments);
	return text;
}

KMA_DIALECT void kmem_strfree(char *string)
{
	if (string)
		kmem_free(string, strlen(string) + 1);
}

KMA_DIALECT void kmem_reap(void)
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

KMA_DIALECT void kmem_cache_reap_now(kmem_cache_t *cache)
{
	kma_cache_reap_now(cache);
}

/* illumos's newer name; this one waits too. */
KMA_DIALECT void kmem_cache_reap_soon(kmem_cache_t *cache)
{
	kma_cache_reap_now(cache);
}

#ifdef __cplusplus
}
#endif

#endif
