/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::diff - what grew since an older dump of the program. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/growth.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_DEFAULT = 20, TEXT_SIZE = 256 };

struct diff_options {
	bool all;
	uint64_t limit;
};

static const struct option diff_options[] = {
	{ 'a', "all", OPTION_FLAG, offsetof(struct diff_options, all), NULL,
	  "also what shrank, and all there is" },
	{ 'n', "limit", OPTION_NUMBER, offsetof(struct diff_options, limit),
	  "count", "so many of them (20)" },
};

static const struct column diff_columns[] = {
	{ "GROWTH", VALUE_SIGNED },     { "BUFFERS", VALUE_SIGNED },
	{ "OLD BYTES", VALUE_SIZE },    { "NEW BYTES", VALUE_SIZE },
	{ "OLD BUFFERS", VALUE_COUNT }, { "NEW BUFFERS", VALUE_COUNT },
	{ "BUFFER", VALUE_ADDRESS },    { "CACHE", VALUE_TEXT },
	{ "STACK", VALUE_LINES },
};

static const struct table diff_tables[] = {
	{ "default", diff_columns,
	  sizeof(diff_columns) / sizeof(diff_columns[0]), .no_header = true },
};

static void put_group(struct sink *out, const struct growth_group *group)
{
	struct stack_lines lines = { 0 };
	int64_t buffers = (int64_t)(group->buffers[GROWTH_NEW] -
				    group->buffers[GROWTH_OLD]);
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text),
		 "%+" PRId64 " bytes in %+" PRId64 " buffers (%" PRIu64
		 " in %" PRIu64 " before, %" PRIu64 " in %" PRIu64 " now)%s%s",
		 growth_bytes(group), buffers, group->bytes[GROWTH_OLD],
		 group->buffers[GROWTH_OLD], group->bytes[GROWTH_NEW],
		 group->buffers[GROWTH_NEW],
		 group->cache ? ", not audited, of " : ":",
		 group->cache ? group->key : "");
	for (const char *at = group->key; !group->cache && *at;) {
		size_t length = strcspn(at, "\n");

		stack_lines_text(&lines, "%.*s", (int)length, at);
		at += length + (at[length] == '\n');
	}
	SINK_ROW_AS(out, text, SIGNED(growth_bytes(group)), SIGNED(buffers),
		    SIZE(group->bytes[GROWTH_OLD]),
		    SIZE(group->bytes[GROWTH_NEW]),
		    COUNT(group->buffers[GROWTH_OLD]),
		    COUNT(group->buffers[GROWTH_NEW]),
		    group->example ? ADDRESS(group->example)
				   : ABSENT(VALUE_ADDRESS),
		    group->cache ? TEXT(group->key) : ABSENT(VALUE_TEXT),
		    LINES(lines.lines));
	stack_lines_deinit(&lines);
}

static void put_groups(const struct dcmd_call *call,
		       const struct growth *growth, struct sink *out)
{
	const struct diff_options *options = call->options;
	uint64_t limit = options->limit ? options->limit
			 : options->all ? UINT64_MAX
					: SHOWN_DEFAULT;
	uint64_t shown = 0, grown = 0;
	int64_t total = 0;

	for (size_t i = 0; i < growth->count; i++) {
		const struct growth_group *group = &growth->groups[i];
		bool wanted = growth_bytes(group) > 0 ||
			      (options->all && growth_bytes(group));

		total += growth_bytes(group);
		grown += wanted;
		if (wanted && shown < limit && !out->failed) {
			put_group(out, group);
			shown++;
		}
	}
	if (call->to_pipe)
		return;
	if (shown < grown)
		sink_note(out, "%" PRIu64 " more (-a shows all)",
			  grown - shown);
	sink_note(out, "Total %+" PRId64 " bytes, %" PRIu64 " stacks %s", total,
		  grown, options->all ? "changed" : "grew");
}

static struct err *compare(const struct dcmd_call *call, struct target *target,
			   struct sink *out)
{
	struct session *new = call->session, old;
	struct growth growth;
	struct err *err = session_init(&old, target, new->dcmds, new->walkers);

	if (err) {
		target_close(target);
		return err;
	}
	err = growth_find(&old, new, &growth);
	if (!err) {
		put_groups(call, &growth, out);
		growth_deinit(&growth);
	}
	session_deinit(&old);
	return err;
}

static struct err *diff_run(const struct dcmd_call *call, struct sink *out)
{
	const struct target *new = call->session->target;
	struct target_options options = { 0 };
	struct target *target;
	struct err *err;

	if (call->argc != 1)
		return err_new(ERR_USAGE, "the name of an older dump");
	if (!new)
		return err_new(ERR_NOT_FOUND, "nothing to compare with");
	options.executable = new->executable_path;
	options.sysroot = new->sysroot;
	err = target_open(call->argv[0], &options, &target);
	return err ? err : compare(call, target, out);
}

const struct dcmd dcmd_diff = {
	.name = "diff",
	.summary = "what grew since an older dump of the program",
	.help = "Live buffers of both dumps by the stack that allocated them, "
		"most grown first. Stacks are the same when modules and "
		"functions have the same names, whatever their addresses, so "
		"that dumps of two runs can be compared. What is not audited "
		"is compared by cache. BUFFER is one of them in this dump.",
	.example = "::diff old.kdump",
	.arguments = "file",
	.options = diff_options,
	.option_count = sizeof(diff_options) / sizeof(diff_options[0]),
	.options_size = sizeof(struct diff_options),
	.tables = diff_tables,
	.table_count = 1,
	.run = diff_run,
};
