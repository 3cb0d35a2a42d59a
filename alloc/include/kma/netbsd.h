/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBSD's allocators: kmem(9) here, pool(9), pool_cache(9), vmem(9), uvm_km(9)
 * and percpu(9) in headers that this one includes. The kernel's names,
 * arguments, flags and rules, over libkma; what differs in a process is said
 * with each, and in libkma_netbsd(3).
 *
 * Interrupt context is a signal handler: mark it with KMA_INTR_ENTER() and
 * KMA_INTR_EXIT(). Pools of an ipl other than IPL_NONE, and kmem_intr_*(), are
 * good there. A panic is a report on stderr and SIGABRT.
 */
#ifndef KMA_NETBSD_H
#define KMA_NETBSD_H

#if defined(KMA_ILLUMOS_H) || defined(KMA_BSD_MALLOC_H)
#error "one translation unit has one personality: kma/netbsd.h is another"
#endif

#include <kma/kma.h>
#include <kma/personality.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned int km_flag_t;
typedef uintptr_t paddr_t;

#define KMA_INTR_ENTER() kma_intr_enter()
#define KMA_INTR_EXIT()  kma_intr_exit()

#define IPL_NONE       0
#define IPL_SOFTCLOCK  1
#define IPL_SOFTBIO    2
#define IPL_SOFTNET    3
#define IPL_SOFTSERIAL 4
#define IPL_VM         5
#define IPL_SCHED      6
#define IPL_HIGH       7

/* --- kmem(9) ---------------------------------------------------------------
 */

#define KM_SLEEP   0x1
#define KM_NOSLEEP 0x2

/* Neither or both stay neither or both, which is reported. */
KMA_DIALECT unsigned kma_netbsd_flags(unsigned flags)
{
	return (flags & KM_SLEEP ? (unsigned)KMA_SLEEP : 0) |
	       (flags & KM_NOSLEEP ? (unsigned)KMA_NOSLEEP : 0) |
	       (flags & ~3u ? 0x80000000u : 0) | (unsigned)KMA_NETBSD;
}

KMA_DIALECT void *kmem_alloc(size_t size, km_flag_t flags)
{
	return kma_alloc(size, kma_netbsd_flags(flags));
}

KMA_DIALECT void *kmem_zalloc(size_t size, km_flag_t flags)
{
	return kma_alloc(size, kma_netbsd_flags(flags) | (unsigned)KMA_ZERO);
}

KMA_DIALECT void kmem_free(void *p, size_t size)
{
	kma_free(p, size, KMA_NETBSD);
}

KMA_DIALECT void *kmem_intr_alloc(size_t size, km_flag_t flags)
{
	return kma_alloc(size, kma_netbsd_flags(flags) | (unsigned)KMA_INTR);
}

KMA_DIALECT void *kmem_intr_zalloc(size_t size, km_flag_t flags)
{
	return kma_alloc(size, kma_netbsd_flags(flags) | (unsigned)KMA_INTR |
				       (unsigned)KMA_ZERO);
}

KMA_DIALECT void kmem_intr_free(void *p, size_t size)
{
	kma_free(p, size, (unsigned)KMA_NETBSD | (unsigned)KMA_INTR);
}

/* Nothing to do: the first call makes the allocator. */
KMA_DIALECT void kmem_init(void)
{
}

KMA_DIALECT size_t kmem_roundup_size(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

KMA_DIALECT char *kmem_strdupsize(const char *string, size_t *size,
				  km_flag_t flags)
{
	size_t bytes = strlen(string) + 1;
	char *copy = (char *)kmem_alloc(bytes, flags);

	if (!copy)
		return NULL;
	if (size)
		*size = bytes;
	return (char *)memcpy(copy, string, bytes);
}

KMA_DIALECT char *kmem_strdup(const char *string, km_flag_t flags)
{
	return kmem_strdupsize(string, NULL, flags);
}

KMA_DIALECT char *kmem_strndup(const char *string, size_t most, km_flag_t flags)
{
	size_t length = strnlen(string, most);
	char *copy = (char *)kmem_alloc(length + 1, flags);

	if (!copy)
		return NULL;
	memcpy(copy, string, length);
	copy[length] = '\0';
	return copy;
}

#include <kma/kmem_string.h>

/* Memory for a while: the caller's buffer where that is large enough. */
KMA_DIALECT void *kmem_tmpbuf_alloc(size_t size, void *stackbuf,
				    size_t stackbufsize, km_flag_t flags)
{
	return size <= stackbufsize ? stackbuf : kmem_alloc(size, flags);
}

KMA_DIALECT void kmem_tmpbuf_free(void *p, size_t size, void *stackbuf)
{
	if (p != stackbuf)
		kmem_free(p, size);
}

#include <kma/netbsd_pool.h>
#include <kma/netbsd_vm.h>

#ifdef __cplusplus
}
#endif

#endif
