/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::fpregs - the floating point and vector registers of a thread. */
#include "kdbg/arch.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/thread_choice.h"

#include <inttypes.h>
#include <stdio.h>

enum { TEXT_SIZE = 64 };

static const struct column fpregs_columns[] = {
	{ "REG", VALUE_TEXT, .width = 8 },
	{ "VALUE", VALUE_TEXT, .width = 32 },
	{ "NUMBERS", VALUE_TEXT },
};

static const struct table fpregs_tables[] = {
	{ "default", fpregs_columns, 3 },
};

/* The lowest byte is the last digit. */
static void format_value(const unsigned char *bytes, size_t size, char *text)
{
	for (size_t i = size; i > 0; i--)
		text += sprintf(text, "%02x", bytes[i - 1]);
}

static void emit(const struct arch_vector_register *reg,
		 const unsigned char *state, struct sink *out)
{
	double numbers[ARCH_VECTOR_NUMBERS];
	char value[TEXT_SIZE], text[TEXT_SIZE] = "";
	size_t count = arch_vector_numbers(reg, state, numbers), used = 0;

	format_value(state + reg->offset, reg->size, value);
	for (size_t i = 0; i < count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%.10g", i ? " " : "", numbers[i]);
	SINK_ROW(out, TEXT(reg->name), TEXT(value), TEXT(count ? text : NULL));
}

static struct err *fpregs_run(const struct dcmd_call *call, struct sink *out)
{
	const struct arch_vector_register *registers;
	const struct dump_thread *thread;
	size_t count = arch_vector_registers(&registers);
	struct err *err = thread_choose(call, &thread);

	if (err)
		return err;
	if (!thread->fpregs || thread->fpregs_size < ARCH_VECTOR_SIZE) {
		sink_note(out,
			  "thread %" PRIu32 ": its vector registers are not in "
			  "the %s",
			  thread->tid, call->session->target->ops->kind);
		return NULL;
	}
	for (size_t i = 0; i < count && !out->failed; i++)
		emit(&registers[i], thread->fpregs, out);
	return NULL;
}

const struct dcmd dcmd_fpregs = {
	.name = "fpregs",
	.aliases = (const char *const[]){ "$x", "$X", "$y", "$Y", NULL },
	.summary = "the floating point and vector registers of a thread",
	.help = "The x87 and SSE registers as they were, in hexadecimal and as "
		"the numbers they hold: st0 to st7 as one, xmm0 to xmm15 as "
		"two doubles, the lower one first. Without a thread id it is "
		"the thread that crashed. One that made a call of libkma's, as "
		"at exit, has none: calls do not keep them.",
	.example = "::fpregs",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "thread id",
	.tables = fpregs_tables,
	.table_count = 1,
	.run = fpregs_run,
};
