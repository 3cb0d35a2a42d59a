/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::stack, $c and $C - the stack of a thread. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/thread_choice.h"
#include "kdbg/symbols.h"
#include "kdbg/unwind.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FRAMES_DEFAULT = 1000, INLINED_MAX = 32, LINE_SIZE = 1024 };

struct stack_options {
	uint64_t count;
	bool verbose;
};

static const struct option stack_options[] = {
	{ 'n', "frames", OPTION_NUMBER, offsetof(struct stack_options, count),
	  "count", "at most this many frames (1000 decimal unless given)" },
	{ 'v', "verbose", OPTION_FLAG, offsetof(struct stack_options, verbose),
	  NULL, "the stack pointer before each frame, as $C does" },
};

static const struct column stack_columns[] = {
	{ "FRAME", VALUE_COUNT }, { "PC", VALUE_ADDRESS },
	{ "SP", VALUE_ADDRESS },  { "FUNCTION", VALUE_TEXT },
	{ "OFFSET", VALUE_HEX },  { "MODULE", VALUE_TEXT },
	{ "FILE", VALUE_TEXT },   { "LINE", VALUE_COUNT },
	{ "KIND", VALUE_TEXT },
};

static const struct table stack_tables[] = {
	{ "default", stack_columns,
	  sizeof(stack_columns) / sizeof(stack_columns[0]), .no_header = true },
};

struct stack_walk {
	const struct dcmd_call *call;
	struct sink *out;
	struct symbols *symbols;
	bool verbose;
	uint64_t count, max;
	/* Of the first frame without a name: its module, why it has none. */
	const char *nameless, *missing;
};

static const char *kind_of(const struct unwind_frame *frame, uint64_t number)
{
	if (frame->guessed)
		return "guessed";
	return frame->exact && number ? "interrupted" : NULL;
}

static void emit_frame(struct stack_walk *walk,
		       const struct unwind_frame *frame,
		       const struct symbol *symbol,
		       const struct symbol_frame *source, const char *kind,
		       const char *line)
{
	char text[LINE_SIZE + 32];

	if (walk->verbose)
		snprintf(text, sizeof(text), "%016" PRIx64 " %s", frame->sp,
			 line);
	else
		snprintf(text, sizeof(text), "%s", line);
	SINK_ROW_AS(walk->out, text, COUNT(walk->count), ADDRESS(frame->pc),
		    frame->sp ? ADDRESS(frame->sp) : ABSENT(VALUE_ADDRESS),
		    TEXT(source && source->function ? source->function
						    : symbol->name),
		    symbol->name ? HEX(frame->pc - symbol->value)
				 : ABSENT(VALUE_HEX),
		    TEXT(symbol->module), TEXT(source ? source->file : NULL),
		    source && source->file ? COUNT(source->line)
					   : ABSENT(VALUE_COUNT),
		    TEXT(kind));
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void emit_inlined(struct stack_walk *walk,
			 const struct unwind_frame *frame,
			 const struct symbol *symbol,
			 const struct symbol_frame *source)
{
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), "%s [inlined] (%s:%u)",
		 source->function ? source->function : "?",
		 source->file ? base_name(source->file) : "?", source->line);
	emit_frame(walk, frame, symbol, source, "inlined", line);
}

/* "module`name+0x12", or what of it is known. */
static void format_place(const struct unwind_frame *frame,
			 const struct symbol *symbol, bool with_module,
			 char *buffer, size_t size)
{
	uint64_t offset = symbol->name ? frame->pc - symbol->value
				       : symbol->module_offset + !frame->exact;
	const char *module = with_module ? symbol->module : NULL;
	char plus[32] = "";

	if (offset)
		snprintf(plus, sizeof(plus), "+%#" PRIx64, offset);
	if (symbol->name)
		snprintf(buffer, size, "%s%s%s%s", module ? module : "",
			 module ? "`" : "", symbol->name, plus);
	else if (symbol->module)
		snprintf(buffer, size, "%s%s", symbol->module, plus);
	else
		snprintf(buffer, size, "%#" PRIx64, frame->pc);
}

static void emit_outer(struct stack_walk *walk,
		       const struct unwind_frame *frame,
		       const struct symbol *symbol,
		       const struct symbol_frame *source)
{
	bool has_source = symbol->name && source && source->file;
	char line[LINE_SIZE], place[LINE_SIZE / 2], where[LINE_SIZE / 4] = "";

	format_place(frame, symbol, !has_source, place, sizeof(place));
	if (has_source)
		snprintf(where, sizeof(where), " (%s:%u)",
			 base_name(source->file), source->line);
	snprintf(line, sizeof(line), "%s%s%s", frame->guessed ? "? " : "",
		 place, where);
	emit_frame(walk, frame, symbol, source, kind_of(frame, walk->count),
		   line);
}

static void note_missing(struct stack_walk *walk, uint64_t pc, const char *name)
{
	const struct dump_module *module =
		target_module_at(walk->call->session->target, pc);

	if (!module || walk->missing)
		return;
	walk->nameless = name;
	walk->missing = symbols_module_status(walk->symbols, module);
}

static bool each_frame(void *context, const struct unwind_frame *frame)
{
	struct stack_walk *walk = context;
	uint64_t pc = frame->pc - (frame->exact || !frame->pc ? 0 : 1);
	struct symbol_frame source[INLINED_MAX];
	struct symbol symbol;

	if (walk->count == walk->max) {
		sink_note(walk->out, "more frames follow: -n COUNT shows them");
		return false;
	}
	if (!symbols_at(walk->symbols, pc, &symbol) && symbol.module)
		note_missing(walk, pc, symbol.module);
	size_t count = symbols_frames(walk->symbols, pc, source, INLINED_MAX);
	for (size_t i = 0; i + 1 < count; i++)
		emit_inlined(walk, frame, &symbol, &source[i]);
	emit_outer(walk, frame, &symbol, count ? &source[count - 1] : NULL);
	walk->count++;
	return !walk->out->failed && !session_interrupted(walk->call->session);
}

static struct err *show(const struct dcmd_call *call, struct sink *out,
			const struct stack_options *options)
{
	struct stack_walk walk = {
		.call = call,
		.out = out,
		.verbose = options->verbose,
		.max = options->count ? options->count : FRAMES_DEFAULT,
	};
	const struct dump_thread *thread;
	char text[LINE_SIZE];
	struct err *err = session_symbols(call->session, &walk.symbols);

	if (!err)
		err = thread_choose(call, &thread);
	if (err)
		return err;
	if (call->piped)
		sink_line(out, "thread %" PRIu32 " %s:", thread->tid,
			  thread->name ? thread->name : "");
	err = unwind_thread(call->session->target, thread, each_frame, &walk);
	if (walk.missing)
		sink_note(out, "%s: %s", walk.nameless, walk.missing);
	if (!err || !walk.count)
		return err;
	err_describe(err, text, sizeof(text));
	err_free(err);
	sink_note(out, "%s", text);
	return NULL;
}

static struct err *stack_run(const struct dcmd_call *call, struct sink *out)
{
	return show(call, out, call->options);
}

const struct dcmd dcmd_stack = {
	.name = "stack",
	.aliases = (const char *const[]){ "$c", "$C -v", "findstack", NULL },
	.summary = "the stack of a thread",
	.help = "Each line is a call, innermost first: the function, how far "
		"into it the call is, and where in the source. Calls that the "
		"compiler inlined have lines of their own. Frames are found by "
		"call frame information, so programs need no frame pointers; "
		"where that leads no further, return addresses found on the "
		"stack follow, marked with a question mark.\n"
		"Without a thread id it is the thread that crashed. A thread "
		"id may be given as ::threads shows it.",
	.example = "::walk thread | ::stack -n 4",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "thread id",
	.options = stack_options,
	.option_count = sizeof(stack_options) / sizeof(stack_options[0]),
	.options_size = sizeof(struct stack_options),
	.tables = stack_tables,
	.table_count = 1,
	.run = stack_run,
};
