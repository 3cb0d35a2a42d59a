/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/report.h"

#include "kdbg/check_signature.h"
#include "kdbg/report_finding.h"
#include "kdbg/sink.h"

#include <inttypes.h>

static const char *const verdict_names[] = {
	[CHECK_CHECKED] = "checked",
	[CHECK_UNCHECKED] = "unchecked",
	[CHECK_ALLOWED] = "allowed",
	[CHECK_IGNORED] = "ignored",
};

static const char *const baseline_names[] = {
	[BASELINE_NONE] = NULL,
	[BASELINE_NEW] = "new",
	[BASELINE_GROWN] = "grown",
	[BASELINE_KNOWN] = "known",
};

static void put_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, ", \"%s\": ", key);
	if (text)
		sink_json_string(out, text);
	else
		fputs("null", out);
}

static void put_count(FILE *out, const char *key, uint64_t count)
{
	fprintf(out, ", \"%s\": %" PRIu64, key, count);
}

static void put_address(FILE *out, const char *key, uint64_t address)
{
	fprintf(out, ", \"%s\": \"%#" PRIx64 "\"", key, address);
}

static void put_signature(FILE *out, uint64_t signature)
{
	fprintf(out, ", \"signature\": \"%016" PRIx64 "\"", signature);
}

static void put_flag(FILE *out, const char *key, bool flag)
{
	fprintf(out, ", \"%s\": %s", key, flag ? "true" : "false");
}

static void put_frame(FILE *out, const struct check_result *result,
		      const struct check_frame *frame)
{
	char path[PATH_MAX];

	if (frame->file)
		report_path(result, frame, path, sizeof(path));
	fputs("{\"function\": ", out);
	sink_json_string(out, frame->function ? frame->function : "");
	put_text(out, "file", frame->file ? path : NULL);
	put_count(out, "line", frame->line);
	fputc('}', out);
}

static void put_stack(FILE *out, const struct check_result *result,
		      const char *key, const struct check_stack *stack)
{
	fprintf(out, ", \"%s\": [", key);
	for (size_t i = 0; i < stack->count; i++) {
		if (i)
			fputs(", ", out);
		put_frame(out, result, &stack->frames[i]);
	}
	fputc(']', out);
}

static void put_process(FILE *out, const struct check_process *process)
{
	fputs("{\"type\": \"process\"", out);
	put_count(out, "pid", process->pid);
	put_count(out, "ppid", process->ppid);
	put_text(out, "program", process->path);
	put_text(out, "arguments", process->arguments);
	put_text(out, "verdict", verdict_names[process->verdict]);
	put_text(out, "reason", process->reason);
	put_flag(out, "system", process->system);
	put_flag(out, "forked", process->forked);
	put_flag(out, "replaced", process->replaced);
	put_count(out, "buffers", process->buffers);
	put_count(out, "bytes", process->buffer_bytes);
	put_count(out, "leaked", process->leaked_buffers);
	put_count(out, "leaked_bytes", process->leaked_bytes);
	put_count(out, "possible", process->possible_buffers);
	put_count(out, "possible_bytes", process->possible_bytes);
	put_count(out, "known", process->known_buffers);
	put_count(out, "known_bytes", process->known_bytes);
	put_count(out, "errors", process->errors_reported);
	put_text(out, "trust", process->trust);
	put_text(out, "dump", process->dump);
	fputs("}\n", out);
}

static void put_leak(FILE *out, const struct check_result *result,
		     const struct check_process *process,
		     const struct check_leak *leak)
{
	fputs("{\"type\": \"leak\"", out);
	put_count(out, "pid", process->pid);
	put_text(out, "class", leak->class);
	put_text(out, "cache", leak->cache);
	put_count(out, "more_caches", leak->more_caches);
	if (leak->malloc_type)
		put_text(out, "malloc_type", leak->malloc_type);
	put_count(out, "leaked", leak->leaked);
	put_count(out, "bytes", leak->bytes);
	put_count(out, "retained", leak->retained);
	put_flag(out, "cycle", leak->cycle);
	put_text(out, "moment", leak->moment);
	put_text(out, "baseline", baseline_names[leak->baseline]);
	put_signature(out, check_signature("leak", &leak->stack));
	put_address(out, "address", leak->address);
	fputs(", \"caller\": ", out);
	put_frame(out, result, &leak->caller);
	put_stack(out, result, "stack", &leak->stack);
	fputs("}\n", out);
}

static void put_gone(FILE *out, const struct check_gone *gone)
{
	fputs("{\"type\": \"gone\"", out);
	put_text(out, "program", gone->program);
	put_signature(out, gone->signature);
	put_count(out, "leaked", gone->buffers);
	put_count(out, "bytes", gone->bytes);
	put_text(out, "caller", gone->place);
	fputs("}\n", out);
}

static void put_error(FILE *out, const struct check_result *result,
		      const struct check_process *process,
		      const struct check_error *error)
{
	fputs("{\"type\": \"error\"", out);
	put_count(out, "pid", process->pid);
	put_text(out, "name", error->name);
	put_text(out, "message", error->message);
	put_address(out, "address", error->address);
	put_address(out, "buffer", error->buffer);
	put_count(out, "size", error->size);
	put_stack(out, result, "reported", &error->reported);
	put_stack(out, result, "allocated", &error->allocated);
	put_stack(out, result, "freed", &error->freed);
	fputs("}\n", out);
}

static void put_crash(FILE *out, const struct check_result *result,
		      const struct check_process *process)
{
	const struct check_crash *crash = process->crash;

	if (!crash)
		return;
	fputs("{\"type\": \"crash\"", out);
	put_count(out, "pid", process->pid);
	put_text(out, "signal", crash->signal);
	put_text(out, "message", crash->message);
	put_address(out, "address", crash->address);
	put_stack(out, result, "stack", &crash->stack);
	fputs("}\n", out);
}

static void put_totals(FILE *out, const char *prefix,
		       const struct check_totals *totals)
{
	fprintf(out, ", \"%sleaked\": %" PRIu64, prefix,
		totals->leaked_buffers);
	fprintf(out, ", \"%sleaked_bytes\": %" PRIu64, prefix,
		totals->leaked_bytes);
	fprintf(out, ", \"%sgroups\": %zu", prefix, totals->groups);
	fprintf(out, ", \"%spossible_groups\": %zu", prefix, totals->possible);
	fprintf(out, ", \"%serrors\": %zu", prefix, totals->errors);
}

void report_jsonl(const struct check_result *result, FILE *out)
{
	for (size_t i = 0; i < result->count; i++) {
		const struct check_process *process = &result->processes[i];
		if (process->verdict == CHECK_IGNORED)
			continue;
		put_process(out, process);
		for (size_t j = 0; j < process->leak_count; j++)
			put_leak(out, result, process, &process->leaks[j]);
		for (size_t j = 0; j < process->possible_count; j++)
			put_leak(out, result, process, &process->possible[j]);
		for (size_t j = 0; j < process->known_count; j++)
			put_leak(out, result, process, &process->known[j]);
		for (size_t j = 0; j < process->error_count; j++)
			put_error(out, result, process, &process->errors[j]);
		put_crash(out, result, process);
	}
	for (size_t i = 0; i < result->gone_count; i++)
		put_gone(out, &result->gone[i]);
	fputs("{\"type\": \"summary\"", out);
	put_count(out, "processes", result->checked);
	put_count(out, "unchecked", result->unchecked);
	put_count(out, "allowed", result->allowed);
	put_count(out, "buffers", result->buffers);
	put_totals(out, "", &result->own);
	put_count(out, "known_groups", result->known);
	put_totals(out, "system_", &result->system);
	put_count(out, "lost_records", result->lost);
	put_flag(out, "timed_out", result->timed_out);
	put_count(out, "status", (uint64_t)result->status);
	fputs("}\n", out);
}
