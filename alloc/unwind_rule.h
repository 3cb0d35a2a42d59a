/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules: what .eh_frame says of a call site, in a word, cached.
 *
 * Nearly every call site needs only this to step from: CFA = sp or fp plus a
 * constant, return address just below the CFA, fp saved at a constant distance
 * below it or untouched. .eh_frame is read once for each call site, and from
 * then on the rule comes from a cache of words:
 *
 *	63 31 30  28 27        19 18  16 15           0
 *	| 0  | kind | fp depth/8 |  0   | CFA offset/8 |	a rule
 *	| the key's 48 bits             | CFA offset/8 |	in its slot
 *
 * What a walk waits for, frame by frame, is the way from a key to the next. So
 * the near table's slot is told by bits of the key as they are, and the offset
 * is loaded from there by itself. Beside that the word is looked at: the key is
 * exclusive-ored into it, and those of the key's bits that lie over kind and
 * depth are what the slot tells. If rule and zeros are left and the offset is
 * the one that was loaded, all is the key's own. The plainest kind, by sp, is
 * told from the rest with that at once.
 *
 * What gives way there goes to a far table, eight times as large, in which keys
 * are spread by an odd multiplier: a bijection, so slot and tag together
 * identify the key exactly there, too. A word is stored whole: no lock, and a
 * signal handler may come at any point.
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
	KMA_RULE_KIND_SHIFT = 28,
	KMA_RULE_KIND_MASK = 7,
	KMA_RULE_FP_SHIFT = 19,
	KMA_RULE_FP_MASK = 0x1ff,
	KMA_RULE_CFA_MASK = 0xffff,
	KMA_KEY_BITS = 48,
	KMA_KEY_LOWEST = 1 << 16, /* no code lies below */
	KMA_RULE_NEAR_BITS = 14,  /* 128 KiB: stays in the processor's cache */
};

/* What is zero in a rule. */
#define KMA_RULE_ZERO                                            \
	(~((uint64_t)KMA_RULE_KIND_MASK << KMA_RULE_KIND_SHIFT | \
	   (uint64_t)KMA_RULE_FP_MASK << KMA_RULE_FP_SHIFT |     \
	   KMA_RULE_CFA_MASK))

/* In the near table: a rule, its key put over it. */
union kma_rule_slot {
	uint64_t word;
	uint16_t up; /* CFA offset/8, where it is the key's */
};

extern union kma_rule_slot kma_rule_near[1 << KMA_RULE_NEAR_BITS];

/* The bits of a key that its slot tells. */
#define KMA_RULE_TOLD \
	((uintptr_t)(sizeof(kma_rule_near) - sizeof(kma_rule_near[0])))

/* Changes when rules are forgotten: what was derived from them is void. */
extern uint32_t kma_rule_generation __attribute__((visibility("hidden")));

/* A rule that is not in the near table. */
uint64_t kma_rule_fill(uintptr_t key);

/* Eight bytes of code have one slot, the next eight the next: what runs
 * together lies together, and it is one instruction from key to offset. */
static inline union kma_rule_slot *kma_rule_slot(uintptr_t key)
{
	return (union kma_rule_slot *)((char *)kma_rule_near +
				       (key & KMA_RULE_TOLD));
}

/* From a word of the near table to a rule, and back; no rule if the word is
 * another key's. */
static inline uint64_t kma_rule_of(uint64_t word, uintptr_t key)
{
	return word ^ key << (64 - KMA_KEY_BITS);
}

/* Is it a rule by sp, of that CFA offset/8? */
static inline bool kma_rule_is_plain(uint64_t rule, uintptr_t up)
{
	uint64_t fp = (uint64_t)KMA_RULE_FP_MASK << KMA_RULE_FP_SHIFT;
	uint64_t plain = (uint64_t)KMA_RULE_SP << KMA_RULE_KIND_SHIFT | up;

	return ((rule ^ plain) & ~fp) == 0;
}

/* Was the word the key's own, and filled? */
static inline bool kma_rule_is_one(uint64_t rule)
{
	return (rule & KMA_RULE_ZERO) == 0 &&
	       rule >> KMA_RULE_KIND_SHIFT != KMA_RULE_EMPTY;
}

/* An empty slot looks like a rule to keys too low to be code. */
static inline uint64_t kma_rule_find(uintptr_t key)
{
	uint64_t word =
		__atomic_load_n(&kma_rule_slot(key)->word, __ATOMIC_RELAXED);
	uint64_t rule = kma_rule_of(word, key);

	if (__builtin_expect(word == 0 || !kma_rule_is_one(rule), 0))
		return kma_rule_fill(key);
	return rule;
}

static inline enum kma_rule_kind kma_rule_kind(uint64_t rule)
{
	return (enum kma_rule_kind)(rule >> KMA_RULE_KIND_SHIFT &
				    KMA_RULE_KIND_MASK);
}

/* Does it hang on the fp of its frame? */
static inline bool kma_rule_is_by_fp(uint64_t rule)
{
	enum kma_rule_kind kind = kma_rule_kind(rule);

	return kind == KMA_RULE_FP || kind == KMA_RULE_NONE;
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
