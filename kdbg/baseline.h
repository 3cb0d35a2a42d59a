/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Leaks that were there before: what a check compares with, so that it fails on
 * what is new or has grown.
 *
 *	# kdbg check --baseline, version 1
 *	program <tab> signature <tab> buffers <tab> bytes <tab> place
 *
 * One line for each program and signature (check_signature.h), sorted, for the
 * repository of the sources: neither a new build nor another place in memory
 * changes it. The figures are the most that one process leaked. The place is
 * for who reads it.
 *
 * A run that updates the file adds and raises, never lowers: the tests of a
 * suite share it, each knows of its own program alone, and several write it at
 * once (each holds a lock while it does).
 */
#ifndef KDBG_BASELINE_H
#define KDBG_BASELINE_H

#include "dumpfmt/err.h"
#include "kdbg/check_result.h"

struct baseline;

/* NULL path: an empty one, which is never written. */
struct err *baseline_open(const char *path, bool update,
			  struct baseline **ret) MUST_USE;
void baseline_close(struct baseline *baseline);

/*
 * Take the leaks of a process that are known out of it, into known; the others
 * are marked new or grown. With update all are noted, and known from now on.
 */
struct err *baseline_apply(struct baseline *baseline, struct arena *arena,
			   struct check_process *process) MUST_USE;

/* What is in the file and was in no process of a program that has run, all of
 * whose processes were checked: it may be gone. */
struct err *baseline_list_gone(const struct baseline *baseline,
			       struct check_result *result) MUST_USE;

/* Write what was noted, with what is in the file by now. */
struct err *baseline_save(struct baseline *baseline) MUST_USE;

#endif
