/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::set - how this session shows things. */
#include "kdbg/dcmds/dcmds.h"

#include <string.h>

static const struct column set_columns[] = {
	{ "NAME", VALUE_TEXT, .width = 10 },
	{ "VALUE", VALUE_TEXT, .width = 10 },
	{ "MEANING", VALUE_TEXT },
};

static const struct table set_tables[] = { { "default", set_columns, 3 } };

/* A setting is one of two words, the first meaning false. */
struct setting {
	const char *name;
	const char *words[2];
	const char *meaning;
	bool *(*where)(struct session *session, struct sink *out);
};

static bool *where_syntax(struct session *session, struct sink *out)
{
	(void)out;
	return &session->intel_syntax;
}

static bool *where_pager(struct session *session, struct sink *out)
{
	(void)out;
	return &session->pager;
}

static bool *where_wide(struct session *session, struct sink *out)
{
	(void)session;
	return &out->wide;
}

static const struct setting settings[] = {
	{ "pager",
	  { "off", "on" },
	  "output longer than the terminal goes through $PAGER",
	  where_pager },
	{ "syntax",
	  { "att", "intel" },
	  "of instructions, in ::dis and /i",
	  where_syntax },
	{ "wide", { "off", "on" }, "all columns of tables", where_wide },
};

enum { SETTING_COUNT = sizeof(settings) / sizeof(settings[0]) };

static struct err *change(const struct setting *setting, const char *value,
			  bool *where)
{
	for (int i = 0; i < 2; i++)
		if (strcmp(value, setting->words[i]) == 0) {
			*where = i;
			return NULL;
		}
	return err_new(ERR_USAGE, "%s is %s or %s", setting->name,
		       setting->words[0], setting->words[1]);
}

static struct err *change_named(const struct dcmd_call *call, const char *word,
				struct sink *out)
{
	size_t length = strcspn(word, "=");

	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strlen(settings[i].name) == length &&
		    strncmp(settings[i].name, word, length) == 0)
			return change(&settings[i],
				      word[length] ? word + length + 1 : "",
				      settings[i].where(call->session, out));
	return err_new(ERR_USAGE, "no setting is called %.*s", (int)length,
		       word);
}

static struct err *set_run(const struct dcmd_call *call, struct sink *out)
{
	struct err *err = NULL;

	for (int i = 0; i < call->argc && !err; i++)
		err = change_named(call, call->argv[i], out);
	for (size_t i = 0; !call->argc && i < SETTING_COUNT; i++) {
		const struct setting *s = &settings[i];
		bool value = *s->where(call->session, out);

		SINK_ROW(out, TEXT(s->name), TEXT(s->words[value]),
			 TEXT(s->meaning));
	}
	return err;
}

const struct dcmd dcmd_set = {
	.name = "set",
	.summary = "show or change how things are shown",
	.help = "Without arguments the settings as they are. In ~/.kdbgrc the "
		"command sets them for every session.",
	.example = "::set syntax=intel",
	.arguments = "[name=value ...]",
	.tables = set_tables,
	.table_count = 1,
	.run = set_run,
};
