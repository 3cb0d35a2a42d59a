/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the parser share: parser.c has statements,
 * parse_expression.c has expressions, and parse_typed.c what of them is about
 * types: casts, members, functions. */
#ifndef KDBG_PARSER_IMPL_H
#define KDBG_PARSER_IMPL_H

#include "kdbg/lexer.h"
#include "kdbg/parser.h"

/*
 * lexer.at lies after the last token taken. The token peeked at lies beyond,
 * and is read anew when it is asked for in another place. The first error
 * sticks: after it every token is the end.
 */
struct parser {
	struct lexer lexer;
	unsigned radix;
	unsigned depth;    /* of nesting, bounded: the text may be hostile */
	unsigned nodes;    /* of one expression, bounded as well */
	unsigned enclosed; /* by ( ) or $[ ]: "<" and ">" compare */
	bool peeked;
	enum token_place place;
	struct token token;
	size_t token_end;
	struct err *err;
	struct span bad;
};

const struct token *parser_peek(struct parser *parser, enum token_place place);
void parser_take(struct parser *parser);
bool parser_at_operator(struct parser *parser, enum token_place place,
			const char *text);

/* Memory for a node; NULL fails the parser. */
void *parser_alloc(struct parser *parser, size_t size);

void parser_fail(struct parser *parser, struct span span, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void parser_fail_unexpected(struct parser *parser, const char *wanted);

/* True where an expression can begin. */
bool parser_at_expression(struct parser *parser);
const struct expression *parser_expression(struct parser *parser);
/* What stands after "$[", up to and with the "]". */
const struct expression *parser_enclosed(struct parser *parser);
struct expression *parser_node(struct parser *parser, enum expression_kind kind,
			       struct span span);
/* What follows an operand: ->member .member [index], any number. */
const struct expression *parser_postfix(struct parser *parser,
					const struct expression *node);
/* Is a type in parentheses next, or a function's name and its "("? */
bool parser_at_cast(struct parser *parser);
bool parser_at_call(struct parser *parser);
const struct expression *parser_cast(struct parser *parser);
const struct expression *parser_call(struct parser *parser);
const struct expression *parser_unary(struct parser *parser);
/* The size a letter of a sized access means; 0: none. */
size_t parser_access_size(char letter);

#endif
