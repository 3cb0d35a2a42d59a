/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::diff - what grew since older dumps of the program. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/growth.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_DEFAULT = 20, TEXT_SIZE = 512, STEPS_SIZE = 128 };

struct diff_options {
	bool all;
	uint64_t limit;
	const char *by;
};

static const struct option diff_options[] = {
	{ 'a', "all", OPTION_FLAG, offsetof(struct diff_options, all), NULL,
	  "also what shrank, and all there is" },
	{ 'n', "limit", OPTION_NUMBER, offsetof(struct diff_options, limit),
	  "count", "so many of them (20)" },
	{ 'b', "by", OPTION_TEXT, offsetof(struct diff_options, by), "what",
	  "compare by stack, cache, type or age" },
};

static const struct column diff_columns[] = {
	{ "GROWTH", VALUE_SIGNED },     { "BUFFERS", VALUE_SIGNED },
	{ "OLD BYTES", VALUE_SIZE },    { "NEW BYTES", VALUE_SIZE },
	{ "OLD BUFFERS", VALUE_COUNT }, { "NEW BUFFERS", VALUE_COUNT },
	{ "BUFFER", VALUE_ADDRESS },    { "CACHE", VALUE_TEXT },
	{ "STACK", VALUE_LINES },       { "PER DUMP", VALUE_SIGNED },
	{ "STEPS GROWN", VALUE_COUNT },
};

static const struct table diff_tables[] = {
	{ "default", diff_columns,
	  sizeof(diff_columns) / sizeof(diff_columns[0]), .no_header = true },
};

static void put_stack(struct stack_lines *lines, const char *frames)
{
	while (*frames) {
		size_t length = strcspn(frames, "\n");

		stack_lines_text(lines, "%.*s", (int)length, frames);
		frames += length + (frames[length] == '\n');
	}
}

/* Over three or more: how it went. */
static void describe_steps(const struct growth *growth,
			   const struct growth_group *group, char *text,
			   size_t size)
{
	*text = '\0';
	if (growth->sides > 2)
		snprintf(text, size, ", %+.0f a dump, grew at %zu of %zu steps",
			 group->slope, group->steps, growth->sides - 1);
}

static void put_group(struct sink *out, const struct growth *growth,
		      const struct growth_group *group, bool by_stack)
{
	const struct growth_side *old = &group->sides[0];
	const struct growth_side *new = &group->sides[growth->sides - 1];
	struct stack_lines lines = { 0 };
	int64_t bytes = growth_bytes(growth, group);
	int64_t buffers = growth_buffers(growth, group);
	char text[TEXT_SIZE], steps[STEPS_SIZE];

	describe_steps(growth, group, steps, sizeof(steps));
	snprintf(text, sizeof(text),
		 "%+" PRId64 " bytes in %+" PRId64 " buffers (%" PRIu64
		 " in %" PRIu64 " before, %" PRIu64 " in %" PRIu64
		 " now%s)%s%s",
		 bytes, buffers, old->bytes, old->buffers, new->bytes,
		 new->buffers, steps,
		 group->frames ? ":"
		 : by_stack    ? ", not audited, of "
			       : ": ",
		 group->frames ? "" : group->key);
	if (group->frames)
		put_stack(&lines, group->key);
	SINK_ROW_AS(out, text, SIGNED(bytes), SIGNED(buffers), SIZE(old->bytes),
		    SIZE(new->bytes), COUNT(old->buffers), COUNT(new->buffers),
		    group->example ? ADDRESS(group->example)
				   : ABSENT(VALUE_ADDRESS),
		    group->frames ? ABSENT(VALUE_TEXT) : TEXT(group->key),
		    LINES(lines.lines), SIGNED((int64_t)group->slope),
		    COUNT(group->steps));
	stack_lines_deinit(&lines);
}

static bool is_wanted(const struct growth *growth,
		      const struct growth_group *group, bool all)
{
	bool changed = growth_bytes(growth, group) != 0;

	return group->slope > 0 || (all && (changed || group->steps));
}

static void put_groups(const struct dcmd_call *call,
		       const struct growth *growth, bool by_stack,
		       struct sink *out)
{
	const struct diff_options *options = call->options;
	uint64_t limit = options->limit ? options->limit
			 : options->all ? UINT64_MAX
					: SHOWN_DEFAULT;
	uint64_t shown = 0, grown = 0;
	int64_t total = 0;

	for (size_t i = 0; i < growth->count; i++) {
		const struct growth_group *group = &growth->groups[i];
		bool wanted = is_wanted(growth, group, options->all);

		total += growth_bytes(growth, group);
		grown += wanted;
		if (wanted && shown < limit && !out->failed) {
			put_group(out, growth, group, by_stack);
			shown++;
		}
	}
	if (call->to_pipe)
		return;
	if (shown < grown)
		sink_note(out, "%" PRIu64 " more (-a shows all)",
			  grown - shown);
	sink_note(out, "Total %+" PRId64 " bytes, %" PRIu64 " %s %s", total,
		  grown, by_stack ? "stacks" : "groups",
		  options->all ? "changed" : "grew");
}

/* One session for each older target, and this one last. */
struct comparison {
	struct session *old;
	struct session **sessions;
	size_t open; /* of old */
};

static struct err *open_old(const struct dcmd_call *call,
			    struct comparison *comparison, const char *path)
{
	struct session *new = call->session;
	const struct target_options options = {
		.executable = new->target->executable_path,
		.sysroot = new->target->sysroot,
	};
	struct session *old = &comparison->old[comparison->open];
	struct target *target;
	struct err *err = target_open(path, &options, &target);

	if (err)
		return err;
	err = session_init(old, target, new->dcmds, new->walkers);
	if (err) {
		target_close(target);
		return err;
	}
	comparison->sessions[comparison->open++] = old;
	return NULL;
}

static const char *program_of(const struct target *target)
{
	const char *path = target->process->executable;
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path ? path : "";
}

/* Another program's buffers would all read as growth, and a later dump's as
 * what went. */
static void tell_misfit(const struct target *old, const struct target *new,
			struct sink *out)
{
	const char *before = program_of(old), *after = program_of(new);
	uint64_t then = old->process->dump_realtime_ns;
	uint64_t now = new->process->dump_realtime_ns;

	if (*before && *after && strcmp(before, after) != 0)
		sink_note(out, "%s is of %s, but %s of %s", old->path, before,
			  new->path, after);
	else if (now && then > now)
		sink_note(out, "%s is younger than %s", old->path, new->path);
}

static struct err *compare(const struct dcmd_call *call, enum growth_by by,
			   struct comparison *comparison, struct sink *out)
{
	struct growth growth;
	struct err *err = NULL;

	for (int i = 0; !err && i < call->argc; i++)
		err = open_old(call, comparison, call->argv[i]);
	if (err)
		return err;
	comparison->sessions[comparison->open] = call->session;
	err = growth_find(comparison->sessions, comparison->open + 1, by,
			  &growth);
	if (err)
		return err;
	for (size_t i = 0; i < comparison->open; i++)
		tell_misfit(comparison->sessions[i]->target,
			    comparison->sessions[i + 1]->target, out);
	put_groups(call, &growth, by == GROWTH_BY_STACK, out);
	growth_deinit(&growth);
	return NULL;
}

static struct err *diff_run(const struct dcmd_call *call, struct sink *out)
{
	const struct diff_options *options = call->options;
	struct comparison comparison = { 0 };
	enum growth_by by = GROWTH_BY_STACK;
	struct err *err;

	if (call->argc < 1)
		return err_new(ERR_USAGE, "the name of an older dump");
	if (!call->session->target)
		return err_new(ERR_NOT_FOUND, "nothing to compare with");
	if (options->by && !growth_by_name(options->by, &by))
		return err_new(ERR_USAGE, "%s: by stack, cache, type or age",
			       options->by);
	comparison.old = calloc((size_t)call->argc, sizeof(*comparison.old));
	comparison.sessions =
		calloc((size_t)call->argc + 1, sizeof(struct session *));
	if (comparison.old && comparison.sessions)
		err = compare(call, by, &comparison, out);
	else
		err = err_new(ERR_NO_MEMORY, "no memory for sessions");
	while (comparison.open-- > 0)
		session_deinit(&comparison.old[comparison.open]);
	free(comparison.old);
	free(comparison.sessions);
	return err;
}

const struct dcmd dcmd_diff = {
	.name = "diff",
	.summary = "what grew since older dumps of the program",
	.help = "Live buffers of both dumps by the stack that allocated them, "
		"most grown first. Stacks are the same when modules and "
		"functions have the same names, whatever their addresses, so "
		"that dumps of two runs can be compared. What is not audited "
		"is compared by cache. BUFFER is one of them in this dump.\n\n"
		"Of several older dumps, oldest first, each group tells how "
		"many bytes it grew from one to the next, by the line of "
		"least squares, and at how many of the steps: a cache that "
		"filled stops, a leak goes on. --by type groups by the class "
		"whose vtable a buffer starts with.",
	.example = "::diff old.kdump",
	.arguments = "file",
	.options = diff_options,
	.option_count = sizeof(diff_options) / sizeof(diff_options[0]),
	.options_size = sizeof(struct diff_options),
	.tables = diff_tables,
	.table_count = 1,
	.run = diff_run,
};
