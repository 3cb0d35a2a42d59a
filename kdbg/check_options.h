/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line of kdbg check. */
#ifndef KDBG_CHECK_OPTIONS_H
#define KDBG_CHECK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum {
	CHECK_USAGE = 2,
	CHECK_INCOMPLETE = 3, /* could not check all of it */
	CHECK_FINDINGS = 23,  /* leaks or heap errors */
};

enum check_keep { KEEP_NEVER, KEEP_FINDINGS, KEEP_ALWAYS };

enum check_report {
	REPORT_LOG, /* for people */
	REPORT_JSONL,
	REPORT_JUNIT,
	REPORT_SARIF,
	REPORT_GITLAB,
	REPORT_VALGRIND,
	CHECK_REPORTS,
};

struct check_options {
	char *const *argv; /* the command */
	const char *tier;
	const char *dump_dir;               /* NULL: none */
	const char *reports[CHECK_REPORTS]; /* paths; NULL: none */
	const char *src_root;               /* NULL: none */
	const char *baseline;               /* NULL: none */
	const char **suppressions;          /* files; as many as argc at most */
	size_t suppression_count;
	const char **skip; /* patterns; as many as argc at most */
	size_t skip_count;
	const char **allow; /* unchecked programs that are no reason for 3 */
	size_t allow_count;
	enum check_keep keep;
	unsigned timeout; /* seconds; 0 none */
	int findings_status;
	bool possible_fails; /* --fail-on=possible */
	bool no_children, strict_children, keep_going, quiet, github;
	bool gen_suppressions, update_baseline;
};

/* False: *status is what to exit with, and what there was to say is said. */
bool check_options_parse(int argc, char **argv, struct check_options *ret,
			 int *status);
void check_options_deinit(struct check_options *options);

#endif
