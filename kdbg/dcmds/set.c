/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::set and its short forms - how this session shows things. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct column set_columns[] = {
	{ "NAME", VALUE_TEXT, .width = 16 },
	{ "VALUE", VALUE_TEXT, .width = 10 },
	{ "MEANING", VALUE_TEXT },
};

static const struct table set_tables[] = { { "default", set_columns, 3 } };

enum setting_kind {
	SETTING_SWITCH, /* bool */
	SETTING_NUMBER, /* uint64_t */
	SETTING_TEXT,   /* char *, ours; NULL: the usual */
};

struct setting {
	const char *name;
	enum setting_kind kind;
	const char *words[2]; /* a switch's, the first for false */
	const char *special;  /* what one value is called */
	uint64_t special_value;
	size_t offset; /* in struct session; wide's is in the sink */
	const char *meaning;
};

#define IN_SESSION(member) .offset = offsetof(struct session, member)
#define OFF_OR_ON          .words = { "off", "on" }

#define IN_SINK SIZE_MAX

static const struct setting settings[] = {
	{ "array_mem_limit", SETTING_NUMBER, .special = "none",
	  .special_value = UINT64_MAX, IN_SESSION(array_mem_limit),
	  .meaning = "elements of an array that ::print shows" },
	{ "array_str_limit", SETTING_NUMBER, .special = "none",
	  .special_value = UINT64_MAX, IN_SESSION(array_str_limit),
	  .meaning = "characters of a string that ::print shows" },
	{ "demangle", SETTING_SWITCH, .words = { "on", "off" },
	  IN_SESSION(symbols_style.mangled),
	  .meaning = "C++ names as a person writes them" },
	{ "distance", SETTING_NUMBER, .special = "smart",
	  IN_SESSION(symbols_style.distance),
	  .meaning = "from a symbol on: smart is as far as its size" },
	{ "ignoreeof", SETTING_SWITCH, OFF_OR_ON, IN_SESSION(ignore_eof),
	  .meaning = "Ctrl-D does not leave" },
	{ "macros", SETTING_TEXT, .special = "", IN_SESSION(macro_path),
	  .meaning = "where ::source looks, too: DIR:DIR" },
	{ "modules", SETTING_TEXT, .special = "", IN_SESSION(module_path),
	  .meaning = "where ::load looks, too: DIR:DIR" },
	{ "pager", SETTING_SWITCH, OFF_OR_ON, IN_SESSION(pager),
	  .meaning = "output longer than the terminal goes through $PAGER" },
	{ "prompt", SETTING_TEXT, .special = "> ", IN_SESSION(prompt),
	  .meaning = "what stands before a line that is typed" },
	{ "repeatlast", SETTING_SWITCH, OFF_OR_ON, IN_SESSION(repeat_last),
	  .meaning = "an empty line runs the last command again" },
	{ "syntax", SETTING_SWITCH, .words = { "att", "intel" },
	  IN_SESSION(intel_syntax),
	  .meaning = "of instructions, in ::dis and /i" },
	{ "wide", SETTING_SWITCH, OFF_OR_ON, .offset = IN_SINK,
	  .meaning = "all columns of tables" },
	{ "width", SETTING_NUMBER, .special = "terminal", IN_SESSION(columns),
	  .meaning = "of lines; from 132 on tables are wide" },
};

enum { SETTING_COUNT = sizeof(settings) / sizeof(settings[0]) };

/* What is set, and where. */
struct place {
	const struct dcmd_call *call;
	struct sink *out;
	int at; /* the next word */
};

static void *where(const struct place *place, const struct setting *setting)
{
	if (setting->offset == IN_SINK)
		return &place->out->wide;
	return (char *)place->call->session + setting->offset;
}

static const struct setting *find(const char *name, size_t length)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strlen(settings[i].name) == length &&
		    strncmp(settings[i].name, name, length) == 0)
			return &settings[i];
	return NULL;
}

static struct err *find_named(const char *word, const struct setting **ret)
{
	size_t length = strcspn(word, "=");

	*ret = find(word, length);
	if (*ret)
		return NULL;
	return err_new(ERR_USAGE,
		       "no setting is called %.*s; ::set alone lists them",
		       (int)length, word);
}

static void show(const struct place *place, const struct setting *setting)
{
	const void *from = where(place, setting);
	const char *text = setting->special;
	char number[32];

	if (setting->kind == SETTING_SWITCH) {
		text = setting->words[*(const bool *)from];
	} else if (setting->kind == SETTING_TEXT) {
		if (*(char *const *)from)
			text = *(char *const *)from;
	} else if (*(const uint64_t *)from != setting->special_value) {
		snprintf(number, sizeof(number), "0t%" PRIu64,
			 *(const uint64_t *)from);
		text = number;
	}
	SINK_ROW(place->out, TEXT(setting->name), TEXT(text),
		 TEXT(setting->meaning));
}

static struct err *change_switch(const struct setting *setting,
				 const char *value, bool *to)
{
	for (int i = 0; i < 2; i++)
		if (strcmp(value, setting->words[i]) == 0) {
			*to = i;
			return NULL;
		}
	if (strcmp(value, "toggle") != 0)
		return err_new(ERR_USAGE, "%s is %s or %s", setting->name,
			       setting->words[0], setting->words[1]);
	*to = !*to;
	return NULL;
}

static struct err *change_text(const char *value, char **to)
{
	char *copy = strdup(value);

	if (!copy)
		return err_new(ERR_NO_MEMORY, "out of memory");
	free(*to);
	*to = copy;
	return NULL;
}

/* A width that is set tells which tables are wide. */
static void follow_width(const struct place *place)
{
	uint64_t set = place->call->session->columns;
	unsigned columns = set ? (unsigned)set : terminal_columns();

	place->out->columns = columns;
	place->out->wide = columns >= WIDE_COLUMNS;
}

static struct err *change(const struct place *place,
			  const struct setting *setting, const char *value)
{
	struct session *session = place->call->session;
	void *to = where(place, setting);
	struct err *err = NULL;

	if (setting->kind == SETTING_SWITCH)
		return change_switch(setting, value, to);
	if (setting->kind == SETTING_TEXT)
		return change_text(value, to);
	if (strcmp(value, setting->special) == 0)
		*(uint64_t *)to = setting->special_value;
	else
		err = err_wrap(session_evaluate(session, value, to), "%s",
			       setting->name);
	if (to == &session->columns)
		follow_width(place);
	return err;
}

/* As in 0t100$s: the address is the value. */
static struct err *change_to_address(const struct place *place,
				     const struct setting *setting)
{
	if (setting->kind != SETTING_NUMBER)
		return err_new(ERR_USAGE, "%s is no number", setting->name);
	*(uint64_t *)where(place, setting) = place->call->address;
	if (setting->offset == offsetof(struct session, columns))
		follow_width(place);
	return NULL;
}

/* The word behind the current one, which is taken; NULL: none. */
static const char *next_word(struct place *place)
{
	return place->at < place->call->argc ? place->call->argv[place->at++]
					     : NULL;
}

/* "-o name" and "+o name", or "-o name=value": mdb's way to say it. */
static struct err *change_option(struct place *place, bool on)
{
	const char *word = next_word(place);
	const struct setting *setting;

	if (!word)
		return err_new(ERR_USAGE, "%so needs the name of a setting",
			       on ? "-" : "+");
	struct err *err = find_named(word, &setting);
	if (err)
		return err;
	if (strchr(word, '='))
		return change(place, setting, strchr(word, '=') + 1);
	if (setting->kind == SETTING_NUMBER && !on)
		return change(place, setting, setting->special);
	return change(place, setting, on ? "on" : "off");
}

static struct err *change_lettered(struct place *place, const char *word)
{
	static const struct {
		const char *option, *name;
	} letters[] = { { "-I", "macros" },
			{ "-L", "modules" },
			{ "-P", "prompt" },
			{ "-s", "distance" } };
	const char *value;

	if (strcmp(word, "-o") == 0 || strcmp(word, "+o") == 0)
		return change_option(place, *word == '-');
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		if (strcmp(word, letters[i].option) != 0)
			continue;
		value = next_word(place);
		if (!value)
			return err_new(ERR_USAGE, "%s needs a value", word);
		return change(place,
			      find(letters[i].name, strlen(letters[i].name)),
			      value);
	}
	return err_new(ERR_USAGE, "unknown option %s", word);
}

/* name=value, name value, or name alone to show it. */
static struct err *take_word(struct place *place)
{
	const char *word = next_word(place), *value;
	const struct setting *setting;

	if (*word == '-' || *word == '+')
		return change_lettered(place, word);
	struct err *err = find_named(word, &setting);
	if (err)
		return err;
	if (strchr(word, '='))
		return change(place, setting, strchr(word, '=') + 1);
	if (place->call->has_address)
		return change_to_address(place, setting);
	value = place->at < place->call->argc ? place->call->argv[place->at]
					      : NULL;
	if (!value || find(value, strcspn(value, "=")) ||
	    strchr("-+", *value)) {
		show(place, setting);
		return NULL;
	}
	return change(place, setting, next_word(place));
}

static struct err *set_run(const struct dcmd_call *call, struct sink *out)
{
	struct place place = { call, out, 0 };
	struct err *err = NULL;

	if (call->has_address && call->argc != 1)
		return err_new(ERR_USAGE, "a value, but for which setting?");
	for (size_t i = 0; !call->argc && i < SETTING_COUNT; i++)
		show(&place, &settings[i]);
	while (!err && place.at < call->argc)
		err = take_word(&place);
	return err;
}

static void set_words(void (*found)(void *context, const char *word),
		      void *context)
{
	char word[64];

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *setting = &settings[i];

		if (setting->kind != SETTING_SWITCH) {
			snprintf(word, sizeof(word), "%s=", setting->name);
			found(context, word);
		}
		for (int j = 0; j < 2 && setting->kind == SETTING_SWITCH; j++) {
			snprintf(word, sizeof(word), "%s=%s", setting->name,
				 setting->words[j]);
			found(context, word);
		}
	}
}

const struct dcmd dcmd_set = {
	.name = "set",
	.aliases =
		(const char *const[]){ "$s distance", "$w width", "$P prompt",
				       "$g demangle", "$G demangle toggle",
				       "$V syntax", "dismode syntax", NULL },
	.summary = "show or change how things are shown",
	.help = "Without arguments the settings as they are; with a name that "
		"one, with a value behind it or before :: it is changed. In "
		"~/.kdbgrc the command sets them for every session.\n\n"
		"mdb's options mean the same here: -o NAME switches on, +o "
		"NAME off, -o NAME=VALUE sets a value; -s is distance, -P "
		"prompt, -I macros, -L modules. A new prompt that ends with a "
		"blank is quoted.",
	.example = "::set syntax=intel; 0t100::set distance",
	.arguments = "[name[=value] | name value | -o name[=value] | +o name | "
		     "-s distance | -P prompt | -I path | -L path] ...",
	.words = set_words,
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "value",
	.tables = set_tables,
	.table_count = 1,
	.run = set_run,
};
