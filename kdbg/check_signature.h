/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A name for a finding that the next build gives it too. */
#ifndef KDBG_CHECK_SIGNATURE_H
#define KDBG_CHECK_SIGNATURE_H

#include "kdbg/check_result.h"

#include <stddef.h>
#include <stdint.h>

/* kind: "leak", or the name of a heap error. */
uint64_t check_signature(const char *kind, const struct check_stack *stack);

/* The frames that the signature is made of: [*first, *end). */
void check_signature_span(const struct check_stack *stack, size_t *first,
			  size_t *end);

#endif
