/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which module an address belonged to at a time.
 *
 * Modules that the target lists are disjoint and found by halves. Modules of
 * the past (symbols_add_module) may lie on top of them and of each other; they
 * are kept apart, each with the times at which it was there.
 */
#include "kdbg/symbols_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
	PAST_MAX = 4096, /* different modules of the past */
	LIVES_MAX = 1 << 16,
};

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

/* The module of the past that is this one; NULL: none is yet. */
static struct symbols_module *past_known(const struct symbols *symbols,
					 const struct dump_module *module)
{
	for (size_t i = 0; i < symbols->past_count; i++)
		if (is_same(&symbols->past[i]->facts, module))
			return symbols->past[i];
	return NULL;
}

static struct err *past_add(struct symbols *symbols,
			    const struct dump_module *module,
			    struct symbols_module **ret)
{
	if (symbols->past_count == PAST_MAX)
		return err_new(ERR_UNSUPPORTED,
			       "more than %d modules of the past", PAST_MAX);
	struct symbols_module **past =
		reallocarray(symbols->past, symbols->past_count + 1,
			     sizeof(struct symbols_module *));
	if (!past)
		return err_new(ERR_NO_MEMORY, "symbols");
	symbols->past = past;
	*ret = symbols_module_create(module, false);
	if (!*ret)
		return err_new(ERR_NO_MEMORY, "symbols");
	past[symbols->past_count++] = *ret;
	return NULL;
}

/* A library opened and closed again and again is one module with many lives:
 * others may have lain in its place between them. */
static struct err *life_add(struct symbols *symbols,
			    struct symbols_module *module, uint64_t from,
			    uint64_t until)
{
	if (symbols->life_count == LIVES_MAX)
		return err_new(ERR_UNSUPPORTED,
			       "more than %d modules opened and closed",
			       LIVES_MAX);
	if (symbols->life_count == symbols->life_capacity) {
		size_t capacity = symbols->life_capacity * 2 + 64;
		struct symbols_life *lives = reallocarray(
			symbols->lives, capacity, sizeof(lives[0]));

		if (!lives)
			return err_new(ERR_NO_MEMORY, "symbols");
		symbols->lives = lives;
		symbols->life_capacity = capacity;
	}
	symbols->lives[symbols->life_count++] = (struct symbols_life){
		.module = module,
		.from = from,
		.until = until ? until : UINT64_MAX,
	};
	return NULL;
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
	struct symbols_module *past = past_known(symbols, module);
	struct err *err = past ? NULL : past_add(symbols, module, &past);

	return err ? err : life_add(symbols, past, from, until);
}

static bool holds(const struct symbols_module *module, uint64_t address)
{
	return address >= module->facts.base && address < module->facts.end;
}

/*
 * Of the modules of the past that held address the one that was there at that
 * time and came last. Where none was, the one that came next: a module is
 * entered when its first stack is taken, a little after that stack's time. Else
 * the last, as without a time.
 */
static const struct symbols_life *life_at(const struct symbols *symbols,
					  uint64_t address, uint64_t ticks)
{
	const struct symbols_life *at = NULL, *next = NULL, *last = NULL;

	for (size_t i = 0; i < symbols->life_count; i++) {
		const struct symbols_life *life = &symbols->lives[i];

		if (!holds(life->module, address))
			continue;
		if (!last || life->from > last->from)
			last = life;
		if (ticks == SYMBOLS_NOW)
			continue;
		if (life->from > ticks && (!next || life->from < next->from))
			next = life;
		if (life->from <= ticks && ticks < life->until &&
		    (!at || life->from > at->from))
			at = life;
	}
	return at ? at : next ? next : last;
}

struct symbols_module *symbols_module_at(const struct symbols *symbols,
					 uint64_t address, uint64_t ticks)
{
	ptrdiff_t i = range_index_find(&symbols->index, address);
	struct symbols_module *module = i < 0 ? NULL : symbols->modules[i];

	if (!symbols->life_count || (ticks == SYMBOLS_NOW && module))
		return module;
	const struct symbols_life *life = life_at(symbols, address, ticks);

	if (!module || !life)
		return life ? life->module : module;

	bool was_there = module->from && module->from <= ticks;
	if (life->from <= ticks && ticks < life->until)
		return was_there && module->from > life->from ? module
							      : life->module;
	if (was_there || life->from <= ticks)
		return module;
	return module->from && module->from < life->from ? module
							 : life->module;
}
