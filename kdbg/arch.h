/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kdbg knows of the machine the target ran on. All of it lies in one file
 * per machine. */
#ifndef KDBG_ARCH_H
#define KDBG_ARCH_H

#include "dumpfmt/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ARCH_ELF_MACHINE = 62,     /* EM_X86_64 */
	ARCH_DWARF_REGISTERS = 17, /* with the return address */
	ARCH_DWARF_RESULT = 0,     /* no caller's: what calls return in */
	ARCH_DWARF_SP = 7,
	ARCH_DWARF_PC = 16,
	ARCH_CALL_MAX = 7,       /* bytes of the longest call */
	ARCH_VECTOR_SIZE = 512,  /* of vector state that is always there */
	ARCH_VECTOR_NUMBERS = 2, /* in one register at most */
};

struct arch_register {
	const char *name;
	size_t offset; /* in struct dump_registers */
};

/* In the order in which people read them. */
size_t arch_registers(const struct arch_register **ret);

/* The value of the register called name; "pc" and "sp" work everywhere. */
bool arch_register_get(const struct dump_registers *registers, const char *name,
		       uint64_t *ret);

/* Of a thread's vector state (struct dump_thread). */
struct arch_vector_register {
	const char *name;
	size_t offset, size; /* in bytes */
};

size_t arch_vector_registers(const struct arch_vector_register **ret);

/* What floating point numbers a register holds; how many. */
size_t arch_vector_numbers(const struct arch_vector_register *reg,
			   const unsigned char *state,
			   double numbers[ARCH_VECTOR_NUMBERS]);

/* By the numbers that DWARF gives them. */
void arch_dwarf_registers(const struct dump_registers *registers,
			  uint64_t values[ARCH_DWARF_REGISTERS]);

const char *arch_dwarf_register_name(int number);

/* What the kernel leaves on the stack of a signal's handler. */
struct arch_ucontext {
	uint64_t flags, link;
	uint64_t stack, stack_size; /* the alternate one */
	uint32_t stack_flags;       /* SS_ */
	struct dump_registers registers;
	uint64_t trap, trap_error, fault_address, mask; /* of signals 1 to 64 */
};

enum { ARCH_UCONTEXT_SIZE = 304 }; /* of its bytes, as far as they are read */

void arch_ucontext_read(const unsigned char bytes[ARCH_UCONTEXT_SIZE],
			struct arch_ucontext *ret);

/* Can code that ends with these bytes end with a call? */
bool arch_ends_in_call(const unsigned char *bytes, size_t size);

#endif
