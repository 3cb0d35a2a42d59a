/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stack machine. What it does not know (pieces, values at entry, vector
 * registers) means that the place is not known; a debug file is hostile input,
 * so operations, stack and the bases of bases are counted.
 */
#include "kdbg/frame_location.h"

#include <dwarf.h>

enum { STACK_MAX = 32, OPERATIONS_MAX = 256 };

struct machine {
	const struct frame_state *frame;
	uint64_t stack[STACK_MAX];
	size_t depth;
	bool is_value; /* DW_OP_stack_value, or a register's */
	bool in_base;  /* working out the frame's base */
	bool failed;
};

static bool evaluate(struct machine *machine, Dwarf_Attribute *attribute);

static void push(struct machine *machine, uint64_t value)
{
	machine->failed |= machine->depth == STACK_MAX;
	if (!machine->failed)
		machine->stack[machine->depth++] = value;
}

static uint64_t pop(struct machine *machine)
{
	machine->failed |= machine->depth == 0;
	return machine->failed ? 0 : machine->stack[--machine->depth];
}

static uint64_t register_value(struct machine *machine, uint64_t number)
{
	const struct unwind_registers *registers = machine->frame->registers;

	if (registers && number < ARCH_DWARF_REGISTERS &&
	    registers->known[number])
		return registers->values[number];
	machine->failed = true;
	return 0;
}

static uint64_t frame_base(struct machine *machine)
{
	struct machine base = { .frame = machine->frame, .in_base = true };
	Dwarf_Die function = machine->frame->function;
	Dwarf_Attribute attribute;

	if (machine->in_base ||
	    !dwarf_attr_integrate(&function, DW_AT_frame_base, &attribute) ||
	    !evaluate(&base, &attribute)) {
		machine->failed = true;
		return 0;
	}
	return pop(&base);
}

static uint64_t cfa(struct machine *machine)
{
	machine->failed |= !machine->frame->cfa;
	return machine->frame->cfa;
}

static uint64_t dereference(struct machine *machine, uint64_t address,
			    uint64_t size)
{
	uint64_t value = 0;

	if (!size || size > sizeof(value)) {
		machine->failed = true;
		return 0;
	}
	struct err *err = target_read_uint(machine->frame->target, address,
					   (size_t)size, &value);
	machine->failed |= err != NULL;
	err_free(err);
	return value;
}

static bool arithmetic(struct machine *machine, unsigned atom)
{
	uint64_t right = pop(machine), left = pop(machine);
	bool shifts = right < 64;

	switch (atom) {
	case DW_OP_plus:
		push(machine, left + right);
		return true;
	case DW_OP_minus:
		push(machine, left - right);
		return true;
	case DW_OP_mul:
		push(machine, left * right);
		return true;
	case DW_OP_and:
		push(machine, left & right);
		return true;
	case DW_OP_or:
		push(machine, left | right);
		return true;
	case DW_OP_xor:
		push(machine, left ^ right);
		return true;
	case DW_OP_shl:
		push(machine, shifts ? left << right : 0);
		return true;
	case DW_OP_shr:
		push(machine, shifts ? left >> right : 0);
		return true;
	case DW_OP_shra:
		push(machine,
		     (uint64_t)((int64_t)left >> (shifts ? right : 63)));
		return true;
	default:
		return false;
	}
}

/* What pushes a number that stands in the operation. */
static bool constant(struct machine *machine, const Dwarf_Op *op)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31) {
		push(machine, op->atom - DW_OP_lit0);
		return true;
	}
	switch (op->atom) {
	case DW_OP_addr:
		push(machine, op->number + machine->frame->bias);
		return true;
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_const8u:
	case DW_OP_const8s:
	case DW_OP_constu:
	case DW_OP_consts: /* libdw has extended their signs */
		push(machine, op->number);
		return true;
	default:
		return false;
	}
}

static bool of_registers(struct machine *machine, const Dwarf_Op *op)
{
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
		push(machine, register_value(machine, op->atom - DW_OP_breg0) +
				      op->number);
		return true;
	}
	if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31) {
		push(machine, register_value(machine, op->atom - DW_OP_reg0));
		machine->is_value = true;
		return true;
	}
	switch (op->atom) {
	case DW_OP_bregx:
		push(machine,
		     register_value(machine, op->number) + op->number2);
		return true;
	case DW_OP_regx:
		push(machine, register_value(machine, op->number));
		machine->is_value = true;
		return true;
	case DW_OP_fbreg:
		push(machine, frame_base(machine) + op->number);
		return true;
	case DW_OP_call_frame_cfa:
		push(machine, cfa(machine));
		return true;
	default:
		return false;
	}
}

static bool of_stack(struct machine *machine, const Dwarf_Op *op)
{
	uint64_t top;

	switch (op->atom) {
	case DW_OP_plus_uconst:
		push(machine, pop(machine) + op->number);
		return true;
	case DW_OP_neg:
		push(machine, 0 - pop(machine));
		return true;
	case DW_OP_not:
		push(machine, ~pop(machine));
		return true;
	case DW_OP_deref:
		push(machine, dereference(machine, pop(machine), 8));
		return true;
	case DW_OP_deref_size:
		push(machine, dereference(machine, pop(machine), op->number));
		return true;
	case DW_OP_dup:
		top = pop(machine);
		push(machine, top);
		push(machine, top);
		return true;
	case DW_OP_drop:
		pop(machine);
		return true;
	case DW_OP_stack_value:
		machine->is_value = true;
		return true;
	case DW_OP_nop:
		return true;
	default:
		return false;
	}
}

static bool evaluate(struct machine *machine, Dwarf_Attribute *attribute)
{
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_getlocation_addr(attribute, machine->frame->pc, &ops, &count,
				   1) != 1 ||
	    !count || count > OPERATIONS_MAX)
		return false;
	for (size_t i = 0; i < count && !machine->failed; i++)
		machine->failed |= !constant(machine, &ops[i]) &&
				   !of_registers(machine, &ops[i]) &&
				   !of_stack(machine, &ops[i]) &&
				   !arithmetic(machine, ops[i].atom);
	return !machine->failed && machine->depth > 0;
}

bool frame_locate(const struct frame_state *frame, Dwarf_Die *variable,
		  struct frame_location *ret)
{
	struct machine machine = { .frame = frame };
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (dwarf_attr_integrate(variable, DW_AT_const_value, &attribute)) {
		Dwarf_Sword with_sign;

		if (dwarf_formsdata(&attribute, &with_sign) == 0)
			value = (Dwarf_Word)with_sign;
		else if (dwarf_formudata(&attribute, &value) != 0)
			return false;
		*ret = (struct frame_location){ true, value };
		return true;
	}
	if (!dwarf_attr(variable, DW_AT_location, &attribute) ||
	    !evaluate(&machine, &attribute))
		return false;
	ret->is_value = machine.is_value;
	ret->value = pop(&machine);
	return true;
}
