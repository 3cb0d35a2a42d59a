/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/check_reports.h"

#include "kdbg/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void (*const writers[CHECK_REPORTS])(const struct check_result *result,
					    FILE *out) = {
	[REPORT_LOG] = report_text,      [REPORT_JSONL] = report_jsonl,
	[REPORT_JUNIT] = report_junit,   [REPORT_SARIF] = report_sarif,
	[REPORT_GITLAB] = report_gitlab, [REPORT_VALGRIND] = report_valgrind,
};

static struct err *open_file(const char *path, const char *mode, FILE **ret)
{
	*ret = path ? fopen(path, mode) : NULL;
	if (path && !*ret)
		return err_new(ERR_IO, "%s: %s", path, strerror(errno));
	return NULL;
}

/* path with our pid for each %p, so that every test of a suite has a report of
 * its own; NULL: no memory. */
static char *expand_pid(const char *path)
{
	size_t size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	for (; out && *path; path++)
		if (path[0] == '%' && path[1] == 'p') {
			fprintf(out, "%d", (int)getpid());
			path++;
		} else {
			fputc(*path, out);
		}
	if (out && fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static struct err *open_report(const char *path, FILE **ret)
{
	struct err *err;

	if (!path)
		return NULL;
	char *expanded = expand_pid(path);
	if (!expanded)
		return err_new(ERR_NO_MEMORY, "out of memory");
	err = open_file(expanded, "we", ret);
	free(expanded);
	return err;
}

/* Without a runner that names one there is no summary. */
static const char *summary_path(const struct check_options *options)
{
	const char *path =
		options->github ? getenv("GITHUB_STEP_SUMMARY") : NULL;

	return path && *path ? path : NULL;
}

struct err *check_reports_open(const struct check_options *options,
			       struct check_reports *ret)
{
	struct err *err = NULL;

	*ret = (struct check_reports){ .options = options };
	for (int i = 0; !err && i < CHECK_REPORTS; i++)
		err = open_report(options->reports[i], &ret->files[i]);
	if (!err)
		err = open_file(summary_path(options), "ae", &ret->summary);
	return err;
}

void check_reports_write(const struct check_reports *reports,
			 const struct check_result *result, bool clean)
{
	const struct check_options *options = reports->options;

	if (!reports->files[REPORT_LOG] && !clean && !options->quiet)
		report_text(result, stderr);
	for (int i = 0; i < CHECK_REPORTS; i++)
		if (reports->files[i])
			writers[i](result, reports->files[i]);
	if (options->github)
		report_github(result, stderr);
	if (reports->summary)
		report_github_summary(result, reports->summary);
}

static struct err *close_file(FILE *file, const char *path)
{
	bool broken = file && ferror(file);

	if (file && fclose(file))
		broken = true;
	return broken ? err_new(ERR_IO, "%s: %s", path, strerror(errno)) : NULL;
}

/* First the error, if any; the later one is dropped. */
static struct err *keep_first(struct err *first, struct err *second)
{
	if (!first)
		return second;
	err_free(second);
	return first;
}

struct err *check_reports_close(struct check_reports *reports)
{
	const struct check_options *options = reports->options;
	struct err *err = NULL;

	for (int i = 0; i < CHECK_REPORTS; i++)
		err = keep_first(err, close_file(reports->files[i],
						 options->reports[i]));
	return keep_first(err,
			  close_file(reports->summary, summary_path(options)));
}
