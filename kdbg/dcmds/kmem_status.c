/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::kmem_status - what the allocator was set to, its logs, its messages. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/heap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 1024 };

static const struct column status_columns[] = {
	{ "field", VALUE_TEXT },
	{ "value", VALUE_TEXT },
	{ "lines", VALUE_LINES },
};

static const struct table status_tables[] = {
	{ "default", status_columns,
	  sizeof(status_columns) / sizeof(status_columns[0]),
	  .no_header = true },
};

static void fact(struct sink *out, const char *field, const char *value,
		 const struct stack_lines *lines)
{
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text), "%-16s%s", field, value);
	SINK_ROW_AS(out, text, TEXT(field), TEXT(value),
		    lines ? LINES(lines->lines) : ABSENT(VALUE_LINES));
}

static const char *tier_name(enum heap_tier tier)
{
	switch (tier) {
	case TIER_OFF:
		return "off";
	case TIER_LITE:
		return "lite";
	case TIER_AUDIT:
		return "audit";
	case TIER_GUARD:
		return "guard";
	}
	return "unknown";
}

static void tell_status(struct heap *heap, size_t instance, struct sink *out)
{
	const struct heap_instance *instances;
	uint64_t errors = heap_error_count(heap);
	char text[TEXT_SIZE];

	heap_instances(heap, &instances);
	const struct heap_instance *it = &instances[instance];
	snprintf(text, sizeof(text), "ready, %s %s, tier %s%s%s", it->name,
		 it->version, tier_name(it->tier), *it->options ? ", " : "",
		 it->options);
	fact(out, "Status:", text, NULL);
	if (errors == 0)
		snprintf(text, sizeof(text), "none");
	else
		snprintf(text, sizeof(text), "%" PRIu64 ", ::kma_error",
			 errors);
	fact(out, "Reports:", text, NULL);
}

/* How many at once may be in the allocator without waiting for each other. */
static void tell_concurrency(struct heap *heap, size_t instance,
			     struct sink *out)
{
	const struct heap_thread *threads;
	size_t count = heap_threads(heap, &threads), live = 0;
	char text[TEXT_SIZE];

	for (size_t i = 0; i < count; i++)
		live += threads[i].instance == instance && threads[i].live;
	snprintf(text, sizeof(text), "%zu thread%s with magazines", live,
		 live == 1 ? "" : "s");
	fact(out, "Concurrency:", text, NULL);
}

static void add_log(struct heap *heap, size_t instance, const char *name,
		    struct stack_lines *lines)
{
	const struct heap_log *logs;
	size_t count = heap_logs(heap, &logs);

	for (size_t i = 0; i < count; i++) {
		if (logs[i].instance != instance ||
		    strcmp(logs[i].name, name) != 0)
			continue;
		stack_lines_text(lines, "%s=%" PRIu64 "k (%" PRIu64 " lost)",
				 name,
				 logs[i].chunk_size * logs[i].chunk_count >> 10,
				 logs[i].lost);
		return;
	}
	stack_lines_text(lines, "%s=0 (inactive)", name);
}

static void tell_logs(struct heap *heap, size_t instance, struct sink *out)
{
	static const char *const names[] = { "transaction", "contents", "fail",
					     "slab" };
	struct stack_lines lines = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add_log(heap, instance, names[i], &lines);
	fact(out, "Logs:", "", &lines);
	stack_lines_deinit(&lines);
}

static void tell_stacks(struct heap *heap, size_t instance, struct sink *out)
{
	struct heap_stacks stacks;
	char text[TEXT_SIZE];

	if (!heap_stacks_kept(heap, instance, &stacks))
		return;
	snprintf(text, sizeof(text),
		 "%" PRIu64 " in %" PRIu64 "k, %" PRIu64 " found no room",
		 stacks.count, (stacks.bytes + 1023) >> 10, stacks.dropped);
	fact(out, "Stacks:", text, NULL);
}

static void tell_messages(struct heap *heap, size_t instance, struct sink *out)
{
	const char *text = heap_messages(heap, instance);
	struct stack_lines lines = { 0 };

	while (*text) {
		size_t length = strcspn(text, "\n");

		stack_lines_text(&lines, "%.*s", (int)length, text);
		text += length + (text[length] == '\n');
	}
	fact(out, "Message buffer:", lines.count ? "" : "(empty)", &lines);
	stack_lines_deinit(&lines);
}

static struct err *status_run(const struct dcmd_call *call, struct sink *out)
{
	const struct heap_instance *instances;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	size_t count = heap_instances(heap, &instances);
	for (size_t i = 0; i < count; i++) {
		tell_status(heap, i, out);
		tell_concurrency(heap, i, out);
		tell_logs(heap, i, out);
		tell_stacks(heap, i, out);
		tell_messages(heap, i, out);
	}
	return NULL;
}

const struct dcmd dcmd_kmem_status = {
	.name = "kmem_status",
	.aliases = (const char *const[]){ "umem_status", NULL },
	.summary = "the allocator's settings, logs and last messages",
	.help = "For each instance of the allocator: its tier and what the "
		"environment asked for, how much was reported, its logs with "
		"their sizes, the stacks it keeps, and what it last wrote to "
		"stderr. The first "
		"command for a dump of a program that libkma stopped.",
	.example = "::kmem_status",
	.tables = status_tables,
	.table_count = 1,
	.run = status_run,
};
