/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::stackregs - the stack of a thread, with the registers of each frame. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/dcmds/thread_choice.h"
#include "kdbg/symbols.h"
#include "kdbg/unwind.h"

#include <inttypes.h>
#include <stdio.h>

enum { PLACE_SIZE = 512, PER_LINE = 3, LINE_SIZE = 160 };

static const struct column stackregs_columns[] = {
	{ "FRAME", VALUE_COUNT },     { "PC", VALUE_ADDRESS },
	{ "SP", VALUE_ADDRESS },      { "FUNCTION", VALUE_TEXT },
	{ "REGISTERS", VALUE_LINES },
};

static const struct table stackregs_tables[] = {
	{ "default", stackregs_columns, 5, .no_header = true },
};

struct register_walk {
	struct session *session;
	struct symbols *symbols;
	struct sink *out;
	uint64_t count;
};

/* "rbx 0000000000000000  rbp 00007ffc0a1b2c30", what is known of them. */
static void add_registers(struct stack_lines *lines,
			  const struct unwind_registers *registers)
{
	char line[LINE_SIZE];
	size_t used = 0;
	int on_line = 0;

	for (int i = 0; registers && i < ARCH_DWARF_REGISTERS; i++) {
		if (!registers->known[i])
			continue;
		if (on_line == PER_LINE) {
			stack_lines_text(lines, "%s", line);
			on_line = 0;
			used = 0;
		}
		used += (size_t)snprintf(
			line + used, sizeof(line) - used, "%s%-3s %016" PRIx64,
			on_line ? "  " : "", arch_dwarf_register_name(i),
			registers->values[i]);
		on_line++;
	}
	if (on_line)
		stack_lines_text(lines, "%s", line);
}

static bool each_frame(void *context, const struct unwind_frame *frame)
{
	struct register_walk *walk = context;
	struct stack_lines lines = { 0 };
	char place[PLACE_SIZE], text[PLACE_SIZE + 32];

	if (frame->exact)
		symbols_format_pc(walk->symbols, frame->pc, place,
				  sizeof(place));
	else
		symbols_format_return(walk->symbols, frame->pc, place,
				      sizeof(place));
	add_registers(&lines, frame->registers);
	snprintf(text, sizeof(text), "%016" PRIx64 " %s%s", frame->sp,
		 frame->guessed ? "? " : "", place);
	SINK_ROW_AS(walk->out, text, COUNT(walk->count), ADDRESS(frame->pc),
		    frame->sp ? ADDRESS(frame->sp) : ABSENT(VALUE_ADDRESS),
		    TEXT(place), LINES(lines.lines));
	stack_lines_deinit(&lines);
	walk->count++;
	return !walk->out->failed && !session_interrupted(walk->session);
}

static struct err *stackregs_run(const struct dcmd_call *call, struct sink *out)
{
	struct register_walk walk = { .session = call->session, .out = out };
	const struct dump_thread *thread;
	struct err *err = session_symbols(call->session, &walk.symbols);

	if (!err)
		err = thread_choose(call, &thread);
	if (err)
		return err;
	return unwind_thread_registers(call->session->target, thread,
				       each_frame, &walk);
}

const struct dcmd dcmd_stackregs = {
	.name = "stackregs",
	.summary = "the stack of a thread, with the registers of each frame",
	.help = "Below each call, as ::stack -v shows it, the registers as "
		"they were there: those that call frame information brings "
		"back from the functions called. Without a thread id it is the "
		"thread that crashed.",
	.example = "::stackregs",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "thread id",
	.tables = stackregs_tables,
	.table_count = 1,
	.run = stackregs_run,
};
