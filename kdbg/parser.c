/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/parser.h"

#include "kdbg/format.h"
#include "kdbg/parser_impl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Each runs on top of the one before it. */
enum { STAGES_MAX = 100 };

static void parser_init(struct parser *parser, const struct source *source,
			struct arena *arena)
{
	*parser = (struct parser){
		.lexer = { source->text, source->at, arena },
		.radix = source->radix,
	};
}

const struct token *parser_peek(struct parser *parser, enum token_place place)
{
	static const struct token end = { TOKEN_END, { 0, 0 }, "", 0 };

	if (parser->err)
		return &end;
	if (!parser->peeked || parser->place != place) {
		size_t at = parser->lexer.at;

		parser->token = lexer_next(&parser->lexer, place);
		parser->token_end = parser->lexer.at;
		parser->lexer.at = at;
		parser->place = place;
		parser->peeked = true;
	}
	return &parser->token;
}

void parser_take(struct parser *parser)
{
	if (parser->peeked)
		parser->lexer.at = parser->token_end;
	parser->peeked = false;
}

bool parser_at_operator(struct parser *parser, enum token_place place,
			const char *text)
{
	const struct token *token = parser_peek(parser, place);

	return token->kind == TOKEN_OPERATOR && strcmp(token->text, text) == 0;
}

void parser_fail(struct parser *parser, struct span span, const char *fmt, ...)
{
	char message[200];
	va_list args;

	if (parser->err)
		return;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	parser->err = err_new(ERR_USAGE, "%s", message);
	parser->bad = span;
}

void parser_fail_unexpected(struct parser *parser, const char *wanted)
{
	const struct token *token = parser_peek(parser, parser->place);
	int length = (int)(token->span.end - token->span.start);
	const char *text = parser->lexer.text + token->span.start;

	if (token->kind == TOKEN_UNFINISHED)
		parser_fail(parser, token->span, "a quote has no end");
	else if (token->kind == TOKEN_END)
		parser_fail(parser, token->span, "%s is missing at the end",
			    wanted);
	else if (token->kind == TOKEN_OPERATOR && strchr("<>", *text))
		parser_fail(parser, token->span,
			    "unexpected '%.*s': comparisons go in parentheses",
			    length, text);
	else
		parser_fail(parser, token->span,
			    "unexpected '%.*s' where %s should be", length,
			    text, wanted);
}

void *parser_alloc(struct parser *parser, size_t size)
{
	void *memory = arena_alloc(parser->lexer.arena, size);

	if (!memory && !parser->err)
		parser->err = err_new(ERR_NO_MEMORY, "out of memory");
	return parser->err ? NULL : memory;
}

/* The length of a word's next run of plain characters. */
static size_t plain_length(const struct lexer *lexer)
{
	const char *s = lexer->text + lexer->at;
	size_t length = 0;

	while (!strchr(" \t\r\n;|!'\"", s[length]) &&
	       !(s[length] == '$' && s[length + 1] == '['))
		length++;
	return length;
}

static struct piece *parse_piece(struct parser *parser)
{
	struct lexer *lexer = &parser->lexer;
	const char *s = lexer->text + lexer->at;
	struct piece *piece = parser_alloc(parser, sizeof(*piece));
	struct span span = { lexer->at, lexer->at + 1 };
	size_t length;

	if (!piece)
		return NULL;
	if (*s == '\'' || *s == '"') {
		if (!lexer_quoted(lexer, &piece->text, &length))
			parser_fail(parser, span, "a quote has no end");
	} else if (s[0] == '$' && s[1] == '[') {
		lexer->at += 2;
		parser->nodes = 0;
		piece->value = parser_enclosed(parser);
	} else {
		length = plain_length(lexer);
		piece->text = arena_text(lexer->arena, s, length);
		lexer->at += length;
	}
	return parser->err ? NULL : piece;
}

static bool at_word_end(const struct lexer *lexer)
{
	return lexer_at_stage_end(lexer) ||
	       strchr(" \t\r", lexer->text[lexer->at]);
}

static void parse_words(struct parser *parser, struct stage *stage)
{
	const struct word **next_word = &stage->words;

	for (;;) {
		lexer_skip_blanks(&parser->lexer);
		if (lexer_at_stage_end(&parser->lexer))
			return;
		struct word *word = parser_alloc(parser, sizeof(*word));
		if (!word)
			return;
		const struct piece **next = &word->pieces;
		while (!at_word_end(&parser->lexer)) {
			struct piece *piece = parse_piece(parser);

			if (!piece)
				return;
			*next = piece;
			next = &piece->next;
		}
		*next_word = word;
		next_word = &word->next;
		stage->word_count++;
	}
}

static void parse_count(struct parser *parser, struct format_item *item)
{
	struct lexer *lexer = &parser->lexer;
	const char *s = lexer->text + lexer->at;
	size_t digits = strspn(s, "0123456789");

	item->count = 1;
	if (s[0] == '$' && s[1] == '[') {
		lexer->at += 2;
		parser->nodes = 0;
		item->computed = parser_enclosed(parser);
	} else if (digits > 7) {
		parser_fail(parser, item->span, "the count is too large");
	} else if (digits) {
		item->count = 0;
		for (size_t i = 0; i < digits; i++)
			item->count = item->count * 10 + (uint64_t)(s[i] - '0');
		lexer->at += digits;
	}
}

/* In mdb, a value behind these letters is written to memory. */
static bool looks_like_write(const struct lexer *lexer, size_t at)
{
	while (at && strchr(" \t0123456789", lexer->text[at - 1]))
		at--;
	return at && strchr("vwWZ", lexer->text[at - 1]);
}

static struct format_item *parse_item(struct parser *parser)
{
	struct lexer *lexer = &parser->lexer;
	struct format_item *item = parser_alloc(parser, sizeof(*item));
	size_t length;

	if (!item)
		return NULL;
	item->span = (struct span){ lexer->at, lexer->at + 1 };
	parse_count(parser, item);
	if (parser->err)
		return NULL;
	item->span = (struct span){ lexer->at, lexer->at + 1 };
	item->letter = lexer->text[lexer->at];
	if (item->letter == '"') {
		if (!lexer_quoted(lexer, &item->text, &length))
			parser_fail(parser, item->span, "a quote has no end");
		return parser->err ? NULL : item;
	}
	if (lexer_at_stage_end(lexer))
		parser_fail(parser, item->span,
			    looks_like_write(lexer, item->span.start)
				    ? "v, w, W and Z take no value: kdbg "
				      "looks and does not write"
				    : "a format letter is missing after the "
				      "count");
	else if (!format_find(item->letter))
		parser_fail(parser, item->span, "unknown format letter '%c'",
			    item->letter);
	else
		lexer->at++;
	return parser->err ? NULL : item;
}

/* "/M value [mask]": the only letters with operands, so they end the format. */
static void parse_match(struct parser *parser, struct format_item *item)
{
	parser->nodes = 0;
	item->value = parser_expression(parser);
	if (!parser->err && parser_at_expression(parser))
		item->mask = parser_expression(parser);
}

static void parse_items(struct parser *parser, struct stage *stage)
{
	const struct format_item **next = &stage->items;

	for (;;) {
		lexer_skip_blanks(&parser->lexer);
		if (lexer_at_stage_end(&parser->lexer))
			return;
		struct format_item *item = parse_item(parser);
		if (!item)
			return;
		*next = item;
		next = &item->next;
		if (item->letter != '"' &&
		    format_find(item->letter)->kind == FORMAT_MATCH) {
			parse_match(parser, item);
			return;
		}
	}
}

/* ">name", ">/X/name" */
static void parse_assignment(struct parser *parser, struct stage *stage)
{
	struct lexer *lexer = &parser->lexer;
	const char *text = lexer->text;
	struct span span = { lexer->at, lexer->at + 1 };

	stage->size = sizeof(uint64_t);
	if (text[lexer->at] == '/') {
		stage->size = parser_access_size(text[lexer->at + 1]);
		if (!stage->size || text[lexer->at + 2] != '/') {
			parser_fail(parser, span,
				    "a sized assignment is >/X/name, X one of "
				    "c s i l 1 2 4 8");
			return;
		}
		lexer->at += 3;
	}
	lexer_skip_blanks(lexer);
	size_t start = lexer->at;
	while (isalnum((unsigned char)text[lexer->at]) ||
	       text[lexer->at] == '_' || text[lexer->at] == '.')
		lexer->at++;
	if (lexer->at == start)
		parser_fail(parser, span, "a variable's name is missing");
	stage->name = arena_text(lexer->arena, text + start, lexer->at - start);
}

static void parse_punctuated_verb(struct parser *parser, struct stage *stage)
{
	const struct token token = *parser_peek(parser, PLACE_OPERATOR);

	switch (strlen(token.text) == 1 ? token.text[0] : 0) {
	case '/':
	case '?':
	case '=':
		parser_take(parser);
		stage->kind = token.text[0] == '='   ? STAGE_FORMAT_VALUE
			      : token.text[0] == '?' ? STAGE_FORMAT_FILE
						     : STAGE_FORMAT_MEMORY;
		parse_items(parser, stage);
		break;
	case '>':
		parser_take(parser);
		stage->kind = STAGE_ASSIGN;
		parse_assignment(parser, stage);
		break;
	case '\\':
	case '@':
		parser_fail(parser, token.span,
			    "'%s' reads physical memory, which no target has",
			    token.text);
		break;
	case '|':
	case '!':
		if (stage->address || stage->count)
			break;
		/* fall through */
	default:
		parser_fail_unexpected(parser, "a command");
	}
}

static void parse_verb(struct parser *parser, struct stage *stage)
{
	const struct token *token = parser_peek(parser, PLACE_OPERATOR);

	stage->span = token->span;
	switch (token->kind) {
	case TOKEN_DCMD:
	case TOKEN_VERB:
		stage->kind = STAGE_COMMAND;
		stage->name = token->text;
		if (!*stage->name)
			parser_fail_unexpected(parser, "::name");
		parser_take(parser);
		parse_words(parser, stage);
		break;
	case TOKEN_OPERATOR:
		parse_punctuated_verb(parser, stage);
		break;
	case TOKEN_END:
		if (stage->address || stage->count)
			break;
		/* fall through */
	default:
		parser_fail_unexpected(parser, "a command");
	}
	stage->span.end = parser->lexer.at;
}

static struct stage *parse_stage(struct parser *parser)
{
	struct stage *stage = parser_alloc(parser, sizeof(*stage));

	if (!stage)
		return NULL;
	parser->nodes = 0;
	if (parser_at_expression(parser))
		stage->address = parser_expression(parser);
	if (parser_at_operator(parser, PLACE_OPERATOR, ",")) {
		parser_take(parser);
		stage->count = parser_expression(parser);
	}
	if (!parser->err)
		parse_verb(parser, stage);
	return parser->err ? NULL : stage;
}

/* Up to a separator that the shell would not have quoted. */
static void parse_shell(struct parser *parser, struct statement *statement)
{
	struct lexer *lexer = &parser->lexer;
	const char *s = lexer->text + lexer->at;
	size_t length = 0;
	char quote = 0;

	for (; s[length] && s[length] != '\n'; length++) {
		char c = s[length];

		if (c == ';' && !quote)
			break;
		if (c == quote)
			quote = 0;
		else if (!quote && (c == '\'' || c == '"'))
			quote = c;
		else if (c == '\\' && quote != '\'' && s[length + 1] &&
			 s[length + 1] != '\n')
			length++;
	}
	statement->shell = arena_text(lexer->arena, s, length);
	lexer->at += length;
}

static void parse_pipeline(struct parser *parser, struct statement *statement)
{
	const struct stage **next = &statement->stages;
	bool more = !parser_at_operator(parser, PLACE_OPERAND, "!");
	unsigned count = 0;

	while (more && !parser->err) {
		struct stage *stage = parse_stage(parser);

		if (!stage)
			return;
		if (++count > STAGES_MAX)
			parser_fail(parser, stage->span,
				    "a pipeline has at most %d commands",
				    STAGES_MAX);
		*next = stage;
		next = &stage->next;
		more = parser_at_operator(parser, PLACE_OPERATOR, "|");
		if (more)
			parser_take(parser);
	}
	if (statement->stages)
		statement->verb.start = statement->stages->span.start;
	if (parser_at_operator(parser, PLACE_OPERAND, "!")) {
		parser_take(parser);
		parse_shell(parser, statement);
	}
	statement->verb.end = parser->lexer.at;
	if (parser_peek(parser, PLACE_OPERATOR)->kind != TOKEN_END)
		parser_fail_unexpected(parser, "the end of the command");
}

static struct err *finish(struct parser *parser, struct source *source)
{
	source->bad = parser->bad;
	source->at = parser->lexer.at;
	return parser->err;
}

static void skip_empty(struct lexer *lexer)
{
	lexer_skip_blanks(lexer);
	while (lexer->text[lexer->at] == '\n' ||
	       lexer->text[lexer->at] == ';') {
		lexer->at++;
		lexer_skip_blanks(lexer);
	}
}

struct err *parse_statement(struct source *source, struct arena *arena,
			    const struct statement **ret)
{
	struct parser parser;
	struct statement *statement;

	*ret = NULL;
	parser_init(&parser, source, arena);
	skip_empty(&parser.lexer);
	source->at = parser.lexer.at;
	if (!source->text[source->at])
		return NULL;
	statement = parser_alloc(&parser, sizeof(*statement));
	if (statement)
		parse_pipeline(&parser, statement);
	if (parser.err)
		parser.lexer.at +=
			strcspn(source->text + parser.lexer.at, "\n");
	else
		*ret = statement;
	return finish(&parser, source);
}

struct err *parse_expression(struct source *source, struct arena *arena,
			     const struct expression **ret)
{
	struct parser parser;

	parser_init(&parser, source, arena);
	parser.enclosed = 1;
	*ret = parser_expression(&parser);
	const struct token *token = parser_peek(&parser, PLACE_OPERATOR);
	if (token->kind != TOKEN_END)
		parser_fail_unexpected(&parser, "an operator");
	else if (source->text[token->span.start] && !parser.err)
		parser_fail(&parser, token->span,
			    "one expression, not several commands");
	return finish(&parser, source);
}
