/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/suppressions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	ALL_KINDS = SUPPRESS_DEFINITE | SUPPRESS_POSSIBLE | SUPPRESS_INDIRECT,
	PATTERNS_MAX = 64, /* of one rule; valgrind has 24 */
};

struct reader {
	struct suppressions *set;
	const char *path;
	const char *program; /* as in a rule */
	FILE *file;
	char *line; /* without spaces around it */
	char *buffer;
	size_t size;
	unsigned number;
	struct suppression *rule; /* being read */
	struct pattern patterns[PATTERNS_MAX];
	size_t count;
};

static struct err *refuse(const struct reader *reader, const char *why)
{
	return err_new(ERR_USAGE, "%s:%u: %s", reader->path, reader->number,
		       why);
}

/* False: no line is left. */
static bool next_line(struct reader *reader)
{
	while (getline(&reader->buffer, &reader->size, reader->file) > 0) {
		char *line = reader->buffer + strspn(reader->buffer, " \t");
		size_t length = strlen(line);
		reader->number++;
		while (length && strchr(" \t\r\n", line[length - 1]))
			line[--length] = '\0';
		reader->line = line;
		if (length && *line != '#')
			return true;
	}
	return false;
}

static struct err *start_rule(struct reader *reader, const char *text)
{
	struct arena *arena = reader->set->arena;
	struct suppression *rule = arena_alloc(arena, sizeof(*rule));

	if (!rule)
		return err_new(ERR_NO_MEMORY, "out of memory");
	rule->text = arena_text(arena, text, strlen(text));
	rule->file = reader->path;
	rule->line = reader->number;
	rule->program = reader->program;
	rule->kinds = ALL_KINDS;
	reader->rule = rule;
	reader->count = 0;
	return rule->text ? NULL : err_new(ERR_NO_MEMORY, "out of memory");
}

static struct err *end_rule(struct reader *reader)
{
	struct suppression *rule = reader->rule;

	if (!reader->count)
		return refuse(reader, "a rule without a pattern hides all");
	rule->patterns = arena_array(reader->set->arena, reader->count,
				     sizeof(*rule->patterns));
	if (!rule->patterns)
		return err_new(ERR_NO_MEMORY, "out of memory");
	memcpy(rule->patterns, reader->patterns,
	       reader->count * sizeof(*rule->patterns));
	rule->pattern_count = reader->count;
	*reader->set->last = rule;
	reader->set->last = &rule->next;
	return NULL;
}

static struct err *add_pattern(struct reader *reader, enum pattern_kind kind,
			       const char *glob)
{
	if (reader->count == PATTERNS_MAX)
		return refuse(reader, "more than 64 patterns in a rule");
	glob = arena_text(reader->set->arena, glob, strlen(glob));
	if (!glob)
		return err_new(ERR_NO_MEMORY, "out of memory");
	reader->patterns[reader->count++] =
		(struct pattern){ .kind = kind, .glob = glob };
	return NULL;
}

/* leak:TEMPLATE, which becomes a glob for the whole text. */
static struct err *read_template(struct reader *reader)
{
	const char *text = reader->line + strlen("leak:");
	size_t length = strlen(text);
	bool start = *text == '^', end = length && text[length - 1] == '$';
	struct err *err;

	text += start;
	length = strlen(text) - (end && *text);
	if (!length)
		return refuse(reader, "a template without text hides all");
	err = start_rule(reader, reader->line);
	char *glob =
		arena_print(reader->set->arena, "%s%.*s%s", start ? "" : "*",
			    (int)length, text, end ? "" : "*");
	if (!err && !glob)
		err = err_new(ERR_NO_MEMORY, "out of memory");
	if (!err)
		err = add_pattern(reader, PATTERN_TEMPLATE, glob);
	return err ? err : end_rule(reader);
}

/* "definite,possible"; reachable memory is no leak here. */
static struct err *read_kinds(struct reader *reader, char *list)
{
	static const struct {
		const char *name;
		unsigned bits;
	} kinds[] = {
		{ "definite", SUPPRESS_DEFINITE },
		{ "possible", SUPPRESS_POSSIBLE },
		{ "indirect", SUPPRESS_INDIRECT },
		{ "reachable", 0 },
		{ "all", ALL_KINDS },
		{ "none", 0 },
	};
	char *rest = list;

	reader->rule->kinds = 0;
	for (char *word; (word = strsep(&rest, ", "));) {
		size_t i = 0, count = sizeof(kinds) / sizeof(kinds[0]);
		while (*word && i < count && strcmp(kinds[i].name, word) != 0)
			i++;
		if (i == count)
			return refuse(reader, "no kind of leak");
		if (*word)
			reader->rule->kinds |= kinds[i].bits;
	}
	return NULL;
}

/* A file, or one line of it: foo.c:12. */
static struct err *read_source(struct reader *reader, char *text)
{
	char *colon = strrchr(text, ':');
	unsigned line = 0;

	if (colon && colon[1] && !colon[1 + strspn(colon + 1, "0123456789")]) {
		line = (unsigned)strtoul(colon + 1, NULL, 10);
		*colon = '\0';
	}
	struct err *err = add_pattern(reader, PATTERN_SOURCE, text);

	if (!err)
		reader->patterns[reader->count - 1].line = line;
	return err;
}

static struct err *read_frame(struct reader *reader)
{
	char *line = reader->line;

	if (strcmp(line, "...") == 0)
		return add_pattern(reader, PATTERN_GAP, "");
	if (strncmp(line, "fun:", 4) == 0) {
		/* dlopen@@GLIBC_2.34: versions are not looked at. */
		line[strcspn(line, "@")] = '\0';
		return add_pattern(reader, PATTERN_FUNCTION, line + 4);
	}
	if (strncmp(line, "obj:", 4) == 0)
		return add_pattern(reader, PATTERN_MODULE, line + 4);
	if (strncmp(line, "src:", 4) == 0)
		return read_source(reader, line + 4);
	if (strncmp(line, "match-leak-kinds:", 17) == 0)
		return read_kinds(reader, line + 17);
	return refuse(reader, "no fun:, obj:, src:, ... nor match-leak-kinds:");
}

/* From its '{' to its '}'; one for other errors than leaks is left out. */
static struct err *read_block(struct reader *reader)
{
	struct err *err = NULL;

	if (!next_line(reader))
		return refuse(reader, "the block does not end");
	err = start_rule(reader, reader->line);
	if (err)
		return err;
	reader->rule->ordered = true;
	if (!next_line(reader))
		return refuse(reader, "the block does not end");
	bool ours = strstr(reader->line, "Memcheck") &&
		    strstr(reader->line, ":Leak");
	while (next_line(reader)) {
		if (strcmp(reader->line, "}") == 0)
			return ours ? end_rule(reader) : NULL;
		err = ours ? read_frame(reader) : NULL;
		if (err)
			return err;
	}
	return refuse(reader, "the block does not end");
}

/* It holds to the end of that day, UTC. */
static struct err *read_date(struct reader *reader, const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (!end || *end)
		return refuse(reader, "expires is a date as 2030-12-31");
	reader->rule->expired = time(NULL) >= timegm(&tm) + 24 * 60 * 60;
	return NULL;
}

static struct err *read_limit(struct reader *reader, const char *text,
			      uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || !*ret)
		return refuse(reader, "a limit is a number above 0");
	return NULL;
}

static struct err *read_word(struct reader *reader, const char *word)
{
	static const struct {
		const char *key;
		enum pattern_kind kind;
	} keys[] = {
		{ "fun=", PATTERN_FUNCTION },
		{ "obj=", PATTERN_MODULE },
		{ "src=", PATTERN_SOURCE },
		{ "cache=", PATTERN_CACHE },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t length = strlen(keys[i].key);
		if (strncmp(word, keys[i].key, length) == 0)
			return add_pattern(reader, keys[i].kind, word + length);
	}
	if (strncmp(word, "max_count=", 10) == 0)
		return read_limit(reader, word + 10, &reader->rule->max_count);
	if (strncmp(word, "max_bytes=", 10) == 0)
		return read_limit(reader, word + 10, &reader->rule->max_bytes);
	if (strncmp(word, "expires=", 8) == 0)
		return read_date(reader, word + 8);
	return refuse(reader, "no such key");
}

static struct err *read_words(struct reader *reader)
{
	struct err *err = start_rule(reader, reader->line);
	char *rest = reader->line + strlen("suppress ");

	for (char *word; !err && (word = strsep(&rest, " \t"));)
		if (*word)
			err = read_word(reader, word);
	return err ? err : end_rule(reader);
}

static struct err *read_rule(struct reader *reader)
{
	if (strncmp(reader->line, "leak:", 5) == 0)
		return read_template(reader);
	if (strcmp(reader->line, "{") == 0)
		return read_block(reader);
	if (strncmp(reader->line, "suppress ", 9) == 0)
		return read_words(reader);
	return refuse(reader, "no suppression: leak:, { or suppress");
}

static struct err *read_rules(struct reader *reader)
{
	struct suppressions *set = reader->set;
	struct err *err = NULL;

	if (!set->last)
		set->last = &set->first;
	if (!reader->file)
		return err_new(ERR_IO, "%s: %s", reader->path, strerror(errno));
	while (!err && next_line(reader))
		err = read_rule(reader);
	if (!err && ferror(reader->file))
		err = err_new(ERR_IO, "%s: %s", reader->path, strerror(EIO));
	fclose(reader->file);
	free(reader->buffer);
	return err;
}

struct err *suppressions_read(struct suppressions *set, const char *path)
{
	struct reader reader = { .set = set,
				 .path = path,
				 .file = fopen(path, "re") };

	return read_rules(&reader);
}

static bool is_read(const struct suppressions *set, const char *program)
{
	for (const struct suppression *rule = set->first; rule;
	     rule = rule->next)
		if (rule->program && strcmp(rule->program, program) == 0)
			return true;
	return false;
}

struct err *suppressions_read_program(struct suppressions *set,
				      const char *program, const char *text)
{
	if (!*text || is_read(set, program))
		return NULL;
	const char *path = arena_print(
		set->arena, "%s: __lsan_default_suppressions()", program);
	if (!path)
		return err_new(ERR_NO_MEMORY, "out of memory");
	struct reader reader = {
		.set = set,
		.path = path,
		.program = program,
		.file = fmemopen((void *)(uintptr_t)text, strlen(text), "r"),
	};

	return read_rules(&reader);
}
