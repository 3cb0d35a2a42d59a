/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks: captured without frame pointers, kept once.
 *
 * kma_stack_capture() walks the calling thread's stack by the rules of
 * .eh_frame, through a cache of rules by PC. It takes no lock, allocates
 * nothing, reads only inside the thread's stack, and is safe in a signal
 * handler. Frames of this library are cut but for the outermost, the function
 * the program called: frame 0.
 *
 * A function through which the program enters must not leave by a jump (a
 * tail call), or it has no frame to be seen.
 *
 * The depot keeps each distinct stack once and names it by a 32-bit id: the
 * entry's offset in the depot's range in units of KMA_STACK_UNIT bytes. Id 0
 * is "none" (the depot was full, which it counts).
 */
#ifndef ALLOC_STACK_H
#define ALLOC_STACK_H

#include "alloc/lock.h"
#include "alloc/stack_names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KMA_STACK_UNIT = 8, KMA_STACK_MAX = UINT16_MAX /* frames */ };

enum kma_stack_flags {
	KMA_STACK_TRUNCATED = 1, /* depth limit, or a frame without a rule */
	KMA_STACK_BY_FRAME_POINTER = 2, /* some frame had no rule: guessed */
};

struct kma_stack {
	uint64_t hash; /* kma_stack_hash() of it, and of its flags */
	uint16_t depth;
	uint16_t flags; /* enum kma_stack_flags */
	uint32_t pad;
	uint64_t pc[]; /* return addresses, innermost first */
};

struct kma_depot {
	char *base;
	uint64_t used;           /* bytes */
	uint64_t capacity;       /* bytes, reserved */
	uint64_t count;          /* stacks */
	uint64_t dropped;        /* captures that found it full */
	struct kma_names *names; /* at base */
	uint64_t table_mask;     /* their size in 4-byte words, less one */
};

/* Held while the depot grows. */
extern struct kma_lock kma_depot_lock;

/* The depot's memory; then a stack can be kept. False: no memory. */
bool kma_depot_init(void);

/*
 * What a stack is wanted for: the last of each kind is where the next starts.
 * The fast ones (fast_audit.h) are apart because nearly all of them leave this
 * library the same way.
 */
enum kma_stack_use {
	KMA_STACK_OF_ALLOC,
	KMA_STACK_OF_FREE, /* and of all else */
	KMA_STACK_OF_FAST_ALLOC,
	KMA_STACK_OF_FAST_FREE,
	KMA_STACK_USES,
	KMA_STACK_KINDS = 2, /* a use's is the rest */
};

/* Capture the frames that kma_root.audit_depth asks for, and intern them. */
uint32_t kma_stack_intern(enum kma_stack_use use);

/* The same without the last stack; how many frames are asked for. */
uint32_t kma_stack_intern_walked(void);
size_t kma_stack_limit(void);

/*
 * The same into the caller's array, from here, or from a signal's context
 * (nothing is cut from that one). A frame that a signal interrupted is kept as
 * its PC plus one, so that every entry names the instruction before it, as a
 * return address does.
 */
size_t kma_stack_capture(uint64_t *pc, size_t max, uint16_t *flags);
size_t kma_stack_capture_context(const void *ucontext, uint64_t *pc, size_t max,
				 uint16_t *flags);

/* NULL for 0 and for an id that is not one. */
const struct kma_stack *kma_stack_get(uint32_t id);

/*
 * The hash of a stack is that of what is outside its innermost frame, times a
 * factor, and that frame, spread over all bits. So it can be put together from
 * either end, and what is outside a frame may be put to it last (kma_sum). Both
 * steps are one-to-one: stacks that differ in one frame never have the same
 * hash.
 */
#define KMA_STACK_HASH_SEED   UINT64_C(0x6b6d615f73746b)
#define KMA_STACK_HASH_FACTOR UINT64_C(0xD6E8FEB86659FD93)

static inline uint64_t kma_stack_hash_spread(uint64_t pc)
{
	uint64_t spread = pc * UINT64_C(0x9E3779B97F4A7C15);

	return spread ^ spread >> 32;
}

static inline uint64_t kma_stack_hash_step(uint64_t hash, uint64_t pc)
{
	return hash * KMA_STACK_HASH_FACTOR + kma_stack_hash_spread(pc);
}

/* The same from the innermost frame out: none of the steps waits for another's
 * spread. */
struct kma_sum {
	uint64_t sum, power;
};

#define KMA_SUM_NONE ((struct kma_sum){ 0, 1 })

static inline void kma_sum_add(struct kma_sum *sum, uint64_t pc)
{
	sum->sum += sum->power * kma_stack_hash_spread(pc);
	sum->power *= KMA_STACK_HASH_FACTOR;
}

/* outside: the hash of all that is outside. */
static inline uint64_t kma_sum_hash(const struct kma_sum *sum, uint64_t outside)
{
	return sum->sum + sum->power * outside;
}

uint64_t kma_stack_hash(const uint64_t *pc, size_t depth);

/* The id of a stack, of which that is kma_stack_hash(); 0 when the depot is
 * full. */
uint32_t kma_depot_intern(uint64_t hash, const uint64_t *pc, size_t depth,
			  uint16_t flags);

/* A stack of that hash is about to be asked for. */
void kma_depot_foresee(uint64_t hash);

/* The same for one without flags, only if it is there; else 0. */
uint32_t kma_depot_find(uint64_t hash);

/*
 * Zeroed memory beside the stacks, never freed; no lock is waited for, good in
 * a signal handler. NULL when the depot is full.
 */
void *kma_depot_alloc(size_t size);

/* Keep only the first bytes of that; the rest is lost where somebody else has
 * taken memory since. */
void kma_depot_trim(void *p, size_t size, size_t kept);

/* In the child of a fork. */
void kma_depot_fork_child(void);

#endif
