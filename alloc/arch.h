/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the allocator knows of the processor: its time counter, the registers
 * a stack walk starts from, and how DWARF numbers them. x86-64; another
 * processor is another branch of this file.
 */
#ifndef ALLOC_ARCH_H
#define ALLOC_ARCH_H

#include <cpuid.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <x86intrin.h>

#ifndef __x86_64__
#error "alloc/arch.h knows x86-64 only"
#endif

/* The registers that survive a call, and so can be followed up a stack. */
enum kma_column {
	KMA_COLUMN_RBX,
	KMA_COLUMN_FP,
	KMA_COLUMN_SP,
	KMA_COLUMN_R12,
	KMA_COLUMN_R13,
	KMA_COLUMN_R14,
	KMA_COLUMN_R15,
	KMA_COLUMN_PC,
	KMA_COLUMNS
};

struct kma_registers {
	uintptr_t column[KMA_COLUMNS];
};

/* DWARF's number of a register to our column; -1 for one we do not follow. */
static inline int kma_arch_column(uint64_t dwarf)
{
	switch (dwarf) {
	case 3:
		return KMA_COLUMN_RBX;
	case 6:
		return KMA_COLUMN_FP;
	case 7:
		return KMA_COLUMN_SP;
	case 12:
	case 13:
	case 14:
	case 15:
		return KMA_COLUMN_R12 + (int)dwarf - 12;
	case 16:
		return KMA_COLUMN_PC;
	default:
		return -1;
	}
}

/* The same registers out of the kernel's signal frame. */
static inline struct kma_registers
kma_arch_context_registers(const ucontext_t *context)
{
	const greg_t *greg = context->uc_mcontext.gregs;

	return (struct kma_registers){ {
		[KMA_COLUMN_RBX] = (uintptr_t)greg[REG_RBX],
		[KMA_COLUMN_FP] = (uintptr_t)greg[REG_RBP],
		[KMA_COLUMN_SP] = (uintptr_t)greg[REG_RSP],
		[KMA_COLUMN_R12] = (uintptr_t)greg[REG_R12],
		[KMA_COLUMN_R13] = (uintptr_t)greg[REG_R13],
		[KMA_COLUMN_R14] = (uintptr_t)greg[REG_R14],
		[KMA_COLUMN_R15] = (uintptr_t)greg[REG_R15],
		[KMA_COLUMN_PC] = (uintptr_t)greg[REG_RIP],
	} };
}

/*
 * The registers of the function this is inlined into, as they are between two
 * of its instructions, and that place as the PC: its .eh_frame tells the rest.
 */
__attribute__((always_inline)) static inline void
kma_arch_registers(struct kma_registers *ret)
{
	__asm__ volatile("mov %%rbx, 0(%0)\n\t"
			 "mov %%rbp, 8(%0)\n\t"
			 "mov %%rsp, 16(%0)\n\t"
			 "mov %%r12, 24(%0)\n\t"
			 "mov %%r13, 32(%0)\n\t"
			 "mov %%r14, 40(%0)\n\t"
			 "mov %%r15, 48(%0)\n\t"
			 "lea 0(%%rip), %%rax\n\t"
			 "mov %%rax, 56(%0)"
			 :
			 : "r"(ret->column)
			 : "rax", "memory");
}

static inline uint64_t kma_arch_ticks(void)
{
	return __rdtsc();
}

/* Does the counter run at one rate on every processor, and may we read it? */
static inline bool kma_arch_ticks_usable(void)
{
	enum { INVARIANT_LEAF = 0x80000007, INVARIANT_BIT = 1 << 8 };
	unsigned a, b, c, d;
	int mode = 0;

	if (prctl(PR_GET_TSC, &mode) != 0 || mode != PR_TSC_ENABLE)
		return false;
	return __get_cpuid(INVARIANT_LEAF, &a, &b, &c, &d) &&
	       (d & INVARIANT_BIT);
}

/* The thread pointer: on x86-64 also the address of the thread's descriptor. */
static inline uintptr_t kma_arch_thread_pointer(void)
{
	return (uintptr_t)__builtin_thread_pointer();
}

/* Bytes below the stack pointer that belong to a leaf function. */
enum { KMA_ARCH_REDZONE = 128 };

#endif
