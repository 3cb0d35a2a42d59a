/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The forms in which a check's result is told. */
#ifndef KDBG_REPORT_H
#define KDBG_REPORT_H

#include "kdbg/check_result.h"

#include <stdio.h>

/* For people: the first screen tells what to do. */
void report_text(const struct check_result *result, FILE *out);

/* JSON lines: a "process" for each, its "leak" and "error" after it, one
 * "summary" with the exit status last. */
void report_jsonl(const struct check_result *result, int status, FILE *out);

#endif
