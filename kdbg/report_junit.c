/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JUnit XML, as Jenkins, GitLab and Azure read it: a test case for each
 * process. Findings that fail the check are a failure, what could not be
 * checked is an error, what need not be is skipped. A crash of the command is a
 * failure as well: a page that shows it green would be wrong.
 */
#include "kdbg/report.h"

#include "kdbg/report_finding.h"
#include "kdbg/report_xml.h"

#include <inttypes.h>
#include <string.h>

struct tally {
	size_t tests, failures, errors, skipped;
};

static bool is_told(const struct check_process *process)
{
	return process->verdict != CHECK_IGNORED;
}

static bool is_failure(const struct check_result *result,
		       const struct check_process *process)
{
	return (!process->system && check_has_findings(result, process)) ||
	       check_has_crashed(process);
}

/* The check itself has a test case when it did not come to an end. */
static bool is_broken(const struct check_result *result)
{
	return result->lost || result->timed_out || !result->checked;
}

static struct tally count_cases(const struct check_result *result)
{
	struct tally tally = { .tests = is_broken(result),
			       .errors = is_broken(result) };

	for (size_t i = 0; i < result->count; i++) {
		const struct check_process *process = &result->processes[i];
		if (!is_told(process))
			continue;
		tally.tests++;
		tally.failures += is_failure(result, process);
		if (!is_failure(result, process)) {
			tally.errors += process->verdict == CHECK_UNCHECKED;
			tally.skipped += process->verdict == CHECK_ALLOWED;
		}
	}
	return tally;
}

static void put_counts(FILE *out, const struct tally *tally, double seconds)
{
	fprintf(out,
		" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
		"time=\"%.3f\"",
		tally->tests, tally->failures, tally->errors, seconds);
}

static void put_stack(FILE *out, const struct check_result *result,
		      const char *title, const struct check_stack *stack)
{
	if (!stack->count)
		return;
	fprintf(out, "  %s:\n", title);
	for (size_t i = 0; i < stack->count; i++) {
		const struct check_frame *frame = &stack->frames[i];
		char path[PATH_MAX];
		fputs("    ", out);
		report_xml_text(out, frame->function ? frame->function : "?");
		if (frame->file) {
			report_path(result, frame, path, sizeof(path));
			fputs(" (", out);
			report_xml_text(out, path);
			fprintf(out, ":%u)", frame->line);
		}
		fputc('\n', out);
	}
}

static void put_finding(FILE *out, const struct check_result *result,
			const struct report_finding *finding)
{
	if (finding->leak) {
		report_xml_text(out, finding->title);
		fputc('\n', out);
		put_stack(out, result, "allocated by", &finding->leak->stack);
		return;
	}
	report_xml_text(out, finding->error->message);
	fputc('\n', out);
	put_stack(out, result, "reported by", &finding->error->reported);
	put_stack(out, result, "allocated by", &finding->error->allocated);
	put_stack(out, result, "freed by", &finding->error->freed);
}

static void put_findings(FILE *out, const struct check_result *result,
			 size_t process)
{
	struct report_findings at = { .result = result, .process = process };
	struct report_finding finding;

	while (report_findings_next(&at, &finding) && at.process == process)
		put_finding(out, result, &finding);
}

static void put_crash(FILE *out, const struct check_result *result,
		      const struct check_crash *crash)
{
	fputs("killed by ", out);
	report_xml_text(out, crash->message);
	fputc('\n', out);
	put_stack(out, result, "at", &crash->stack);
}

static void put_failure(FILE *out, const struct check_result *result,
			size_t index)
{
	const struct check_process *process = &result->processes[index];
	bool crashed = check_has_crashed(process);

	fprintf(out, "<failure type=\"%s\" message=\"",
		process->errors_reported ? "heap-error"
		: crashed                ? "crash"
					 : "leak");
	if (crashed)
		fprintf(out, "killed by SIG%s", process->crash->signal);
	else if (process->leaked_buffers || process->errors_reported)
		report_totals(process, out);
	else
		fputs("buffers referred to from inside only", out);
	fputs("\">", out);
	if (crashed)
		put_crash(out, result, process->crash);
	put_findings(out, result, index);
	fputs("</failure>\n", out);
}

static void put_reason(FILE *out, const char *element, const char *reason)
{
	fprintf(out, "<%s", element);
	if (strcmp(element, "error") == 0)
		fputs(" type=\"unchecked\"", out);
	fputs(" message=\"", out);
	report_xml_text(out, reason);
	fputs("\"/>\n", out);
}

static void put_case(FILE *out, const struct check_result *result, size_t index)
{
	const struct check_process *process = &result->processes[index];
	const char *slash = strrchr(process->path, '/');

	fputs("<testcase classname=\"kdbg.check\" name=\"", out);
	report_xml_text(out, slash ? slash + 1 : process->path);
	fprintf(out, " (pid %u%s)\" time=\"0\">\n", process->pid,
		process->replaced ? ", until its exec"
		: process->forked ? ", forked"
				  : "");
	if (is_failure(result, process))
		put_failure(out, result, index);
	else if (process->verdict == CHECK_UNCHECKED)
		put_reason(out, "error", process->reason);
	else if (process->verdict == CHECK_ALLOWED)
		put_reason(out, "skipped", process->reason);
	else if (check_has_findings(result, process)) {
		fputs("<system-out>", out);
		put_findings(out, result, index);
		fputs("</system-out>\n", out);
	}
	fputs("</testcase>\n", out);
}

static void put_broken(FILE *out, const struct check_result *result)
{
	fputs("<testcase classname=\"kdbg.check\" name=\"the check\" "
	      "time=\"0\">\n",
	      out);
	put_reason(out, "error",
		   result->timed_out ? "ended by --timeout"
		   : result->lost    ? "some process is on no account"
				     : "no process was checked");
	fputs("</testcase>\n", out);
}

void report_junit(const struct check_result *result, FILE *out)
{
	struct tally tally = count_cases(result);
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&result->started, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
	put_counts(out, &tally, result->seconds);
	fputs(">\n<testsuite name=\"kdbg check\"", out);
	put_counts(out, &tally, result->seconds);
	fprintf(out, " skipped=\"%zu\" timestamp=\"%s\">\n", tally.skipped,
		when);
	for (size_t i = 0; i < result->count; i++)
		if (is_told(&result->processes[i]))
			put_case(out, result, i);
	if (is_broken(result))
		put_broken(out, result);
	fputs("</testsuite>\n</testsuites>\n", out);
}
