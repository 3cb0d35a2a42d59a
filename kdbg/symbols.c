/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Address -> module -> what the module's files say.
 *
 * A name is demangled once; source frames of an address are worked out once
 * (DWARF costs tens of microseconds). Both are kept until symbols_destroy().
 */
#include "kdbg/symbols_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
	FRAMES_MAX = 32, /* inlined into each other at one address */
};

struct symbols_frames_memo {
	size_t count;
	struct symbol_frame frames[];
};

static struct err *no_memory(void)
{
	return err_new(ERR_NO_MEMORY, "symbols");
}

static bool list_modules(struct symbols *symbols)
{
	const struct target *target = symbols->target;

	symbols->modules = calloc(target->module_count + 1,
				  sizeof(struct symbols_module *));
	if (!symbols->modules)
		return false;
	for (size_t i = 0; i < target->module_count; i++) {
		const struct dump_module *facts = &target->modules[i];

		/* One that overlaps others is none to the target either. */
		if (target_module_at(target, facts->base) != facts)
			continue;
		struct symbols_module *module =
			symbols_module_create(facts, true);
		if (!module)
			return false;
		range_index_add(&symbols->index, facts->base, facts->end,
				symbols->module_count);
		symbols->modules[symbols->module_count++] = module;
	}
	range_index_finish(&symbols->index);
	return true;
}

struct err *symbols_create(struct target *target, struct symbols **ret)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (!symbols)
		return no_memory();
	symbols->target = target;
	if (!list_modules(symbols)) {
		symbols_destroy(symbols);
		return no_memory();
	}
	*ret = symbols;
	return NULL;
}

void symbols_destroy(struct symbols *symbols)
{
	if (!symbols)
		return;
	for (size_t i = 0; i < symbols->module_count; i++)
		symbols_module_destroy(symbols->modules[i]);
	for (size_t i = 0; i < symbols->past_count; i++)
		symbols_module_destroy(symbols->past[i]);
	free(symbols->modules);
	free(symbols->past);
	symbols_own_deinit(symbols);
	range_index_deinit(&symbols->index);
	memo_deinit(&symbols->names);
	arena_deinit(&symbols->arena);
	demangler_deinit(&symbols->demangler);
	free(symbols);
}

/* --- address to name ---------------------------------------------------- */

void symbols_set_style(struct symbols *symbols,
		       const struct symbols_style *style)
{
	if (symbols->style.mangled != style->mangled) { /* frames have names */
		for (size_t i = 0; i < symbols->module_count; i++)
			memo_deinit(&symbols->modules[i]->frames);
		for (size_t i = 0; i < symbols->past_count; i++)
			memo_deinit(&symbols->past[i]->frames);
	}
	symbols->style = *style;
}

const char *symbols_pretty(struct symbols *symbols, const char *linkage)
{
	const char *known;

	if (!linkage || !is_mangled(linkage))
		return linkage;
	known = memo_get(&symbols->names, (uintptr_t)linkage);
	if (known)
		return known;
	char *text = demangle(&symbols->demangler, linkage);
	if (text)
		known = arena_text(&symbols->arena, text, strlen(text));
	free(text);
	if (!known)
		known = linkage;
	memo_put(&symbols->names, (uintptr_t)linkage, known);
	return known;
}

/* As this session wants to see it. */
static const char *symbols_shown(struct symbols *symbols, const char *linkage)
{
	return symbols->style.mangled ? linkage
				      : symbols_pretty(symbols, linkage);
}

void symbols_describe(struct symbols *symbols,
		      const struct symbols_module *module,
		      const struct symbol_entry *entry, struct symbol *ret)
{
	ret->linkage = entry->name;
	ret->name = symbols_shown(symbols, entry->name);
	ret->value = entry->value + symbols_module_bias(module);
	ret->size = entry->sized ? entry->span : 0;
	ret->type = entry->type;
	ret->binding = entry->binding;
}

static bool module_symbol(struct symbols *symbols,
			  struct symbols_module *module, uint64_t address,
			  struct symbol *ret)
{
	*ret = (struct symbol){ 0 };
	if (!module)
		return false;
	ret->module = module->name;
	ret->module_path = module->facts.path;
	ret->facts = &module->facts;
	ret->module_offset = address - module->facts.base;
	symbols_module_load(module, symbols->target);
	const struct symbol_entry *entry =
		module->table
			? symbol_table_at(module->table,
					  address - symbols_module_bias(module),
					  symbols->style.distance)
			: NULL;
	if (!entry)
		return false;
	symbols_describe(symbols, module, entry, ret);
	ret->offset = address - ret->value;
	return true;
}

bool symbols_at_then(struct symbols *symbols, uint64_t address, uint64_t ticks,
		     struct symbol *ret)
{
	return module_symbol(symbols,
			     symbols_module_at(symbols, address, ticks),
			     address, ret);
}

bool symbols_at(struct symbols *symbols, uint64_t address, struct symbol *ret)
{
	const struct symbol *own = symbols_own_at(symbols, address);

	if (own) {
		*ret = *own;
		ret->offset = address - own->value;
		return true;
	}
	return symbols_at_then(symbols, address, SYMBOLS_NOW, ret);
}

/* --- address to source -------------------------------------------------- */

static struct symbol_frame make_frame(struct symbols *symbols,
				      const struct source_frame *source)
{
	struct symbol_frame frame = {
		.function = source->function,
		.linkage = source->linkage ? source->linkage : source->function,
		.file = source->file,
		.directory = source->directory,
		.line = source->line,
	};
	const char *full = symbols_pretty(symbols, source->linkage);

	if (symbols->style.mangled && source->linkage)
		frame.function = source->linkage;

	else if (full && full != source->linkage)
		frame.function = full;
	return frame;
}

/* Where the files tell no source: what was saved of it. */
static size_t saved_places(struct symbols *symbols,
			   const struct symbols_module *module,
			   uint64_t address,
			   struct symbol_frame frames[FRAMES_MAX])
{
	const struct dump_symbol *places = NULL;
	size_t count = symbols_module_places(
		module, address - module->facts.base, &places);

	if (count > FRAMES_MAX)
		count = FRAMES_MAX;
	for (size_t i = 0; i < count; i++)
		frames[i] = (struct symbol_frame){
			.function =
				*places[i].name
					? symbols_shown(symbols, places[i].name)
					: NULL,
			.linkage = *places[i].name ? places[i].name : NULL,
			.file = *places[i].file ? places[i].file : NULL,
			.line = places[i].line,
			.inlined = i + 1 < count,
		};
	return count;
}

/*
 * gcc writes no linkage name down for what no other file can call (in an
 * anonymous namespace, static in a named one), and so "TestBody" for that of
 * any test. The ELF symbol has it all; of what was inlined there is none.
 */
static void complete_name(struct symbols *symbols,
			  struct symbols_module *module, uint64_t address,
			  struct symbol_frame *frame)
{
	struct symbol symbol;

	if (frame->linkage != frame->function ||
	    !module_symbol(symbols, module, address, &symbol) ||
	    !is_mangled(symbol.linkage) || symbol.offset >= symbol.size)
		return;
	frame->function = symbol.name;
	frame->linkage = symbol.linkage;
}

static size_t work_out(struct symbols *symbols, struct symbols_module *module,
		       uint64_t address, struct symbol_frame frames[FRAMES_MAX])
{
	struct source_lines *lines =
		symbols_module_lines(module, symbols->target);
	struct source_frame source[FRAMES_MAX];
	struct symbol symbol;
	size_t count = 0;

	if (lines)
		count = source_lines_at(lines,
					address - symbols_module_bias(module),
					source, FRAMES_MAX);
	for (size_t i = 0; i < count; i++) {
		frames[i] = make_frame(symbols, &source[i]);
		frames[i].inlined = i + 1 < count;
	}
	if (!count)
		count = saved_places(symbols, module, address, frames);
	if (count && frames[count - 1].function) {
		complete_name(symbols, module, address, &frames[count - 1]);
		return count;
	}
	if (!module_symbol(symbols, module, address, &symbol))
		return count;
	if (!count)
		frames[count++] = (struct symbol_frame){ 0 };
	frames[count - 1].function = symbol.name;
	frames[count - 1].linkage = symbol.linkage;
	return count;
}

static const struct symbols_frames_memo *
frames_of(struct symbols *symbols, struct symbols_module *module,
	  uint64_t address)
{
	const struct symbols_frames_memo *known =
		memo_get(&module->frames, address);
	struct symbol_frame frames[FRAMES_MAX];

	if (known)
		return known;
	size_t count = work_out(symbols, module, address, frames);
	struct symbols_frames_memo *made = arena_alloc(
		&symbols->arena, sizeof(*made) + count * sizeof(*frames));
	if (!made)
		return NULL;
	made->count = count;
	memcpy(made->frames, frames, count * sizeof(*frames));
	memo_put(&module->frames, address, made);
	return made;
}

size_t symbols_frames_then(struct symbols *symbols, uint64_t pc, uint64_t ticks,
			   struct symbol_frame *frames, size_t max)
{
	struct symbols_module *module = symbols_module_at(symbols, pc, ticks);
	const struct symbols_frames_memo *known =
		module ? frames_of(symbols, module, pc) : NULL;
	size_t count = known ? known->count : 0;

	if (count > max)
		count = max;
	if (count)
		memcpy(frames, known->frames, count * sizeof(*frames));
	return count;
}

size_t symbols_frames(struct symbols *symbols, uint64_t pc,
		      struct symbol_frame *frames, size_t max)
{
	return symbols_frames_then(symbols, pc, SYMBOLS_NOW, frames, max);
}

const char *symbols_module_status(struct symbols *symbols,
				  const struct dump_module *module)
{
	ptrdiff_t i = range_index_find(&symbols->index, module->base);

	if (i < 0 || symbols->modules[i]->origin != module)
		return "overlaps another module";
	symbols_module_load(symbols->modules[i], symbols->target);
	return symbols->modules[i]->status;
}

const char *symbols_debug_file(struct symbols *symbols,
			       const struct dump_module *module)
{
	ptrdiff_t i = range_index_find(&symbols->index, module->base);

	if (i < 0 || symbols->modules[i]->origin != module)
		return NULL;
	symbols_module_load(symbols->modules[i], symbols->target);
	return symbols->modules[i]->debug ? symbols->modules[i]->debug->path
					  : NULL;
}

/* --- for types ---------------------------------------------------------- */

static struct symbols_module *module_in_turn(const struct symbols *symbols,
					     size_t i)
{
	if (i < symbols->module_count)
		return symbols->modules[i];
	i -= symbols->module_count;
	return i < symbols->past_count ? symbols->past[i] : NULL;
}

bool symbols_module(struct symbols *symbols, size_t i,
		    struct symbols_dwarf *ret)
{
	const struct symbols_module *module = module_in_turn(symbols, i);

	if (!module)
		return false;
	*ret = (struct symbols_dwarf){ .base = module->facts.base,
				       .end = module->facts.end };
	return true;
}

struct source_lines *symbols_source(struct symbols *symbols, size_t i)
{
	struct symbols_module *module = module_in_turn(symbols, i);

	return module ? symbols_module_lines(module, symbols->target) : NULL;
}

bool symbols_dwarf(struct symbols *symbols, size_t i, struct symbols_dwarf *ret)
{
	struct symbols_module *module = module_in_turn(symbols, i);
	struct source_lines *lines = symbols_source(symbols, i);

	if (!lines || !symbols_module(symbols, i, ret))
		return false;
	ret->bias = symbols_module_bias(module);
	ret->dwarf = source_lines_dwarf(lines);
	return true;
}
