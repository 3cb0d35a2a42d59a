/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/options.h"

#include <assert.h>
#include <string.h>

struct words {
	struct session *session;
	const struct dcmd *dcmd;
	int argc;
	const char *const *argv;
	int at;
	unsigned char *options;
};

static const struct option *find_letter(const struct dcmd *dcmd, char letter)
{
	for (size_t i = 0; i < dcmd->option_count; i++)
		if (dcmd->options[i].letter == letter)
			return &dcmd->options[i];
	return NULL;
}

static const struct option *find_name(const struct dcmd *dcmd, const char *name,
				      size_t length)
{
	for (size_t i = 0; i < dcmd->option_count; i++) {
		const char *known = dcmd->options[i].name;

		if (known && strlen(known) == length &&
		    memcmp(known, name, length) == 0)
			return &dcmd->options[i];
	}
	return NULL;
}

static struct err *store(struct words *words, const struct option *option,
			 const char *text)
{
	unsigned char *slot = words->options + option->offset;
	uint64_t number;

	switch (option->kind) {
	case OPTION_FLAG:
		memcpy(slot, &(bool){ true }, sizeof(bool));
		return NULL;
	case OPTION_TEXT:
		memcpy(slot, &text, sizeof(text));
		return NULL;
	case OPTION_NUMBER:
	case OPTION_SYMBOL:
		break;
	}
	struct err *err =
		option->kind == OPTION_SYMBOL
			? session_evaluate_symbol(words->session, text, &number)
			: session_evaluate(words->session, text, &number);
	if (err)
		return err_wrap(err, "%s '%s'", option->argument, text);
	memcpy(slot, &number, sizeof(number));
	return NULL;
}

/* The option's argument is attached, or the next word. */
static struct err *store_argument(struct words *words,
				  const struct option *option,
				  const char *attached, const char *shown)
{
	if (!attached && words->at + 1 < words->argc)
		attached = words->argv[++words->at];
	if (!attached)
		return err_new(ERR_USAGE, "option %s needs %s %s", shown,
			       strchr("aeio", option->argument[0]) ? "an" : "a",
			       option->argument);
	return err_wrap(store(words, option, attached), "option %s", shown);
}

static struct err *parse_letters(struct words *words, const char *letters)
{
	for (; *letters; letters++) {
		const struct option *option =
			find_letter(words->dcmd, *letters);
		char shown[] = { '-', *letters, '\0' };

		if (!option)
			return err_new(ERR_USAGE, "unknown option %s", shown);
		if (option->kind != OPTION_FLAG)
			return store_argument(words, option,
					      letters[1] ? letters + 1 : NULL,
					      shown);
		struct err *err = store(words, option, NULL);
		if (err)
			return err;
	}
	return NULL;
}

static struct err *parse_name(struct words *words, const char *word)
{
	size_t length = strcspn(word + 2, "=");
	const char *value = word[2 + length] ? word + 2 + length + 1 : NULL;
	const struct option *option = find_name(words->dcmd, word + 2, length);

	if (!option)
		return err_new(ERR_USAGE, "unknown option --%.*s", (int)length,
			       word + 2);
	if (option->kind == OPTION_FLAG && value)
		return err_new(ERR_USAGE, "option --%s takes no value",
			       option->name);
	if (option->kind == OPTION_FLAG)
		return store(words, option, NULL);
	return store_argument(words, option, value, word);
}

struct err *options_parse(struct session *session, const struct dcmd *dcmd,
			  int argc, const char *const *argv, void *options,
			  int *ret)
{
	struct words words = { session, dcmd, argc, argv, 0, options };
	struct err *err = NULL;

	for (; dcmd->option_count && words.at < argc; words.at++) {
		const char *word = argv[words.at];

		if (word[0] != '-' || !word[1])
			break;
		if (strcmp(word, "--") == 0) {
			words.at++;
			break;
		}
		err = word[1] == '-' ? parse_name(&words, word)
				     : parse_letters(&words, word + 1);
		if (err)
			return err;
	}
	*ret = words.at;
	return NULL;
}
