/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Address -> module -> what the module's files say.
 *
 * Modules that the target lists are disjoint and found by halves. Modules of
 * the past (symbols_add_module) may lie on top of them and of each other; they
 * are few, kept apart, and asked first only for a time at which they were
 * there.
 *
 * A name is demangled once; source frames of an address are worked out once
 * (DWARF costs tens of microseconds). Both are kept until symbols_destroy().
 */
#include "kdbg/symbols_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
	FRAMES_MAX = 32, /* inlined into each other at one address */
	PAST_MAX = 4096, /* different modules of the past */
	NOW = 0,
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

/* --- modules ------------------------------------------------------------ */

/* The same file at the same place; how far it reaches may be told in pages or
 * in bytes. */
static bool is_same(const struct dump_module *a, const struct dump_module *b)
{
	if (a->base != b->base || a->build_id_size != b->build_id_size)
		return false;
	if (!a->build_id_size)
		return strcmp(a->path, b->path) == 0;
	return memcmp(a->build_id, b->build_id, a->build_id_size) == 0;
}

/* A library opened and closed again and again is one module of the past. */
static bool extend_known(struct symbols *symbols,
			 const struct dump_module *module, uint64_t from,
			 uint64_t until)
{
	for (size_t i = 0; i < symbols->past_count; i++) {
		struct symbols_module *past = symbols->past[i];

		if (!is_same(&past->facts, module))
			continue;
		if (from < past->from)
			past->from = from;
		if (until > past->until)
			past->until = until;
		return true;
	}
	return false;
}

struct err *symbols_add_module(struct symbols *symbols,
			       const struct dump_module *module, uint64_t from,
			       uint64_t until)
{
	ptrdiff_t i = range_index_find(&symbols->index, module->base);

	if (i >= 0 && !until && is_same(&symbols->modules[i]->facts, module)) {
		symbols->modules[i]->from = from;
		return NULL;
	}
	if (module->base >= module->end)
		return err_new(ERR_CORRUPT, "module %s: ends before it begins",
			       module->path);
	if (extend_known(symbols, module, from, until))
		return NULL;
	if (symbols->past_count == PAST_MAX)
		return err_new(ERR_UNSUPPORTED,
			       "more than %d modules of the past", PAST_MAX);
	struct symbols_module **past =
		reallocarray(symbols->past, symbols->past_count + 1,
			     sizeof(struct symbols_module *));
	if (!past)
		return no_memory();
	symbols->past = past;
	struct symbols_module *added = symbols_module_create(module, false);
	if (!added)
		return no_memory();
	added->from = from;
	added->until = until ? until : UINT64_MAX;
	past[symbols->past_count++] = added;
	return NULL;
}

static bool holds(const struct symbols_module *module, uint64_t address)
{
	return address >= module->facts.base && address < module->facts.end;
}

/* Of the modules of the past that held address the one that was there at that
 * time and came last; without a time just the last. */
static struct symbols_module *past_at(const struct symbols *symbols,
				      uint64_t address, uint64_t ticks)
{
	struct symbols_module *best = NULL;

	for (size_t i = 0; i < symbols->past_count; i++) {
		struct symbols_module *past = symbols->past[i];

		if (!holds(past, address) ||
		    (ticks != NOW &&
		     (ticks < past->from || ticks >= past->until)))
			continue;
		if (!best || past->from > best->from)
			best = past;
	}
	return best;
}

static struct symbols_module *module_at(const struct symbols *symbols,
					uint64_t address, uint64_t ticks)
{
	ptrdiff_t i = range_index_find(&symbols->index, address);
	struct symbols_module *module = i < 0 ? NULL : symbols->modules[i];

	if (!symbols->past_count)
		return module;
	if (ticks == NOW)
		return module ? module : past_at(symbols, address, NOW);
	struct symbols_module *past = past_at(symbols, address, ticks);
	bool came_later = module && past && module->from > past->from &&
			  module->from <= ticks;
	if (past && !came_later)
		return past;
	/* Better a module of another time than none. */
	return module ? module : past_at(symbols, address, NOW);
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
	return module_symbol(symbols, module_at(symbols, address, ticks),
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
	return symbols_at_then(symbols, address, NOW, ret);
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
	struct symbols_module *module = module_at(symbols, pc, ticks);
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
	return symbols_frames_then(symbols, pc, NOW, frames, max);
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
