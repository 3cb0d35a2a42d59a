/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/arch.h"

#include <math.h>
#include <string.h>

#define REGISTER(r)                                    \
	{                                              \
#r, offsetof(struct dump_registers, r) \
	}

static const struct arch_register registers_by_use[] = {
	REGISTER(rax), REGISTER(rbx),     REGISTER(rcx),      REGISTER(rdx),
	REGISTER(rsi), REGISTER(rdi),     REGISTER(rbp),      REGISTER(rsp),
	REGISTER(r8),  REGISTER(r9),      REGISTER(r10),      REGISTER(r11),
	REGISTER(r12), REGISTER(r13),     REGISTER(r14),      REGISTER(r15),
	REGISTER(rip), REGISTER(rflags),  REGISTER(orig_rax), REGISTER(cs),
	REGISTER(ss),  REGISTER(ds),      REGISTER(es),       REGISTER(fs),
	REGISTER(gs),  REGISTER(fs_base), REGISTER(gs_base),
};

size_t arch_registers(const struct arch_register **ret)
{
	*ret = registers_by_use;
	return sizeof(registers_by_use) / sizeof(registers_by_use[0]);
}

static const char *machine_name(const char *name)
{
	if (strcmp(name, "pc") == 0)
		return "rip";
	return strcmp(name, "sp") == 0 ? "rsp" : name;
}

bool arch_register_get(const struct dump_registers *registers, const char *name,
		       uint64_t *ret)
{
	const struct arch_register *known;
	size_t count = arch_registers(&known);

	name = machine_name(name);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		memcpy(ret, (const char *)registers + known[i].offset,
		       sizeof(*ret));
		return true;
	}
	return false;
}

/* As FXSAVE lays them out, with which every form of XSAVE begins. */
static const struct arch_vector_register vector_registers[] = {
	{ "fcw", 0, 2 },      { "fsw", 2, 2 },      { "ftw", 4, 1 },
	{ "fop", 6, 2 },      { "mxcsr", 24, 4 },   { "st0", 32, 10 },
	{ "st1", 48, 10 },    { "st2", 64, 10 },    { "st3", 80, 10 },
	{ "st4", 96, 10 },    { "st5", 112, 10 },   { "st6", 128, 10 },
	{ "st7", 144, 10 },   { "xmm0", 160, 16 },  { "xmm1", 176, 16 },
	{ "xmm2", 192, 16 },  { "xmm3", 208, 16 },  { "xmm4", 224, 16 },
	{ "xmm5", 240, 16 },  { "xmm6", 256, 16 },  { "xmm7", 272, 16 },
	{ "xmm8", 288, 16 },  { "xmm9", 304, 16 },  { "xmm10", 320, 16 },
	{ "xmm11", 336, 16 }, { "xmm12", 352, 16 }, { "xmm13", 368, 16 },
	{ "xmm14", 384, 16 }, { "xmm15", 400, 16 },
};

size_t arch_vector_registers(const struct arch_vector_register **ret)
{
	*ret = vector_registers;
	return sizeof(vector_registers) / sizeof(vector_registers[0]);
}

/* 80 bits: the sign, 15 of exponent, 64 of the number with its leading 1. */
static double extended(const unsigned char *bytes)
{
	enum { BIAS = 16383, FRACTION = 63, SIGN = 0x8000 };
	uint64_t number;
	uint16_t top;

	memcpy(&number, bytes, sizeof(number));
	memcpy(&top, bytes + sizeof(number), sizeof(top));
	int exponent = top & (SIGN - 1);
	double value = exponent == SIGN - 1 ? (number << 1 ? NAN : INFINITY)
					    : ldexp((double)number,
						    exponent - BIAS - FRACTION);
	return top & SIGN ? -value : value;
}

size_t arch_vector_numbers(const struct arch_vector_register *reg,
			   const unsigned char *state,
			   double numbers[ARCH_VECTOR_NUMBERS])
{
	if (reg->size == 10) {
		numbers[0] = extended(state + reg->offset);
		return 1;
	}
	if (reg->size != 16)
		return 0;
	memcpy(numbers, state + reg->offset, reg->size);
	return 2;
}

void arch_dwarf_registers(const struct dump_registers *r,
			  uint64_t values[ARCH_DWARF_REGISTERS])
{
	const uint64_t in_order[ARCH_DWARF_REGISTERS] = {
		r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi,
		r->rbp, r->rsp, r->r8,  r->r9,  r->r10, r->r11,
		r->r12, r->r13, r->r14, r->r15, r->rip,
	};

	memcpy(values, in_order, sizeof(in_order));
}

const char *arch_dwarf_register_name(int number)
{
	static const char *const names[ARCH_DWARF_REGISTERS] = {
		"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8",
		"r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rip",
	};

	return names[number];
}

static uint64_t word(const unsigned char *bytes, size_t at)
{
	uint64_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

/* flags, link, stack (sp, flags, size), then the registers from 40 on, the
 * pointer to the floating point state, and the mask. */
void arch_ucontext_read(const unsigned char bytes[ARCH_UCONTEXT_SIZE],
			struct arch_ucontext *ret)
{
	enum { REGISTERS = 40, SEGMENTS = 18, MASK = 296 };
	static const size_t in_order[] = {
#define AT(r) offsetof(struct dump_registers, r)
		AT(r8),  AT(r9),  AT(r10), AT(r11), AT(r12), AT(r13),
		AT(r14), AT(r15), AT(rdi), AT(rsi), AT(rbp), AT(rbx),
		AT(rdx), AT(rax), AT(rcx), AT(rsp), AT(rip), AT(rflags),
#undef AT
	};
	const unsigned char *registers = bytes + REGISTERS;
	uint64_t segments = word(registers, 8 * SEGMENTS);

	*ret = (struct arch_ucontext){
		.flags = word(bytes, 0),
		.link = word(bytes, 8),
		.stack = word(bytes, 16),
		.stack_flags = (uint32_t)word(bytes, 24),
		.stack_size = word(bytes, 32),
		.trap_error = word(registers, 8 * (SEGMENTS + 1)),
		.trap = word(registers, 8 * (SEGMENTS + 2)),
		.fault_address = word(registers, 8 * (SEGMENTS + 4)),
		.mask = word(bytes, MASK),
	};
	for (size_t i = 0; i < SEGMENTS; i++)
		memcpy((char *)&ret->registers + in_order[i], registers + 8 * i,
		       8);
	ret->registers.cs = segments & 0xffff;
	ret->registers.gs = segments >> 16 & 0xffff;
	ret->registers.fs = segments >> 32 & 0xffff;
	ret->registers.ss = segments >> 48;
}

/* FF /2; the byte after it tells how it addresses what it calls. */
static bool is_indirect_call(const unsigned char *code)
{
	return code[0] == 0xff && (code[1] & 0x38) == 0x10;
}

bool arch_ends_in_call(const unsigned char *bytes, size_t size)
{
	static const size_t lengths[] = { 2, 3, 4, 6, 7 };
	const unsigned char *end = bytes + size;

	if (size >= 5 && end[-5] == 0xe8)
		return true;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		if (size >= lengths[i] && is_indirect_call(end - lengths[i]))
			return true;
	return false;
}
