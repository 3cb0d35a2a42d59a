/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/unwind_rule.h"

#include "alloc/module.h"

enum { FAR_BITS = 17 };

union kma_rule_slot kma_rule_near[1 << KMA_RULE_NEAR_BITS];
static uint64_t far_table[1 << FAR_BITS];
static bool far_is_used; /* a small program's never is: no page of it touched */
uint32_t kma_rule_generation;

static uint64_t rule_of_kind(enum kma_rule_kind kind)
{
	return (uint64_t)kind << KMA_RULE_KIND_SHIFT;
}

static uint64_t row_to_rule(const struct kma_cfi_row *row)
{
	const struct kma_cfi_column *fp = &row->column[KMA_COLUMN_FP];
	const struct kma_cfi_column *pc = &row->column[KMA_COLUMN_PC];
	uint64_t cfa = (uint64_t)row->cfa.value / 8, depth = 0;
	enum kma_rule_kind kind =
		row->cfa_column == KMA_COLUMN_FP ? KMA_RULE_FP : KMA_RULE_SP;

	if (row->signal)
		return rule_of_kind(KMA_RULE_SIGNAL);
	if (pc->how == KMA_CFI_UNDEFINED)
		return rule_of_kind(KMA_RULE_END);
	if (fp->how == KMA_CFI_OFFSET)
		depth = (uint64_t)-fp->value / 8;
	if (row->cfa.how != KMA_CFI_REGISTER || row->cfa.value % 8 != 0 ||
	    (row->cfa_column != KMA_COLUMN_SP &&
	     row->cfa_column != KMA_COLUMN_FP) ||
	    row->column[KMA_COLUMN_SP].how != KMA_CFI_SAME ||
	    pc->how != KMA_CFI_OFFSET || pc->value != -8 ||
	    (fp->how != KMA_CFI_SAME && fp->how != KMA_CFI_OFFSET) ||
	    (fp->how == KMA_CFI_OFFSET && (depth == 0 || fp->value % 8 != 0)) ||
	    (kind == KMA_RULE_SP && cfa == 0) || cfa > KMA_RULE_CFA_MASK ||
	    depth > KMA_RULE_FP_MASK)
		return rule_of_kind(KMA_RULE_FULL);
	return rule_of_kind(kind) | depth << KMA_RULE_FP_SHIFT | cfa;
}

/* Forget every rule: code they spoke of was unmapped. */
void kma_unwind_flush(void)
{
	__atomic_fetch_add(&kma_rule_generation, 1, __ATOMIC_SEQ_CST);
	for (size_t i = 0; i < 1 << KMA_RULE_NEAR_BITS; i++)
		__atomic_store_n(&kma_rule_near[i].word, 0, __ATOMIC_RELAXED);
	if (!__atomic_load_n(&far_is_used, __ATOMIC_SEQ_CST))
		return;
	for (size_t i = 0; i < 1 << FAR_BITS; i++)
		__atomic_store_n(&far_table[i], 0, __ATOMIC_RELAXED);
}

/*
 * The row for a key. A return address that is no function's inside but the
 * start of one was made up by who set the stack up (makecontext, coroutines):
 * it is outermost, whatever .eh_frame says of a caller.
 */
bool kma_rule_row(const struct kma_module *module, uintptr_t key,
		  struct kma_cfi_row *ret)
{
	if (kma_cfi_find(module, key - 1, ret))
		return true;
	if (!kma_cfi_find(module, key, ret))
		return false;
	ret->column[KMA_COLUMN_PC].how = KMA_CFI_UNDEFINED;
	return true;
}

/* --- the far table ----------------------------------------------------------
 */

static uint64_t mix(uintptr_t key)
{
	return key * (UINT64_C(0x9E3779B97F4A7C15) << (64 - KMA_KEY_BITS));
}

/* 0: it is not there. */
static uint64_t far_find(uintptr_t key)
{
	uint64_t mixed = mix(key);
	uint64_t rule;

	if (!__atomic_load_n(&far_is_used, __ATOMIC_RELAXED))
		return 0;
	rule = __atomic_load_n(&far_table[mixed >> (64 - FAR_BITS)],
			       __ATOMIC_RELAXED) ^
	       mixed << FAR_BITS;
	return kma_rule_is_one(rule) ? rule : 0;
}

static void far_put(uintptr_t key, uint64_t rule, uint32_t generation)
{
	uint64_t mixed = mix(key);
	uint64_t *far = &far_table[mixed >> (64 - FAR_BITS)];

	__atomic_store_n(&far_is_used, true, __ATOMIC_RELAXED);
	__atomic_store_n(far, mixed << FAR_BITS | rule, __ATOMIC_SEQ_CST);
	/* Its code may be gone since it was taken from the near table, and all
	 * been forgotten before it came here. */
	if (__atomic_load_n(&kma_rule_generation, __ATOMIC_SEQ_CST) !=
	    generation)
		__atomic_store_n(far, 0, __ATOMIC_RELAXED);
}

/* What a slot of the near table has gives way to another's. */
static void near_evict(union kma_rule_slot *slot, uint32_t generation)
{
	uint64_t word = __atomic_load_n(&slot->word, __ATOMIC_RELAXED);
	uintptr_t told = (uintptr_t)slot - (uintptr_t)kma_rule_near;
	uintptr_t key = (word >> (64 - KMA_KEY_BITS) & ~KMA_RULE_TOLD) | told;

	if (word)
		far_put(key, kma_rule_of(word, key), generation);
}

/*
 * A rule not in the near table: from the far one, or from .eh_frame. Code of
 * no module (made at run time) has none and is not remembered, as it moves.
 */
uint64_t kma_rule_fill(uintptr_t key)
{
	uint32_t generation =
		__atomic_load_n(&kma_rule_generation, __ATOMIC_SEQ_CST);
	union kma_rule_slot *slot = kma_rule_slot(key);
	uint64_t rule = far_find(key);

	if (rule == 0) {
		const struct kma_module *module = kma_module_find(key - 1);
		struct kma_cfi_row row;

		if (!module)
			return rule_of_kind(KMA_RULE_NONE);
		rule = kma_rule_row(module, key, &row)
			       ? row_to_rule(&row)
			       : rule_of_kind(KMA_RULE_NONE);
	}
	near_evict(slot, generation);
	__atomic_store_n(&slot->word, kma_rule_of(rule, key), __ATOMIC_RELAXED);
	return rule;
}
