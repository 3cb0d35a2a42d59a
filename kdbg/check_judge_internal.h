/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of check_judge() share: one process being judged. */
#ifndef KDBG_CHECK_JUDGE_INTERNAL_H
#define KDBG_CHECK_JUDGE_INTERNAL_H

#include "kdbg/check_result.h"
#include "kdbg/memo.h"
#include "kdbg/session.h"

struct judge {
	struct session session;
	struct heap *heap;
	struct symbols *symbols;
	struct arena *arena;
	struct check_process *process;
	struct memo pcs; /* to struct judged_pc */
	struct err *err; /* the first failure: what follows does nothing */
};

/* NULL: no memory, or there was a failure before. */
void *judge_alloc(struct judge *judge, size_t count, size_t size);
const char *judge_keep_text(struct judge *judge, const char *text);

/* --- stacks, made readable (check_frames.c) ---------------------------------
 */

/* The frames of a return address. */
struct judged_pc {
	const struct dump_module *module;
	const struct check_frame *frames;
	size_t count;
};

/* The allocator's own code? */
bool judge_is_allocator(const struct judge *judge, uint64_t pc);

/* As of that time: leaks share most of their stacks, and each is asked for more
 * than once. NULL: no memory. */
const struct judged_pc *judge_frames_at(struct judge *judge, uint64_t pc,
					uint64_t ticks);

struct check_stack judge_stack_of(struct judge *judge, const uint64_t *pcs,
				  size_t depth, uint64_t ticks);

/* By its number in the depot of an instance. */
struct check_stack judge_stack(struct judge *judge, size_t instance,
			       uint32_t id, uint64_t ticks);

/*
 * Where a misuse was met. What was found while the program ended has no such
 * place: none of its frames tells anything. A fault interrupted the program
 * where it stood: our handler's frames say nothing either.
 */
struct check_stack judge_stack_reported(struct judge *judge, size_t instance,
					uint32_t id, uint64_t ticks);

/* --- a crash (check_crash.c) ------------------------------------------------
 */

/* The signal that ended the process, if it is one of a crash and no reported
 * misuse explains it. */
void judge_crash(struct judge *judge);

#endif
