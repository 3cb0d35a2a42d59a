/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking at processes that show themselves when they end (dumpfmt/roster.h).
 *
 * A few threads of ours wait for the roster's bell, so that the supervisor
 * passes on signals and keeps its time limits meanwhile, and processes that end
 * at the same time do not wait for each other.
 */
#ifndef KDBG_SUPERVISE_EXAMINE_H
#define KDBG_SUPERVISE_EXAMINE_H

#include "dumpfmt/err.h"
#include "kdbg/supervise_roster.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Look at the process pid, whose record this is, the index'th of the roster;
 * returns DONE or DUMP. Called by several threads at once. */
typedef enum roster_reply examine_function(void *context, pid_t pid,
					   const struct roster_record *record,
					   uint64_t index);

struct examiners;

/* The file must outlive them. */
struct err *examiners_start(const struct roster_file *file,
			    examine_function *examine, void *context,
			    struct examiners **ret) MUST_USE;
/* What is being looked at is finished; who comes later goes unseen. NULL is
 * fine. */
void examiners_stop(struct examiners *examiners);

/* Is pid the process that wrote the record, and does it still stand there? */
bool examine_is_shown_by(pid_t pid, const struct roster_record *record);

#endif
