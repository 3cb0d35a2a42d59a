/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GitHub Actions: annotations, which are lines of the step's output, and the
 * summary of the step. A step shows ten errors and ten warnings; the summary
 * has the rest, as long as it fits its 1 MiB.
 */
#include "kdbg/report.h"

#include "kdbg/report_finding.h"

#include <inttypes.h>
#include <string.h>

enum {
	ANNOTATIONS = 10, /* of each level */
	SUMMARY_ROWS = 500,
};

/* A command's text, or one of its properties, where ':' and ',' have a meaning
 * as well. */
static void put_escaped(FILE *out, const char *text, bool property)
{
	for (; *text; text++)
		if (strchr("%\r\n", *text) || (property && strchr(":,", *text)))
			fprintf(out, "%%%02X", (unsigned char)*text);
		else
			fputc(*text, out);
}

static void put_annotation(FILE *out, const struct report_finding *finding)
{
	fprintf(out, "::%s ", finding->fails ? "error" : "warning");
	if (finding->line) {
		fputs("file=", out);
		put_escaped(out, finding->path, true);
		fprintf(out, ",line=%u,", finding->line);
	}
	fprintf(out, "title=%s::", finding->error ? "heap error" : "leak");
	put_escaped(out, finding->title, false);
	fputc('\n', out);
}

static void put_unchecked(FILE *out, const struct check_process *process)
{
	fputs("::error title=not checked::", out);
	put_escaped(out, process->path, false);
	fputs(": ", out);
	put_escaped(out, process->reason, false);
	fputc('\n', out);
}

void report_github(const struct check_result *result, FILE *out)
{
	struct report_findings at = { .result = result };
	struct report_finding finding;
	size_t shown[2] = { 0 };

	while (report_findings_next(&at, &finding))
		if (shown[finding.fails]++ < ANNOTATIONS)
			put_annotation(out, &finding);
	for (size_t i = 0; i < result->count; i++)
		if (result->processes[i].verdict == CHECK_UNCHECKED &&
		    shown[1]++ < ANNOTATIONS)
			put_unchecked(out, &result->processes[i]);
}

/* Inside a cell of a Markdown table, where '|' ends it and a tag would be one.
 */
static void put_cell(FILE *out, const char *text)
{
	for (; *text; text++)
		if (strchr("\\`*_[]|#~", *text))
			fprintf(out, "\\%c", *text);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else
			fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
}

static void put_row(FILE *out, const struct report_finding *finding)
{
	fprintf(out, "| %s | ", finding->fails ? "failure" : "note");
	put_cell(out, finding->title);
	fputs(" | ", out);
	if (finding->line) {
		put_cell(out, finding->path);
		fprintf(out, ":%u", finding->line);
	}
	fputs(" | ", out);
	put_cell(out, finding->process->path);
	fprintf(out, " (%u) |\n", finding->process->pid);
}

static void put_rows(FILE *out, const struct check_result *result)
{
	struct report_findings at = { .result = result };
	struct report_finding finding;
	size_t rows = 0;

	while (report_findings_next(&at, &finding)) {
		if (!rows)
			fputs("\n| | finding | place | process |\n"
			      "|---|---|---|---|\n",
			      out);
		if (rows++ < SUMMARY_ROWS)
			put_row(out, &finding);
	}
	if (rows > SUMMARY_ROWS)
		fprintf(out, "\n%zu findings more are in the other reports.\n",
			rows - SUMMARY_ROWS);
}

void report_github_summary(const struct check_result *result, FILE *out)
{
	const struct check_totals *own = &result->own;
	size_t rows = 0;

	fprintf(out,
		"### kdbg check\n\n%zu processes checked, %" PRIu64
		" bytes leaked in %" PRIu64
		" buffers, %zu heap errors, %zu processes not checked.\n",
		result->checked, own->leaked_bytes, own->leaked_buffers,
		own->errors, result->unchecked);
	if (result->timed_out)
		fputs("\nEnded by --timeout.\n", out);
	put_rows(out, result);
	for (size_t i = 0; i < result->count; i++) {
		const struct check_process *process = &result->processes[i];
		if (process->verdict != CHECK_UNCHECKED ||
		    rows++ >= SUMMARY_ROWS)
			continue;
		fputs("\n* not checked: ", out);
		put_cell(out, process->path);
		fputs(": ", out);
		put_cell(out, process->reason);
		fputc('\n', out);
	}
}
