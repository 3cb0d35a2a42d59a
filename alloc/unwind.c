/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking a stack at the price of three loads a frame.
 *
 * Frames are stepped by rules (unwind_rule.h). A frame that needs more (the
 * CFA from another register, an expression, a row too wide for the word) makes
 * us start again from the innermost frame and follow all registers by the rows
 * themselves: whole, exact, half a microsecond a frame.
 */
#include "alloc/stack.h"

#include "alloc/module.h"
#include "alloc/root.h"
#include "alloc/unwind_rule.h"

#include "kma/kma.h"

enum cut { CUT_NOTHING, CUT_TO_OUTERMOST, CUT_ALL };

/* A stack being captured. */
struct walk {
	uint64_t *key; /* the result so far */
	size_t depth, max;
	uint16_t flags; /* enum kma_stack_flags */
	enum cut cut;   /* still inside this library: what of it is kept */
	bool exact;     /* the PC was interrupted: it is not a return address */
	struct kma_bounds bounds;
	struct kma_registers registers;
};

static inline bool in_library(uintptr_t pc)
{
	return pc - kma_root.text_base < kma_root.text_end - kma_root.text_base;
}

/* Add the frame the walk stands at. False: no room. */
static inline bool walk_emit(struct walk *w, uintptr_t key)
{
	if (w->cut && in_library(key)) {
		w->key[0] = key;
		w->depth = w->cut == CUT_TO_OUTERMOST;
		return true;
	}
	w->cut = CUT_NOTHING;
	if (w->depth == w->max) {
		w->flags |= KMA_STACK_TRUNCATED;
		return false;
	}
	w->key[w->depth++] = key;
	return true;
}

/* The key of the frame the walk stands at. */
static inline uintptr_t walk_key(const struct walk *w)
{
	return w->registers.column[KMA_COLUMN_PC] + w->exact;
}

static bool walk_stop(struct walk *w)
{
	w->flags |= KMA_STACK_TRUNCATED;
	return false;
}

/*
 * Go on where the signal came. The trampoline itself has no caller: its PC is
 * that of its first instruction, kept as a key like other interrupted PCs.
 */
static bool walk_signal(struct walk *w)
{
	uintptr_t sp = w->registers.column[KMA_COLUMN_SP];

	if (sp < w->bounds.low || sp % 8 != 0 || sp >= w->bounds.top ||
	    w->bounds.top - sp < sizeof(ucontext_t))
		return walk_stop(w);
	if (w->depth > 0)
		w->key[w->depth - 1] = w->registers.column[KMA_COLUMN_PC] + 1;
	w->registers = kma_arch_context_registers((const ucontext_t *)sp);
	w->exact = true;
	sp = w->registers.column[KMA_COLUMN_SP];
	if (sp < w->bounds.low || sp >= w->bounds.top)
		w->bounds = kma_bounds_find(sp);
	return true;
}

/*
 * Code that moved to another stack may tell that its caller is on the thread's
 * own one, from sp up: go on there. There is no way back but by a signal's
 * frame. False: the walk is there already, or sp is not.
 */
static bool walk_home(struct walk *w, uintptr_t sp)
{
	return !kma_bounds_is_own(&w->bounds) &&
	       kma_bounds_find_own(sp, &w->bounds);
}

/* A jump to nowhere (a call through a bad pointer) leaves its caller at sp. */
static bool walk_guess_call(struct walk *w)
{
	uintptr_t *column = w->registers.column;
	uintptr_t pc;

	if (!w->exact || kma_module_find(column[KMA_COLUMN_PC]) ||
	    !kma_bounds_read(&w->bounds, column[KMA_COLUMN_SP], &pc) ||
	    !kma_module_find(pc - 1))
		return false;
	column[KMA_COLUMN_PC] = pc;
	column[KMA_COLUMN_SP] += sizeof(uintptr_t);
	return true;
}

/*
 * No rule: believe in a frame pointer, if it looks like one. Zero marks the
 * outermost frame, as the ABI has it: ld.so's start is such code.
 */
static bool walk_guess(struct walk *w)
{
	enum { LOWEST_CODE = 4096 };
	uintptr_t *column = w->registers.column;
	uintptr_t fp = column[KMA_COLUMN_FP], pc, caller_fp;

	if (fp == 0 && !w->exact)
		return false;
	w->flags |= KMA_STACK_BY_FRAME_POINTER;
	if (walk_guess_call(w)) {
		w->exact = false;
		return true;
	}
	bool home = walk_home(w, fp);
	if ((fp < column[KMA_COLUMN_SP] && !home) ||
	    !kma_bounds_read(&w->bounds, fp, &caller_fp) ||
	    !kma_bounds_read(&w->bounds, fp + sizeof(uintptr_t), &pc) ||
	    pc < LOWEST_CODE || pc >> (KMA_KEY_BITS - 1) != 0 ||
	    (home && !kma_module_find(pc - 1)))
		return walk_stop(w);
	column[KMA_COLUMN_PC] = pc;
	column[KMA_COLUMN_SP] = fp + 2 * sizeof(uintptr_t);
	column[KMA_COLUMN_FP] = caller_fp;
	w->exact = false;
	return true;
}

static inline bool walk_rule(struct walk *w, uint64_t rule)
{
	uintptr_t *column = w->registers.column;
	uintptr_t base = kma_rule_kind(rule) == KMA_RULE_SP
				 ? column[KMA_COLUMN_SP]
				 : column[KMA_COLUMN_FP];
	uintptr_t cfa = base + kma_rule_cfa(rule);
	uintptr_t depth = kma_rule_fp_depth(rule);

	if (__builtin_expect(cfa <= column[KMA_COLUMN_SP] ||
				     cfa > w->bounds.top ||
				     cfa - w->bounds.low < depth,
			     0) &&
	    !(walk_home(w, cfa - (depth ? depth : 8)) && cfa <= w->bounds.top))
		return walk_stop(w);
	if (depth)
		column[KMA_COLUMN_FP] = *(const uintptr_t *)(cfa - depth);
	column[KMA_COLUMN_PC] = *(const uintptr_t *)(cfa - 8);
	column[KMA_COLUMN_SP] = cfa;
	w->exact = false;
	return column[KMA_COLUMN_PC] != 0;
}

/* False: a frame needs its whole row, nothing is captured. */
static bool walk_by_rules(struct walk *w)
{
	bool more = true;

	while (more && walk_emit(w, walk_key(w))) {
		uint64_t rule = kma_rule_find(walk_key(w));

		switch (kma_rule_kind(rule)) {
		case KMA_RULE_SP:
		case KMA_RULE_FP:
			more = walk_rule(w, rule);
			break;
		case KMA_RULE_SIGNAL:
			more = walk_signal(w);
			break;
		case KMA_RULE_NONE:
			more = walk_guess(w);
			break;
		case KMA_RULE_FULL:
			return false;
		default:
			return true;
		}
	}
	return true;
}

/* A step by a row that leads to the thread's own stack. */
static bool walk_row_home(struct walk *w, const struct kma_cfi_row *row)
{
	int64_t lowest = 0;

	if (row->cfa.how != KMA_CFI_REGISTER || row->cfa_column < 0)
		return false;
	for (int i = 0; i < KMA_COLUMNS; i++)
		if (row->column[i].how == KMA_CFI_OFFSET &&
		    row->column[i].value < lowest)
			lowest = row->column[i].value;
	return walk_home(w, w->registers.column[row->cfa_column] +
				    (uintptr_t)(row->cfa.value + lowest)) &&
	       kma_cfi_step(row, &w->bounds, &w->registers);
}

/* One step by the whole row. False: the end, or no further. */
static bool walk_row(struct walk *w)
{
	const struct kma_module *module = kma_module_find(walk_key(w) - 1);
	uintptr_t sp = w->registers.column[KMA_COLUMN_SP];
	struct kma_cfi_row row;

	if (!module || !kma_rule_row(module, walk_key(w), &row))
		return walk_guess(w);
	if (row.signal)
		return walk_signal(w);
	if (row.column[KMA_COLUMN_PC].how == KMA_CFI_UNDEFINED)
		return false;
	if (!(kma_cfi_step(&row, &w->bounds, &w->registers) &&
	      w->registers.column[KMA_COLUMN_SP] > sp) &&
	    !walk_row_home(w, &row))
		return walk_stop(w);
	w->exact = false;
	return w->registers.column[KMA_COLUMN_PC] != 0;
}

static size_t walk_from(const struct kma_registers *registers, bool exact,
			enum cut cut, uint64_t *key, size_t max,
			uint16_t *flags)
{
	struct walk w = {
		.key = key,
		.max = max,
		.cut = cut,
		.exact = exact,
		.bounds = kma_bounds_find(registers->column[KMA_COLUMN_SP]),
		.registers = *registers,
	};
	const struct walk start = w;

	*flags = 0;
	if (max == 0)
		return 0;
	if (!walk_by_rules(&w)) {
		w = start;
		while (walk_emit(&w, walk_key(&w)) && walk_row(&w))
			;
	}
	*flags = w.flags;
	return w.depth;
}

__attribute__((noinline)) size_t kma_stack_capture(uint64_t *pc, size_t max,
						   uint16_t *flags)
{
	struct kma_registers here;

	kma_arch_registers(&here);
	return walk_from(&here, true, CUT_TO_OUTERMOST, pc, max, flags);
}

size_t kma_stack_capture_context(const void *ucontext, uint64_t *pc, size_t max,
				 uint16_t *flags)
{
	struct kma_registers there = kma_arch_context_registers(ucontext);

	return walk_from(&there, true, CUT_NOTHING, pc, max, flags);
}

__attribute__((visibility("default"))) int kma_backtrace(void **buffer,
							 int size)
{
	struct kma_registers here;
	uint16_t flags;

	if (size <= 0 || !kma_init())
		return 0;
	kma_arch_registers(&here);
	return (int)walk_from(&here, true, CUT_ALL, (uint64_t *)buffer,
			      (size_t)size, &flags);
}

bool kma_unwind_out_of(uintptr_t function, struct kma_registers *registers)
{
	enum { NEAR = 4, SHORT = 1024 };
	struct kma_registers at = *registers;
	struct kma_bounds bounds = kma_bounds_find(at.column[KMA_COLUMN_SP]);

	for (unsigned i = 0; i < NEAR; i++) {
		uintptr_t pc = at.column[KMA_COLUMN_PC];
		const struct kma_module *module = kma_module_find(pc - 1);
		struct kma_cfi_row row;

		bool inside = pc - function < SHORT;
		if (!module || !kma_rule_row(module, pc, &row) ||
		    row.column[KMA_COLUMN_PC].how == KMA_CFI_UNDEFINED ||
		    !kma_cfi_step(&row, &bounds, &at))
			return false;
		if (!inside)
			continue;
		*registers = at;
		return true;
	}
	return false;
}
