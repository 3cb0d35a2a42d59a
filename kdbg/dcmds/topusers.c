/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::topusers - which variables and threads hold the heap? */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/root_users.h"

#include <inttypes.h>

enum { TEXT_SIZE = 512, SHOWN_DEFAULT = 20 };

struct topusers_options {
	uint64_t limit;
	bool all;
};

static const struct option topusers_options[] = {
	{ 'a', "all", OPTION_FLAG, offsetof(struct topusers_options, all), NULL,
	  "all of them" },
	{ 'n', "limit", OPTION_NUMBER, offsetof(struct topusers_options, limit),
	  "count", "so many of them (20)" },
};

static const struct column topusers_columns[] = {
	{ "RETAINED", VALUE_SIZE, .width = 12 },
	{ "BUFFERS", VALUE_COUNT, .width = 9 },
	{ "REACHABLE", VALUE_SIZE, .width = 12 },
	{ "REACHED", VALUE_COUNT, .width = 9 },
	{ "KIND", VALUE_TEXT, .width = 7 },
	{ "HELD BY", VALUE_TEXT },
	{ "ADDR", VALUE_ADDRESS, .wide = true },
	{ "WORDS", VALUE_COUNT, .wide = true },
};

static const struct table topusers_tables[] = {
	{ "default", topusers_columns,
	  sizeof(topusers_columns) / sizeof(topusers_columns[0]) },
};

static void put_user(struct sink *out, struct places *places,
		     const struct root_user *user)
{
	char text[TEXT_SIZE];

	places_describe_holder(places, &user->holder, text, sizeof(text));
	SINK_ROW(out, SIZE(user->retained_bytes), COUNT(user->retained_buffers),
		 user->reach_known ? SIZE(user->reach_bytes)
				   : ABSENT(VALUE_SIZE),
		 user->reach_known ? COUNT(user->reach_buffers)
				   : ABSENT(VALUE_COUNT),
		 TEXT(user->holder.kind == PLACE_STACK
			      ? "thread"
			      : place_kind_name(user->holder.kind)),
		 TEXT(text),
		 user->holder.start ? ADDRESS(user->holder.start)
				    : ABSENT(VALUE_ADDRESS),
		 COUNT(user->words));
}

static void put_users(const struct dcmd_call *call, struct sink *out,
		      struct places *places, const struct root_users *users)
{
	const struct topusers_options *options = call->options;
	uint64_t limit = options->limit ? options->limit : SHOWN_DEFAULT;
	size_t shown = options->all || limit > users->count ? users->count
							    : (size_t)limit;

	for (size_t i = 0; i < shown && !out->failed; i++)
		put_user(out, places, &users->list[i]);
	if (call->to_pipe)
		return;
	if (shown < users->count)
		sink_note(out, "%zu more (-a shows all)", users->count - shown);
	sink_note(out,
		  "%" PRIu64 " bytes in %" PRIu64
		  " buffers are reachable from several of them",
		  users->shared_bytes, users->shared_buffers);
}

static struct err *topusers_run(const struct dcmd_call *call, struct sink *out)
{
	struct places *places;
	struct root_users users;
	struct err *err = places_create(call->session, &places);

	if (err)
		return err;
	err = root_users_find(call->session, places, &users);
	if (!err) {
		put_users(call, out, places, &users);
		root_users_deinit(&users);
	}
	places_destroy(places);
	return err;
}

const struct dcmd dcmd_topusers = {
	.name = "topusers",
	.summary = "the variables and threads that hold the most heap",
	.help = "Each variable, thread (its stack, storage and registers) and "
		"mapping that holds heap memory. RETAINED is the bytes, and "
		"BUFFERS the number, of what can be got at from it alone: what "
		"would be lost with it. REACHABLE and REACHED count what it "
		"leads to whether or not another does too; where following all "
		"would take too long, they are not told.",
	.example = "::topusers -n 5",
	.options = topusers_options,
	.option_count = sizeof(topusers_options) / sizeof(topusers_options[0]),
	.options_size = sizeof(struct topusers_options),
	.tables = topusers_tables,
	.table_count = 1,
	.run = topusers_run,
};
