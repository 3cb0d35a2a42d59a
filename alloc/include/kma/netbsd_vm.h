/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of kma/netbsd.h below kmem(9): vmem(9), uvm_km(9), percpu(9).
 * Included by it, and by nobody else.
 */
#ifndef KMA_NETBSD_VM_H
#define KMA_NETBSD_VM_H

#ifndef KMA_NETBSD_H
#error "include kma/netbsd.h"
#endif

#include <kma/space.h>
#include <kma/vmem.h>

/* --- vmem(9) ---------------------------------------------------------------
 *
 * Arenas of an ipl other than IPL_NONE are good in signal handlers; others are
 * reported there (SLEEPINTR). What imports and releases is called with the
 * source, an arena; with KMA_NETBSD_10 that is any pointer, as of NetBSD 10.
 */

typedef struct kma_vmem vmem_t;
typedef uintptr_t vmem_addr_t;
typedef size_t vmem_size_t;
typedef unsigned int vm_flag_t;

#define VM_SLEEP       0x00000001
#define VM_NOSLEEP     0x00000002
#define VM_INSTANTFIT  0x00001000
#define VM_BESTFIT     0x00002000
#define VM_NEXTFIT     0x00004000
#define VM_BOOTSTRAP   0x00010000
#define VM_POPULATING  0x00040000
#define VM_LARGEIMPORT 0x00080000
#define VM_XIMPORT     0x00100000

#define VMEM_ADDR_MIN ((vmem_addr_t)0)
#define VMEM_ADDR_MAX UINTPTR_MAX
#define VMEM_ALLOC    1
#define VMEM_FREE     2

#ifdef KMA_NETBSD_10
typedef void kma_netbsd_source_t;
#else
typedef vmem_t kma_netbsd_source_t;
#endif

typedef int vmem_import_t(kma_netbsd_source_t *source, vmem_size_t size,
			  vm_flag_t flags, vmem_addr_t *addrp);
typedef int vmem_ximport_t(kma_netbsd_source_t *source, vmem_size_t size,
			   vmem_size_t *actualsize, vm_flag_t flags,
			   vmem_addr_t *addrp);
typedef void vmem_release_t(kma_netbsd_source_t *source, vmem_addr_t addr,
			    vmem_size_t size);

KMA_DIALECT unsigned kma_netbsd_vm_flags(vm_flag_t flags)
{
	return (flags & VM_SLEEP ? (unsigned)KMA_VM_SLEEP : 0) |
	       (flags & VM_NOSLEEP ? (unsigned)KMA_VM_NOSLEEP : 0) |
	       (flags & VM_BESTFIT ? (unsigned)KMA_VM_BESTFIT : 0) |
	       (flags & VM_NEXTFIT ? (unsigned)KMA_VM_NEXTFIT : 0);
}

KMA_DIALECT int kma_netbsd_vm_import(const struct kma_vmem_source *source,
				     size_t *size, unsigned flags,
				     uintptr_t *address)
{
	vmem_import_t *own = (vmem_import_t *)source->foreign_import;

	return own((kma_netbsd_source_t *)source->argument, *size,
		   flags & (unsigned)KMA_VM_SLEEP ? VM_SLEEP : VM_NOSLEEP,
		   address);
}

KMA_DIALECT int kma_netbsd_vm_ximport(const struct kma_vmem_source *source,
				      size_t *size, unsigned flags,
				      uintptr_t *address)
{
	vmem_ximport_t *own = (vmem_ximport_t *)source->foreign_import;

	return own((kma_netbsd_source_t *)source->argument, *size, size,
		   flags & (unsigned)KMA_VM_SLEEP ? VM_SLEEP : VM_NOSLEEP,
		   address);
}

KMA_DIALECT void kma_netbsd_vm_release(const struct kma_vmem_source *source,
				       uintptr_t address, size_t size)
{
	((vmem_release_t *)source->foreign_release)(
		(kma_netbsd_source_t *)source->argument, address, size);
}

KMA_DIALECT vmem_t *
kma_netbsd_vmem_make(const char *name, vmem_addr_t base, vmem_size_t size,
		     vmem_size_t quantum, void (*import)(void), int ximport,
		     vmem_release_t *release, kma_netbsd_source_t *from,
		     vmem_size_t qcache_max, vm_flag_t flags, int ipl)
{
	struct kma_vmem_source source;

	memset(&source, 0, sizeof(source));
	source.import = ximport ? kma_netbsd_vm_ximport : kma_netbsd_vm_import;
	source.release = release ? kma_netbsd_vm_release : NULL;
	source.arena = kma_vmem_known(from); /* for the debugger */
	source.argument = from;
	source.foreign_import = import;
	source.foreign_release = (void (*)(void))release;
	return kma_vmem_xcreate(
		name, base, size, quantum, import ? &source : NULL, qcache_max,
		kma_netbsd_vm_flags(flags) |
			(ipl != IPL_NONE ? (unsigned)KMA_VMC_INTR_SAFE : 0) |
			(flags & VM_LARGEIMPORT ? (unsigned)KMA_VMC_LARGEIMPORT
						: 0));
}

KMA_DIALECT vmem_t *vmem_create(const char *name, vmem_addr_t base,
				vmem_size_t size, vmem_size_t quantum,
				vmem_import_t *import, vmem_release_t *release,
				kma_netbsd_source_t *source,
				vmem_size_t qcache_max, vm_flag_t flags,
				int ipl)
{
	return kma_netbsd_vmem_make(name, base, size, quantum,
				    (void (*)(void))import, 0, release, source,
				    qcache_max, flags, ipl);
}

KMA_DIALECT vmem_t *
vmem_xcreate(const char *name, vmem_addr_t base, vmem_size_t size,
	     vmem_size_t quantum, vmem_ximport_t *import,
	     vmem_release_t *release, kma_netbsd_source_t *source,
	     vmem_size_t qcache_max, vm_flag_t flags, int ipl)
{
	return kma_netbsd_vmem_make(name, base, size, quantum,
				    (void (*)(void))import, 1, release, source,
				    qcache_max, flags, ipl);
}

KMA_DIALECT int vmem_add(vmem_t *vm, vmem_addr_t address, vmem_size_t size,
			 vm_flag_t flags)
{
	return kma_vmem_add(vm, address, size, kma_netbsd_vm_flags(flags));
}

KMA_DIALECT int vmem_alloc(vmem_t *vm, vmem_size_t size, vm_flag_t flags,
			   vmem_addr_t *address)
{
	return kma_vmem_alloc(vm, size, kma_netbsd_vm_flags(flags), address);
}

KMA_DIALECT void vmem_free(vmem_t *vm, vmem_addr_t address, vmem_size_t size)
{
	kma_vmem_free(vm, address, size);
}

/* ENOMEM even with VM_SLEEP where the constraints can never be met. */
KMA_DIALECT int vmem_xalloc(vmem_t *vm, vmem_size_t size, vmem_size_t align,
			    vmem_size_t phase, vmem_size_t nocross,
			    vmem_addr_t min, vmem_addr_t max, vm_flag_t flags,
			    vmem_addr_t *address)
{
	unsigned native = kma_netbsd_vm_flags(flags);

	if (flags & VM_SLEEP)
		native |= (unsigned)KMA_VM_MAYFAIL;
	return kma_vmem_xalloc(vm, size, align, phase, nocross, min, max,
			       native, address);
}

/* Those very addresses, or ENOMEM. */
KMA_DIALECT int vmem_xalloc_addr(vmem_t *vm, vmem_addr_t address,
				 vmem_size_t size, vm_flag_t flags)
{
	vmem_addr_t got;

	return vmem_xalloc(vm, size, 0, 0, 0, address, address + (size - 1),
			   flags, &got);
}

KMA_DIALECT void vmem_xfree(vmem_t *vm, vmem_addr_t address, vmem_size_t size)
{
	kma_vmem_xfree(vm, address, size);
}

/* All that vmem_xalloc() gave, and vmem_alloc() where there are no quantum
 * caches. */
KMA_DIALECT void vmem_xfreeall(vmem_t *vm)
{
	kma_vmem_free_all(vm);
}

/* The kernel's own arenas: all of them are the heap's pages. */
#define kmem_arena      kma_vmem_heap()
#define kmem_va_arena   kma_vmem_heap()
#define kmem_meta_arena kma_vmem_heap()

/* Nothing to do: the first call makes the allocator, tables grow by themselves.
 */
KMA_DIALECT void vmem_subsystem_init(vmem_t *vm)
{
	(void)vm;
}

KMA_DIALECT void vmem_rehash_start(void)
{
}

KMA_DIALECT void vmem_destroy(vmem_t *vm)
{
	kma_vmem_destroy(vm);
}

KMA_DIALECT vmem_size_t vmem_size(vmem_t *vm, int types)
{
	return kma_vmem_size(vm, (unsigned)types);
}

/* As vmem_create(). The caller's storage is not used, arenas are the library's:
 * what is returned is the arena. */
KMA_DIALECT vmem_t *vmem_init(vmem_t *vm, const char *name, vmem_addr_t base,
			      vmem_size_t size, vmem_size_t quantum,
			      vmem_import_t *import, vmem_release_t *release,
			      kma_netbsd_source_t *source,
			      vmem_size_t qcache_max, vm_flag_t flags, int ipl)
{
	(void)vm;
	return vmem_create(name, base, size, quantum, import, release, source,
			   qcache_max, flags, ipl);
}

#define KMA_VMEM_PRINTED void
#include <kma/vmem_print.h>

KMA_DIALECT vmem_size_t vmem_roundup_size(vmem_t *vm, vmem_size_t size)
{
	return kma_vmem_roundup(vm, size);
}

/* --- uvm_km(9) -------------------------------------------------------------
 */

typedef uintptr_t vaddr_t;
typedef size_t vsize_t;
typedef unsigned int uvm_flag_t;

struct vm_map;

#define UVM_KMF_WIRED      0x0001
#define UVM_KMF_PAGEABLE   0x0002
#define UVM_KMF_VAONLY     0x0004
#define UVM_KMF_CANFAIL    0x0010
#define UVM_KMF_ZERO       0x0020
#define UVM_KMF_TRYLOCK    0x0040
#define UVM_KMF_NOWAIT     0x0080
#define UVM_KMF_WAITVA     0x0100
#define UVM_KMF_EXEC       0x0200
#define UVM_KMF_COLORMATCH 0x0400

#define kernel_map ((struct vm_map *)kma_map_root())

KMA_DIALECT unsigned kma_netbsd_map_flags(uvm_flag_t flags)
{
	return (flags & UVM_KMF_WIRED ? (unsigned)KMA_MAP_WIRED : 0) |
	       (flags & UVM_KMF_PAGEABLE ? (unsigned)KMA_MAP_PAGEABLE : 0) |
	       (flags & UVM_KMF_VAONLY ? (unsigned)KMA_MAP_VAONLY : 0) |
	       ((flags & UVM_KMF_WAITVA) && !(flags & UVM_KMF_NOWAIT)
			? (unsigned)KMA_MAP_SLEEP
			: 0);
}

/* Memory reads as zeros, with UVM_KMF_ZERO or without. */
KMA_DIALECT vaddr_t uvm_km_alloc(struct vm_map *map, vsize_t size,
				 vsize_t align, uvm_flag_t flags)
{
	return kma_map_alloc((struct kma_map *)map, size, align,
			     kma_netbsd_map_flags(flags));
}

KMA_DIALECT void uvm_km_free(struct vm_map *map, vaddr_t address, vsize_t size,
			     uvm_flag_t flags)
{
	kma_map_free((struct kma_map *)map, address, size,
		     kma_netbsd_map_flags(flags));
}

/* A panic where it cannot be had. submap is not used: maps are the library's.
 */
KMA_DIALECT struct vm_map *uvm_km_suballoc(struct vm_map *map, vaddr_t *min,
					   vaddr_t *max, vsize_t size,
					   int flags, bool fixed,
					   struct vm_map *submap)
{
	struct kma_map *made =
		kma_map_suballoc((struct kma_map *)map, min, max, size, fixed);

	(void)flags, (void)submap;
	if (!made) {
		fprintf(stderr, "kma: uvm_km_suballoc: no space\n");
		__builtin_trap();
	}
	return (struct vm_map *)made;
}

/* Import and release of pages for an arena, as pool and kmem use them. */
KMA_DIALECT int uvm_km_kmem_alloc(kma_netbsd_source_t *vm, vmem_size_t size,
				  vm_flag_t flags, vmem_addr_t *address)
{
	(void)vm;
	*address = uvm_km_alloc(
		kernel_map, size, 0,
		(flags & VM_SLEEP ? (uvm_flag_t)UVM_KMF_WAITVA : 0) |
			(uvm_flag_t)UVM_KMF_WIRED);
	return *address ? 0 : 12; /* ENOMEM */
}

KMA_DIALECT void uvm_km_kmem_free(kma_netbsd_source_t *vm, vmem_addr_t address,
				  size_t size)
{
	(void)vm;
	uvm_km_free(kernel_map, address, size, UVM_KMF_WIRED);
}

KMA_DIALECT bool uvm_km_va_starved_p(void)
{
	return kma_map_is_starved() != 0;
}

/* --- percpu(9) -------------------------------------------------------------
 */

typedef struct kma_percpu percpu_t;

/* What a callback is told of its processor. */
struct cpu_info {
	unsigned int ci_index;
};

typedef void (*percpu_callback_t)(void *part, void *arg, struct cpu_info *ci);

KMA_DIALECT percpu_t *percpu_alloc(size_t size)
{
	return kma_percpu_create(size);
}

KMA_DIALECT void percpu_foreach(percpu_t *percpu, percpu_callback_t callback,
				void *arg)
{
	struct cpu_info ci;

	for (ci.ci_index = 0; ci.ci_index < kma_percpu_count(percpu);
	     ci.ci_index++)
		callback(kma_percpu_at(percpu, ci.ci_index), arg, &ci);
}

/* Each part is told here, by the calling thread. */
KMA_DIALECT void percpu_foreach_xcall(percpu_t *percpu, unsigned int xcflags,
				      percpu_callback_t callback, void *arg)
{
	(void)xcflags;
	percpu_foreach(percpu, callback, arg);
}

KMA_DIALECT void *percpu_getptr_remote(percpu_t *percpu, struct cpu_info *ci)
{
	return kma_percpu_at(percpu, ci->ci_index);
}

struct kma_netbsd_percpu {
	percpu_callback_t destructor;
	void *cookie;
};

/* constructor is called for each part now, destructor by percpu_free(); each
 * may be NULL. */
KMA_DIALECT percpu_t *percpu_create(size_t size, percpu_callback_t constructor,
				    percpu_callback_t destructor, void *cookie)
{
	percpu_t *percpu = kma_percpu_create(size);
	struct kma_netbsd_percpu *own;

	if (!percpu)
		return NULL;
	if (destructor) {
		own = (struct kma_netbsd_percpu *)kmem_alloc(sizeof(*own),
							     KM_SLEEP);
		own->destructor = destructor;
		own->cookie = cookie;
		kma_percpu_set_owner(percpu, own);
	}
	if (constructor)
		percpu_foreach(percpu, constructor, cookie);
	return percpu;
}

KMA_DIALECT void percpu_free(percpu_t *percpu, size_t size)
{
	struct kma_netbsd_percpu *own =
		percpu ? (struct kma_netbsd_percpu *)kma_percpu_owner(percpu)
		       : NULL;

	if (own) {
		percpu_foreach(percpu, own->destructor, own->cookie);
		kmem_free(own, sizeof(*own));
	}
	kma_percpu_destroy(percpu, size);
}

/* Preemption cannot be disabled: the part is locked until it is put. */
KMA_DIALECT void *percpu_getref(percpu_t *percpu)
{
	return kma_percpu_get(percpu);
}

KMA_DIALECT void percpu_putref(percpu_t *percpu)
{
	kma_percpu_put(percpu);
}

#endif
