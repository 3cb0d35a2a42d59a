/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FreeBSD's vmem(9), over libkma's arenas. Included by kma/bsd_malloc.h with
 * KMA_FREEBSD, and by nobody else.
 */
#ifndef KMA_FREEBSD_VMEM_H
#define KMA_FREEBSD_VMEM_H

#ifndef KMA_BSD_MALLOC_H
#error "include kma/bsd_malloc.h"
#endif

#include <kma/vmem.h>

typedef struct kma_vmem vmem_t;
typedef uintptr_t vmem_addr_t;
typedef size_t vmem_size_t;

#define VMEM_ADDR_MIN        ((vmem_addr_t)0)
#define VMEM_ADDR_QCACHE_MIN ((vmem_addr_t)1)
#define VMEM_ADDR_MAX        UINTPTR_MAX

#define VMEM_ALLOC   0x01
#define VMEM_FREE    0x02
#define VMEM_MAXFREE 0x10

typedef int vmem_import_t(void *arg, vmem_size_t size, int flags,
			  vmem_addr_t *addrp);
typedef void vmem_release_t(void *arg, vmem_addr_t addr, vmem_size_t size);
typedef void vmem_reclaim_t(vmem_t *vm, int flags);

/* M_FIRSTFIT is what others call instant fit. Neither or both of M_WAITOK and
 * M_NOWAIT stay so, which is reported. */
KMA_DIALECT unsigned kma_freebsd_vm_flags(int flags)
{
	return (flags & M_WAITOK ? (unsigned)KMA_VM_SLEEP : 0) |
	       (flags & M_NOWAIT ? (unsigned)KMA_VM_NOSLEEP : 0) |
	       (flags & M_BESTFIT ? (unsigned)KMA_VM_BESTFIT : 0) |
	       (flags & M_NEXTFIT ? (unsigned)KMA_VM_NEXTFIT : 0);
}

KMA_DIALECT vmem_t *vmem_create(const char *name, vmem_addr_t base,
				vmem_size_t size, vmem_size_t quantum,
				vmem_size_t qcache_max, int flags)
{
	return kma_vmem_xcreate(
		name, base, size, quantum, NULL, qcache_max,
		kma_freebsd_vm_flags(flags & (M_WAITOK | M_NOWAIT)) |
			(unsigned)KMA_VMC_INTR_SAFE);
}

/* As vmem_create(). The caller's storage is not used, arenas are the library's:
 * what is returned is the arena. */
KMA_DIALECT vmem_t *vmem_init(vmem_t *vm, const char *name, vmem_addr_t base,
			      vmem_size_t size, vmem_size_t quantum,
			      vmem_size_t qcache_max, int flags)
{
	(void)vm;
	return vmem_create(name, base, size, quantum, qcache_max, flags);
}

KMA_DIALECT void vmem_destroy(vmem_t *vm)
{
	kma_vmem_destroy(vm);
}

KMA_DIALECT int kma_freebsd_vm_import(const struct kma_vmem_source *source,
				      size_t *size, unsigned flags,
				      uintptr_t *address)
{
	int own = flags & (unsigned)KMA_VM_SLEEP ? M_WAITOK : M_NOWAIT;

	return ((vmem_import_t *)source->foreign_import)(
		source->argument, *size, own | M_BESTFIT, address);
}

KMA_DIALECT void kma_freebsd_vm_release(const struct kma_vmem_source *source,
					uintptr_t address, size_t size)
{
	((vmem_release_t *)source->foreign_release)(source->argument, address,
						    size);
}

/* Before it is used; quantum is what imports are a multiple of. */
KMA_DIALECT void vmem_set_import(vmem_t *vm, vmem_import_t *import,
				 vmem_release_t *release, void *arg,
				 vmem_size_t quantum)
{
	struct kma_vmem_source source;

	memset(&source, 0, sizeof(source));
	source.import = import ? kma_freebsd_vm_import : NULL;
	source.release = release ? kma_freebsd_vm_release : NULL;
	source.arena = kma_vmem_known(arg); /* for the debugger */
	source.foreign_import = (void (*)(void))import;
	source.foreign_release = (void (*)(void))release;
	source.argument = arg;
	source.quantum = quantum;
	kma_vmem_set_source(vm, &source);
}

KMA_DIALECT void vmem_set_limit(vmem_t *vm, vmem_size_t limit)
{
	kma_vmem_set_limit(vm, limit);
}

/* The function of each arena that has one. */
KMA_DIALECT void kma_freebsd_vm_reclaim(vmem_t *vm, unsigned flags)
{
	vmem_reclaim_t *own = (vmem_reclaim_t *)kma_vmem_foreign_reclaim(vm);

	own(vm, flags & (unsigned)KMA_VM_SLEEP ? M_WAITOK : M_NOWAIT);
}

KMA_DIALECT void vmem_set_reclaim(vmem_t *vm, vmem_reclaim_t *reclaim)
{
	kma_vmem_set_reclaim(vm, reclaim ? kma_freebsd_vm_reclaim : NULL,
			     (void (*)(void))reclaim);
}

KMA_DIALECT int vmem_add(vmem_t *vm, vmem_addr_t address, vmem_size_t size,
			 int flags)
{
	return kma_vmem_add(vm, address, size, kma_freebsd_vm_flags(flags));
}

KMA_DIALECT int vmem_alloc(vmem_t *vm, vmem_size_t size, int flags,
			   vmem_addr_t *address)
{
	return kma_vmem_alloc(vm, size, kma_freebsd_vm_flags(flags), address);
}

KMA_DIALECT void vmem_free(vmem_t *vm, vmem_addr_t address, vmem_size_t size)
{
	kma_vmem_free(vm, address, size);
}

/* ENOMEM even with M_WAITOK where the constraints can never be met. */
KMA_DIALECT int vmem_xalloc(vmem_t *vm, vmem_size_t size, vmem_size_t align,
			    vmem_size_t phase, vmem_size_t nocross,
			    vmem_addr_t min, vmem_addr_t max, int flags,
			    vmem_addr_t *address)
{
	unsigned native = kma_freebsd_vm_flags(flags);

	if (flags & M_WAITOK)
		native |= (unsigned)KMA_VM_MAYFAIL;
	return kma_vmem_xalloc(vm, size, align, phase, nocross, min, max,
			       native, address);
}

KMA_DIALECT void vmem_xfree(vmem_t *vm, vmem_addr_t address, vmem_size_t size)
{
	kma_vmem_xfree(vm, address, size);
}

KMA_DIALECT vmem_size_t vmem_roundup_size(vmem_t *vm, vmem_size_t size)
{
	return kma_vmem_roundup(vm, size);
}

KMA_DIALECT void kma_freebsd_vm_larger(void *argument, enum kma_vmem_types type,
				       uintptr_t address, size_t size)
{
	vmem_size_t *largest = (vmem_size_t *)argument;

	(void)type, (void)address;
	if (size > *largest)
		*largest = size;
}

/* VMEM_MAXFREE: the largest that is free. */
KMA_DIALECT vmem_size_t vmem_size(vmem_t *vm, int types)
{
	vmem_size_t largest = 0;

	if (!(types & VMEM_MAXFREE))
		return kma_vmem_size(vm, (unsigned)types & 3u);
	kma_vmem_walk(vm, KMA_VMEM_FREE, kma_freebsd_vm_larger, &largest);
	return largest;
}

#define KMA_VMEM_PRINTED int
#include <kma/vmem_print.h>

#endif
