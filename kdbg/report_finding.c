/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a finding is shown. A reviewer's page can only point into the
 * repository, so the place is the innermost frame whose file lies under the
 * source root; without one, the frame that the report for people blames.
 */
#include "kdbg/report_finding.h"

#include "kdbg/check_signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *text;
} rules[RULE_COUNT] = {
	[RULE_DEFINITE] = { "leak-definite",
			    "Memory that nothing refers to any more" },
	[RULE_INDIRECT] = { "leak-indirect",
			    "Memory that only leaked memory refers to" },
	[RULE_POSSIBLE] = { "leak-possible",
			    "Memory that is referred to from inside only" },
	[RULE_HEAP_ERROR] = { "heap-error", "Misuse of the heap" },
};

const char *report_rule_name(enum report_rule rule)
{
	return rules[rule].name;
}

const char *report_rule_text(enum report_rule rule)
{
	return rules[rule].text;
}

bool report_path(const struct check_result *result,
		 const struct check_frame *frame, char *path, size_t size)
{
	return source_root_path(&result->src_root, frame->directory,
				frame->file, path, size);
}

void report_name_file(const struct check_result *result,
		      const struct check_frame *frame, char *path, size_t size)
{
	source_root_name(&result->src_root, frame->directory, frame->file, path,
			 size);
}

static bool place_at(const struct check_result *result,
		     const struct check_frame *frame,
		     struct report_finding *ret)
{
	if (!frame->file || !frame->line)
		return false;
	ret->inside = report_path(result, frame, ret->path, sizeof(ret->path));
	ret->line = frame->line;
	return true;
}

/* blamed: NULL, or the frame to take when none lies in the source root. */
static void find_place(const struct check_result *result,
		       const struct check_stack *stack,
		       const struct check_frame *blamed,
		       struct report_finding *ret)
{
	size_t first, end;

	check_signature_span(stack, &first, &end);
	for (size_t i = first; result->src_root.path && i < end; i++)
		if (place_at(result, &stack->frames[i], ret) && ret->inside)
			return;
	ret->line = 0;
	ret->path[0] = '\0';
	if (blamed && place_at(result, blamed, ret))
		return;
	for (size_t i = first; i < end; i++)
		if (place_at(result, &stack->frames[i], ret))
			return;
}

static enum report_rule leak_rule(const struct check_leak *leak)
{
	if (strcmp(leak->class, "possible") == 0)
		return RULE_POSSIBLE;
	return strcmp(leak->class, "indirect") == 0 ? RULE_INDIRECT
						    : RULE_DEFINITE;
}

static void describe_leak(const struct check_result *result,
			  const struct check_leak *leak,
			  struct report_finding *ret)
{
	ret->leak = leak;
	ret->rule = leak_rule(leak);
	ret->signature = check_signature("leak", &leak->stack);
	ret->fails = !ret->process->system &&
		     leak->baseline != BASELINE_KNOWN &&
		     (ret->rule != RULE_POSSIBLE || result->possible_fails);
	snprintf(ret->title, sizeof(ret->title),
		 "%s leak: %" PRIu64 " byte%s in %" PRIu64
		 " buffer%s allocated by %s%s%s",
		 leak->class, leak->bytes, leak->bytes == 1 ? "" : "s",
		 leak->leaked, leak->leaked == 1 ? "" : "s",
		 leak->caller.function ? leak->caller.function
				       : "an unknown place",
		 leak->moment ? ", in " : "", leak->moment ? leak->moment : "");
	find_place(result, &leak->stack, &leak->caller, ret);
}

/* Told without its addresses: they differ from run to run. */
static void describe_error(const struct check_result *result,
			   const struct check_error *error,
			   struct report_finding *ret)
{
	const struct check_stack *stack =
		error->reported.count ? &error->reported : &error->allocated;
	size_t first, end;

	check_signature_span(stack, &first, &end);
	ret->error = error;
	ret->rule = RULE_HEAP_ERROR;
	ret->signature = check_signature(error->name, stack);
	ret->fails = !ret->process->system;
	snprintf(ret->title, sizeof(ret->title), "heap error %s, %s by %s",
		 error->name,
		 error->reported.count ? "reported"
				       : "found at exit in what was allocated",
		 first < end && stack->frames[first].function
			 ? stack->frames[first].function
			 : "an unknown place");
	find_place(result, stack, NULL, ret);
}

/* The findings of a process in order: errors, leaks, possible leaks, known
 * ones. */
static bool describe(const struct report_findings *at,
		     struct report_finding *ret)
{
	const struct check_result *result = at->result;
	size_t index = at->index;
	const struct check_process *process = ret->process;

	if (index < process->error_count)
		describe_error(result, &process->errors[index], ret);
	else if ((index -= process->error_count) < process->leak_count)
		describe_leak(result, &process->leaks[index], ret);
	else if ((index -= process->leak_count) < process->possible_count)
		describe_leak(result, &process->possible[index], ret);
	else if ((index -= process->possible_count) < process->known_count &&
		 at->with_known)
		describe_leak(result, &process->known[index], ret);
	else
		return false;
	return true;
}

bool report_findings_next(struct report_findings *at,
			  struct report_finding *ret)
{
	const struct check_result *result = at->result;

	for (; at->process < result->count; at->process++, at->index = 0) {
		const struct check_process *process =
			&result->processes[at->process];
		if (process->verdict == CHECK_IGNORED)
			continue;
		ret->process = process;
		ret->leak = NULL;
		ret->error = NULL;
		if (describe(at, ret)) {
			at->index++;
			return true;
		}
	}
	return false;
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

void report_totals(const struct check_process *process, FILE *out)
{
	if (process->leaked_buffers)
		fprintf(out,
			"%" PRIu64 " byte%s leaked in %" PRIu64 " buffer%s",
			process->leaked_bytes, plural(process->leaked_bytes),
			process->leaked_buffers,
			plural(process->leaked_buffers));
	if (process->errors_reported)
		fprintf(out, "%s%" PRIu64 " heap error%s",
			process->leaked_buffers ? ", " : "",
			process->errors_reported,
			plural(process->errors_reported));
}
