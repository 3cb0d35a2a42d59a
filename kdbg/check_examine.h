/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Judging processes in place: while one stands still to be looked at, its
 * memory is read and judged, and only with findings may a dump be wanted.
 */
#ifndef KDBG_CHECK_EXAMINE_H
#define KDBG_CHECK_EXAMINE_H

#include "kdbg/check_options.h"
#include "kdbg/check_result.h"
#include "kdbg/supervise_examine.h"

#include <pthread.h>

/* What was found in a process that showed itself. */
struct examined {
	struct examined *next;
	uint64_t index;     /* of its record in the roster */
	struct arena arena; /* of all that process points to */
	struct check_process process;
};

struct check_examiner {
	enum check_keep keep;
	bool possible_fails;
	pthread_mutex_t lock;
	struct examined *first; /* under the lock while processes run */
	/* Sorted by index, once they have ended. */
	struct examined **sorted;
	size_t count;
};

void check_examiner_init(struct check_examiner *examiner,
			 const struct check_options *options);
void check_examiner_deinit(struct check_examiner *examiner);

/* An examine_function; context is the examiner. */
enum roster_reply check_examine(void *context, pid_t pid,
				const struct roster_record *record,
				uint64_t index);

/* The command has ended: no more is added. */
struct err *check_examiner_finish(struct check_examiner *examiner) MUST_USE;
/* What was found by that record; NULL: it could not be looked at. */
const struct examined *check_examined(const struct check_examiner *examiner,
				      uint64_t index);

#endif
