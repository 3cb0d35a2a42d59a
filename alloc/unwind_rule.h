/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules: what .eh_frame says of a call site, in 30 bits, cached.
 *
 * Nearly every call site needs only this to step from: CFA = sp or fp plus a
 * constant, return address just below the CFA, fp saved at a constant distance
 * below it or untouched. .eh_frame is read once for each call site, and from
 * then on the rule comes from a cache of words:
 *
 *	63                 30 29  27 26        18 17           0
 *	| tag of the PC      | kind | fp depth/8 | CFA offset/8 |
 *
 * The plainest kind of all, by sp, is told from the rest with the tag at once,
 * and its offset takes one instruction: what a walk waits for, frame by frame,
 * is the way from a key to the next.
 *
 * The cache is two direct-mapped tables of such words. PCs are spread by an odd
 * multiplier, which is a bijection, so slot and tag together still identify
 * the PC exactly. A word is loaded and stored whole: no lock, and a signal
 * handler may come at any point.
 *
 * A rule is for a *key*: a return address, whose instruction is the one before
 * it. A PC that was interrupted by a signal is not a return address; its key
 * is one more, so that key - 1 is the instruction to ask about in both cases.
 * Keys, not PCs, are what a captured stack holds.
 */
#ifndef ALLOC_UNWIND_RULE_H
#define ALLOC_UNWIND_RULE_H

#include "alloc/unwind.h"

enum kma_rule_kind {
	KMA_RULE_EMPTY = 0, /* nothing known: a slot never filled */
	KMA_RULE_SP,        /* CFA is sp + offset, which is not 0 */
	KMA_RULE_FP,        /* CFA is fp + offset */
	KMA_RULE_SIGNAL,    /* sp points at a ucontext */
	KMA_RULE_END,       /* outermost */
	KMA_RULE_NONE,      /* .eh_frame has no row for it */
	KMA_RULE_FULL,      /* the row is more than a rule can hold */
};

enum {
	KMA_RULE_BITS = 30,
	KMA_RULE_KIND_SHIFT = 27,
	KMA_RULE_KIND_MASK = 7,
	KMA_RULE_FP_SHIFT = 18,
	KMA_RULE_FP_MASK = 0x1ff,
	KMA_RULE_CFA_MASK = 0x3ffff,
	KMA_KEY_BITS = 48,
	KMA_RULE_NEAR_BITS = 14, /* 128 KiB: stays in the processor's cache */
};

extern uint64_t kma_rule_near[1 << KMA_RULE_NEAR_BITS];

/* Changes when rules are forgotten: what was derived from them is void. */
extern uint32_t kma_rule_generation;

/* A rule that is not in the near table. */
uint64_t kma_rule_fill(uintptr_t key);

/* The key's mix, in the upper KMA_KEY_BITS; the bits below are zero. */
static inline uint64_t kma_rule_mix(uintptr_t key)
{
	return key * (UINT64_C(0x9E3779B97F4A7C15) << (64 - KMA_KEY_BITS));
}

/* The near table's word for a key, by its mix; perhaps another key's. */
static inline uint64_t kma_rule_word(uint64_t mixed)
{
	return __atomic_load_n(
		&kma_rule_near[mixed >> (64 - KMA_RULE_NEAR_BITS)],
		__ATOMIC_RELAXED);
}

/* Is that word the key's own, and by sp? */
static inline bool kma_rule_is_plain(uint64_t word, uint64_t mixed)
{
	uint64_t plain = mixed << KMA_RULE_NEAR_BITS |
			 (uint64_t)KMA_RULE_SP << KMA_RULE_KIND_SHIFT;

	return (word ^ plain) >> KMA_RULE_KIND_SHIFT == 0;
}

static inline uint64_t kma_rule_find(uintptr_t key)
{
	uint64_t mixed = kma_rule_mix(key);
	/* Where the tag is the key's own, the rule alone is left. */
	uint64_t rule = kma_rule_word(mixed) ^ mixed << KMA_RULE_NEAR_BITS;

	if (__builtin_expect(
		    rule == KMA_RULE_EMPTY || rule >> KMA_RULE_BITS != 0, 0))
		return kma_rule_fill(key);
	return rule;
}

static inline enum kma_rule_kind kma_rule_kind(uint64_t rule)
{
	return (enum kma_rule_kind)(rule >> KMA_RULE_KIND_SHIFT &
				    KMA_RULE_KIND_MASK);
}

/* Bytes from sp or fp up to the CFA. */
static inline uintptr_t kma_rule_cfa(uint64_t rule)
{
	return (rule & KMA_RULE_CFA_MASK) * 8;
}

/* Bytes from the CFA down to where fp is saved; 0: it is not. */
static inline uintptr_t kma_rule_fp_depth(uint64_t rule)
{
	return (rule >> KMA_RULE_FP_SHIFT & KMA_RULE_FP_MASK) * 8;
}

/* The row for a key: the slow way. */
struct kma_module;
bool kma_rule_row(const struct kma_module *module, uintptr_t key,
		  struct kma_cfi_row *ret);

#endif
