/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A living process as a target.
 *
 * Its threads stand still from the opening to target_release(). What is read
 * meanwhile is copied and kept, page by page, so a view points at bytes that
 * stay as they are, and all of them are of one moment. After the release what
 * was not copied is not there any more; who wants to see the process as it is
 * now opens it again (target_reopen) and makes new views.
 */
#ifndef KDBG_TARGET_LIVE_H
#define KDBG_TARGET_LIVE_H

#include "dumpfmt/roster.h"
#include "kdbg/target.h"

#include <sys/types.h>

struct err *target_live_open(pid_t pid, const struct target_options *options,
			     struct target **ret) MUST_USE;

/*
 * A process that stands still by itself and shows itself (dumpfmt/roster.h):
 * nobody is traced, its threads are where it says. The record must live as long
 * as the target.
 */
struct err *target_live_open_shown(pid_t pid, const struct roster_record *shown,
				   const struct target_options *options,
				   struct target **ret) MUST_USE;

#endif
