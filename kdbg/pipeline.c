/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/pipeline.h"

#include "kdbg/arena.h"
#include "kdbg/dcmd.h"
#include "kdbg/expression.h"
#include "kdbg/format.h"
#include "kdbg/invoke.h"
#include "kdbg/newcomers.h"
#include "kdbg/parser.h"
#include "kdbg/radix_hint.h"
#include "kdbg/sink_values.h"
#include "kdbg/usage.h"
#include "kdbg/variables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct pipeline {
	struct session *session;
	struct arena arena;
	struct err *err; /* the first; later ones follow from it */
	const struct dcmd *usage;
};

struct run {
	struct pipeline *pipeline;
	const struct stage *stage;
	struct run *next;
	const struct dcmd *dcmd; /* of a command */
	const char **argv;       /* NULL: has computed words */
	int argc;
	struct sink *out; /* the pipeline's, or values */
	struct sink values;
	struct value_receiver receiver;
	uint64_t index;
	bool enough;
	uint64_t *list; /* for a command that takes it whole */
	size_t list_count, list_capacity;
};

static const struct column value_columns[] = { { "VALUE", VALUE_ADDRESS } };
static const struct table value_table = { "value", value_columns, 1, true };

static const struct dcmd *find_command(const struct session *session,
				       const char *name)
{
	const char *module = strrchr(name, '`');

	return session_dcmd(session, module ? module + 1 : name);
}

static struct err *unknown_command(const struct session *session,
				   const char *name)
{
	const char *colons = strchr("$:", *name) ? "" : "::";
	const char *like = *colons ? usage_nearest_dcmd(session, name) : NULL;
	const char *why = newcomers_command(name);

	if (why)
		return err_new(ERR_NOT_FOUND, "%s%s: %s", colons, name, why);
	if (like)
		return err_new(ERR_NOT_FOUND,
			       "unknown command %s%s (did you mean ::%s?)",
			       colons, name, like);
	return err_new(ERR_NOT_FOUND, "unknown command %s%s", colons, name);
}

static struct err *word_text(struct session *session, struct arena *arena,
			     const struct word *word, const char **ret)
{
	const char *text = "";

	for (const struct piece *piece = word->pieces; piece && text;
	     piece = piece->next) {
		uint64_t value;

		if (!piece->value) {
			text = *text ? arena_print(arena, "%s%s", text,
						   piece->text)
				     : piece->text;
			continue;
		}
		struct err *err =
			expression_value(session, piece->value, &value);
		if (err)
			return err;
		text = arena_print(arena, "%s0x%" PRIx64, text, value);
	}
	*ret = text;
	return text ? NULL : err_new(ERR_NO_MEMORY, "out of memory");
}

enum { ALIAS_WORDS = 4 };

/* The words of the alias that the command was called by come first. */
static size_t take_alias_words(struct arena *arena, const struct dcmd *dcmd,
			       const char *name, const char **argv)
{
	char *words = arena_print(arena, "%s", dcmd_alias_words(dcmd, name));
	size_t count = 0;

	for (char *rest, *word = words ? strtok_r(words, " ", &rest) : NULL;
	     word && count < ALIAS_WORDS; word = strtok_r(NULL, " ", &rest))
		argv[count++] = word;
	return count;
}

static struct err *make_argv(struct run *run, struct arena *arena,
			     const char ***ret)
{
	struct session *session = run->pipeline->session;
	const struct stage *stage = run->stage;
	const char **argv = arena_array(
		arena, stage->word_count + ALIAS_WORDS + 1, sizeof(*argv));
	struct err *err = NULL;

	if (!argv)
		return err_new(ERR_NO_MEMORY, "out of memory");
	size_t i = take_alias_words(arena, run->dcmd, stage->name, argv);
	run->argc = (int)(i + stage->word_count);
	for (const struct word *word = stage->words; word && !err;
	     word = word->next)
		err = word_text(session, arena, word, &argv[i++]);
	*ret = argv;
	return err;
}

static bool has_computed_words(const struct stage *stage)
{
	for (const struct word *word = stage->words; word; word = word->next)
		for (const struct piece *piece = word->pieces; piece;
		     piece = piece->next)
			if (piece->value)
				return true;
	return false;
}

static bool has_address_column(const struct dcmd *dcmd)
{
	for (size_t i = 0; i < dcmd->table_count; i++)
		if (table_address_column(&dcmd->tables[i]) <
		    dcmd->tables[i].column_count)
			return true;
	return dcmd->table_count == 0;
}

static bool receive(void *context, uint64_t value);

static struct err *prepare_command(struct run *run)
{
	struct session *session = run->pipeline->session;
	const char *name = run->stage->name;

	run->dcmd = find_command(session, name);
	if (!run->dcmd)
		return unknown_command(session, name);
	if (run->next && !has_address_column(run->dcmd))
		return err_new(ERR_USAGE, "::%s has no address to pass on",
			       run->dcmd->name);
	if (has_computed_words(run->stage))
		return NULL;
	return make_argv(run, &run->pipeline->arena, &run->argv);
}

/* Runs for stage and those after it, the last first. */
static struct err *prepare(struct pipeline *pipeline, const struct stage *stage,
			   struct sink *out, struct run **ret)
{
	struct run *run = arena_alloc(&pipeline->arena, sizeof(*run));
	struct err *err = NULL;

	if (!run)
		return err_new(ERR_NO_MEMORY, "out of memory");
	run->pipeline = pipeline;
	run->stage = stage;
	run->out = out;
	if (stage->next) {
		err = prepare(pipeline, stage->next, out, &run->next);
		run->receiver =
			(struct value_receiver){ run->next, receive, out };
		values_sink_init(&run->values, &run->receiver);
		run->out = &run->values;
	}
	if (!err && stage->kind == STAGE_COMMAND)
		err = prepare_command(run);
	*ret = run;
	return err;
}

/* What one run of a stage is about. */
struct input {
	uint64_t address;
	bool has_address;
	bool piped;
	uint64_t count;
	bool has_count;
	const uint64_t *list;
	size_t list_count;
};

static struct err *read_input(struct run *run, struct input *input)
{
	struct session *session = run->pipeline->session;
	const struct stage *stage = run->stage;
	struct err *err = NULL;

	if (stage->address) {
		err = expression_value(session, stage->address,
				       &input->address);
		input->has_address = true;
	}
	if (!err && !input->has_address)
		input->address = session->dot;
	if (!err)
		session->dot = input->address;
	input->count = 1;
	input->has_count = stage->count != NULL;
	if (!err && stage->count)
		err = expression_value(session, stage->count, &input->count);
	return err;
}

static struct err *invoke(struct run *run, const struct input *input,
			  const char **argv)
{
	struct session *session = run->pipeline->session;
	struct dcmd_call call = {
		.session = session,
		.address = input->address,
		.has_address = input->has_address,
		.count = input->count,
		.has_count = input->has_count,
		.piped = input->piped,
		.to_pipe = run->next != NULL,
		.index = run->index++,
		.enough = &run->enough,
		.list = input->list,
		.list_count = input->list_count,
	};
	struct err *err =
		dcmd_invoke(run->dcmd, &call, run->argc, argv, run->out);

	if (err && err_code(err) == ERR_USAGE && !run->pipeline->usage)
		run->pipeline->usage = run->dcmd;
	if (err && input->has_address && !input->piped)
		err = radix_hint_error(session, err, input->address);
	session->last = input->address;
	return err;
}

static bool stopped(const struct run *run)
{
	return run->pipeline->err || run->enough || run->out->failed ||
	       session_interrupted(run->pipeline->session);
}

static struct err *run_command(struct run *run, const struct input *input)
{
	struct arena arena = { 0 };
	const char **argv = run->argv;
	struct err *err = NULL;
	uint64_t times = run->dcmd->takes_count ? 1 : input->count;

	if (!argv)
		err = make_argv(run, &arena, &argv);
	for (uint64_t i = 0; !err && i < times && !stopped(run); i++)
		err = invoke(run, input, argv);
	arena_deinit(&arena);
	return err;
}

static struct err *assign(struct session *session, const struct stage *stage,
			  uint64_t value)
{
	if (stage->size < sizeof(value))
		value &= (UINT64_C(1) << stage->size * 8) - 1;
	return variables_set(session->variables, stage->name, value);
}

static struct err *run_stage(struct run *run, struct input *input)
{
	struct session *session = run->pipeline->session;
	const struct stage *stage = run->stage;
	struct err *err = read_input(run, input);

	if (err)
		return err;
	switch (stage->kind) {
	case STAGE_VALUE:
		sink_table(run->out, &value_table);
		SINK_ROW(run->out, ADDRESS(input->address));
		return NULL;
	case STAGE_ASSIGN:
		return assign(session, stage, input->address);
	case STAGE_FORMAT_MEMORY:
	case STAGE_FORMAT_FILE:
		return format_memory(
			session, stage->items, input->address, input->count,
			stage->kind == STAGE_FORMAT_FILE, run->out);
	case STAGE_FORMAT_VALUE:
		return format_value(session, stage->items, input->address,
				    run->out);
	case STAGE_COMMAND:
		break;
	}
	const struct expression *outer = session->address_expression;
	session->address_expression = stage->address;
	err = run_command(run, input);
	session->address_expression = outer;
	return err;
}

/* Keep the first error: what happened in the stage that failed. */
static void fail(struct pipeline *pipeline, struct err *err)
{
	if (pipeline->err)
		err_free(err);
	else
		pipeline->err = err;
}

static struct err *append(struct run *run, uint64_t value)
{
	if (run->list_count == run->list_capacity) {
		size_t capacity =
			run->list_capacity ? run->list_capacity * 2 : 256;
		uint64_t *list =
			reallocarray(run->list, capacity, sizeof(*list));

		if (!list)
			return err_new(ERR_NO_MEMORY,
				       "out of memory for %zu values",
				       run->list_count);
		run->list = list;
		run->list_capacity = capacity;
	}
	run->list[run->list_count++] = value;
	return NULL;
}

static bool receive(void *context, uint64_t value)
{
	struct run *run = context;
	struct input input = { .address = value,
			       .has_address = true,
			       .piped = true };

	if (run->dcmd && run->dcmd->takes_list) {
		fail(run->pipeline, append(run, value));
	} else {
		run->pipeline->session->dot = value;
		fail(run->pipeline, run_stage(run, &input));
	}
	return !stopped(run);
}

/* The stages that were waiting for the whole list. */
static void run_lists(struct run *run)
{
	for (; run; run = run->next) {
		struct input input = { .piped = true,
				       .count = 1,
				       .list = run->list,
				       .list_count = run->list_count };

		if (run->dcmd && run->dcmd->takes_list &&
		    (run->list_count || run->dcmd->takes_empty) &&
		    !stopped(run)) {
			input.address = run->list_count ? run->list[0] : 0;
			fail(run->pipeline, run_command(run, &input));
		}
	}
}

static void run_all(struct run *first)
{
	struct session *session = first->pipeline->session;
	struct input input = { 0 };

	fail(first->pipeline, run_stage(first, &input));
	run_lists(first->next);
	if (first->next) /* not the last value that came through */
		session->dot = input.address;
}

static void free_lists(struct run *run)
{
	for (; run; run = run->next)
		free(run->list);
}

struct err *pipeline_run(struct session *session, const struct stage *stages,
			 struct sink *out, const struct dcmd **usage)
{
	struct pipeline pipeline = { .session = session };
	struct run *first = NULL;
	struct err *err = prepare(&pipeline, stages, out, &first);

	if (err)
		fail(&pipeline, err);
	else if (first)
		run_all(first);
	*usage = pipeline.usage;
	free_lists(first);
	arena_deinit(&pipeline.arena);
	return pipeline.err;
}
