/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::getenv - the environment of the process. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/symbols.h"
#include "kdbg/target_environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLES_MAX = 100000, TEXT_MAX = 128 << 10 };

struct getenv_options {
	bool initial;
};

static const struct option getenv_options[] = {
	{ 't', "initial", OPTION_FLAG, offsetof(struct getenv_options, initial),
	  NULL, "as it was when the program began, not as it is now" },
};

static const struct column getenv_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "NAME", VALUE_TEXT },
	{ "VALUE", VALUE_TEXT },
};

static const struct table getenv_tables[] = {
	{ "default", getenv_columns, 3, .no_header = true },
};

/* The C library's variable leads to it, wherever setenv() has moved it. */
static struct err *current_environment(const struct dcmd_call *call,
				       uint64_t *ret)
{
	struct symbols *symbols;
	struct symbol symbol;
	uint64_t variable;
	struct err *err = session_symbols(call->session, &symbols);

	if (!err)
		err = symbols_find(symbols, "environ", &symbol, &variable);
	if (!err)
		err = target_read_uint(call->session->target, variable, 8, ret);
	return err;
}

static struct err *find(const struct dcmd_call *call, struct sink *out,
			uint64_t *ret)
{
	const struct getenv_options *options = call->options;
	struct err *err = NULL;

	*ret = 0;
	if (!options->initial) {
		err = current_environment(call, ret);
		if (!err && *ret)
			return NULL;
		sink_note(out, "environ cannot be read: as the program began");
		err_free(err);
	}
	return target_environment(call->session->target, ret);
}

static bool is_wanted(const struct dcmd_call *call, const char *text,
		      size_t length)
{
	for (int i = 0; i < call->argc; i++)
		if (strlen(call->argv[i]) == length &&
		    memcmp(call->argv[i], text, length) == 0)
			return true;
	return call->argc == 0;
}

/* True: it was one of those asked for. */
static bool emit(const struct dcmd_call *call, const uint64_t *address,
		 const char *text, struct sink *out)
{
	size_t length = strcspn(text, "=");

	if (!is_wanted(call, text, length))
		return false;
	char *name = strndup(text, length);
	const char *value = text[length] ? text + length + 1 : "";
	SINK_ROW_AS(out, text,
		    address ? ADDRESS(*address) : ABSENT(VALUE_ADDRESS),
		    TEXT(name), TEXT(value));
	free(name);
	return true;
}

static struct err *each(const struct dcmd_call *call, uint64_t at,
			struct sink *out, size_t *found)
{
	struct target *target = call->session->target;
	char *text = malloc(TEXT_MAX);
	struct err *err = text ? NULL : err_new(ERR_NO_MEMORY, "a text");

	for (size_t i = 0; i < VARIABLES_MAX && !err && !out->failed; i++) {
		uint64_t address = 0;

		err = target_read_uint(target, at + 8 * i, 8, &address);
		if (err || !address)
			break;
		err = target_read_text(target, address, text, TEXT_MAX);
		if (!err)
			*found += emit(call, &address, text, out);
	}
	free(text);
	return err;
}

/* As it was saved beside the memory. */
static void each_saved(const struct dcmd_call *call, struct sink *out,
		       size_t *found)
{
	const struct target *target = call->session->target;
	size_t at = 0;

	while (at < target->environment_size && !out->failed) {
		const char *text = target->environment + at;
		size_t length = strnlen(text, target->environment_size - at);
		char *copy = strndup(text, length);

		if (copy && *copy)
			*found += emit(call, NULL, copy, out);
		free(copy);
		at += length + 1;
	}
}

static struct err *getenv_run(const struct dcmd_call *call, struct sink *out)
{
	uint64_t at;
	size_t found = 0;
	struct err *err;

	if (!call->session->target)
		return err_new(ERR_NOT_FOUND, "no target is open");
	err = find(call, out, &at);
	if (!err)
		err = each(call, at, out, &found);
	if (err && !found && call->session->target->environment_size) {
		err_free(err); /* its memory is not here */
		err = NULL;
		each_saved(call, out, &found);
	}
	if (!err && call->argc && !found)
		err = err_new(ERR_NOT_FOUND, "%s is not set", call->argv[0]);
	return err;
}

const struct dcmd dcmd_getenv = {
	.name = "getenv",
	.aliases = (const char *const[]){ "env", NULL },
	.summary = "the environment of the process",
	.help = "All of it, or the variables named. A dump of level meta has "
		"none.",
	.example = "::getenv PATH",
	.arguments = "[name ...]",
	.options = getenv_options,
	.option_count = 1,
	.options_size = sizeof(struct getenv_options),
	.tables = getenv_tables,
	.table_count = 1,
	.run = getenv_run,
};
