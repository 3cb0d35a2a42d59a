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
 * others may have lain in its place between them. They are told in some order
 * of time, most often this one. */
static struct err *life_add(struct symbols *symbols,
			    struct symbols_module *module, uint64_t from,
			    uint64_t until)
{
	if (symbols->life_count == LIVES_MAX)
		return err_new(ERR_UNSUPPORTED,
			       "more than %d modules opened and closed",
			       LIVES_MAX);
	if (module->life_count == module->life_capacity) {
		size_t capacity = module->life_capacity * 2 + 1;
		struct symbols_life *lives =
			reallocarray(module->lives, capacity, sizeof(lives[0]));

		if (!lives)
			return err_new(ERR_NO_MEMORY, "symbols");
		module->lives = lives;
		module->life_capacity = capacity;
	}
	size_t at = module->life_count++;

	for (; at > 0 && module->lives[at - 1].from < from; at--)
		module->lives[at] = module->lives[at - 1];
	module->lives[at] = (struct symbols_life){
		.from = from,
		.until = until ? until : UINT64_MAX,
	};
	symbols->life_count++;
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

/* The lives of the modules of the past that held an address: the one of a time,
 * which began last; the one that came next; the last of all. */
struct lives {
	struct past_life {
		struct symbols_module *module;
		struct symbols_life life;
	} at, next, last;
};

/* How many of a module's lives began after that time. */
static size_t lives_after(const struct symbols_module *module, uint64_t ticks)
{
	size_t low = 0, high = module->life_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (module->lives[middle].from > ticks)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void lives_of(struct symbols_module *module, uint64_t ticks,
		     struct lives *lives)
{
	const struct symbols_life *life = module->lives;
	size_t after = lives_after(module, ticks);

	if (!lives->last.module || life->from > lives->last.life.from)
		lives->last = (struct past_life){ module, *life };
	if (after > 0 && (!lives->next.module ||
			  life[after - 1].from < lives->next.life.from))
		lives->next = (struct past_life){ module, life[after - 1] };
	if (after < module->life_count && ticks < life[after].until &&
	    (!lives->at.module || life[after].from > lives->at.life.from))
		lives->at = (struct past_life){ module, life[after] };
}

/*
 * Of the modules of the past that held address the one that was there at that
 * time. Where none was, the one that came next: a module is entered when its
 * first stack is taken, a little after that stack's time. Else the last, as
 * without a time.
 */
static struct past_life life_at(const struct symbols *symbols, uint64_t address,
				uint64_t ticks)
{
	struct lives lives = { 0 };

	for (size_t i = 0; i < symbols->past_count; i++)
		if (holds(symbols->past[i], address) &&
		    symbols->past[i]->life_count)
			lives_of(symbols->past[i], ticks, &lives);
	if (ticks == SYMBOLS_NOW)
		return lives.last;
	return lives.at.module     ? lives.at
	       : lives.next.module ? lives.next
				   : lives.last;
}

struct symbols_module *symbols_module_at(const struct symbols *symbols,
					 uint64_t address, uint64_t ticks)
{
	ptrdiff_t i = range_index_find(&symbols->index, address);
	struct symbols_module *module = i < 0 ? NULL : symbols->modules[i];

	if (!symbols->life_count || (ticks == SYMBOLS_NOW && module))
		return module;
	struct past_life past = life_at(symbols, address, ticks);
	const struct symbols_life *life = &past.life;

	if (!module || !past.module)
		return past.module ? past.module : module;

	bool was_there = module->from && module->from <= ticks;
	if (life->from <= ticks && ticks < life->until)
		return was_there && module->from > life->from ? module
							      : past.module;
	if (was_there || life->from <= ticks)
		return module;
	return module->from && module->from < life->from ? module : past.module;
}
