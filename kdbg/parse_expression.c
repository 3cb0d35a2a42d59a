/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/parser_impl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 100, NODES_MAX = 2000 };

struct binary {
	const char *text;
	enum operation operation;
	int precedence;
};

static const struct binary binaries[] = {
	{ "||", OPERATOR_LOGICAL_OR, 1 },
	{ "&&", OPERATOR_LOGICAL_AND, 2 },
	{ "|", OPERATOR_OR, 3 },
	{ "^", OPERATOR_XOR, 4 },
	{ "&", OPERATOR_AND, 5 },
	{ "==", OPERATOR_EQUAL, 6 },
	{ "!=", OPERATOR_UNEQUAL, 6 },
	{ "<", OPERATOR_LESS, 7 },
	{ "<=", OPERATOR_LESS_EQUAL, 7 },
	{ ">", OPERATOR_GREATER, 7 },
	{ ">=", OPERATOR_GREATER_EQUAL, 7 },
	{ "<<", OPERATOR_SHIFT_LEFT, 8 },
	{ ">>", OPERATOR_SHIFT_RIGHT, 8 },
	{ "+", OPERATOR_ADD, 9 },
	{ "-", OPERATOR_SUBTRACT, 9 },
	{ "*", OPERATOR_MULTIPLY, 10 },
	{ "%", OPERATOR_DIVIDE, 10 },
	{ "#", OPERATOR_ROUND_UP, 10 },
	/* In words: these need no parentheses, for no verb is written so. */
	{ "or", OPERATOR_LOGICAL_OR, 1 },
	{ "and", OPERATOR_LOGICAL_AND, 2 },
	{ "lt", OPERATOR_LESS, 7 },
	{ "le", OPERATOR_LESS_EQUAL, 7 },
	{ "gt", OPERATOR_GREATER, 7 },
	{ "ge", OPERATOR_GREATER_EQUAL, 7 },
	{ "mod", OPERATOR_MODULO, 10 },
};

/* "<" and ">" are a variable's and an assignment's outside parentheses. */
static bool is_enclosed_only(const struct binary *binary)
{
	return *binary->text == '<' ? binary->operation != OPERATOR_SHIFT_LEFT
	       : *binary->text == '>'
		       ? binary->operation != OPERATOR_SHIFT_RIGHT
		       : false;
}

/* Is the "|" that was peeked at followed by a verb, or by nothing? */
static bool is_pipe(const struct parser *parser)
{
	struct lexer after = { parser->lexer.text, parser->token_end, NULL };

	if (parser->enclosed)
		return false;
	lexer_skip_blanks(&after);
	return lexer_at_stage_end(&after) ||
	       strchr(":$/=?>,", after.text[after.at]);
}

static const struct binary *peek_binary(struct parser *parser)
{
	const struct token *token = parser_peek(parser, PLACE_OPERATOR);

	if (token->kind != TOKEN_OPERATOR && token->kind != TOKEN_NAME)
		return NULL;
	for (size_t i = 0; i < sizeof(binaries) / sizeof(binaries[0]); i++) {
		if (strcmp(binaries[i].text, token->text) != 0)
			continue;
		if (is_enclosed_only(&binaries[i]) && !parser->enclosed)
			return NULL;
		if (binaries[i].operation == OPERATOR_OR && is_pipe(parser))
			return NULL;
		return &binaries[i];
	}
	return NULL;
}

struct expression *parser_node(struct parser *parser, enum expression_kind kind,
			       struct span span)
{
	if (++parser->nodes > NODES_MAX)
		parser_fail(parser, span, "the expression is too long");

	struct expression *node = parser_alloc(parser, sizeof(*node));
	if (node) {
		node->kind = kind;
		node->span = span;
	}
	return node;
}

static bool parse_digits(const char *digits, unsigned base, uint64_t *ret)
{
	char *end;

	/* strtoull() would take blanks, signs, and a 0x of its own. */
	if (!isalnum((unsigned char)*digits) || strpbrk(digits, "xX"))
		return false;
	errno = 0;
	*ret = strtoull(digits, &end, (int)base);
	return !*end && !errno;
}

static bool parse_real(const char *text, uint64_t *ret)
{
	char *end;
	double real;

	if (!isdigit((unsigned char)*text))
		return false;
	real = strtod(text, &end);
	memcpy(ret, &real, sizeof(real));
	return !*end;
}

static bool parse_number(const char *text, unsigned radix, uint64_t *ret)
{
	switch (text[0] == '0' ? text[1] : 0) {
	case 'i':
	case 'I':
		return parse_digits(text + 2, 2, ret);
	case 'o':
	case 'O':
		return parse_digits(text + 2, 8, ret);
	case 't':
	case 'T':
		return strchr(text, '.') ? parse_real(text + 2, ret)
					 : parse_digits(text + 2, 10, ret);
	case 'x':
	case 'X':
		return parse_digits(text + 2, 16, ret);
	default:
		return parse_digits(text, radix, ret);
	}
}

static void read_number(struct parser *parser, struct expression *node,
			const struct token *token)
{
	if (!parse_number(token->text, parser->radix, &node->number))
		parser_fail(parser, token->span,
			    "'%s' is not a number in base %u that fits 64 bits",
			    token->text, parser->radix);
}

/* 'abcd': the first character is the most significant. */
static void read_chars(struct parser *parser, struct expression *node,
		       const struct token *token)
{
	if (token->length == 0 || token->length > sizeof(uint64_t))
		parser_fail(parser, token->span,
			    "a character constant holds 1 to 8 characters");
	for (size_t i = 0; i < token->length; i++)
		node->number =
			node->number << 8 | (unsigned char)token->text[i];
}

static const struct expression *parse_simple(struct parser *parser)
{
	struct token token = *parser_peek(parser, PLACE_OPERAND);
	struct expression *node =
		parser_node(parser, EXPRESSION_NUMBER, token.span);

	if (!node)
		return NULL;
	node->name = token.text;
	if (token.kind == TOKEN_NUMBER)
		read_number(parser, node, &token);
	else if (token.kind == TOKEN_CHARS)
		read_chars(parser, node, &token);
	else if (token.kind == TOKEN_VARIABLE)
		node->kind = EXPRESSION_VARIABLE;
	else if (token.kind == TOKEN_NAME && strcmp(token.text, ".") == 0)
		node->kind = EXPRESSION_DOT;
	else
		node->kind = EXPRESSION_NAME;
	parser_take(parser);
	return node;
}

size_t parser_access_size(char letter)
{
	static const char letters[] = "c1s2i4l8";
	const char *found = letter ? strchr(letters, letter) : NULL;

	return found ? (size_t)1 << ((found - letters) / 2) : 0;
}

/* The "/X/" of a sized read, right behind its operator. */
static size_t parse_read_size(struct parser *parser)
{
	const char *text = parser->lexer.text + parser->lexer.at;
	struct span span = { parser->lexer.at, parser->lexer.at + 1 };

	if (text[0] != '/')
		return sizeof(uint64_t);
	size_t size = parser_access_size(text[1]);
	if (!size || text[2] != '/')
		parser_fail(parser, span,
			    "a sized read is */X/, X one of c s i l 1 2 4 8");
	else
		parser->lexer.at += 3;
	return size;
}

static const struct expression *parse_prefix(struct parser *parser,
					     enum operation operation)
{
	struct span span = parser->token.span;
	struct expression *node = parser_node(parser, EXPRESSION_UNARY, span);

	if (!node)
		return NULL;
	parser_take(parser);
	node->operation = operation;
	if (operation == OPERATOR_READ || operation == OPERATOR_READ_FILE)
		node->size = parse_read_size(parser);
	node->right = parser_unary(parser);
	node->span.end = parser->lexer.at;
	return node->right ? node : NULL;
}

static const struct expression *parse_parentheses(struct parser *parser)
{
	parser_take(parser);
	parser->enclosed++;
	const struct expression *inner = parser_expression(parser);
	parser->enclosed--;
	if (!parser_at_operator(parser, PLACE_OPERATOR, ")")) {
		parser_fail_unexpected(parser, "')'");
		return NULL;
	}
	parser_take(parser);
	return inner;
}

struct operand_operator {
	char text;
	enum expression_kind kind;
	enum operation operation;
};

static const struct operand_operator operand_operators[] = {
	{ '(', EXPRESSION_NUMBER, OPERATOR_NONE },
	{ '+', EXPRESSION_NEXT, OPERATOR_NONE },
	{ '^', EXPRESSION_PREVIOUS, OPERATOR_NONE },
	{ '&', EXPRESSION_LAST, OPERATOR_NONE },
	{ '-', EXPRESSION_UNARY, OPERATOR_NEGATE },
	{ '~', EXPRESSION_UNARY, OPERATOR_COMPLEMENT },
	{ '#', EXPRESSION_UNARY, OPERATOR_NOT },
	{ '*', EXPRESSION_UNARY, OPERATOR_READ },
	{ '%', EXPRESSION_UNARY, OPERATOR_READ_FILE },
};

static const struct operand_operator *peek_prefix(struct parser *parser)
{
	const struct token *token = parser_peek(parser, PLACE_OPERAND);
	size_t count = sizeof(operand_operators) / sizeof(operand_operators[0]);

	for (size_t i = 0; token->kind == TOKEN_OPERATOR && i < count; i++)
		if (operand_operators[i].text == token->text[0])
			return &operand_operators[i];
	return NULL;
}

static bool at_simple(struct parser *parser)
{
	enum token_kind kind = parser_peek(parser, PLACE_OPERAND)->kind;

	return kind == TOKEN_NUMBER || kind == TOKEN_NAME ||
	       kind == TOKEN_VARIABLE || kind == TOKEN_CHARS ||
	       kind == TOKEN_STRING;
}

bool parser_at_expression(struct parser *parser)
{
	return at_simple(parser) || peek_prefix(parser) != NULL;
}

static const struct expression *
parse_operator_operand(struct parser *parser,
		       const struct operand_operator *prefix)
{
	if (prefix->kind == EXPRESSION_UNARY)
		return parse_prefix(parser, prefix->operation);

	struct expression *node =
		parser_node(parser, prefix->kind, parser->token.span);
	parser_take(parser);
	return node;
}

/* & alone is the last dot; right before a name it is that one's address. */
static bool at_address_of(struct parser *parser)
{
	char c = parser->lexer.text[parser->token_end];

	return isalpha((unsigned char)c) || c == '_' || c == '.' || c == '(';
}

/* A member belongs to the operand right before it: "*a->b" reads at a->b. */
static const struct expression *parse_operand(struct parser *parser)
{
	const struct operand_operator *prefix = peek_prefix(parser);

	if (parser_at_call(parser))
		return parser_postfix(parser, parser_call(parser));
	if (parser_at_cast(parser))
		return parser_cast(parser);
	if (at_simple(parser))
		return parser_postfix(parser, parse_simple(parser));
	if (prefix && prefix->text == '(')
		return parser_postfix(parser, parse_parentheses(parser));
	if (prefix && prefix->kind == EXPRESSION_LAST && at_address_of(parser))
		return parse_prefix(parser, OPERATOR_ADDRESS);
	if (prefix)
		return parse_operator_operand(parser, prefix);
	parser_fail_unexpected(parser, "a value");
	return NULL;
}

const struct expression *parser_unary(struct parser *parser)
{
	const struct expression *node = NULL;

	if (++parser->depth > DEPTH_MAX)
		parser_fail(parser, parser_peek(parser, PLACE_OPERAND)->span,
			    "the expression is nested too deeply");
	node = parse_operand(parser);
	parser->depth--;
	return parser->err ? NULL : node;
}

static const struct expression *parse_binary(struct parser *parser, int least)
{
	const struct expression *left = parser_unary(parser);
	const struct binary *binary;

	while (left && (binary = peek_binary(parser)) &&
	       binary->precedence >= least) {
		struct expression *node = parser_node(parser, EXPRESSION_BINARY,
						      parser->token.span);

		parser_take(parser);
		const struct expression *right =
			parse_binary(parser, binary->precedence + 1);
		if (!node || !right)
			return NULL;
		node->operation = binary->operation;
		node->left = left;
		node->right = right;
		left = node;
	}
	return left;
}

const struct expression *parser_expression(struct parser *parser)
{
	return parse_binary(parser, 0);
}

const struct expression *parser_enclosed(struct parser *parser)
{
	parser->enclosed++;
	const struct expression *inner = parser_expression(parser);
	parser->enclosed--;
	if (!inner)
		return NULL;
	if (!parser_at_operator(parser, PLACE_OPERATOR, "]")) {
		parser_fail_unexpected(parser, "']'");
		return NULL;
	}
	parser_take(parser);
	return inner;
}
