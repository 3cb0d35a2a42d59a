/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a process's dump says of it: leaks and heap errors. */
#ifndef KDBG_CHECK_JUDGE_H
#define KDBG_CHECK_JUDGE_H

#include "dumpfmt/err.h"
#include "kdbg/check_result.h"

/*
 * Fill in what the dump at path tells. process->forked and replaced say what
 * is judged. An error, or a reason set in process, means that it could not be
 * checked, or not all of it; findings made until then stand.
 */
struct err *check_judge(const char *path, struct arena *arena,
			struct check_process *process) MUST_USE;

#endif
