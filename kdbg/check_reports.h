/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a check's result goes. The files are opened before the command runs,
 * so that it has not run for nothing.
 */
#ifndef KDBG_CHECK_REPORTS_H
#define KDBG_CHECK_REPORTS_H

#include "dumpfmt/err.h"
#include "kdbg/check_options.h"
#include "kdbg/check_result.h"

#include <stdio.h>

struct check_reports {
	const struct check_options *options;
	FILE *files[CHECK_REPORTS]; /* NULL: not wanted */
	FILE *summary;              /* GitHub's; NULL: none */
};

struct err *check_reports_open(const struct check_options *options,
			       struct check_reports *ret) MUST_USE;

/* clean: the report for people has nothing to say without --log-file. */
void check_reports_write(const struct check_reports *reports,
			 const struct check_result *result, bool clean);

/* A report that is not all there is an error. */
struct err *check_reports_close(struct check_reports *reports) MUST_USE;

#endif
