/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/symbols.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FRAMES_MAX = 16 };

/* Text that is cut where the buffer ends. */
struct line {
	char *buffer;
	size_t size, used;
};

static struct line line_into(char *buffer, size_t size)
{
	return (struct line){ buffer, size, 0 };
}

static PRINTF_LIKE(2, 3) void put(struct line *line, const char *fmt, ...)
{
	va_list args;

	if (line->used >= line->size)
		return;
	va_start(args, fmt);
	int n = vsnprintf(line->buffer + line->used, line->size - line->used,
			  fmt, args);
	va_end(args);
	if (n > 0)
		line->used += (size_t)n;
}

static void put_offset(struct line *line, uint64_t offset)
{
	if (offset)
		put(line, "+%#" PRIx64, offset);
}

static void put_address(struct line *line, const struct symbol *symbol,
			uint64_t address, uint64_t skip)
{
	if (symbol->name) {
		put(line, "%s`%s", symbol->module, symbol->name);
		put_offset(line, symbol->offset + skip);
	} else if (symbol->module) {
		put(line, "%s", symbol->module);
		put_offset(line, symbol->module_offset + skip);
	} else {
		put(line, "%#" PRIx64, address);
	}
}

void symbols_format(struct symbols *symbols, uint64_t address, char *buffer,
		    size_t size)
{
	struct line line = line_into(buffer, size);
	struct symbol symbol;

	symbols_at(symbols, address, &symbol);
	put_address(&line, &symbol, address, 0);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void put_frame(struct line *line, const struct symbol_frame *frame)
{
	const char *file = base_name(frame->file ? frame->file : "?");

	if (frame->inlined)
		put(line, "%s at %s:%u, ",
		    frame->function ? frame->function : "?", file, frame->line);
	else
		put(line, "%s:%u)", file, frame->line);
}

/* pc is looked up at pc - skip: 1 for a return address, which may be the first
 * byte of the next function. */
static void format_code(struct symbols *symbols, uint64_t pc, uint64_t skip,
			uint64_t ticks, struct line *line)
{
	struct symbol_frame frames[FRAMES_MAX];
	struct symbol symbol;
	size_t count;

	symbols_at_then(symbols, pc - skip, ticks, &symbol);
	count = symbols_frames_then(symbols, pc - skip, ticks, frames,
				    FRAMES_MAX);
	if (!symbol.name || !count || !frames[0].file) {
		put_address(line, &symbol, pc, skip);
		return;
	}
	put(line, "%s", symbol.name);
	put_offset(line, symbol.offset + skip);
	put(line, " (");
	for (size_t i = 0; i < count; i++)
		put_frame(line, &frames[i]);
}

void symbols_format_return_then(struct symbols *symbols, uint64_t pc,
				uint64_t ticks, char *buffer, size_t size)
{
	struct line line = line_into(buffer, size);

	format_code(symbols, pc, pc ? 1 : 0, ticks, &line);
}

void symbols_format_return(struct symbols *symbols, uint64_t pc, char *buffer,
			   size_t size)
{
	symbols_format_return_then(symbols, pc, 0, buffer, size);
}

void symbols_format_pc(struct symbols *symbols, uint64_t pc, char *buffer,
		       size_t size)
{
	struct line line = line_into(buffer, size);

	format_code(symbols, pc, 0, 0, &line);
}
