/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From an account of the supervisor to a process of the result: checked, by
 * what was seen in place or by its dump, or unchecked with a reason.
 */
#ifndef KDBG_CHECK_SETTLE_H
#define KDBG_CHECK_SETTLE_H

#include "kdbg/check_examine.h"
#include "kdbg/check_options.h"
#include "kdbg/check_result.h"
#include "kdbg/supervise_accounts.h"

struct suppressions;

/* What is known when all have ended, and where results go. */
struct check_settler {
	const struct check_options *options;
	const struct accounts *accounts;
	const struct check_examiner *examiner;
	struct suppressions *suppressions;
	const char *dumps; /* the folder that the processes wrote in */
	struct arena *arena;
};

void check_settle(const struct check_settler *settler,
		  const struct account *account, struct check_process *process);

#endif
