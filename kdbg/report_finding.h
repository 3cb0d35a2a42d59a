/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The findings of a check, one after another, each with what every report of a
 * machine wants: a rule, a text of one line, a place in the sources, a
 * fingerprint.
 */
#ifndef KDBG_REPORT_FINDING_H
#define KDBG_REPORT_FINDING_H

#include "kdbg/check_result.h"

#include <limits.h>
#include <stdio.h>

enum report_rule {
	RULE_DEFINITE,
	RULE_INDIRECT,
	RULE_POSSIBLE,
	RULE_HEAP_ERROR,
	RULE_COUNT,
};

struct report_finding {
	const struct check_process *process;
	const struct check_leak *leak;   /* one of the two, */
	const struct check_error *error; /* the other NULL */
	enum report_rule rule;
	bool fails; /* counts for the verdict */
	uint64_t signature;
	char title[512];     /* of one line, without addresses */
	char path[PATH_MAX]; /* relative to the source root where it is below */
	unsigned line;       /* 0: no place is known */
	bool inside;         /* path is relative to the source root */
};

struct report_findings { /* all zero but these: before the first */
	const struct check_result *result;
	bool with_known; /* those, too, that the baseline has */
	size_t process, index;
};

/* The next finding of a process that is not ignored; false: no more. */
bool report_findings_next(struct report_findings *at,
			  struct report_finding *ret);

const char *report_rule_name(enum report_rule rule);
const char *report_rule_text(enum report_rule rule);

/* "120 bytes leaked in 3 buffers, 1 heap error"; nothing where there is none.
 */
void report_totals(const struct check_process *process, FILE *out);

/* The path of a frame's source file, which it has, as reports have it, in size
 * bytes; true: relative to the source root. */
bool report_path(const struct check_result *result,
		 const struct check_frame *frame, char *path, size_t size);

/* The same for who reads it here: relative to the source root if there is one
 * by option, else to the current folder; what lies elsewhere is absolute. */
void report_name_file(const struct check_result *result,
		      const struct check_frame *frame, char *path, size_t size);

#endif
