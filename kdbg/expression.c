/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/expression.h"

#include "kdbg/arena.h"
#include "kdbg/own_variables.h"
#include "kdbg/parser.h"
#include "kdbg/radix_hint.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"
#include "kdbg/thread_local.h"
#include "kdbg/variables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct err *divide(int64_t left, int64_t right, uint64_t *ret)
{
	if (right == 0)
		return err_new(ERR_USAGE, "division by zero");
	*ret = right == -1 ? 0 - (uint64_t)left : (uint64_t)(left / right);
	return NULL;
}

static struct err *round_up(int64_t left, int64_t right, uint64_t *ret)
{
	if (right == 0)
		return err_new(ERR_USAGE, "rounding up to a multiple of zero");
	int64_t over = right == -1 ? 0 : left % right;
	uint64_t unit = right > 0 ? (uint64_t)right : 0 - (uint64_t)right;

	*ret = (uint64_t)left;
	if (over > 0)
		*ret += unit - (uint64_t)over;
	else if (over < 0)
		*ret -= (uint64_t)over;
	return NULL;
}

static struct err *modulo(int64_t left, int64_t right, uint64_t *ret)
{
	if (right == 0)
		return err_new(ERR_USAGE, "division by zero");
	*ret = right == -1 ? 0 : (uint64_t)(left % right);
	return NULL;
}

static uint64_t shift(uint64_t left, uint64_t right, bool to_left)
{
	if (right > 63)
		return 0;
	return to_left ? left << right : left >> right;
}

static struct err *binary_value(enum operation operation, uint64_t left,
				uint64_t right, uint64_t *ret)
{
	switch (operation) {
	case OPERATOR_LOGICAL_OR:
		*ret = left || right;
		break;
	case OPERATOR_LOGICAL_AND:
		*ret = left && right;
		break;
	case OPERATOR_OR:
		*ret = left | right;
		break;
	case OPERATOR_XOR:
		*ret = left ^ right;
		break;
	case OPERATOR_AND:
		*ret = left & right;
		break;
	case OPERATOR_EQUAL:
		*ret = left == right;
		break;
	case OPERATOR_UNEQUAL:
		*ret = left != right;
		break;
	case OPERATOR_LESS:
		*ret = left < right;
		break;
	case OPERATOR_LESS_EQUAL:
		*ret = left <= right;
		break;
	case OPERATOR_GREATER:
		*ret = left > right;
		break;
	case OPERATOR_GREATER_EQUAL:
		*ret = left >= right;
		break;
	case OPERATOR_SHIFT_LEFT:
	case OPERATOR_SHIFT_RIGHT:
		*ret = shift(left, right, operation == OPERATOR_SHIFT_LEFT);
		break;
	case OPERATOR_ADD:
		*ret = left + right;
		break;
	case OPERATOR_SUBTRACT:
		*ret = left - right;
		break;
	case OPERATOR_MULTIPLY:
		*ret = left * right;
		break;
	case OPERATOR_DIVIDE:
		return divide((int64_t)left, (int64_t)right, ret);
	case OPERATOR_MODULO:
		return modulo((int64_t)left, (int64_t)right, ret);
	case OPERATOR_ROUND_UP:
		return round_up((int64_t)left, (int64_t)right, ret);
	default:
		return err_new(ERR_UNSUPPORTED, "unknown operator");
	}
	return NULL;
}

static struct err *need_target(const struct session *session)
{
	return session->target ? NULL
			       : err_new(ERR_NOT_FOUND, "no target is open");
}

static struct err *unary_value(struct session *session,
			       const struct expression *node, uint64_t operand,
			       uint64_t *ret)
{
	struct err *err;

	switch (node->operation) {
	case OPERATOR_NEGATE:
		*ret = 0 - operand;
		return NULL;
	case OPERATOR_COMPLEMENT:
		*ret = ~operand;
		return NULL;
	case OPERATOR_NOT:
		*ret = !operand;
		return NULL;
	case OPERATOR_READ:
		err = need_target(session);
		if (!err)
			err = target_read_uint(session->target, operand,
					       node->size, ret);
		return radix_hint_error(session, err, operand);
	case OPERATOR_READ_FILE:
		*ret = 0;
		err = need_target(session);
		if (!err)
			err = target_read_file(session->target, operand, ret,
					       node->size);
		return err;
	default:
		return err_new(ERR_UNSUPPORTED, "unknown operator");
	}
}

struct err *session_variable(struct session *session, const char *name,
			     uint64_t *ret)
{
	if (variables_get(session->variables, name, ret) ||
	    own_variable(session, name, ret))
		return NULL;
	return err_new(ERR_NOT_FOUND, "variable '%s' is not set", name);
}

static bool number_of_name(const char *name, unsigned radix, uint64_t *ret)
{
	char *end;

	if (!*name || strchr(name, 'x') || strchr(name, 'X'))
		return false;
	errno = 0;
	*ret = strtoull(name, &end, (int)radix);
	return !*end && !errno;
}

/* A thread-local variable, in the representative thread. */
static bool thread_variable(struct session *session, struct symbols *symbols,
			    const char *name, uint64_t *ret)
{
	const struct dump_thread *thread = representative_thread(session);
	struct symbol symbol;
	uint64_t address;

	if (!symbols || !thread)
		return false;
	struct err *err = thread_local_address(symbols, session->target, thread,
					       name, &symbol, &address);
	bool found = !err;
	err_free(err);
	if (found)
		*ret = address;
	return found;
}

/* A symbol before a number: "add" may be a function. */
struct err *expression_name(struct session *session, const char *name,
			    uint64_t *ret)
{
	struct symbol symbol;
	struct symbols *symbols = NULL;
	struct err *err = session_symbols(session, &symbols);

	if (!err)
		err = symbols_find(symbols, name, &symbol, ret);
	if (!err || !(number_of_name(name, session->radix, ret) ||
		      thread_variable(session, symbols, name, ret)))
		return err_wrap(err, "'%s'", name);
	err_free(err);
	return NULL;
}

static struct err *name_value(struct session *session, const char *name,
			      uint64_t *ret)
{
	struct err *err = expression_name(session, name, ret);
	struct typed_value value;
	struct err *other;

	if (!err || !strchr(name, '.') ||
	    !expression_dotted_name(session, name, &value, &other))
		return err;
	err_free(err);
	*ret = value.value;
	return other;
}

/* Where the operand has a type, so has what is read there. */
static bool is_typed_operation(const struct expression *node)
{
	if (node->kind != EXPRESSION_UNARY)
		return false;
	return node->operation == OPERATOR_ADDRESS ||
	       (node->operation == OPERATOR_READ &&
		node->size == sizeof(uint64_t) &&
		expression_is_typed(node->right));
}

static struct err *typed_number(struct session *session,
				const struct expression *node, uint64_t *ret)
{
	struct typed_value value;
	struct err *err = expression_typed(session, node, &value);

	if (!err)
		*ret = value.value;
	return err;
}

/* The right side of && and || is not evaluated where the left decides. */
static bool decided(enum operation operation, uint64_t left)
{
	return (operation == OPERATOR_LOGICAL_AND && !left) ||
	       (operation == OPERATOR_LOGICAL_OR && left);
}

static struct err *operation_value(struct session *session,
				   const struct expression *node, uint64_t *ret)
{
	uint64_t left = 0, right = 0;
	struct err *err = NULL;

	if (node->kind == EXPRESSION_BINARY) {
		err = expression_value(session, node->left, &left);
		if (!err && decided(node->operation, left)) {
			*ret = left != 0;
			return NULL;
		}
	}
	if (!err)
		err = expression_value(session, node->right, &right);
	if (err)
		return err;
	return node->kind == EXPRESSION_BINARY
		       ? binary_value(node->operation, left, right, ret)
		       : unary_value(session, node, right, ret);
}

struct err *expression_value(struct session *session,
			     const struct expression *node, uint64_t *ret)
{
	switch (node->kind) {
	case EXPRESSION_NUMBER:
		*ret = node->number;
		break;
	case EXPRESSION_NAME:
		return name_value(session, node->name, ret);
	case EXPRESSION_VARIABLE:
		return session_variable(session, node->name, ret);
	case EXPRESSION_DOT:
		*ret = session->dot;
		break;
	case EXPRESSION_NEXT:
		*ret = session->dot + session->increment;
		break;
	case EXPRESSION_PREVIOUS:
		*ret = session->dot - session->increment;
		break;
	case EXPRESSION_LAST:
		*ret = session->last;
		break;
	case EXPRESSION_UNARY:
	case EXPRESSION_BINARY:
		return is_typed_operation(node)
			       ? typed_number(session, node, ret)
			       : operation_value(session, node, ret);
	case EXPRESSION_CAST:
	case EXPRESSION_MEMBER:
	case EXPRESSION_INDEX:
	case EXPRESSION_CALL:
		return typed_number(session, node, ret);
	}
	return NULL;
}

struct err *session_evaluate(struct session *session, const char *text,
			     uint64_t *ret)
{
	struct source source = { .text = text, .radix = session->radix };
	const struct expression *expression;
	struct arena arena = { 0 };
	uint64_t value = 0;

	struct err *err = parse_expression(&source, &arena, &expression);
	if (!err)
		err = expression_value(session, expression, &value);
	if (!err)
		*ret = value;
	arena_deinit(&arena);
	return err;
}

struct err *session_evaluate_symbol(struct session *session, const char *text,
				    uint64_t *ret)
{
	struct symbols *symbols;
	struct symbol symbol;
	struct err *err = session_evaluate(session, text, ret);

	if (!err)
		return NULL;
	struct err *other = session_symbols(session, &symbols);
	if (!other)
		other = symbols_find(symbols, text, &symbol, ret);
	if (!other) {
		err_free(err);
		return NULL;
	}
	err_free(other);
	return err;
}
