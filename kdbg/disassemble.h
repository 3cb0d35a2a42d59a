/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes of code as instructions. Only disassemble.c knows capstone. */
#ifndef KDBG_DISASSEMBLE_H
#define KDBG_DISASSEMBLE_H

#include "dumpfmt/err.h"
#include "kdbg/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INSTRUCTION_BYTES_MAX = 16 };

struct instruction {
	uint64_t address;
	unsigned size; /* at least 1, also of bytes that are none */
	unsigned char bytes[INSTRUCTION_BYTES_MAX];
	bool known;     /* false: text is "(bad)" */
	char text[224]; /* mnemonic and operands, in the session's syntax */
	bool has_target;
	uint64_t target; /* where it jumps or calls, or what it refers to */
};

struct disassembler;

struct err *disassembler_create(struct disassembler **ret) MUST_USE;
void disassembler_destroy(struct disassembler *disassembler);

/* The instruction that the size bytes begin with; size is at least 1. */
void disassemble(struct disassembler *disassembler, bool intel,
		 uint64_t address, const unsigned char *bytes, size_t size,
		 struct instruction *ret);

/*
 * The instruction at address of the session's target. from_file: as its file
 * has it, whatever memory says. An error says that nothing is there.
 */
struct err *instruction_at(struct session *session, uint64_t address,
			   bool from_file, struct instruction *ret) MUST_USE;

/* The text, and behind it the symbol of what it refers to. */
void instruction_format(struct session *session,
			const struct instruction *instruction, char *buffer,
			size_t size);

#endif
