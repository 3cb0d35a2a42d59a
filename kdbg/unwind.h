/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stack of a thread of the target, by the call frame information of its
 * modules: no frame pointers are needed, and signal frames are crossed.
 */
#ifndef KDBG_UNWIND_H
#define KDBG_UNWIND_H

#include "kdbg/target.h"

struct unwind_frame {
	uint64_t pc;
	uint64_t sp;  /* 0: not known */
	bool exact;   /* pc was to be executed: the thread's own, or one that
		       * a signal interrupted; else it is a return address */
	bool guessed; /* found on the stack, where no rule leads on */
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

/* For target_close(). */
void unwinder_destroy(struct unwinder *unwinder);

#endif
