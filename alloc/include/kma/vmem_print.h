/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The printing calls of vmem(9), which NetBSD and FreeBSD have alike, but for
 * what the function that prints returns: KMA_VMEM_PRINTED. Included by
 * kma/netbsd_vm.h and kma/freebsd_vmem.h, and by nobody else.
 */
#ifndef KMA_VMEM_PRINT_H
#define KMA_VMEM_PRINT_H

#include <kma/personality.h>
#include <kma/vmem.h>

struct kma_vmem_printer {
	KMA_VMEM_PRINTED (*pr)(const char *format, ...);
};

KMA_DIALECT void kma_vmem_print_one(void *argument, enum kma_vmem_types type,
				    uintptr_t address, size_t size)
{
	const struct kma_vmem_printer *print =
		(const struct kma_vmem_printer *)argument;

	print->pr("%#lx, %lu, %s\n", (unsigned long)address,
		  (unsigned long)size,
		  type == KMA_VMEM_ALLOC  ? "busy"
		  : type == KMA_VMEM_FREE ? "free"
					  : "span");
}

/* Its segments by pr(), the arena named by its address; modif is ignored. */
KMA_DIALECT void vmem_print(uintptr_t address, const char *modif,
			    KMA_VMEM_PRINTED (*pr)(const char *format, ...))
{
	struct kma_vmem_printer print = { pr };

	(void)modif;
	kma_vmem_walk((vmem_t *)address,
		      KMA_VMEM_ALLOC | KMA_VMEM_FREE | KMA_VMEM_SPAN,
		      kma_vmem_print_one, &print);
}

/* The same of every arena. */
KMA_DIALECT void vmem_printall(const char *modif,
			       KMA_VMEM_PRINTED (*pr)(const char *format, ...))
{
	vmem_t *vm = kma_vmem_next(NULL);

	for (; vm; vm = kma_vmem_next(vm)) {
		pr("VMEM '%s' at %p\n", kma_vmem_name(vm), (void *)vm);
		vmem_print((uintptr_t)vm, modif, pr);
	}
}

struct kma_vmem_whatis {
	uintptr_t address;
	vmem_t *vm;
	KMA_VMEM_PRINTED (*pr)(const char *format, ...);
};

KMA_DIALECT void kma_vmem_whatis_one(void *argument, enum kma_vmem_types type,
				     uintptr_t address, size_t size)
{
	const struct kma_vmem_whatis *what =
		(const struct kma_vmem_whatis *)argument;

	if (what->address >= address && what->address - address < size)
		what->pr("%p is %p+%zu in VMEM '%s' (%s)\n",
			 (void *)what->address, (void *)address,
			 (size_t)(what->address - address),
			 kma_vmem_name(what->vm),
			 type == KMA_VMEM_ALLOC ? "allocated" : "free");
}

/* The arenas that have the address, and whether it is allocated there. */
KMA_DIALECT void vmem_whatis(uintptr_t address,
			     KMA_VMEM_PRINTED (*pr)(const char *format, ...))
{
	struct kma_vmem_whatis what = { address, NULL, pr };

	while ((what.vm = kma_vmem_next(what.vm)))
		kma_vmem_walk(what.vm, KMA_VMEM_ALLOC | KMA_VMEM_FREE,
			      kma_vmem_whatis_one, &what);
}

#endif
