/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes we leave where the program must not write: fills of constant words,
 * and guards (redzones, canaries) whose every byte depends on its address and
 * on this process's secret. No byte of a guard is 0, so that the terminator
 * of a string one byte too long shows.
 */
#ifndef ALLOC_PATTERN_H
#define ALLOC_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KMA_FILL_FREE          UINT64_C(0xdeadbeefdeadbeef)
#define KMA_FILL_UNINITIALISED UINT64_C(0xbaddcafebaddcafe)

/* Of the rule for guards and fills that dumpfmt/layout.h tells a debugger:
 * raise it with any change to what pattern.c or audit.c leaves in memory. */
enum { KMA_PATTERN_REVISION = 1 };

enum { KMA_DAMAGE_SHOWN = 16 };

/* What does not read as it should. */
struct kma_damage {
	uintptr_t address; /* of the first changed byte */
	size_t shown;      /* bytes from there on that are worth showing */
	unsigned char expected[KMA_DAMAGE_SHOWN];
	unsigned char found[KMA_DAMAGE_SHOWN];
};

/* from is 8-aligned. */
void kma_fill_set(uintptr_t from, size_t size, uint64_t pattern);
bool kma_fill_check(uintptr_t from, size_t size, uint64_t pattern,
		    struct kma_damage *ret);

/* [from, to). The check is true when all is well; else ret is filled. */
void kma_guard_set(uintptr_t from, uintptr_t to);
bool kma_guard_check(uintptr_t from, uintptr_t to, struct kma_damage *ret);

#endif
