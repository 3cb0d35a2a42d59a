/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/c_tokens.h"

#include <ctype.h>
#include <string.h>

/* A line of the preprocessor, with those it is continued on. */
static const char *line_end(struct c_tokens *tokens, const char *text)
{
	for (; *text && *text != '\n'; text++)
		if (*text == '\\' && text[1] == '\n') {
			tokens->line++;
			text++;
		}
	return text;
}

static const char *skip_comment(struct c_tokens *tokens, const char *text)
{
	if (text[1] == '/')
		return text + strcspn(text, "\n");
	for (text += 2; *text && (*text != '*' || text[1] != '/'); text++)
		tokens->line += *text == '\n';
	return *text ? text + 2 : text;
}

/* Past blanks, comments and the preprocessor's lines but defines. */
static void skip_blanks(struct c_tokens *tokens)
{
	const char *text = tokens->at;

	for (;;) {
		if (*text == '\n') {
			tokens->line++;
			tokens->begins_line = true;
			text++;
		} else if (isspace((unsigned char)*text)) {
			text++;
		} else if (*text == '/' && (text[1] == '/' || text[1] == '*')) {
			text = skip_comment(tokens, text);
		} else if (*text == '#' && tokens->begins_line) {
			const char *word = text + 1 + strspn(text + 1, " \t");

			if (strncmp(word, "define", 6) == 0 &&
			    isblank((unsigned char)word[6]))
				break;
			text = line_end(tokens, text);
		} else {
			break;
		}
	}
	tokens->at = text;
}

static size_t quoted_length(const char *text)
{
	size_t length = 1;

	while (text[length] && text[length] != *text && text[length] != '\n')
		length += text[length] == '\\' && text[length + 1] ? 2 : 1;
	return length + (text[length] == *text);
}

static size_t sign_length(const char *text)
{
	if (strncmp(text, "<<", 2) == 0 || strncmp(text, ">>", 2) == 0 ||
	    strncmp(text, "->", 2) == 0)
		return 2;
	return strncmp(text, "...", 3) == 0 ? 3 : 1;
}

static size_t word_length(const char *text)
{
	size_t length = 0;

	while (isalnum((unsigned char)text[length]) || text[length] == '_' ||
	       (length && text[length] == '.' && isdigit((unsigned char)*text)))
		length++;
	return length;
}

void c_tokens_next(struct c_tokens *tokens)
{
	struct c_token *token = &tokens->token;

	skip_blanks(tokens);
	const char *text = tokens->at;
	unsigned char c = (unsigned char)*text;

	*token = (struct c_token){ C_SIGN, text, 0 };
	if (!c) {
		token->kind = C_END;
	} else if (c == '#' && tokens->begins_line) {
		token->kind = C_DEFINE;
		token->text = strstr(text, "define") + 6;
		tokens->at = line_end(tokens, text);
		token->length = (size_t)(tokens->at - token->text);
		return;
	} else if (isalpha(c) || c == '_' || isdigit(c)) {
		token->kind = isdigit(c) ? C_NUMBER : C_WORD;
		token->length = word_length(text);
	} else if (c == '"' || c == '\'') {
		token->kind = C_TEXT;
		token->length = quoted_length(text);
	} else {
		token->length = sign_length(text);
	}
	tokens->begins_line = false;
	tokens->at = text + token->length;
}

void c_tokens_init(struct c_tokens *tokens, const char *text)
{
	*tokens =
		(struct c_tokens){ .at = text, .line = 1, .begins_line = true };
	c_tokens_next(tokens);
}

bool c_tokens_at(const struct c_tokens *tokens, const char *text)
{
	return (tokens->token.kind == C_WORD || tokens->token.kind == C_SIGN) &&
	       strlen(text) == tokens->token.length &&
	       memcmp(tokens->token.text, text, tokens->token.length) == 0;
}

bool c_tokens_take(struct c_tokens *tokens, const char *text)
{
	if (!c_tokens_at(tokens, text))
		return false;
	c_tokens_next(tokens);
	return true;
}

void c_tokens_skip_brackets(struct c_tokens *tokens)
{
	unsigned depth = 0;

	do {
		if (c_tokens_at(tokens, "(") || c_tokens_at(tokens, "{") ||
		    c_tokens_at(tokens, "["))
			depth++;
		else if (c_tokens_at(tokens, ")") || c_tokens_at(tokens, "}") ||
			 c_tokens_at(tokens, "]"))
			depth--;
		c_tokens_next(tokens);
	} while (depth && tokens->token.kind != C_END);
}
