/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Casts, members and functions. None of them takes a spelling from mdb: where
 * they stand, mdb has a syntax error.
 *
 *	((struct foo *)addr)->next	a cast is to a pointer, and binds as C's
 *	variable.member->other[3]	a name may hold dots: expression_typed.c
 *	sizeof(struct foo)
 */
#include "kdbg/functions.h"
#include "kdbg/parser_impl.h"

#include <ctype.h>
#include <string.h>

static const struct expression *postfix_index(struct parser *parser,
					      const struct expression *left)
{
	struct expression *node =
		parser_node(parser, EXPRESSION_INDEX, parser->token.span);

	parser_take(parser);
	const struct expression *index = parser_enclosed(parser);
	if (!node || !index)
		return NULL;
	node->left = left;
	node->right = index;
	return node;
}

static const struct expression *
postfix_member(struct parser *parser, const struct expression *left, bool arrow)
{
	struct expression *node =
		parser_node(parser, EXPRESSION_MEMBER, parser->token.span);

	if (arrow)
		parser_take(parser);
	const struct token token = *parser_peek(parser, PLACE_OPERATOR);
	if (token.kind != TOKEN_NAME || (arrow && *token.text == '.')) {
		parser_fail_unexpected(parser, "a member's name");
		return NULL;
	}
	parser_take(parser);
	if (!node)
		return NULL;
	node->left = left;
	node->name =
		arrow ? arena_print(parser->lexer.arena, "->%s", token.text)
		      : token.text;
	node->span.end = token.span.end;
	return node->name ? node : NULL;
}

const struct expression *parser_postfix(struct parser *parser,
					const struct expression *node)
{
	while (node && !parser->err) {
		const struct token *token = parser_peek(parser, PLACE_OPERATOR);

		if (token->kind == TOKEN_NAME && token->text[0] == '.' &&
		    token->text[1])
			node = postfix_member(parser, node, false);
		else if (parser_at_operator(parser, PLACE_OPERATOR, "->"))
			node = postfix_member(parser, node, true);
		else if (parser_at_operator(parser, PLACE_OPERATOR, "["))
			node = postfix_index(parser, node);
		else
			break;
	}
	return node;
}

/* How long a type that ends in "*" and ")" is, from behind the "("; 0: what
 * stands there is no cast. A number or an operator never ends so. */
static size_t cast_length(const char *text)
{
	size_t length = 0;
	size_t end;

	while (text[length] == ' ')
		length++;
	if (!isalpha((unsigned char)text[length]) && text[length] != '_')
		return 0;
	while (isalnum((unsigned char)text[length]) ||
	       (text[length] && strchr("_:<>, *&", text[length])))
		length++;
	for (end = length; end && text[end - 1] == ' ';)
		end--;
	return text[length] == ')' && end && text[end - 1] == '*' ? length : 0;
}

bool parser_at_cast(struct parser *parser)
{
	return parser_at_operator(parser, PLACE_OPERAND, "(") &&
	       cast_length(parser->lexer.text + parser->token_end) > 0;
}

const struct expression *parser_cast(struct parser *parser)
{
	struct expression *node =
		parser_node(parser, EXPRESSION_CAST, parser->token.span);
	struct lexer *lexer = &parser->lexer;

	parser_take(parser);
	const char *type = lexer->text + lexer->at;
	size_t length = cast_length(type);
	if (!node)
		return NULL;
	node->name = arena_text(lexer->arena, type, length);
	lexer->at += length + 1;
	node->right = parser_unary(parser);
	node->span.end = lexer->at;
	return node->right && node->name ? node : NULL;
}

bool parser_at_call(struct parser *parser)
{
	return parser_peek(parser, PLACE_OPERAND)->kind == TOKEN_NAME &&
	       parser->lexer.text[parser->token_end] == '(';
}

/* A type or member: up to the comma or parenthesis that ends it. */
static const char *text_argument(struct parser *parser)
{
	struct lexer *lexer = &parser->lexer;
	int depth = 0;

	lexer_skip_blanks(lexer);
	const char *text = lexer->text + lexer->at;
	size_t length = 0;
	for (char c; (c = text[length]) && c != '\n'; length++) {
		if (!depth && (c == ',' || c == ')'))
			break;
		if (strchr("([<", c))
			depth++;
		else if (strchr(")]>", c) &&
			 !(c == '>' && length && text[length - 1] == '-'))
			depth--;
	}
	lexer->at += length;
	return arena_text(lexer->arena, text, length);
}

static const char *string_argument(struct parser *parser)
{
	const struct token token = *parser_peek(parser, PLACE_OPERAND);

	if (token.kind != TOKEN_STRING) {
		parser_fail_unexpected(parser, "a string in \"quotes\"");
		return NULL;
	}
	parser_take(parser);
	return token.text;
}

static const struct argument *parse_argument(struct parser *parser, char kind)
{
	struct argument *argument = parser_alloc(parser, sizeof(*argument));

	if (!argument)
		return NULL;
	if (kind == FUNCTION_EXPRESSION)
		argument->value = parser_expression(parser);
	else if (kind == FUNCTION_STRING)
		argument->text = string_argument(parser);
	else
		argument->text = text_argument(parser);
	return argument;
}

static void parse_arguments(struct parser *parser, struct expression *node)
{
	const struct argument **next = &node->arguments;

	for (const char *kind = node->function->signature; *kind; kind++) {
		struct argument *argument =
			(struct argument *)parse_argument(parser, *kind);

		if (parser->err)
			return;
		*next = argument;
		next = &argument->next;
		if (!kind[1])
			return;
		if (!parser_at_operator(parser, PLACE_OPERATOR, ",")) {
			parser_fail(parser, node->span, "it is %s",
				    node->function->usage);
			return;
		}
		parser_take(parser);
	}
}

const struct expression *parser_call(struct parser *parser)
{
	const struct token name = *parser_peek(parser, PLACE_OPERAND);
	struct expression *node =
		parser_node(parser, EXPRESSION_CALL, name.span);

	parser_take(parser);
	if (!node)
		return NULL;
	node->function = function_find(name.text);
	if (!node->function) {
		parser_fail(parser, name.span,
			    "there is no function %s(): see ::functions",
			    name.text);
		return NULL;
	}
	parser->lexer.at++; /* the "(" */
	parser->enclosed++;
	parse_arguments(parser, node);
	parser->enclosed--;
	if (!parser_at_operator(parser, PLACE_OPERATOR, ")")) {
		parser_fail(parser, node->span, "it is %s",
			    node->function->usage);
		return NULL;
	}
	parser_take(parser);
	node->span.end = parser->lexer.at;
	return node;
}
