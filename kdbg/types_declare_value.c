/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constant expressions of C: array bounds, enumerators, widths. */
#include "kdbg/types_declare_impl.h"

#include <stdlib.h>
#include <string.h>

enum { PRECEDENCE_LEAST = 1 };

struct operator
{
	const char *sign;
	int precedence;
};

static const struct operator operators[] = {
	{ "|", 1 }, { "^", 2 }, { "&", 3 }, { "<<", 4 }, { ">>", 4 },
	{ "+", 5 }, { "-", 5 }, { "*", 6 }, { "/", 6 },  { "%", 6 },
};

void declarations_define(struct declarations *d, const char *name,
			 size_t length, int64_t value)
{
	struct types *types = d->types;
	struct c_constant *constant =
		arena_alloc(&types->arena, sizeof(*constant));
	const char *copy = arena_text(&types->arena, name, length);

	if (!constant || !copy)
		return;
	*constant =
		(struct c_constant){ copy, length, value, types->constants };
	types->constants = constant;
}

static int64_t named_constant(struct declarations *d)
{
	const struct c_token token = d->tokens.token;

	for (const struct c_constant *known = d->types->constants; known;
	     known = known->next)
		if (known->length == token.length &&
		    memcmp(known->name, token.text, token.length) == 0) {
			c_tokens_next(&d->tokens);
			return known->value;
		}
	declarations_fail(d, "%.*s is no constant that is known",
			  (int)token.length, token.text);
	return 0;
}

static int64_t size_of_type(struct declarations *d)
{
	uint64_t size = 0;
	const char *name;

	c_tokens_next(&d->tokens);
	declarations_expect(d, "(");
	struct type *type = declarations_specifiers(d, NULL);
	if (!d->err)
		type = declarations_declarator(d, type, &name);
	declarations_expect(d, ")");
	if (!d->err && !type_size(type, &size))
		declarations_fail(d, "sizeof of a type without a size");
	return (int64_t)size;
}

static int64_t operand(struct declarations *d);

static int64_t parenthesis(struct declarations *d)
{
	int64_t value = declarations_constant(d);

	declarations_expect(d, ")");
	return value;
}

static int64_t number(struct declarations *d)
{
	char *end;
	uint64_t value = strtoull(d->tokens.token.text, &end, 0);

	if (end + strspn(end, "uUlL") !=
	    d->tokens.token.text + d->tokens.token.length)
		declarations_fail(d, "%.*s is no integer",
				  (int)d->tokens.token.length,
				  d->tokens.token.text);
	c_tokens_next(&d->tokens);
	return (int64_t)value;
}

static int64_t operand(struct declarations *d)
{
	int64_t value = 0;

	if (!declarations_enter(d))
		return 0;
	if (c_tokens_take(&d->tokens, "-"))
		value = (int64_t)(0 - (uint64_t)operand(d));
	else if (c_tokens_take(&d->tokens, "+"))
		value = operand(d);
	else if (c_tokens_take(&d->tokens, "~"))
		value = ~operand(d);
	else if (c_tokens_take(&d->tokens, "("))
		value = parenthesis(d);
	else if (c_tokens_at(&d->tokens, "sizeof"))
		value = size_of_type(d);
	else if (d->tokens.token.kind == C_NUMBER)
		value = number(d);
	else if (d->tokens.token.kind == C_TEXT &&
		 d->tokens.token.length == 3) {
		value = d->tokens.token.text[1]; /* 'a' */
		c_tokens_next(&d->tokens);
	} else if (d->tokens.token.kind == C_WORD)
		value = named_constant(d);
	else
		declarations_fail(d, "a constant is missing");
	d->depth--;
	return value;
}

static int64_t divide(struct declarations *d, int64_t left, int64_t right,
		      bool remainder)
{
	if (right == 0)
		declarations_fail(d, "division by zero");
	if (right == 0 || right == -1)
		return remainder ? 0 : (int64_t)(0 - (uint64_t)left);
	return remainder ? left % right : left / right;
}

static int64_t apply(struct declarations *d, const char *sign, int64_t left,
		     int64_t right)
{
	uint64_t a = (uint64_t)left, b = (uint64_t)right;

	switch (*sign) {
	case '|':
		return (int64_t)(a | b);
	case '^':
		return (int64_t)(a ^ b);
	case '&':
		return (int64_t)(a & b);
	case '<':
		return b < 64 ? (int64_t)(a << b) : 0;
	case '>':
		return b < 64 ? left >> b : 0;
	case '+':
		return (int64_t)(a + b);
	case '-':
		return (int64_t)(a - b);
	case '*':
		return (int64_t)(a * b);
	default:
		return divide(d, left, right, *sign == '%');
	}
}

static const struct operator* operator_at(const struct c_tokens *tokens)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (c_tokens_at(tokens, operators[i].sign))
			return &operators[i];
	return NULL;
}

static int64_t binary(struct declarations *d, int least)
{
	int64_t value = operand(d);
	const struct operator* operator;

	while (!d->err && (operator= operator_at(&d->tokens)) &&
			  operator->precedence >= least) {
		c_tokens_next(&d->tokens);
		value = apply(d, operator->sign, value,
			      binary(d, operator->precedence + 1));
	}
	return value;
}

int64_t declarations_constant(struct declarations *d)
{
	return binary(d, PRECEDENCE_LEAST);
}
