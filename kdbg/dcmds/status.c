/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::status - what this is, whose, and why it was made. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/heap.h"
#include "kdbg/heap_unserved.h"
#include "kdbg/status_reason.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	VALUE_SIZE_MAX = 1024,
	CALLER_SIZE = 512,
	ERRORS_SHOWN = 4,
	NS = 1000000000,
};

static const struct column status_columns[] = {
	{ "FIELD", VALUE_TEXT, .width = 12 },
	{ "VALUE", VALUE_TEXT },
};

static const struct table status_tables[] = {
	{ "default", status_columns,
	  sizeof(status_columns) / sizeof(status_columns[0]),
	  .no_header = true },
};

static PRINTF_LIKE(3, 4) void fact(struct sink *out, const char *field,
				   const char *fmt, ...)
{
	char value[VALUE_SIZE_MAX], line[VALUE_SIZE_MAX + 32];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	snprintf(line, sizeof(line), "%-12s %s", field, value);
	SINK_ROW_AS(out, line, TEXT(field), TEXT(value));
}

static void time_fact(struct sink *out, const char *field, uint64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / NS);
	struct tm tm;
	char text[64];

	if (realtime_ns && gmtime_r(&seconds, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		fact(out, field, "%s", text);
}

static const char *level_name(uint32_t level)
{
	static const char *const names[] = {
		[DUMP_FULL] = "full",
		[DUMP_HEAP] = "heap: the program's read-only data is left out",
		[DUMP_META] = "meta: no byte of the program's own",
	};

	return level < sizeof(names) / sizeof(names[0]) ? names[level]
							: "unknown";
}

static void tell_process(const struct target *target, struct sink *out)
{
	const struct dump_process *p = target->process;

	if (target->ops->release) /* the path says what it is */
		fact(out, "target", "%s", target->path);
	else
		fact(out, "target", "%s %s", target->ops->kind, target->path);
	if (p->writer && *p->writer)
		fact(out, "written by", "%s, level %s", p->writer,
		     level_name(p->level));
	if (p->executable && *p->executable)
		fact(out, "program", "%s", p->executable);
	if (p->arguments && *p->arguments)
		fact(out, "arguments", "%s", p->arguments);
	if (p->directory && *p->directory)
		fact(out, "directory", "%s", p->directory);
	if (p->pid)
		fact(out, "process",
		     "%" PRIu32 ", child of %" PRIu32 ", user %" PRIu32
		     ", group %" PRIu32,
		     p->pid, p->ppid, p->uid, p->gid);
	if (p->hostname && *p->hostname)
		fact(out, "host", "%s%s%s", p->hostname,
		     p->kernel && *p->kernel ? ", " : "",
		     p->kernel ? p->kernel : "");
	time_fact(out, "started", p->start_realtime_ns);
	time_fact(out, "dumped", p->dump_realtime_ns);
}

static void tell_threads(const struct target *target, struct sink *out)
{
	size_t known = 0;

	for (size_t i = 0; i < target->thread_count; i++)
		known += (target->threads[i].flags &
			  (DUMP_THREAD_REGISTERS | DUMP_THREAD_SP_PC)) != 0;
	if (known == target->thread_count)
		fact(out, "threads", "%zu", known);
	else
		fact(out, "threads", "%zu, registers are known of %zu",
		     target->thread_count, known);
}

static void tell_memory(const struct target *target, struct sink *out)
{
	const unsigned access = DUMP_MAP_READ | DUMP_MAP_WRITE | DUMP_MAP_EXEC;
	uint64_t held = 0, mapped = 0;

	for (size_t i = 0; i < target->extent_count; i++)
		held += target->extents[i].end - target->extents[i].start;
	for (size_t i = 0; i < target->map_count; i++)
		if (target->maps[i].flags & access) /* not just reserved */
			mapped += target->maps[i].end - target->maps[i].start;
	fact(out, "memory",
	     "%" PRIu64 " KiB held of %" PRIu64 " KiB in %zu mappings",
	     held / 1024, mapped / 1024, target->map_count);
}

static const char *tier_name(enum heap_tier tier)
{
	static const char *const names[] = {
		[TIER_OFF] = "off",
		[TIER_LITE] = "lite",
		[TIER_AUDIT] = "audit",
		[TIER_GUARD] = "guard",
	};

	return (size_t)tier < sizeof(names) / sizeof(names[0]) ? names[tier]
							       : "unknown";
}

static void tell_instances(struct heap *heap, struct sink *out)
{
	const struct heap_instance *instances;
	size_t count = heap_instances(heap, &instances);

	for (size_t i = 0; i < count; i++)
		fact(out, "allocator", "%s %s at %#" PRIx64 ", tier %s%s%s",
		     instances[i].name, instances[i].version, instances[i].root,
		     tier_name(instances[i].tier),
		     *instances[i].options ? ", options " : "",
		     instances[i].options);

	const char *unserved = heap_unserved(heap);

	if (unserved)
		fact(out, "malloc", "%s", unserved);
}

/* Where the program was when it was caught; "" if that is not known. */
static void format_caller(struct session *session, struct heap *heap,
			  const struct heap_error *error, char *text,
			  size_t size)
{
	struct symbols *symbols;
	struct err *err = session_symbols(session, &symbols);
	uint64_t pc =
		err ? 0
		    : heap_stack_caller_named(heap, symbols, error->instance,
					      error->stack);
	size_t used;

	err_free(err);
	text[0] = '\0';
	if (!pc)
		return;
	used = (size_t)snprintf(text, size, " at ");
	symbols_format_return_then(symbols, pc, error->time, text + used,
				   size - used);
}

static void tell_errors(struct session *session, struct heap *heap,
			struct sink *out)
{
	const struct heap_error *errors;
	size_t count = heap_errors(heap, &errors);
	uint64_t all = heap_error_count(heap);
	char caller[CALLER_SIZE];

	for (size_t i = 0; i < count && i < ERRORS_SHOWN; i++) {
		format_caller(session, heap, &errors[i], caller,
			      sizeof(caller));
		fact(out, "error", "%s (thread %" PRIu32 "%s)",
		     errors[i].message, errors[i].thread, caller);
	}
	if (all > ERRORS_SHOWN)
		fact(out, "errors", "%" PRIu64 " in all", all);
}

static void tell_heap(const struct dcmd_call *call, struct sink *out)
{
	const struct heap_problem *problems;
	struct heap *heap;
	char text[VALUE_SIZE_MAX];
	struct err *err = session_heap(call->session, &heap);

	if (err) {
		err_describe(err, text, sizeof(text));
		err_free(err);
		fact(out, "allocator", "%s", text);
		return;
	}
	tell_instances(heap, out);
	tell_errors(call->session, heap, out);
	const char *first;
	size_t absent = heap_absent(heap, &first);

	if (absent)
		fact(out, "schema",
		     "of another revision of libkma: what needs %s%s is not "
		     "shown",
		     first, absent > 1 ? " and others" : "");
	size_t count = heap_problems(heap, &problems);
	if (count)
		fact(out, "damage",
		     "%zu places of the allocator's own data: first %#" PRIx64
		     ": %s",
		     count + heap_problems_lost(heap), problems[0].address,
		     problems[0].text);
}

static struct err *status_run(const struct dcmd_call *call, struct sink *out)
{
	const struct target *target = call->session->target;
	char text[VALUE_SIZE_MAX];

	tell_process(target, out);
	status_reason(target, text, sizeof(text));
	fact(out, "reason", "%s", text);
	if (status_fault(call->session, text, sizeof(text)))
		fact(out, "fault", "%s", text);
	if (status_where(call->session, text, sizeof(text)))
		fact(out, "at", "%s", text);
	tell_threads(target, out);
	tell_memory(target, out);
	tell_heap(call, out);
	for (size_t i = 0; i < target->warning_count; i++)
		fact(out, "warning", "%s", target->warnings[i]);
	return NULL;
}

const struct dcmd dcmd_status = {
	.name = "status",
	.aliases = (const char *const[]){ "$?", "$", NULL },
	.summary = "what the target is, whose, and why it was made",
	.help = "The program and its process; why the dump was made: the "
		"signal, with the address that was touched and what lies "
		"there, the misuse of the heap, the exit; threads and memory; "
		"each instance of the allocator and what it reported; and what "
		"the target lacks.",
	.example = "::status",
	.tables = status_tables,
	.table_count = 1,
	.run = status_run,
};
