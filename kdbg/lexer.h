/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text into tokens. What a character means depends on where it stands: after a
 * command's name all but quotes, "$[", and the ends of a stage is plain text;
 * in an expression "<" begins a variable where an operand is due. So the parser
 * asks for the kind of token that can come next.
 */
#ifndef KDBG_LEXER_H
#define KDBG_LEXER_H

#include "kdbg/syntax.h"

#include "kdbg/arena.h"

enum token_kind {
	TOKEN_END,       /* of the text, or of the statement: ; or newline */
	TOKEN_NUMBER,    /* 1f, 0t10 : text */
	TOKEN_NAME,      /* main, libc.so.6`malloc */
	TOKEN_VARIABLE,  /* <name : name */
	TOKEN_CHARS,     /* 'abcd' : contents */
	TOKEN_STRING,    /* "text" : contents */
	TOKEN_DCMD,      /* ::name : name */
	TOKEN_VERB,      /* $c, :c : as written */
	TOKEN_OPERATOR,  /* punctuation */
	TOKEN_UNFINISHED /* a quote without its end, "<" without a name */
};

struct token {
	enum token_kind kind;
	struct span span;
	const char *text;
	size_t length; /* of text: 'a\0b' holds a NUL */
};

struct lexer {
	const char *text;
	size_t at;
	struct arena *arena; /* holds the tokens' texts */
};

enum token_place { PLACE_OPERAND, PLACE_OPERATOR };

/* The next token of an expression or the verb after it; at does not move past
 * a separator. Skips blanks and comments before it. */
struct token lexer_next(struct lexer *lexer, enum token_place place);

void lexer_skip_blanks(struct lexer *lexer);

/* True where a stage's words or format end: | ! ; newline, the text's end. */
bool lexer_at_stage_end(const struct lexer *lexer);

/* A quoted text at lexer->at, quotes taken off and, for "..", escapes
 * replaced. False: it has no end. */
bool lexer_quoted(struct lexer *lexer, const char **text, size_t *length);

#endif
