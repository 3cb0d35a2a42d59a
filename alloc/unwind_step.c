/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One step up the stack by a row: the slow and complete way, for the frames
 * whose row a rule of one word cannot hold. Registers found "unchanged" in a
 * frame we do not follow them through are simply carried on, as every other
 * unwinder does.
 */
#include "alloc/unwind.h"

#include <string.h>

enum {
	DW_OP_addr = 0x03,
	DW_OP_deref = 0x06,
	DW_OP_const1u = 0x08,
	DW_OP_const1s = 0x09,
	DW_OP_const2u = 0x0a,
	DW_OP_const2s = 0x0b,
	DW_OP_const4u = 0x0c,
	DW_OP_const4s = 0x0d,
	DW_OP_const8u = 0x0e,
	DW_OP_const8s = 0x0f,
	DW_OP_constu = 0x10,
	DW_OP_consts = 0x11,
	DW_OP_dup = 0x12,
	DW_OP_drop = 0x13,
	DW_OP_over = 0x14,
	DW_OP_swap = 0x16,
	DW_OP_and = 0x1a,
	DW_OP_minus = 0x1c,
	DW_OP_mul = 0x1e,
	DW_OP_neg = 0x1f,
	DW_OP_not = 0x20,
	DW_OP_or = 0x21,
	DW_OP_plus = 0x22,
	DW_OP_plus_uconst = 0x23,
	DW_OP_shl = 0x24,
	DW_OP_shr = 0x25,
	DW_OP_shra = 0x26,
	DW_OP_xor = 0x27,
	DW_OP_eq = 0x29,
	DW_OP_ge = 0x2a,
	DW_OP_gt = 0x2b,
	DW_OP_le = 0x2c,
	DW_OP_lt = 0x2d,
	DW_OP_ne = 0x2e,
	DW_OP_lit0 = 0x30,
	DW_OP_lit31 = 0x4f,
	DW_OP_breg0 = 0x70,
	DW_OP_breg31 = 0x8f,
	DW_OP_nop = 0x96,
};

enum { EXPRESSION_STACK = 16, EXPRESSION_STEPS = 64 };

/* One expression being worked out. bad sticks; values are then meaningless. */
struct evaluation {
	const struct kma_registers *registers;
	const struct kma_bounds *bounds;
	const uint8_t *at, *end;
	uintptr_t stack[EXPRESSION_STACK];
	unsigned depth;
	bool bad;
};

static void push(struct evaluation *e, uintptr_t value)
{
	if (e->depth == EXPRESSION_STACK)
		e->bad = true;
	else
		e->stack[e->depth++] = value;
}

static uintptr_t pop(struct evaluation *e)
{
	if (e->depth == 0) {
		e->bad = true;
		return 0;
	}
	return e->stack[--e->depth];
}

static uint64_t take(struct evaluation *e, size_t size)
{
	uint64_t value = 0;

	if (size > (size_t)(e->end - e->at)) {
		e->bad = true;
		return 0;
	}
	memcpy(&value, e->at, size);
	e->at += size;
	return value;
}

static uint64_t take_leb(struct evaluation *e, bool is_signed)
{
	uint64_t value = 0, byte;
	unsigned shift = 0;

	do {
		byte = take(e, 1);
		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (is_signed && shift < 64 && (byte & 0x40))
		value |= UINT64_MAX << shift;
	return value;
}

/* Operations that push a constant. False: not one of them. */
static bool evaluate_constant(struct evaluation *e, uint8_t op)
{
	if (op >= DW_OP_lit0 && op <= DW_OP_lit31)
		push(e, (uintptr_t)(op - DW_OP_lit0));
	else if (op == DW_OP_addr || op == DW_OP_const8u || op == DW_OP_const8s)
		push(e, take(e, 8));
	else if (op == DW_OP_const1u)
		push(e, take(e, 1));
	else if (op == DW_OP_const1s)
		push(e, (uintptr_t)(int8_t)take(e, 1));
	else if (op == DW_OP_const2u)
		push(e, take(e, 2));
	else if (op == DW_OP_const2s)
		push(e, (uintptr_t)(int16_t)take(e, 2));
	else if (op == DW_OP_const4u)
		push(e, take(e, 4));
	else if (op == DW_OP_const4s)
		push(e, (uintptr_t)(int32_t)take(e, 4));
	else if (op == DW_OP_constu || op == DW_OP_consts)
		push(e, take_leb(e, op == DW_OP_consts));
	else
		return false;
	return true;
}

/* Operations on what is on the stack already. False: not one of them. */
static bool evaluate_unary(struct evaluation *e, uint8_t op)
{
	uintptr_t value = pop(e);

	if (op == DW_OP_deref) {
		if (!kma_bounds_read(e->bounds, value, &value))
			e->bad = true;
	} else if (op == DW_OP_plus_uconst) {
		value += take_leb(e, false);
	} else if (op == DW_OP_neg) {
		value = -value;
	} else if (op == DW_OP_not) {
		value = ~value;
	} else if (op == DW_OP_dup) {
		push(e, value);
	} else if (op == DW_OP_drop) {
		return true;
	} else {
		push(e, value);
		return false;
	}
	push(e, value);
	return true;
}

static bool evaluate_binary(struct evaluation *e, uint8_t op)
{
	uintptr_t b = pop(e), a = pop(e);
	intptr_t sb = (intptr_t)b, sa = (intptr_t)a;

	switch (op) {
	case DW_OP_and:
		return push(e, a & b), true;
	case DW_OP_or:
		return push(e, a | b), true;
	case DW_OP_xor:
		return push(e, a ^ b), true;
	case DW_OP_plus:
		return push(e, a + b), true;
	case DW_OP_minus:
		return push(e, a - b), true;
	case DW_OP_mul:
		return push(e, a * b), true;
	case DW_OP_shl:
		return push(e, b < 64 ? a << b : 0), true;
	case DW_OP_shr:
		return push(e, b < 64 ? a >> b : 0), true;
	case DW_OP_shra:
		return push(e, (uintptr_t)(sa >> (b < 64 ? b : 63))), true;
	case DW_OP_eq:
		return push(e, sa == sb), true;
	case DW_OP_ne:
		return push(e, sa != sb), true;
	case DW_OP_ge:
		return push(e, sa >= sb), true;
	case DW_OP_gt:
		return push(e, sa > sb), true;
	case DW_OP_le:
		return push(e, sa <= sb), true;
	case DW_OP_lt:
		return push(e, sa < sb), true;
	case DW_OP_swap:
		return push(e, b), push(e, a), true;
	case DW_OP_over:
		return push(e, a), push(e, b), push(e, a), true;
	default:
		return false;
	}
}

static void evaluate_register(struct evaluation *e, uint8_t op)
{
	int column = kma_arch_column((uint64_t)(op - DW_OP_breg0));
	uint64_t offset = take_leb(e, true);

	if (column < 0)
		e->bad = true;
	else
		push(e, e->registers->column[column] + offset);
}

/* initial, if not NULL, is pushed first: the CFA, for a register's rule. */
static bool evaluate(const void *expression, const uintptr_t *initial,
		     const struct kma_registers *registers,
		     const struct kma_bounds *bounds, uintptr_t *ret)
{
	enum { LONGEST = 255 };
	struct evaluation e = { .registers = registers,
				.bounds = bounds,
				.at = expression,
				.end = (const uint8_t *)expression + LONGEST };

	uint64_t length = take_leb(&e, false);
	if (length < (uint64_t)(e.end - e.at))
		e.end = e.at + length;
	if (initial)
		push(&e, *initial);
	for (int step = 0; !e.bad && e.at < e.end; step++) {
		uint8_t op = (uint8_t)take(&e, 1);

		if (step == EXPRESSION_STEPS)
			return false;
		if (op >= DW_OP_breg0 && op <= DW_OP_breg31)
			evaluate_register(&e, op);
		else if (op != DW_OP_nop && !evaluate_constant(&e, op) &&
			 !evaluate_unary(&e, op) && !evaluate_binary(&e, op))
			return false;
	}
	*ret = pop(&e);
	return !e.bad;
}

static bool find_cfa(const struct kma_cfi_row *row,
		     const struct kma_registers *registers,
		     const struct kma_bounds *bounds, uintptr_t *ret)
{
	if (row->cfa.how == KMA_CFI_EXPRESSION)
		return evaluate((const void *)(uintptr_t)row->cfa.value, NULL,
				registers, bounds, ret);
	if (row->cfa_column < 0)
		return false;
	*ret = registers->column[row->cfa_column] + (uintptr_t)row->cfa.value;
	return true;
}

static bool find_column(const struct kma_cfi_column *rule, uintptr_t cfa,
			const struct kma_registers *registers,
			const struct kma_bounds *bounds, uintptr_t *value)
{
	const void *expression = (const void *)(uintptr_t)rule->value;
	uintptr_t at;

	switch (rule->how) {
	case KMA_CFI_SAME:
	case KMA_CFI_UNDEFINED:
		return true;
	case KMA_CFI_OFFSET:
		return kma_bounds_read(bounds, cfa + (uintptr_t)rule->value,
				       value);
	case KMA_CFI_VAL_OFFSET:
		*value = cfa + (uintptr_t)rule->value;
		return true;
	case KMA_CFI_REGISTER:
		if (rule->value < 0)
			return false;
		*value = registers->column[rule->value];
		return true;
	case KMA_CFI_EXPRESSION:
		return evaluate(expression, &cfa, registers, bounds, &at) &&
		       kma_bounds_read(bounds, at, value);
	case KMA_CFI_VAL_EXPRESSION:
		return evaluate(expression, &cfa, registers, bounds, value);
	}
	return false;
}

bool kma_cfi_step(const struct kma_cfi_row *row,
		  const struct kma_bounds *bounds,
		  struct kma_registers *registers)
{
	struct kma_registers caller = *registers;
	uintptr_t cfa;

	if (!find_cfa(row, registers, bounds, &cfa))
		return false;
	caller.column[KMA_COLUMN_SP] = cfa;
	for (int i = 0; i < KMA_COLUMNS; i++)
		if (!find_column(&row->column[i], cfa, registers, bounds,
				 &caller.column[i]))
			return false;
	*registers = caller;
	return true;
}
