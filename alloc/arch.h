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

/* A frame of a stack walk: everything a rule of ours can refer to. */
struct kma_frame {
	uintptr_t pc, sp, fp;
};

/* DWARF's numbers of the registers, and of the return address's column. */
enum { KMA_DWARF_FP = 6, KMA_DWARF_SP = 7, KMA_DWARF_PC = 16 };

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

static inline struct kma_frame kma_arch_context_frame(const ucontext_t *context)
{
	const greg_t *regs = context->uc_mcontext.gregs;

	return (struct kma_frame){ (uintptr_t)regs[REG_RIP],
				   (uintptr_t)regs[REG_RSP],
				   (uintptr_t)regs[REG_RBP] };
}

/* Bytes below the stack pointer that belong to a leaf function. */
enum { KMA_ARCH_REDZONE = 128 };

#endif
