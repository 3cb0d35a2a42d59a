/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::findleaks - buffers that nothing leads to, one row for each group
 * (kdbg/leaks.h), and the walkers leak and leakbuf.
 *
 * Text shows what a person needs first, in mdb's tables: audited groups by
 * bufctl, oversize ones by their bytes, unaudited ones by a buffer. JSON is one
 * table with all that is known. Both have the same rows in the same order.
 */
#include "kdbg/dcmds/findleaks.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/heap.h"
#include "kdbg/symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 512, RULE_WIDTH = 72 };

enum {
	TABLE_ALL,
	TABLE_AUDITED,
	TABLE_OVERSIZE,
	TABLE_UNAUDITED,
	TABLE_DETAIL,
	TABLE_WEAK
};

static const struct option findleaks_options[] = {
	{ 'd', NULL, OPTION_FLAG, offsetof(struct findleaks_options, detail),
	  NULL, "show the record and stack of each group's oldest buffer" },
	{ 'f', NULL, OPTION_FLAG, offsetof(struct findleaks_options, forget),
	  NULL, "forget what was found before, and search again" },
	{ 'v', NULL, OPTION_FLAG, offsetof(struct findleaks_options, verbose),
	  NULL, "tell what was scanned and found" },
	{ 'p', "possible", OPTION_FLAG,
	  offsetof(struct findleaks_options, possible), NULL,
	  "also what only a pointer into its middle leads to" },
	{ 's', "since", OPTION_TEXT, offsetof(struct findleaks_options, since),
	  "name", "only what was allocated after kma_checkpoint(name)" },
	{ 'w', "weak", OPTION_FLAG, offsetof(struct findleaks_options, weak),
	  NULL, "instead what a single word of a stack or register holds" },
	{ 'u', "unaligned", OPTION_FLAG,
	  offsetof(struct findleaks_options, unaligned), NULL,
	  "pointers may start at any byte" },
	{ 'm', "mask", OPTION_NUMBER, offsetof(struct findleaks_options, mask),
	  "bits", "words with these bits cleared may be pointers, too" },
	{ 'D', "decode", OPTION_TEXT,
	  offsetof(struct findleaks_options, decode), "steps",
	  "so may words decoded: xor=V add=V and=V shl=N shr=N rol=N ror=N, "
	  "u32 first for each half" },
};

static const struct column all_columns[] = {
	{ "CLASS", VALUE_TEXT },     { "CACHE", VALUE_TEXT },
	{ "LEAKED", VALUE_COUNT },   { "BYTES", VALUE_SIZE },
	{ "RETAINED", VALUE_SIZE },  { "BUFCTL", VALUE_ADDRESS },
	{ "CALLER", VALUE_TEXT },    { "BUFFER", VALUE_ADDRESS },
	{ "SMALLEST", VALUE_SIZE },  { "LARGEST", VALUE_SIZE },
	{ "KNOTS", VALUE_COUNT },    { "CYCLE", VALUE_COUNT },
	{ "FIRST NS", VALUE_COUNT }, { "LAST NS", VALUE_COUNT },
	{ "THREAD", VALUE_COUNT },   { "FUNCTION", VALUE_TEXT },
	{ "FILE", VALUE_TEXT },      { "LINE", VALUE_COUNT },
	{ "STACK", VALUE_LINES },    { "THREADS", VALUE_COUNT },
	{ "CONTENT", VALUE_TEXT },   { "SAMPLES", VALUE_LINES },
	{ "CIRCLE", VALUE_LINES },
};

static const struct column audited_columns[] = {
	{ "CACHE", VALUE_TEXT, .width = 16 },
	{ "LEAKED", VALUE_COUNT },
	{ "BUFCTL", VALUE_ADDRESS },
	{ "CALLER", VALUE_TEXT, .width = 40 },
	{ "CLASS", VALUE_TEXT, .width = 8, .spare = true },
	{ "BYTES", VALUE_SIZE, .spare = true },
	{ "RETAINED", VALUE_SIZE, .spare = true },
};

static const struct column oversize_columns[] = {
	{ "BYTES", VALUE_SIZE, .width = 16 },
	{ "LEAKED", VALUE_COUNT },
	{ "BUFCTL", VALUE_ADDRESS },
	{ "CALLER", VALUE_TEXT, .width = 40 },
	{ "CLASS", VALUE_TEXT, .width = 8, .spare = true },
	{ "CACHE", VALUE_TEXT, .wide = true },
	{ "RETAINED", VALUE_SIZE, .width = 21, .spare = true },
};

static const struct column unaudited_columns[] = {
	{ "CACHE", VALUE_TEXT, .width = 16 },
	{ "LEAKED", VALUE_COUNT },
	{ "BUFFER", VALUE_ADDRESS },
	{ "CALLER", VALUE_TEXT, .width = 40 },
	{ "CLASS", VALUE_TEXT, .width = 8, .spare = true },
	{ "BYTES", VALUE_SIZE, .spare = true },
	{ "RETAINED", VALUE_SIZE, .spare = true },
};

/* ::bufctl -v's, with the class for the state. */
static const struct column detail_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "BUFADDR", VALUE_ADDRESS, .width = 25 },
	{ "TIMESTAMP", VALUE_HEX, .width = 13 },
	{ "THREAD", VALUE_COUNT },
	{ "CACHE", VALUE_TEXT, .line = 1, .width = 25 },
	{ "SIZE", VALUE_SIZE, .line = 1, .width = 13 },
	{ "CLASS", VALUE_TEXT, .line = 1, .width = 9 },
	{ "STACK", VALUE_LINES },
	{ "MORE", VALUE_LINES },
};

static const struct column weak_columns[] = {
	{ "CACHE", VALUE_TEXT, .width = 16, .spare = true },
	{ "COUNT", VALUE_COUNT },
	{ "BUFFER", VALUE_ADDRESS, .spare = true },
	{ "RETAINED", VALUE_SIZE },
	{ "CALLER", VALUE_TEXT, .width = 40 },
	{ "HELD BY", VALUE_TEXT },
	{ "WORD AT", VALUE_ADDRESS, .wide = true },
};

#define TABLE(name, columns)                                                 \
	{                                                                    \
		name, columns, sizeof(columns) / sizeof((columns)[0]), false \
	}

static const struct table findleaks_tables[] = {
	[TABLE_ALL] = TABLE("JSON", all_columns),
	[TABLE_AUDITED] = TABLE("audited", audited_columns),
	[TABLE_OVERSIZE] = TABLE("oversize", oversize_columns),
	[TABLE_UNAUDITED] = TABLE("unaudited", unaudited_columns),
	[TABLE_DETAIL] = TABLE("-d", detail_columns),
	[TABLE_WEAK] = TABLE("-w", weak_columns),
};

/* One call of the command. */
struct report {
	const struct dcmd_call *call;
	const struct findleaks_options *options;
	struct session *session;
	struct sink *out;
	struct heap *heap;
	struct symbols *symbols; /* NULL: none */
	struct leaks *leaks;
	const struct leak_group *groups;
	size_t group_count;
	const struct heap_cache *caches;
	struct findleaks_filter filter;
};

struct totals {
	uint64_t buffers, bytes;
};

static struct value count_or_absent(uint64_t value)
{
	return value ? COUNT(value) : ABSENT(VALUE_COUNT);
}

static struct value address_or_absent(uint64_t value)
{
	return value ? ADDRESS(value) : ABSENT(VALUE_ADDRESS);
}

static struct value time_or_absent(const struct report *report,
				   const struct leak_group *group,
				   uint64_t ticks)
{
	return ticks ? COUNT(heap_time_ns(report->heap, group->instance, ticks))
		     : ABSENT(VALUE_COUNT);
}

static struct heap_event leader_event(const struct leak_group *group)
{
	return (struct heap_event){ .instance = group->instance,
				    .stack = group->stack,
				    .time = group->leader_time };
}

bool findleaks_from(struct session *session,
		    const struct findleaks_filter *filter,
		    const struct leak_group *group)
{
	const uint64_t *pcs;
	struct heap *heap;
	uint32_t flags;
	size_t depth = 0;

	if (!filter->high)
		return true;
	struct err *err = session_heap(session, &heap);
	if (!err)
		depth = heap_stack(heap, group->instance, group->stack, &pcs,
				   &flags);
	err_free(err);
	for (size_t i = 0; i < depth; i++)
		if (pcs[i] >= filter->low && pcs[i] < filter->high)
			return true;
	return false;
}

/* Is the group of a class, and from a function, that was asked for? */
static bool is_wanted(const struct report *report,
		      const struct leak_group *group)
{
	return (group->class != LEAK_POSSIBLE || report->options->possible) &&
	       findleaks_from(report->session, &report->filter, group);
}

static int table_of(const struct leak_group *group)
{
	if (!group->bufctl)
		return TABLE_UNAUDITED;
	return group->large ? TABLE_OVERSIZE : TABLE_AUDITED;
}

static void put_all(const struct report *report, const struct leak_group *group)
{
	struct symbol_frame site = { 0 };
	struct stack_lines lines = { 0 };
	struct heap_event event = leader_event(group);
	struct heap_buffer buffer = { 0 };
	char caller[TEXT_SIZE];
	struct findleaks_details details =
		findleaks_details(report->leaks, group, report->symbols);

	if (report->symbols)
		leaks_site(report->leaks, report->symbols, group, &site);
	leaks_caller(report->leaks, report->symbols, group, caller,
		     sizeof(caller));
	stack_lines_add(&lines, report->session, report->heap, &event);
	heap_buffer_at(report->heap, group->address, &buffer);
	SINK_ROW(report->out, TEXT(leak_class_name(group->class)),
		 TEXT(report->caches[group->cache].name), COUNT(group->leaked),
		 SIZE(group->bytes), SIZE(group->retained),
		 address_or_absent(group->bufctl),
		 TEXT(group->stack ? caller : NULL), ADDRESS(group->address),
		 SIZE(group->smallest), SIZE(group->largest),
		 COUNT(group->knots), COUNT(group->cycle),
		 time_or_absent(report, group, group->first_time),
		 time_or_absent(report, group, group->last_time),
		 count_or_absent(buffer.alloc.thread),
		 TEXT(site.function ? site.function : site.linkage),
		 TEXT(site.file), count_or_absent(site.line),
		 LINES(lines.lines), count_or_absent(details.threads),
		 TEXT(details.hint[0] ? details.hint : NULL),
		 LINES(details.samples.lines), LINES(details.cycle.lines));
	findleaks_details_deinit(&details);
	stack_lines_deinit(&lines);
}

static void put_brief(const struct report *report,
		      const struct leak_group *group, int table)
{
	const char *cache = report->caches[group->cache].name;
	const char *class = leak_class_name(group->class);
	char caller[TEXT_SIZE];

	leaks_caller(report->leaks, report->symbols, group, caller,
		     sizeof(caller));
	if (table == TABLE_OVERSIZE)
		SINK_ROW(report->out, SIZE(group->bytes), COUNT(group->leaked),
			 ADDRESS(group->bufctl), TEXT(caller), TEXT(class),
			 TEXT(cache), SIZE(group->retained));
	else
		SINK_ROW(
			report->out, TEXT(cache), COUNT(group->leaked),
			ADDRESS(group->bufctl ? group->bufctl : group->address),
			TEXT(caller), TEXT(class), SIZE(group->bytes),
			SIZE(group->retained));
}

static void put_rule(struct sink *out)
{
	char rule[RULE_WIDTH + 1];

	memset(rule, '-', RULE_WIDTH);
	rule[RULE_WIDTH] = '\0';
	sink_line(out, "%s", rule);
}

static void put_total(struct sink *out, int table, const struct totals *totals)
{
	put_rule(out);
	sink_note(out, "Total %" PRIu64 " %s%s, %" PRIu64 " bytes",
		  totals->buffers,
		  table == TABLE_OVERSIZE ? "oversized leak" : "buffer",
		  totals->buffers == 1 ? "" : "s", totals->bytes);
	if (sink_spares(out, &findleaks_tables[table]))
		sink_note(out,
			  "each one's class and retained bytes: in a wider "
			  "window, or by ::set wide=on");
}

/* The wanted groups that belong in a table; TABLE_ALL: every one. */
static struct totals put_table(const struct report *report, int table)
{
	struct totals totals = { 0 };

	sink_table(report->out, &findleaks_tables[table]);
	for (size_t i = 0; i < report->group_count && !report->out->failed;
	     i++) {
		const struct leak_group *group = &report->groups[i];

		if (!is_wanted(report, group) ||
		    (table != TABLE_ALL && table_of(group) != table))
			continue;
		if (table == TABLE_ALL)
			put_all(report, group);
		else
			put_brief(report, group, table);
		totals.buffers += group->leaked;
		totals.bytes += group->bytes;
	}
	if (totals.buffers && !report->call->to_pipe)
		put_total(report->out, table, &totals);
	return totals;
}

static void put_sizes(const struct leak_group *group, char *text, size_t size)
{
	if (group->smallest == group->largest)
		snprintf(text, size, "%" PRIu64, group->largest);
	else
		snprintf(text, size, "%" PRIu64 "-%" PRIu64, group->smallest,
			 group->largest);
}

/* Lines below a group's stack: what is in it, who made it, for how long. */
static void add_more(const struct report *report,
		     const struct leak_group *group,
		     const struct findleaks_details *details,
		     struct stack_lines *ret)
{
	enum { NS_PER_SECOND = 1000000000 };
	uint64_t first =
		heap_time_ns(report->heap, group->instance, group->first_time);
	uint64_t last =
		heap_time_ns(report->heap, group->instance, group->last_time);

	if (details->hint[0])
		stack_lines_text(ret, "content: %s", details->hint);
	if (details->threads > 1)
		stack_lines_text(ret, "by %zu threads", details->threads);
	if (group->first_time && last - first >= NS_PER_SECOND)
		stack_lines_text(ret, "over %.3f seconds",
				 (double)(last - first) / 1e9);
	for (size_t i = 0; i < details->samples.count; i++)
		stack_lines_text(ret, "another: %s",
				 details->samples.strings[i]);
	for (size_t i = 0; i < details->cycle.count; i++)
		stack_lines_text(ret, "circle: %s", details->cycle.strings[i]);
}

static void put_detail(const struct report *report,
		       const struct leak_group *group)
{
	const char *cache = report->caches[group->cache].name;
	struct heap_event event = leader_event(group);
	struct stack_lines lines = { 0 };
	struct heap_buffer buffer = { 0 };
	struct stack_lines more = { 0 };
	char sizes[64];
	struct findleaks_details details =
		findleaks_details(report->leaks, group, report->symbols);

	add_more(report, group, &details, &more);
	put_sizes(group, sizes, sizeof(sizes));
	heap_buffer_at(report->heap, group->address, &buffer);
	sink_line(report->out, "%s", "");
	sink_line(report->out,
		  "%s leak: %" PRIu64 " buffer%s, %s bytes each, %" PRIu64
		  " bytes total",
		  cache, group->leaked, group->leaked == 1 ? "" : "s", sizes,
		  group->bytes);
	sink_table(report->out, &findleaks_tables[TABLE_DETAIL]);
	stack_lines_add(&lines, report->session, report->heap, &event);
	SINK_ROW(report->out, address_or_absent(group->bufctl),
		 ADDRESS(group->address),
		 group->leader_time ? HEX(buffer.alloc.time_ns)
				    : ABSENT(VALUE_HEX),
		 count_or_absent(buffer.alloc.thread), TEXT(cache),
		 SIZE(buffer.size), TEXT(leak_class_name(group->class)),
		 LINES(lines.lines), LINES(more.lines));
	stack_lines_deinit(&lines);
	stack_lines_deinit(&more);
	findleaks_details_deinit(&details);
}

static void put_details(const struct report *report)
{
	for (size_t i = 0; i < report->group_count && !report->out->failed; i++)
		if (is_wanted(report, &report->groups[i]))
			put_detail(report, &report->groups[i]);
}

/* The function or the one address that the command was given. */
static void set_filter(struct report *report)
{
	uint64_t address = report->call->address;
	struct symbol symbol;

	if (!report->call->has_address)
		return;
	report->filter.low = address;
	report->filter.high = address + 1;
	if (report->symbols && symbols_at(report->symbols, address, &symbol) &&
	    !symbol.offset && symbol.size)
		report->filter.high = address + symbol.size;
}

static struct err *prepare(struct report *report)
{
	struct err *err;

	if (report->options->forget)
		session_forget_reach(report->session);
	err = session_heap(report->session, &report->heap);
	if (!err)
		err = findleaks_judge(report->session, report->heap,
				      report->options);
	if (!err)
		err = session_leaks(report->session, &report->leaks);
	if (err)
		return err;
	err_free(session_symbols(report->session, &report->symbols));
	report->group_count = leaks_groups(report->leaks, &report->groups);
	heap_caches(report->heap, &report->caches);
	set_filter(report);
	return NULL;
}

static struct err *findleaks_run(const struct dcmd_call *call, struct sink *out)
{
	struct report report = { .call = call,
				 .options = call->options,
				 .session = call->session,
				 .out = out };
	uint64_t found = 0;
	struct reach *reach;
	struct err *err = prepare(&report);

	if (!err)
		err = session_reach(call->session, &reach);
	if (err)
		return err;
	if (report.options->weak) {
		sink_table(out, &findleaks_tables[TABLE_WEAK]);
		return findleaks_weak(call, &report.filter, out);
	}
	if (call->session->json) {
		found = put_table(&report, TABLE_ALL).buffers;
	} else {
		found = put_table(&report, TABLE_AUDITED).buffers;
		found += put_table(&report, TABLE_OVERSIZE).buffers;
		found += put_table(&report, TABLE_UNAUDITED).buffers;
	}
	if (call->to_pipe)
		return NULL;
	if (!found)
		findleaks_none(report.heap, &report.filter, out);
	if (report.options->detail && !call->session->json)
		put_details(&report);
	if (report.options->verbose)
		findleaks_statistics(reach, out);
	findleaks_trust(reach, report.leaks, report.options->possible, out);
	return NULL;
}

const struct dcmd dcmd_findleaks = {
	.name = "findleaks",
	.summary = "find buffers that nothing leads to",
	.help = "Scans writable memory, the stacks and the registers of live "
		"threads for pointers to buffers, follows them, and shows the "
		"buffers it did not come to, grouped by the stack that "
		"allocated them. A group is definite when no other leaked "
		"buffer refers to it, and indirect when it hangs off one. "
		"Buffers in a circle are one group, told by the oldest. "
		"RETAINED is what would be freed with a group.\n\n"
		"With an address, only leaks with that function, or that "
		"return address, in their stack. ADDR::walk leak gives all "
		"bufctls of a group, ADDR::walk leakbuf the buffers.\n\n"
		"What a program leaves in a frame that is still there looks "
		"like a pointer, and hides a leak: --weak shows what a single "
		"word of a stack or register holds, and where it is. What "
		"counts as a pointer (--unaligned, --mask, --decode) holds "
		"for ::whylive, ::refs, ::retained and the walkers, too, until "
		"the next ::findleaks.",
	.example = "::findleaks -d",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "function",
	.options = findleaks_options,
	.option_count =
		sizeof(findleaks_options) / sizeof(findleaks_options[0]),
	.options_size = sizeof(struct findleaks_options),
	.tables = findleaks_tables,
	.table_count = sizeof(findleaks_tables) / sizeof(findleaks_tables[0]),
	.run = findleaks_run,
};
