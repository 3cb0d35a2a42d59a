/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/check_judge_internal.h"

#include "kdbg/demangle.h"
#include "kdbg/heap.h"
#include "kdbg/symbols.h"

#include <string.h>

enum { INLINE_MAX = 16, TEXT_SIZE = 512 };

bool judge_is_allocator(const struct judge *judge, uint64_t pc)
{
	const struct heap_instance *instances;
	size_t count = heap_instances(judge->heap, &instances);

	for (size_t i = 0; i < count; i++)
		if (pc >= instances[i].text_base && pc < instances[i].text_end)
			return true;
	return false;
}

/*
 * Code that nobody looks into for a leak: the allocator's, libc's. The name of
 * the function does, which is the same with and without libc's debug
 * information; to read that would take longer than all the rest.
 */
static bool is_known_code(const struct judge *judge, uint64_t pc,
			  const struct symbol *symbol)
{
	return judge_is_allocator(judge, pc) ||
	       (symbol->module && strncmp(symbol->module, "libc.so", 7) == 0);
}

/* The source frames of a return address in a stack of that time; at least 1. */
static size_t find_frames(struct judge *judge, uint64_t pc, uint64_t ticks,
			  const struct symbol *symbol,
			  struct symbol_frame *found)
{
	size_t count = 0;

	if (!is_known_code(judge, pc, symbol))
		count = symbols_frames_then(judge->symbols, pc - 1, ticks,
					    found, INLINE_MAX);
	if (!count)
		found[0] = (struct symbol_frame){ .function = symbol->name,
						  .linkage = symbol->linkage };
	return count ? count : 1;
}

static void make_frames(struct judge *judge, uint64_t pc, uint64_t ticks,
			const struct symbol *symbol, struct judged_pc *ret)
{
	struct symbol_frame found[INLINE_MAX];
	const char *module = judge_keep_text(judge, symbol->module_path);
	struct check_frame *frames;

	ret->count = find_frames(judge, pc, ticks, symbol, found);
	frames = judge_alloc(judge, ret->count, sizeof(*frames));
	if (!frames)
		ret->count = 0;
	ret->frames = frames;
	for (size_t i = 0; i < ret->count; i++) {
		const char *name = found[i].function ? found[i].function
						     : found[i].linkage;
		char text[TEXT_SIZE];
		/* operator new is _Znwm to who wrote it in C. */
		if (name && is_mangled(name) && symbol->name)
			name = symbol->name;
		if (!name) {
			symbols_format(judge->symbols, pc, text, sizeof(text));
			name = text;
		}
		frames[i].function = judge_keep_text(judge, name);
		frames[i].file = judge_keep_text(judge, found[i].file);
		frames[i].directory =
			judge_keep_text(judge, found[i].directory);
		frames[i].line = found[i].line;
		frames[i].linkage = judge_keep_text(judge, found[i].linkage);
		frames[i].module = module;
		frames[i].pc = pc;
		frames[i].symbol = judge_keep_text(judge, symbol->linkage);
		frames[i].inlined = found[i].inlined;
		frames[i].allocators = judge_is_allocator(judge, pc);
	}
}

const struct judged_pc *judge_frames_at(struct judge *judge, uint64_t pc,
					uint64_t ticks)
{
	const struct judged_pc *known = memo_get(&judge->pcs, pc);
	struct symbol symbol = { NULL };
	struct judged_pc *new;

	symbols_at_then(judge->symbols, pc - 1, ticks, &symbol);
	/* At another time another library may have been there. */
	if (known && known->module == symbol.facts)
		return known;
	new = judge_alloc(judge, 1, sizeof(*new));
	if (!new)
		return NULL;
	new->module = symbol.facts;
	make_frames(judge, pc, ticks, &symbol, new);
	if (!known)
		memo_put(&judge->pcs, pc, new);
	return new;
}

struct check_stack judge_stack_of(struct judge *judge, const uint64_t *pcs,
				  size_t depth, uint64_t ticks)
{
	const struct judged_pc **all =
		depth ? judge_alloc(judge, depth, sizeof(*all)) : NULL;
	struct check_stack stack = { NULL, 0 };

	for (size_t i = 0; all && i < depth; i++) {
		all[i] = judge_frames_at(judge, pcs[i], ticks);
		stack.count += all[i] ? all[i]->count : 0;
	}
	struct check_frame *frames =
		stack.count ? judge_alloc(judge, stack.count, sizeof(*frames))
			    : NULL;
	if (!frames)
		return (struct check_stack){ NULL, 0 };
	stack.frames = frames;
	for (size_t i = 0; i < depth; i++) {
		size_t count = all[i] ? all[i]->count : 0;

		if (count)
			memcpy(frames, all[i]->frames, count * sizeof(*frames));
		frames += count;
	}
	return stack;
}

struct check_stack judge_stack(struct judge *judge, size_t instance,
			       uint32_t id, uint64_t ticks)
{
	const uint64_t *pcs;
	uint32_t flags = 0;
	size_t depth = heap_stack(judge->heap, instance, id, &pcs, &flags);
	size_t told = depth < HEAP_STACK_TOLD ? depth : HEAP_STACK_TOLD;
	struct check_stack stack = judge_stack_of(judge, pcs, told, ticks);

	stack.truncated = told < depth ||
			  heap_stack_truncated(judge->heap, instance, flags);
	return stack;
}

struct check_stack judge_stack_reported(struct judge *judge, size_t instance,
					uint32_t id, uint64_t ticks)
{
	struct check_stack stack = judge_stack(judge, instance, id, ticks);
	size_t first = 0;

	while (first < stack.count &&
	       judge_is_allocator(judge, stack.frames[first].pc))
		first++;
	if (first == stack.count)
		return stack;
	const char *name = stack.frames[first].function;
	if (strcmp(name, "__run_exit_handlers") == 0)
		return (struct check_stack){ NULL, 0 };
	if (strcmp(name, "__restore_rt") == 0) {
		stack.frames += first + 1;
		stack.count -= first + 1;
	}
	return stack;
}
