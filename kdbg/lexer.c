/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/lexer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_name_start(char c)
{
	return isalpha((unsigned char)c) || c == '_' || c == '.';
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '`';
}

void lexer_skip_blanks(struct lexer *lexer)
{
	const char *text = lexer->text;

	for (;;) {
		char c = text[lexer->at];

		if (c == ' ' || c == '\t' || c == '\r')
			lexer->at++;
		else if (c == '/' && text[lexer->at + 1] == '/')
			lexer->at += strcspn(text + lexer->at, "\n");
		else
			return;
	}
}

bool lexer_at_stage_end(const struct lexer *lexer)
{
	char c = lexer->text[lexer->at];

	return c == '\0' || c == '\n' || c == ';' || c == '|' || c == '!';
}

static int octal_or_hex(const char *s, size_t digits, int base, size_t *used)
{
	char piece[4] = { 0 };
	char *end;

	for (size_t i = 0; i < digits && isxdigit((unsigned char)s[i]); i++)
		piece[i] = s[i];
	int value = (int)strtol(piece, &end, base);
	*used = (size_t)(end - piece);
	return value;
}

/* The character after a backslash; *used characters long. */
static char unescape(const char *s, size_t *used)
{
	static const char letters[] = "abfnrtve";
	static const char meanings[] = "\a\b\f\n\r\t\v\033";
	const char *letter = strchr(letters, *s);

	*used = 1;
	if (letter && *s)
		return meanings[letter - letters];
	if (*s >= '0' && *s <= '7')
		return (char)octal_or_hex(s, 3, 8, used);
	if (*s == 'x' && isxdigit((unsigned char)s[1])) {
		char c = (char)octal_or_hex(s + 1, 2, 16, used);

		++*used;
		return c;
	}
	return *s;
}

/* Where the quote at s ends; 0: nowhere. */
static size_t quote_end(const char *s, bool escapes)
{
	for (size_t i = 1; s[i] && s[i] != '\n'; i++) {
		if (s[i] == s[0])
			return i;
		if (escapes && s[i] == '\\' && s[i + 1] && s[i + 1] != '\n')
			i++;
	}
	return 0;
}

static bool take_quoted(struct lexer *lexer, bool escapes, const char **ret,
			size_t *length)
{
	const char *s = lexer->text + lexer->at;
	size_t end = quote_end(s, escapes);
	char *text = end ? arena_alloc(lexer->arena, end) : NULL;
	size_t used;

	if (!text)
		return false;
	*length = 0;
	for (size_t i = 1; i < end; i += used) {
		used = 1;
		if (escapes && s[i] == '\\') {
			text[(*length)++] = unescape(s + i + 1, &used);
			used++;
		} else {
			text[(*length)++] = s[i];
		}
	}
	*ret = text;
	lexer->at += end + 1;
	return true;
}

bool lexer_quoted(struct lexer *lexer, const char **text, size_t *length)
{
	return take_quoted(lexer, lexer->text[lexer->at] == '"', text, length);
}

static void finish(struct lexer *lexer, struct token *token, size_t start,
		   size_t end)
{
	token->text =
		arena_text(lexer->arena, lexer->text + start, end - start);
	token->length = end - start;
	token->span.end = end;
	lexer->at = end;
	if (!token->text)
		token->kind = TOKEN_UNFINISHED;
}

static size_t name_end(const char *text, size_t at)
{
	while (is_name(text[at]))
		at++;
	return at;
}

static size_t number_end(const char *text, size_t at)
{
	bool real =
		text[at] == '0' && (text[at + 1] == 't' || text[at + 1] == 'T');

	while (isalnum((unsigned char)text[at]) || (real && text[at] == '.'))
		at++;
	return at;
}

static bool take_operand(struct lexer *lexer, struct token *token)
{
	const char *text = lexer->text;
	size_t at = lexer->at;
	char c = text[at];

	if (c == '<' && (is_name_start(text[at + 1]) ||
			 isdigit((unsigned char)text[at + 1]))) {
		token->kind = TOKEN_VARIABLE;
		finish(lexer, token, at + 1, name_end(text, at + 1));
		return true;
	}
	if (c != '\'' && c != '"')
		return false;
	token->kind = c == '"' ? TOKEN_STRING : TOKEN_CHARS;
	if (!take_quoted(lexer, true, &token->text, &token->length))
		token->kind = TOKEN_UNFINISHED;
	token->span.end = lexer->at;
	return true;
}

static size_t operator_length(const char *s)
{
	static const char *const pairs[] = { "||", "&&", "==", "!=", "<<",
					     ">>", "<=", ">=", "->" };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (strncmp(s, pairs[i], 2) == 0)
			return 2;
	return 1;
}

/* "::name", "::module`name"; "$c", "$<", "$" alone; ":c". */
static void take_verb(struct lexer *lexer, struct token *token)
{
	const char *text = lexer->text;
	size_t at = lexer->at;

	if (text[at] == ':' && text[at + 1] == ':') {
		size_t start = at + 2;
		size_t end = start;

		while (is_name(text[end]))
			end++;
		token->kind = TOKEN_DCMD;
		finish(lexer, token, start, end);
		return;
	}
	size_t end = at + 1;
	if (text[end] && !strchr(" \t\r\n;|!", text[end]))
		end++;
	if (end == at + 2 && text[at + 1] == '<' && text[at + 2] == '<')
		end++;
	token->kind = TOKEN_VERB;
	finish(lexer, token, at, end);
}

struct token lexer_next(struct lexer *lexer, enum token_place place)
{
	lexer_skip_blanks(lexer);

	const char *text = lexer->text;
	size_t at = lexer->at;
	char c = text[at];
	struct token token = { TOKEN_END, { at, at }, "", 0 };

	if (c == '\0' || c == '\n' || c == ';')
		return token;
	if (isdigit((unsigned char)c)) {
		token.kind = TOKEN_NUMBER;
		finish(lexer, &token, at, number_end(text, at));
	} else if (is_name_start(c)) {
		token.kind = TOKEN_NAME;
		finish(lexer, &token, at, name_end(text, at));
	} else if (c == ':' || c == '$') {
		take_verb(lexer, &token);
	} else if (place == PLACE_OPERATOR || !take_operand(lexer, &token)) {
		token.kind = TOKEN_OPERATOR;
		finish(lexer, &token, at,
		       at + (place == PLACE_OPERATOR
				     ? operator_length(text + at)
				     : 1));
	}
	return token;
}
