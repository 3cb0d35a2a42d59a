/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * capstone is loaded when the first instruction is asked for: its tables of all
 * instruction sets take a third of what kdbg takes to start, and few who start
 * it look at instructions. kdbg check starts for each test of a suite.
 */
#include "kdbg/disassemble.h"

#include "kdbg/symbols.h"
#include "kdbg/target.h"
#include "kdbg/target_file.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <capstone/capstone.h>

/* The library of the headers that we were built with. */
#define LIBRARY_OF(major)   LIBRARY_NAME(major)
#define LIBRARY_NAME(major) "libcapstone.so." #major

struct capstone {
	void *library;
	__typeof__(cs_open) *open;
	__typeof__(cs_close) *close;
	__typeof__(cs_strerror) *strerror;
	__typeof__(cs_option) *option;
	__typeof__(cs_malloc) *malloc;
	__typeof__(cs_free) *free;
	__typeof__(cs_disasm_iter) *disasm_iter;
	__typeof__(cs_insn_group) *insn_group;
};

struct disassembler {
	struct capstone capstone;
	csh handle;
	cs_insn *instruction;
	bool intel;
};

/* function is a pointer to one; POSIX's way from an object pointer. */
static bool load_function(struct capstone *capstone, const char *name,
			  void *function)
{
	void *found = dlsym(capstone->library, name);

	memcpy(function, &found, sizeof(found));
	return found;
}

static bool load(struct capstone *c)
{
	c->library = dlopen(LIBRARY_OF(CS_API_MAJOR), RTLD_NOW | RTLD_LOCAL);
	return c->library && load_function(c, "cs_open", &c->open) &&
	       load_function(c, "cs_close", &c->close) &&
	       load_function(c, "cs_strerror", &c->strerror) &&
	       load_function(c, "cs_option", &c->option) &&
	       load_function(c, "cs_malloc", &c->malloc) &&
	       load_function(c, "cs_free", &c->free) &&
	       load_function(c, "cs_disasm_iter", &c->disasm_iter) &&
	       load_function(c, "cs_insn_group", &c->insn_group);
}

static struct err *start(struct disassembler *d)
{
	if (!load(&d->capstone))
		return err_new(ERR_NOT_FOUND, "no instructions without %s: %s",
			       LIBRARY_OF(CS_API_MAJOR), dlerror());
	cs_err error = d->capstone.open(CS_ARCH_X86, CS_MODE_64, &d->handle);
	if (error != CS_ERR_OK)
		return err_new(ERR_NO_MEMORY, "disassembler: %s",
			       d->capstone.strerror(error));
	d->capstone.option(d->handle, CS_OPT_DETAIL, CS_OPT_ON);
	d->capstone.option(d->handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
	d->instruction = d->capstone.malloc(d->handle);
	return d->instruction ? NULL : err_new(ERR_NO_MEMORY, "out of memory");
}

struct err *disassembler_create(struct disassembler **ret)
{
	struct disassembler *d = calloc(1, sizeof(*d));

	if (!d)
		return err_new(ERR_NO_MEMORY, "out of memory");
	struct err *err = start(d);
	if (err)
		disassembler_destroy(d);
	else
		*ret = d;
	return err;
}

void disassembler_destroy(struct disassembler *disassembler)
{
	struct disassembler *d = disassembler;

	if (!d)
		return;
	if (d->instruction)
		d->capstone.free(d->instruction, 1);
	if (d->handle)
		d->capstone.close(&d->handle);
	if (d->capstone.library)
		dlclose(d->capstone.library);
	free(d);
}

/* A direct branch leads there; an operand relative to rip refers to it. */
static bool find_target(const struct disassembler *d, uint64_t *ret)
{
	const cs_insn *insn = d->instruction;
	const cs_x86 *x86 = &insn->detail->x86;
	__typeof__(cs_insn_group) *is_in = d->capstone.insn_group;
	bool branches = is_in(d->handle, insn, CS_GRP_JUMP) ||
			is_in(d->handle, insn, CS_GRP_CALL) ||
			is_in(d->handle, insn, CS_GRP_BRANCH_RELATIVE);

	for (uint8_t i = 0; i < x86->op_count; i++) {
		const cs_x86_op *op = &x86->operands[i];

		if (op->type == X86_OP_IMM && branches) {
			*ret = (uint64_t)op->imm;
			return true;
		}
		if (op->type == X86_OP_MEM && op->mem.base == X86_REG_RIP) {
			*ret = insn->address + insn->size +
			       (uint64_t)op->mem.disp;
			return true;
		}
	}
	return false;
}

static void put_text(const cs_insn *insn, struct instruction *ret)
{
	if (*insn->op_str)
		snprintf(ret->text, sizeof(ret->text), "%-7s %s",
			 insn->mnemonic, insn->op_str);
	else
		snprintf(ret->text, sizeof(ret->text), "%s", insn->mnemonic);
}

void disassemble(struct disassembler *disassembler, bool intel,
		 uint64_t address, const unsigned char *bytes, size_t size,
		 struct instruction *ret)
{
	struct disassembler *d = disassembler;
	const uint8_t *code = bytes;
	uint64_t at = address;

	if (intel != d->intel) {
		d->capstone.option(d->handle, CS_OPT_SYNTAX,
				   intel ? CS_OPT_SYNTAX_INTEL
					 : CS_OPT_SYNTAX_ATT);
		d->intel = intel;
	}
	*ret = (struct instruction){ .address = address, .size = 1 };
	ret->known = d->capstone.disasm_iter(d->handle, &code, &size, &at,
					     d->instruction);
	if (ret->known) {
		ret->size = d->instruction->size;
		put_text(d->instruction, ret);
		ret->has_target = find_target(d, &ret->target);
	} else {
		snprintf(ret->text, sizeof(ret->text), "(bad)");
	}
	memcpy(ret->bytes, bytes, ret->size);
}

static struct err *session_disassembler(struct session *session,
					struct disassembler **ret)
{
	struct err *err = NULL;

	if (!session->disassembler)
		err = disassembler_create(&session->disassembler);
	*ret = session->disassembler;
	return err;
}

static struct err *read_file(struct target *target, uint64_t address,
			     unsigned char *bytes, size_t *size)
{
	const void *view;
	struct err *err = target_files_view(target, address,
					    INSTRUCTION_BYTES_MAX, &view, size);

	if (!err)
		memcpy(bytes, view, *size);
	return err;
}

static struct err *read_memory(struct target *target, uint64_t address,
			       unsigned char *bytes, size_t *size)
{
	*size = target_read_some(target, address, bytes, INSTRUCTION_BYTES_MAX);
	return *size ? NULL : target_read(target, address, bytes, 1);
}

struct err *instruction_at(struct session *session, uint64_t address,
			   bool from_file, struct instruction *ret)
{
	unsigned char bytes[INSTRUCTION_BYTES_MAX];
	struct disassembler *disassembler;
	size_t size = 0;
	struct err *err = session_disassembler(session, &disassembler);

	if (err)
		return err;
	if (!session->target)
		return err_new(ERR_NOT_FOUND, "no target is open");
	err = from_file ? read_file(session->target, address, bytes, &size)
			: read_memory(session->target, address, bytes, &size);
	if (!err)
		disassemble(disassembler, session->intel_syntax, address, bytes,
			    size, ret);
	return err;
}

void instruction_format(struct session *session,
			const struct instruction *instruction, char *buffer,
			size_t size)
{
	struct symbols *symbols;
	struct symbol symbol;
	char name[512];
	struct err *err = session_symbols(session, &symbols);

	if (err || !instruction->has_target ||
	    !symbols_at(symbols, instruction->target, &symbol)) {
		err_free(err);
		snprintf(buffer, size, "%s", instruction->text);
		return;
	}
	symbols_format(symbols, instruction->target, name, sizeof(name));
	snprintf(buffer, size, "%s <%s>", instruction->text, name);
}
