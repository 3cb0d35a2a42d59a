/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stack of a thread of the target, by the call frame information of its
 * modules: no frame pointers are needed, and signal frames are crossed.
 */
#ifndef KDBG_UNWIND_H
#define KDBG_UNWIND_H

#include "kdbg/arch.h"
#include "kdbg/target.h"

/* By DWARF's numbers; what the rules do not bring back from callees is not
 * known. */
struct unwind_registers {
	uint64_t values[ARCH_DWARF_REGISTERS];
	bool known[ARCH_DWARF_REGISTERS];
};

struct unwind_frame {
	uint64_t pc;
	uint64_t sp;  /* 0: not known */
	bool exact;   /* pc was to be executed: the thread's own, or one that
		       * a signal interrupted; else it is a return address */
	bool guessed; /* found on the stack, where no rule leads on */
	/* For the time of the call, where they were asked for; else NULL. */
	const struct unwind_registers *registers;
};

/* False: enough. */
typedef bool unwind_fn(void *context, const struct unwind_frame *frame);

/*
 * Call each frame from the innermost out. NULL: the stack was whole, or
 * enough. An error says why it ends before its end. Where no rule leads on,
 * the stack is searched for the next return address, and what follows is
 * marked as guessed.
 */
struct err *unwind_thread(struct target *target,
			  const struct dump_thread *thread, unwind_fn *each,
			  void *context) MUST_USE;

/* The same, with the registers of each frame. */
struct err *unwind_thread_registers(struct target *target,
				    const struct dump_thread *thread,
				    unwind_fn *each, void *context) MUST_USE;

/* For target_close(). */
void unwinder_destroy(struct unwinder *unwinder);

#endif
