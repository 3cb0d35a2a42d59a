/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::stack, $c and $C - the stack of a thread.
 *
 * A frame is shown when the next one is known: that tells where the caller's
 * stack pointer was, from which the compiler counts arguments.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/thread_choice.h"
#include "kdbg/frame_arguments.h"
#include "kdbg/symbols.h"
#include "kdbg/unwind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES_DEFAULT = 1000, INLINED_MAX = 32, LINE_SIZE = 1024 };

struct stack_options {
	uint64_t count;
	bool verbose;
	bool arguments;
};

static const struct option stack_options[] = {
	{ 'a', "arguments", OPTION_FLAG,
	  offsetof(struct stack_options, arguments), NULL,
	  "what functions were called with, where debug information tells" },
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
	{ "KIND", VALUE_TEXT },   { "ARGUMENTS", VALUE_TEXT },
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
	uint64_t arguments; /* at most so many are shown */
	bool has_arguments; /* they were asked for */
	bool pending;       /* the frame below is still to be shown */
	struct unwind_frame frame;
	struct unwind_registers registers;
	uint64_t cfa; /* of the frame being shown; 0: not known */
	/* Of the first frame without a name: its module, why it has none. */
	const char *nameless, *missing;
};

static const char *kind_of(const struct unwind_frame *frame, uint64_t number)
{
	if (frame->guessed)
		return "guessed";
	return frame->exact && number ? "interrupted" : NULL;
}

/* What a frame is shown as. */
struct shown {
	const struct symbol *symbol;
	const struct symbol_frame *source; /* or NULL */
	const char *kind;
	const char *place, *where; /* the function; " (file:line)" */
	char *arguments;           /* or NULL */
};

static uint64_t looked_up(const struct unwind_frame *frame)
{
	return frame->pc - (frame->exact || !frame->pc ? 0 : 1);
}

/* NULL: not asked for, or nothing tells. */
static char *arguments_of(const struct stack_walk *walk, size_t inlined)
{
	const struct unwind_frame *frame = &walk->frame;
	char *text = NULL;
	size_t size;
	FILE *stream;

	if (!walk->has_arguments || !frame->registers)
		return NULL;
	stream = open_memstream(&text, &size);
	if (!stream)
		return NULL;
	bool known = frame_arguments_put(walk->call->session, looked_up(frame),
					 inlined, frame->registers, walk->cfa,
					 walk->arguments, stream);
	fclose(stream);
	if (known)
		return text;
	free(text);
	return NULL;
}

static void emit_frame(struct stack_walk *walk, const struct shown *shown)
{
	const struct unwind_frame *frame = &walk->frame;
	const struct symbol *symbol = shown->symbol;
	const struct symbol_frame *source = shown->source;
	const char *arguments = shown->arguments;
	char sp[32] = "", *text;

	if (walk->verbose)
		snprintf(sp, sizeof(sp), "%016" PRIx64 " ", frame->sp);
	if (asprintf(&text, "%s%s%s%s%s%s%s", sp, frame->guessed ? "? " : "",
		     shown->place, arguments ? "(" : "",
		     arguments ? arguments : "", arguments ? ")" : "",
		     shown->where) < 0)
		return;
	SINK_ROW_AS(walk->out, text, COUNT(walk->count), ADDRESS(frame->pc),
		    frame->sp ? ADDRESS(frame->sp) : ABSENT(VALUE_ADDRESS),
		    TEXT(source && source->function ? source->function
						    : symbol->name),
		    symbol->name ? HEX(frame->pc - symbol->value)
				 : ABSENT(VALUE_HEX),
		    TEXT(symbol->module), TEXT(source ? source->file : NULL),
		    source && source->file ? COUNT(source->line)
					   : ABSENT(VALUE_COUNT),
		    TEXT(shown->kind), TEXT(arguments));
	free(text);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void emit_inlined(struct stack_walk *walk, const struct symbol *symbol,
			 const struct symbol_frame *source, size_t inlined)
{
	char place[LINE_SIZE / 2], where[LINE_SIZE / 4];
	struct shown shown = { symbol,
			       source,
			       .kind = "inlined",
			       .place = place,
			       .where = where,
			       .arguments = arguments_of(walk, inlined) };

	snprintf(place, sizeof(place), "%s [inlined]",
		 source->function ? source->function : "?");
	snprintf(where, sizeof(where), " (%s:%u)",
		 source->file ? base_name(source->file) : "?", source->line);
	emit_frame(walk, &shown);
	free(shown.arguments);
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

static void emit_outer(struct stack_walk *walk, const struct symbol *symbol,
		       const struct symbol_frame *source, size_t inlined)
{
	bool has_source = symbol->name && source && source->file;
	char place[LINE_SIZE / 2], where[LINE_SIZE / 4] = "";
	struct shown shown = { symbol,
			       source,
			       .kind = kind_of(&walk->frame, walk->count),
			       .place = place,
			       .where = where,
			       .arguments = arguments_of(walk, inlined) };

	format_place(&walk->frame, symbol, !has_source, place, sizeof(place));
	if (has_source)
		snprintf(where, sizeof(where), " (%s:%u)",
			 base_name(source->file), source->line);
	emit_frame(walk, &shown);
	free(shown.arguments);
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

/* The pending frame, now that its caller's stack pointer is known or not. */
static void emit_pending(struct stack_walk *walk, uint64_t cfa)
{
	uint64_t pc = looked_up(&walk->frame);
	struct symbol_frame source[INLINED_MAX];
	struct symbol symbol;

	walk->cfa = cfa;
	if (!symbols_at(walk->symbols, pc, &symbol) && symbol.module)
		note_missing(walk, pc, symbol.module);
	size_t count = symbols_frames(walk->symbols, pc, source, INLINED_MAX);
	for (size_t i = 0; i + 1 < count; i++)
		emit_inlined(walk, &symbol, &source[i], i);
	emit_outer(walk, &symbol, count ? &source[count - 1] : NULL,
		   count ? count - 1 : 0);
	walk->count++;
	walk->pending = false;
}

static bool each_frame(void *context, const struct unwind_frame *frame)
{
	struct stack_walk *walk = context;

	if (walk->pending)
		emit_pending(walk, frame->guessed ? 0 : frame->sp);
	if (walk->count == walk->max) {
		sink_note(walk->out, "more frames follow: -n COUNT shows them");
		return false;
	}
	walk->frame = *frame;
	if (frame->registers) {
		walk->registers = *frame->registers;
		walk->frame.registers = &walk->registers;
	}
	walk->pending = true;
	return !walk->out->failed && !session_interrupted(walk->call->session);
}

/* "$c 4": at most so many arguments of each function. */
static struct err *read_argument_count(const struct dcmd_call *call,
				       struct stack_walk *walk)
{
	const struct stack_options *options = call->options;

	walk->arguments = UINT64_MAX;
	walk->has_arguments = options->arguments || call->argc;
	if (call->argc > 1)
		return err_new(ERR_USAGE, "one count of arguments");
	if (call->argc == 1)
		return session_evaluate(call->session, call->argv[0],
					&walk->arguments);
	return NULL;
}

static struct err *stack_run(const struct dcmd_call *call, struct sink *out)
{
	const struct stack_options *options = call->options;
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
	if (!err)
		err = read_argument_count(call, &walk);
	if (err)
		return err;
	if (call->piped)
		sink_line(out, "thread %" PRIu32 " %s:", thread->tid,
			  thread->name ? thread->name : "");
	err = walk.has_arguments && walk.arguments
		      ? unwind_thread_registers(call->session->target, thread,
						each_frame, &walk)
		      : unwind_thread(call->session->target, thread, each_frame,
				      &walk);
	if (walk.pending)
		emit_pending(&walk, 0);
	if (walk.missing)
		sink_note(out, "%s: %s", walk.nameless, walk.missing);
	if (!err || !walk.count)
		return err;
	err_describe(err, text, sizeof(text));
	err_free(err);
	sink_note(out, "%s", text);
	return NULL;
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
		"id may be given as ::threads shows it.\n\n"
		"A count shows at most so many arguments of each function: 0 "
		"none, -a all. They are what the parameters hold now; a ? "
		"stands where the compiler does not tell where one lies, or "
		"it was in a register that is lost.",
	.example = "::walk thread | ::stack -n 4",
	.address_use = ADDRESS_OPTIONAL,
	.arguments = "[count]",
	.address_is = "thread id",
	.options = stack_options,
	.option_count = sizeof(stack_options) / sizeof(stack_options[0]),
	.options_size = sizeof(struct stack_options),
	.tables = stack_tables,
	.table_count = 1,
	.run = stack_run,
};
