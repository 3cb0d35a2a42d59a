/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::regs and $r - the registers of a thread. */
#include "kdbg/arch.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/thread_choice.h"
#include "kdbg/symbols.h"

#include <inttypes.h>
#include <string.h>

enum { SYMBOL_SIZE = 512 };

static const struct column regs_columns[] = {
	{ "REG", VALUE_TEXT, .width = 8 },
	{ "VALUE", VALUE_ADDRESS },
	{ "SYMBOL", VALUE_TEXT },
};

static const struct table regs_tables[] = {
	{ "default", regs_columns,
	  sizeof(regs_columns) / sizeof(regs_columns[0]) },
};

static void emit_register(const struct target *target, struct symbols *symbols,
			  const char *name, uint64_t value, struct sink *out)
{
	char symbol[SYMBOL_SIZE];

	symbols_format(symbols, value, symbol, sizeof(symbol));
	SINK_ROW(out, TEXT(name), ADDRESS(value),
		 TEXT(target_module_at(target, value) ? symbol : NULL));
}

struct regs_options {
	bool ucontext;
};

static const struct option regs_options[] = {
	{ 'u', "ucontext", OPTION_FLAG, offsetof(struct regs_options, ucontext),
	  NULL, "those that the ucontext_t at the address holds" },
};

static bool is_known(const struct dump_thread *thread, const char *name)
{
	if (thread->flags & DUMP_THREAD_REGISTERS)
		return true;
	return (thread->flags & DUMP_THREAD_SP_PC) &&
	       (strcmp(name, "rsp") == 0 || strcmp(name, "rip") == 0);
}

/* As if it were a thread that stands where the signal found it. */
static struct err *read_ucontext(const struct dcmd_call *call,
				 struct dump_thread *ret)
{
	unsigned char bytes[ARCH_UCONTEXT_SIZE];
	struct arch_ucontext context;

	if (!call->has_address)
		return err_new(ERR_USAGE,
			       "-u needs the address of a ucontext_t before "
			       "::; ::walk ucontext lists them");
	struct err *err = target_read(call->session->target, call->address,
				      bytes, sizeof(bytes));
	if (err)
		return err_wrap(err, "ucontext_t");
	arch_ucontext_read(bytes, &context);
	*ret = (struct dump_thread){ .flags = DUMP_THREAD_REGISTERS,
				     .registers = context.registers };
	return NULL;
}

static struct err *regs_run(const struct dcmd_call *call, struct sink *out)
{
	const struct regs_options *options = call->options;
	const struct arch_register *registers;
	const struct dump_thread *thread;
	struct dump_thread interrupted;
	struct symbols *symbols;
	struct err *err = session_symbols(call->session, &symbols);
	size_t count = arch_registers(&registers), shown = 0;

	if (!err && options->ucontext) {
		err = read_ucontext(call, &interrupted);
		thread = &interrupted;
	} else if (!err) {
		err = thread_choose(call, &thread);
	}
	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		uint64_t value;

		if (!is_known(thread, registers[i].name) ||
		    !arch_register_get(&thread->registers, registers[i].name,
				       &value))
			continue;
		emit_register(call->session->target, symbols, registers[i].name,
			      value, out);
		shown++;
	}
	if (!shown)
		return err_new(ERR_NOT_FOUND,
			       "the registers of thread %" PRIu32
			       " are not in the %s",
			       thread->tid, call->session->target->ops->kind);
	return NULL;
}

const struct dcmd dcmd_regs = {
	.name = "regs",
	.aliases = (const char *const[]){ "$r", NULL },
	.summary = "the registers of a thread",
	.help = "The general registers as they were, and what their values "
		"point at in the program's modules. Without a thread id it is "
		"the thread that crashed.",
	.example = "::regs",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "thread id or ucontext",
	.options = regs_options,
	.option_count = sizeof(regs_options) / sizeof(regs_options[0]),
	.options_size = sizeof(struct regs_options),
	.tables = regs_tables,
	.table_count = 1,
	.run = regs_run,
};
