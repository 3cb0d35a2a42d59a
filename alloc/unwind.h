/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unwinder's inside: what .eh_frame says of a PC, what the rule cache
 * keeps of that, and how far a stack may be read. Users want alloc/stack.h.
 *
 *	unwind_entry.h   .eh_frame -> the program of a function
 *	unwind_cfi.c     program -> row: how to find every register
 *	unwind_step.c    row and registers -> the caller's registers
 *	unwind_bounds.c  which bytes around sp are stack
 *	unwind.c         row -> rule (one word, cached) -> walk
 */
#ifndef ALLOC_UNWIND_H
#define ALLOC_UNWIND_H

#include "alloc/arch.h"
#include "alloc/thread.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a frame's caller's value of one register is found. */
enum kma_cfi_how {
	KMA_CFI_SAME,       /* unchanged; of sp: the CFA */
	KMA_CFI_UNDEFINED,  /* of the PC: there is no caller */
	KMA_CFI_OFFSET,     /* in memory at CFA + value */
	KMA_CFI_VAL_OFFSET, /* is CFA + value */
	KMA_CFI_REGISTER,   /* is in the register of column value */
	KMA_CFI_EXPRESSION, /* in memory where the expression at value says */
	KMA_CFI_VAL_EXPRESSION, /* is what the expression at value says */
};

struct kma_cfi_column {
	int64_t value;
	enum kma_cfi_how how;
};

/*
 * What .eh_frame says of one PC. cfa: EXPRESSION is the expression at value;
 * REGISTER is cfa_column + value. Expressions are uleb length, then bytes, in
 * the module's own read-only memory.
 */
struct kma_cfi_row {
	struct kma_cfi_column cfa;
	int cfa_column;
	bool signal; /* a signal trampoline: sp is at its ucontext */
	struct kma_cfi_column column[KMA_COLUMNS];
};

/*
 * The row for the instruction at address, in module. False: none, or one that
 * cannot be understood.
 */
struct kma_module;
bool kma_cfi_find(const struct kma_module *module, uintptr_t address,
		  struct kma_cfi_row *ret);

/* Bytes that a walk may read: [low, top). */
struct kma_bounds {
	uintptr_t low, top;
};

/* False, value untouched, when address is not wholly inside the bounds. */
static inline bool kma_bounds_read(const struct kma_bounds *bounds,
				   uintptr_t address, uintptr_t *value)
{
	if (address < bounds->low || address >= bounds->top ||
	    address % sizeof(uintptr_t) != 0)
		return false;
	*value = *(const uintptr_t *)address;
	return true;
}

/*
 * Step registers to the caller by a row, reading only inside bounds. False:
 * the row leads outside, or uses what is not known.
 */
bool kma_cfi_step(const struct kma_cfi_row *row,
		  const struct kma_bounds *bounds,
		  struct kma_registers *registers);

/*
 * What may be read from sp up, where the calling thread runs or ran before a
 * signal. Empty when there is no such memory. top is a multiple of 8.
 */
struct kma_bounds kma_bounds_find(uintptr_t sp);

/* The same where it is the thread's own stack, and known already; else false.
 */
static inline bool kma_bounds_own(const struct kma_thread *self, uintptr_t sp,
				  struct kma_bounds *ret)
{
	uintptr_t low = sp - KMA_ARCH_REDZONE;

	if (sp >= self->stack_top || sp < self->stack_low)
		return false;
	ret->low = low < self->stack_low ? self->stack_low : low;
	ret->top = self->stack_top;
	return true;
}

/* Of the calling thread's own stack. */
bool kma_bounds_is_own(const struct kma_bounds *bounds);

/*
 * What may be read of that from sp up, where sp is what a frame on another
 * stack says. False, ret untouched: it is not there, or not known yet.
 */
bool kma_bounds_find_own(uintptr_t sp, struct kma_bounds *ret);

/*
 * The calling thread was started, just now, on a stack of that size which libc
 * made: so far as that tells, its bounds are known, and nobody has to be asked.
 * 0, or what cannot be so: they will be looked up when they are wanted.
 */
void kma_bounds_started(struct kma_thread *self, size_t size);

/*
 * Step registers up to the caller of function, which is libc's, short, and
 * among the next few frames. False, registers untouched: it is not.
 */
bool kma_unwind_out_of(uintptr_t function, struct kma_registers *registers);

/* Forget the rules cached: a module's place was taken by another. */
void kma_unwind_flush(void);

#endif
