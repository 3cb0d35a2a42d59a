/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The aligned words of a range of the target's memory, chunk by chunk and in
 * place. What is known to be zero is passed over, what cannot be read too. */
#ifndef KDBG_WORD_SCAN_H
#define KDBG_WORD_SCAN_H

#include "dumpfmt/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

/* words (for scan_pointer()) are at address; false: enough. */
typedef bool word_scan_fn(void *context, uint64_t address, const char *words,
			  size_t count);

/* start and end are multiples of 8; the range lies in one extent. Interrupted,
 * it is an error that says so. *enough is set when each() wanted no more. */
struct err *word_scan(struct session *session, uint64_t start, uint64_t end,
		      word_scan_fn *each, void *context, bool *enough) MUST_USE;

#endif
