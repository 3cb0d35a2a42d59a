/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The forms in which a check's result is told. */
#ifndef KDBG_REPORT_H
#define KDBG_REPORT_H

#include "kdbg/check_result.h"

#include <stdio.h>

/* For people: the first screen tells what to do. */
void report_text(const struct check_result *result, FILE *out);

/* JSON lines: a "process" for each, its "leak", "error" and "crash" after it,
 * one "summary" with the exit status last. */
void report_jsonl(const struct check_result *result, FILE *out);

/* For the pages of build servers and code hosts. */
void report_junit(const struct check_result *result, FILE *out);
void report_sarif(const struct check_result *result, FILE *out);
void report_gitlab(const struct check_result *result, FILE *out);
void report_valgrind(const struct check_result *result, FILE *out);

/* GitHub's workflow commands, and its summary of a step in Markdown. */
void report_github(const struct check_result *result, FILE *out);
void report_github_summary(const struct check_result *result, FILE *out);

#endif
