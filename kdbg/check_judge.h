/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a process's memory says of it, or its dump: leaks and heap errors. */
#ifndef KDBG_CHECK_JUDGE_H
#define KDBG_CHECK_JUDGE_H

#include "dumpfmt/err.h"
#include "kdbg/check_result.h"

struct target;

/*
 * Fill in what the target tells, and close it. process->replaced says that
 * leaks are none. An error, or a reason set in process, means that it could not
 * be checked, or not all of it; findings made until then stand.
 */
struct err *check_judge(struct target *target, struct arena *arena,
			struct check_process *process) MUST_USE;

#endif
