/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pointers that are not written as such: tagged ones, whose spare bits are to
 * be cleared, and ones that a program encodes, told as the steps that decode
 * them:
 *
 *	xor=V add=V and=V	with a value
 *	shl=N shr=N rol=N ror=N	by so many bits
 *	u32			first: each half of a word is one
 *
 * "u32,shl=3,add=base" is a compressed pointer, "ror=17,xor=guard" one that
 * glibc has mangled. A word is always taken as it stands, too.
 */
#ifndef KDBG_POINTER_FORMS_H
#define KDBG_POINTER_FORMS_H

#include "dumpfmt/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pointer_step_kind {
	STEP_XOR,
	STEP_ADD,
	STEP_AND,
	STEP_SHL,
	STEP_SHR,
	STEP_ROL,
	STEP_ROR,
	STEP_KIND_COUNT
};

enum { POINTER_STEPS_MAX = 16 };

struct pointer_forms {
	bool unaligned; /* pointers may start at any byte */
	uint64_t mask;  /* bits to clear; 0: none */
	bool halves;    /* u32 */
	size_t step_count;
	struct {
		enum pointer_step_kind kind;
		uint64_t value;
	} steps[POINTER_STEPS_MAX];
};

/* Fill halves and steps from text. What a value's text is worth, evaluate
 * tells. */
typedef struct err *pointer_value_fn(void *context, const char *text,
				     uint64_t *ret);
struct err *pointer_forms_parse(const char *text, pointer_value_fn *evaluate,
				void *context,
				struct pointer_forms *ret) MUST_USE;

bool pointer_forms_equal(const struct pointer_forms *a,
			 const struct pointer_forms *b);

/* In how many ways is a word read? 1: as it stands. */
unsigned pointer_forms_count(const struct pointer_forms *forms);

/* What a word is, read in one of them; 0 is as it stands. */
uint64_t pointer_forms_read(const struct pointer_forms *forms, uint64_t word,
			    unsigned form);

#endif
