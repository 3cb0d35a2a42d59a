/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a leak came from, in the words of its source. */
#include "kdbg/leaks_internal.h"
#include "kdbg/session.h"
#include "kdbg/symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FRAMES = 32 };

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_system_module(struct symbols *symbols, uint64_t pc,
			     uint64_t ticks)
{
	struct symbol symbol = { 0 };

	symbols_at_then(symbols, pc, ticks, &symbol);
	return !symbol.module_path || starts_with(symbol.module_path, "/lib") ||
	       starts_with(symbol.module_path, "/usr/lib");
}

/* Of libkma's own headers, wherever they are, only inline calls are met. */
static bool is_system_source(const char *file)
{
	return !file || starts_with(file, "/usr/include/") ||
	       starts_with(file, "/usr/lib/") || strstr(file, "/include/kma/");
}

/* The innermost frame at pc whose source is not the system's. */
static bool site_at(struct symbols *symbols, uint64_t pc, uint64_t ticks,
		    struct symbol_frame *ret)
{
	struct symbol_frame frames[FRAMES];
	size_t count =
		symbols_frames_then(symbols, pc - 1, ticks, frames, FRAMES);

	for (size_t i = 0; i < count; i++) {
		if (is_system_source(frames[i].file))
			continue;
		*ret = frames[i];
		return true;
	}
	return false;
}

bool leaks_site(const struct leaks *leaks, struct symbols *symbols,
		const struct leak_group *group, struct symbol_frame *ret)
{
	const uint64_t *pcs;
	uint32_t flags;
	size_t depth = heap_stack(leaks->heap, group->instance, group->stack,
				  &pcs, &flags);
	uint64_t caller = heap_stack_caller_named(
		leaks->heap, symbols, group->instance, group->stack);
	size_t i = 0;

	while (i < depth && pcs[i] != caller)
		i++;
	for (; i < depth; i++)
		if (!is_system_module(symbols, pcs[i] - 1,
				      group->leader_time) &&
		    site_at(symbols, pcs[i], group->leader_time, ret))
			return true;
	return caller && symbols_frames_then(symbols, caller - 1,
					     group->leader_time, ret, 1);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void leaks_caller(const struct leaks *leaks, struct symbols *symbols,
		  const struct leak_group *group, char *buffer, size_t size)
{
	uint64_t pc = heap_stack_caller_named(leaks->heap, symbols,
					      group->instance, group->stack);
	struct symbol_frame frames[FRAMES] = { 0 };
	struct symbol symbol = { 0 };
	size_t count;

	if (!pc)
		snprintf(buffer, size, "-");
	else if (!symbols)
		snprintf(buffer, size, "%#" PRIx64, pc);
	if (!pc || !symbols)
		return;
	count = symbols_frames_then(symbols, pc - 1, group->leader_time, frames,
				    FRAMES);
	if (!symbols_at_then(symbols, pc - 1, group->leader_time, &symbol) ||
	    !count || !frames[count - 1].file) {
		symbols_format_return_then(symbols, pc, group->leader_time,
					   buffer, size);
		return;
	}
	snprintf(buffer, size, "%s+%#" PRIx64 " (%s:%u)", symbol.name,
		 symbol.offset + 1, base_name(frames[count - 1].file),
		 frames[count - 1].line);
}
