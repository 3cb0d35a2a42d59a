/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/newcomers.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_SIZE = 32 };

static const struct {
	const char *typed, *means;
} lines[] = {
	{ "help", "::help" }, { "?", "::help" },    { "q", "::quit" },
	{ "quit", "::quit" }, { "exit", "::quit" },
};

char *newcomers_line(const char *line)
{
	static const char help[] = "help ";
	size_t length = strlen(line);
	char *made;

	while (length && isspace((unsigned char)line[length - 1]))
		length--;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (strlen(lines[i].typed) == length &&
		    strncmp(lines[i].typed, line, length) == 0)
			return strdup(lines[i].means);
	if (strncmp(line, help, sizeof(help) - 1) != 0)
		return strdup(line);
	return asprintf(&made, "::%s", line) < 0 ? NULL : made;
}

static const char runs[] =
	"kdbg looks at programs and does not run them: gdb -p PID does";
static const char writes[] = "kdbg looks at programs and changes nothing";
static const char kernels[] = "that is of kernels, kdbg looks at programs";

/* mdb's commands, with or without a word that says why not. */
static const struct {
	const char *names; /* with blanks around */
	const char *why;
} absent[] = {
	{ " bp delete wp sigbp sysbp fltbp events evset run cont step next "
	  "kill "
	  "dbmode $b :b :d :z :a :p :w :c :s :e :u :r :k :i :t ",
	  runs },
	{ " write setenv unsetenv $W ", writes },
	{ " context vtop $p tmodel ", kernels },
	{ " disasms ", "::set syntax=att or syntax=intel" },
	{ " showrev ", "::version, ::objects -v" },
	{ " $M $a $D $i $S ", "that is not in kdbg; ::dcmds lists what is" },
};

const char *newcomers_command(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		for (const char *at = strstr(absent[i].names, name); at;
		     at = strstr(at + 1, name))
			if (at[-1] == ' ' && at[length] == ' ')
				return absent[i].why;
	return NULL;
}

/* gdb's words; second: of "info". */
static const struct {
	const char *first, *second, *here;
} words[] = {
	{ "bt", NULL, "::stack, with source lines" },
	{ "backtrace", NULL, "::stack, with source lines" },
	{ "where", NULL, "::stack, with source lines" },
	{ "info", "threads", "::threads, ::stacks" },
	{ "info", "registers", "::regs" },
	{ "info", "sharedlibrary", "::objects" },
	{ "info", "symbol", "ADDRESS=p, ADDRESS::whatis" },
	{ "info", "functions", "::nm -t func" },
	{ "info", "variables", "::nm -t objt" },
	{ "info", "proc", "::mappings, ::status" },
	{ "info", "files", "::mappings, ::objects" },
	{ "info", "locals", "::stack -a, for what functions were called with" },
	{ "info", "args", "::stack -a" },
	{ "info", NULL, "::status, ::threads, ::regs, ::objects" },
	{ "thread", NULL, "ID::stack; ::threads lists them" },
	{ "p", NULL, "::print VARIABLE, or EXPRESSION=K" },
	{ "x", NULL, "ADDRESS/FORMAT, as in main,10/i; ::formats lists them" },
	{ "disas", NULL, "FUNCTION::dis" },
	{ "disassemble", NULL, "FUNCTION::dis" },
	{ "ptype", NULL, "::print -t TYPE, ::sizeof TYPE" },
	{ "find", NULL, "VALUE::ugrep, ::ugrep --string TEXT" },
	{ "shell", NULL, "! COMMAND" },
	{ "leaks", NULL, "::findleaks" },
	{ "frame", NULL, "::stackregs, ::stack -a" },
	{ "up", NULL, "::stackregs, ::stack -a" },
	{ "down", NULL, "::stackregs, ::stack -a" },
	{ "core", NULL, "::attach FILE" },
	{ "l", NULL, "FUNCTION::dis; ::stack tells lines of the source" },
};

/* Copies the word that text begins with; behind it, and blanks, the rest. NULL:
 * it begins with none. */
static const char *take_word(const char *text, char word[WORD_SIZE])
{
	size_t length = 0;

	while (isalnum((unsigned char)text[length]) || text[length] == '_')
		length++;
	if (!length || length >= WORD_SIZE ||
	    (text[length] && !strchr(" \t\r\n;|/", text[length])))
		return NULL;
	memcpy(word, text, length);
	word[length] = '\0';
	return text + length + strspn(text + length, " \t");
}

/* Words of a debugger that runs programs. */
static bool is_of_running(const char *word)
{
	static const char *const running[] = {
		"b",     "break", "c",       "cont",  "continue", "finish",
		"jump",  "kill",  "n",       "next",  "r",        "run",
		"s",     "step",  "stepi",   "nexti", "start",    "tbreak",
		"until", "watch", "display",
	};

	for (size_t i = 0; i < sizeof(running) / sizeof(running[0]); i++)
		if (strcmp(running[i], word) == 0)
			return true;
	return false;
}

static const char *here(const char *first, const char *second)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].first, first) == 0 &&
		    (!words[i].second || strcmp(words[i].second, second) == 0))
			return words[i].here;
	return NULL;
}

struct err *newcomers_hint(const struct session *session, const char *text,
			   struct err *err)
{
	char first[WORD_SIZE], second[WORD_SIZE] = "";
	const char *rest = err ? take_word(text, first) : NULL;

	if (!rest)
		return err;
	if (session_dcmd(session, first))
		return err_wrap(err, "commands begin with ::, as in ::%s",
				first);
	take_word(rest, second);
	if (is_of_running(first)) {
		err_free(err);
		return err_new(ERR_USAGE, "%s: %s", first, runs);
	}
	const char *ours = here(first, second);
	if (!ours)
		return err;
	err_free(err);
	return err_new(ERR_USAGE, "%s: in kdbg that is %s", first, ours);
}
