/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking a stack at the price of three loads a frame.
 *
 * Nearly every call site needs only this to step from: CFA = sp or fp plus a
 * constant, return address just below the CFA, fp saved at a constant distance
 * below it or untouched. That packs into 30 bits, a *rule*; .eh_frame is read
 * once for each call site, and from then on the rule comes from a cache:
 *
 *	63                 30 29          12 11         3 2    0
 *	| tag of the PC      | CFA offset/8 | fp depth/8 | kind |
 *
 * The cache is two direct-mapped tables of such words. PCs are spread by an odd
 * multiplier, which is a bijection, so slot and tag together still identify
 * the PC exactly. A word is loaded and stored whole: no lock, and a signal
 * handler may come at any point.
 *
 * A frame that needs more (the CFA from another register, an expression, a row
 * too wide for the word) makes us start again from the innermost frame and
 * follow all registers by the rows themselves: whole, exact, 0.5 us a frame.
 *
 * A rule is for a *key*: a return address, whose instruction is the one before
 * it. A PC that was interrupted by a signal is not a return address; its key
 * is one more, so that key - 1 is the instruction to ask about in both cases.
 * Keys, not PCs, are what a captured stack holds.
 */
#include "alloc/unwind.h"
#include "alloc/module.h"
#include "alloc/root.h"
#include "alloc/stack.h"

enum rule_kind {
	RULE_EMPTY = 0, /* nothing known: a slot never filled */
	RULE_SP,        /* CFA is sp + offset */
	RULE_FP,        /* CFA is fp + offset */
	RULE_SIGNAL,    /* sp points at a ucontext */
	RULE_END,       /* outermost */
	RULE_NONE,      /* .eh_frame has no row for it */
	RULE_FULL,      /* the row is more than a rule can hold */
};

enum {
	RULE_BITS = 30,
	KIND_MASK = 7,
	FP_SHIFT = 3,
	FP_MASK = 0x1ff,
	CFA_SHIFT = 12,
	CFA_MASK = 0x3ffff,
	KEY_BITS = 48,
	NEAR_BITS = 14, /* 128 KiB: stays in the processor's own cache */
	FAR_BITS = 17,
};

static uint64_t near_table[1 << NEAR_BITS];
static uint64_t far_table[1 << FAR_BITS];

static uint64_t key_mix(uintptr_t key)
{
	return key * UINT64_C(0x9E3779B97F4A7C15) &
	       ((UINT64_C(1) << KEY_BITS) - 1);
}

static uint64_t row_to_rule(const struct kma_cfi_row *row)
{
	const struct kma_cfi_column *fp = &row->column[KMA_COLUMN_FP];
	const struct kma_cfi_column *pc = &row->column[KMA_COLUMN_PC];
	uint64_t cfa = (uint64_t)row->cfa.value / 8, depth = 0;
	enum rule_kind kind =
		row->cfa_column == KMA_COLUMN_FP ? RULE_FP : RULE_SP;

	if (row->signal)
		return RULE_SIGNAL;
	if (pc->how == KMA_CFI_UNDEFINED)
		return RULE_END;
	if (fp->how == KMA_CFI_OFFSET)
		depth = (uint64_t)-fp->value / 8;
	if (row->cfa.how != KMA_CFI_REGISTER || row->cfa.value % 8 != 0 ||
	    (row->cfa_column != KMA_COLUMN_SP &&
	     row->cfa_column != KMA_COLUMN_FP) ||
	    row->column[KMA_COLUMN_SP].how != KMA_CFI_SAME ||
	    pc->how != KMA_CFI_OFFSET || pc->value != -8 ||
	    (fp->how != KMA_CFI_SAME && fp->how != KMA_CFI_OFFSET) ||
	    (fp->how == KMA_CFI_OFFSET && (depth == 0 || fp->value % 8 != 0)) ||
	    cfa > CFA_MASK || depth > FP_MASK)
		return RULE_FULL;
	return cfa << CFA_SHIFT | depth << FP_SHIFT | (uint64_t)kind;
}

/* Forget every rule: code they spoke of was unmapped. */
void kma_unwind_flush(void)
{
	for (size_t i = 0; i < 1 << NEAR_BITS; i++)
		__atomic_store_n(&near_table[i], 0, __ATOMIC_RELAXED);
	for (size_t i = 0; i < 1 << FAR_BITS; i++)
		__atomic_store_n(&far_table[i], 0, __ATOMIC_RELAXED);
}

/*
 * The row for a key. A return address that is no function's inside but the
 * start of one was made up by who set the stack up (makecontext, coroutines):
 * it is outermost, whatever .eh_frame says of a caller.
 */
static bool row_find(const struct kma_module *module, uintptr_t key,
		     struct kma_cfi_row *ret)
{
	if (kma_cfi_find(module, key - 1, ret))
		return true;
	if (!kma_cfi_find(module, key, ret))
		return false;
	ret->column[KMA_COLUMN_PC].how = KMA_CFI_UNDEFINED;
	return true;
}

/*
 * A rule not in the near table: from the far one, or from .eh_frame. Code of
 * no module (made at run time) has none and is not remembered, as it moves.
 */
__attribute__((noinline)) static uint64_t rule_fill(uintptr_t key)
{
	uint64_t mixed = key_mix(key);
	uint64_t *far = &far_table[mixed >> (KEY_BITS - FAR_BITS)];
	uint64_t *near = &near_table[mixed >> (KEY_BITS - NEAR_BITS)];
	uint64_t far_tag = mixed & ((UINT64_C(1) << (KEY_BITS - FAR_BITS)) - 1);
	uint64_t near_tag =
		mixed & ((UINT64_C(1) << (KEY_BITS - NEAR_BITS)) - 1);
	uint64_t word = __atomic_load_n(far, __ATOMIC_RELAXED);
	uint64_t rule = word & ((1U << RULE_BITS) - 1);

	if (word >> RULE_BITS != far_tag || rule == RULE_EMPTY) {
		const struct kma_module *module = kma_module_find(key - 1);
		struct kma_cfi_row row;

		if (!module)
			return RULE_NONE;
		rule = row_find(module, key, &row) ? row_to_rule(&row)
						   : RULE_NONE;
		__atomic_store_n(far, far_tag << RULE_BITS | rule,
				 __ATOMIC_RELAXED);
	}
	__atomic_store_n(near, near_tag << RULE_BITS | rule, __ATOMIC_RELAXED);
	return rule;
}

static inline uint64_t rule_find(uintptr_t key)
{
	uint64_t mixed = key_mix(key);
	uint64_t word = __atomic_load_n(
		&near_table[mixed >> (KEY_BITS - NEAR_BITS)], __ATOMIC_RELAXED);
	uint64_t tag = mixed & ((UINT64_C(1) << (KEY_BITS - NEAR_BITS)) - 1);
	uint64_t rule = word & ((1U << RULE_BITS) - 1);

	if (__builtin_expect(word >> RULE_BITS != tag || rule == RULE_EMPTY, 0))
		return rule_fill(key);
	return rule;
}

/* A stack being captured. */
struct walk {
	uint64_t *key; /* the result so far */
	size_t depth, max;
	uint16_t flags; /* enum kma_stack_flags */
	bool cut;       /* still inside this library: keep the outermost only */
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
		w->depth = 1;
		return true;
	}
	w->cut = false;
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
	w->key[w->depth - 1] = w->registers.column[KMA_COLUMN_PC] + 1;
	w->registers = kma_arch_context_registers((const ucontext_t *)sp);
	w->exact = true;
	sp = w->registers.column[KMA_COLUMN_SP];
	if (sp < w->bounds.low || sp >= w->bounds.top)
		w->bounds = kma_bounds_find(sp);
	return true;
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

/* No rule: believe in a frame pointer, if it looks like one. */
static bool walk_guess(struct walk *w)
{
	enum { LOWEST_CODE = 4096 };
	uintptr_t *column = w->registers.column;
	uintptr_t fp = column[KMA_COLUMN_FP], pc, caller_fp;

	w->flags |= KMA_STACK_BY_FRAME_POINTER;
	if (walk_guess_call(w)) {
		w->exact = false;
		return true;
	}
	if (fp < column[KMA_COLUMN_SP] ||
	    !kma_bounds_read(&w->bounds, fp, &caller_fp) ||
	    !kma_bounds_read(&w->bounds, fp + sizeof(uintptr_t), &pc) ||
	    pc < LOWEST_CODE || pc >> (KEY_BITS - 1) != 0)
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
	uintptr_t base = (rule & KIND_MASK) == RULE_SP ? column[KMA_COLUMN_SP]
						       : column[KMA_COLUMN_FP];
	uintptr_t cfa = base + (rule >> CFA_SHIFT & CFA_MASK) * 8;
	uintptr_t depth = (rule >> FP_SHIFT & FP_MASK) * 8;

	if (__builtin_expect(cfa <= column[KMA_COLUMN_SP] ||
				     cfa > w->bounds.top ||
				     cfa - w->bounds.low < depth,
			     0))
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
		uint64_t rule = rule_find(walk_key(w));

		switch (rule & KIND_MASK) {
		case RULE_SP:
		case RULE_FP:
			more = walk_rule(w, rule);
			break;
		case RULE_SIGNAL:
			more = walk_signal(w);
			break;
		case RULE_NONE:
			more = walk_guess(w);
			break;
		case RULE_FULL:
			return false;
		default:
			return true;
		}
	}
	return true;
}

/* One step by the whole row. False: the end, or no further. */
static bool walk_row(struct walk *w)
{
	const struct kma_module *module = kma_module_find(walk_key(w) - 1);
	uintptr_t sp = w->registers.column[KMA_COLUMN_SP];
	struct kma_cfi_row row;

	if (!module || !row_find(module, walk_key(w), &row))
		return walk_guess(w);
	if (row.signal)
		return walk_signal(w);
	if (row.column[KMA_COLUMN_PC].how == KMA_CFI_UNDEFINED)
		return false;
	if (!kma_cfi_step(&row, &w->bounds, &w->registers) ||
	    w->registers.column[KMA_COLUMN_SP] <= sp)
		return walk_stop(w);
	w->exact = false;
	return w->registers.column[KMA_COLUMN_PC] != 0;
}

static size_t walk_from(const struct kma_registers *registers, bool exact,
			bool cut, uint64_t *key, size_t max, uint16_t *flags)
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
	return walk_from(&here, true, true, pc, max, flags);
}

size_t kma_stack_capture_context(const void *ucontext, uint64_t *pc, size_t max,
				 uint16_t *flags)
{
	struct kma_registers there = kma_arch_context_registers(ucontext);

	return walk_from(&there, true, false, pc, max, flags);
}
