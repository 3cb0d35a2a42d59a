/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SARIF 2.1.0 (OASIS): one run, a result for each finding. What fails the check
 * is an error, what does not a note; the level is what code scanning pages sort
 * by. Paths under the source root are relative to it (SRCROOT), as they must be
 * to show in a repository. What could not be checked is a notification.
 */
#include "kdbg/report.h"

#include "kdbg/report_finding.h"
#include "kdbg/sink.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* A path inside a URI (RFC 3986), in a JSON string: every byte that is not
 * unreserved or '/' as %XX. */
static void put_uri_path(FILE *out, const char *path)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;
		if (isascii(c) && (isalnum(c) || strchr("-._~/", c)))
			fputc(c, out);
		else
			fprintf(out, "%%%02X", c);
	}
}

static void put_artifact(FILE *out, const char *path, bool inside)
{
	fputs("{\"uri\": \"", out);
	if (*path == '/')
		fputs("file://", out);
	put_uri_path(out, path);
	fputs(inside ? "\", \"uriBaseId\": \"SRCROOT\"}" : "\"}", out);
}

static void put_physical(FILE *out, const char *path, bool inside,
			 unsigned line)
{
	fputs("\"physicalLocation\": {\"artifactLocation\": ", out);
	put_artifact(out, path, inside);
	if (line)
		fprintf(out, ", \"region\": {\"startLine\": %u}", line);
	fputc('}', out);
}

static void put_frame(FILE *out, const struct check_result *result,
		      const struct check_frame *frame)
{
	const char *comma = "";

	fputs("{\"location\": {", out);
	if (frame->file) {
		char path[PATH_MAX];
		bool inside = report_path(result, frame, path, sizeof(path));
		put_physical(out, path, inside, frame->line);
		comma = ", ";
	}
	fprintf(out,
		"%s\"logicalLocations\": [{\"fullyQualifiedName\": ", comma);
	sink_json_string(out, frame->function ? frame->function : "?");
	fputs("}]}", out);
	if (frame->module) {
		const char *slash = strrchr(frame->module, '/');
		fputs(", \"module\": ", out);
		sink_json_string(out, slash ? slash + 1 : frame->module);
	}
	fputc('}', out);
}

/* True: it was put, as one of several. */
static bool put_stack(FILE *out, const struct check_result *result,
		      const char *comma, const char *title,
		      const struct check_stack *stack)
{
	if (!stack->count)
		return false;
	fprintf(out, "%s{\"message\": {\"text\": \"%s\"}, \"frames\": [", comma,
		title);
	for (size_t i = 0; i < stack->count; i++) {
		if (i)
			fputs(", ", out);
		put_frame(out, result, &stack->frames[i]);
	}
	fputs("]}", out);
	return true;
}

static void put_stacks(FILE *out, const struct check_result *result,
		       const struct report_finding *finding)
{
	const struct check_error *error = finding->error;
	const char *comma = "";

	fputs(", \"stacks\": [", out);
	if (finding->leak) {
		put_stack(out, result, comma, "allocated by",
			  &finding->leak->stack);
	} else {
		if (put_stack(out, result, comma, "reported by",
			      &error->reported))
			comma = ", ";
		if (put_stack(out, result, comma, "allocated by",
			      &error->allocated))
			comma = ", ";
		put_stack(out, result, comma, "freed by", &error->freed);
	}
	fputc(']', out);
}

static const char *const baseline_states[] = {
	[BASELINE_NEW] = "new",
	[BASELINE_GROWN] = "updated",
	[BASELINE_KNOWN] = "unchanged",
};

static void put_result(FILE *out, const struct check_result *result,
		       const struct report_finding *finding)
{
	fprintf(out,
		"{\"ruleId\": \"%s\", \"ruleIndex\": %d, \"level\": \"%s\", "
		"\"message\": {\"text\": ",
		report_rule_name(finding->rule), (int)finding->rule,
		finding->fails ? "error" : "note");
	sink_json_string(out, finding->title);
	fputs("}, \"locations\": [", out);
	if (finding->line) {
		fputc('{', out);
		put_physical(out, finding->path, finding->inside,
			     finding->line);
		fputc('}', out);
	}
	fprintf(out,
		"], \"partialFingerprints\": {\"kdbgStack/v1\": \"%016" PRIx64
		"\"}, \"occurrenceCount\": %" PRIu64,
		finding->signature,
		finding->leak && finding->leak->leaked < INT32_MAX
			? finding->leak->leaked
			: 1);
	if (finding->leak && finding->leak->baseline)
		fprintf(out, ", \"baselineState\": \"%s\"",
			baseline_states[finding->leak->baseline]);
	put_stacks(out, result, finding);
	fprintf(out, ", \"properties\": {\"pid\": %u, \"program\": ",
		finding->process->pid);
	sink_json_string(out, finding->process->path);
	fputs("}}", out);
}

static void put_results(FILE *out, const struct check_result *result)
{
	struct report_findings at = { .result = result, .with_known = true };
	struct report_finding finding;
	const char *comma = "";

	fputs("\"results\": [", out);
	while (report_findings_next(&at, &finding)) {
		fprintf(out, "%s\n", comma);
		put_result(out, result, &finding);
		comma = ",";
	}
	fputs("]", out);
}

static void put_tool(FILE *out)
{
	fputs("\"tool\": {\"driver\": {\"name\": \"kdbg\", \"version\": "
	      "\"" KMA_VERSION "\", \"rules\": [",
	      out);
	for (int i = 0; i < RULE_COUNT; i++)
		fprintf(out,
			"%s\n{\"id\": \"%s\", \"shortDescription\": "
			"{\"text\": \"%s\"}}",
			i ? "," : "", report_rule_name((enum report_rule)i),
			report_rule_text((enum report_rule)i));
	fputs("]}},\n", out);
}

static void put_notification(FILE *out, const char *comma, const char *subject,
			     const char *reason)
{
	char text[PATH_MAX + 512];

	snprintf(text, sizeof(text), "not checked: %s: %s", subject, reason);
	fprintf(out,
		"%s\n{\"level\": \"warning\", \"message\": {\"text\": ", comma);
	sink_json_string(out, text);
	fputs("}}", out);
}

static void put_notifications(FILE *out, const struct check_result *result)
{
	const char *comma = "";

	fputs("\"toolExecutionNotifications\": [", out);
	for (size_t i = 0; i < result->count; i++) {
		const struct check_process *process = &result->processes[i];
		if (process->verdict != CHECK_UNCHECKED)
			continue;
		put_notification(out, comma, process->path, process->reason);
		comma = ",";
	}
	if (result->timed_out || result->lost || !result->checked)
		put_notification(out, comma, "the check",
				 result->timed_out ? "ended by --timeout"
				 : result->lost
					 ? "some process is on no account"
					 : "no process was checked");
	fputs("]", out);
}

static void put_invocation(FILE *out, const struct check_result *result)
{
	bool whole = !result->unchecked && !result->lost &&
		     !result->timed_out && result->checked;
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&result->started, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	fprintf(out,
		"\"invocations\": [{\"executionSuccessful\": %s, "
		"\"exitCode\": %d, \"startTimeUtc\": \"%s\", ",
		whole ? "true" : "false", result->status, when);
	put_notifications(out, result);
	fputs("}],\n", out);
}

void report_sarif(const struct check_result *result, FILE *out)
{
	fputs("{\"$schema\": \"https://json.schemastore.org/"
	      "sarif-2.1.0.json\",\n\"version\": \"2.1.0\",\n\"runs\": [{",
	      out);
	put_tool(out);
	if (result->src_root.path) {
		const char *root = result->src_root.path;
		fputs("\"originalUriBaseIds\": {\"SRCROOT\": {\"uri\": "
		      "\"file://",
		      out);
		put_uri_path(out, root);
		fprintf(out, "%s\"}},\n", strcmp(root, "/") == 0 ? "" : "/");
	}
	put_invocation(out, result);
	put_results(out, result);
	fputs("}]}\n", out);
}
