/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kdbg/symbols*.c share. */
#ifndef KDBG_SYMBOLS_IMPL_H
#define KDBG_SYMBOLS_IMPL_H

#include "kdbg/arena.h"
#include "kdbg/demangle.h"
#include "kdbg/symbols.h"
#include "kdbg/symbols_module.h"

struct symbols {
	struct target *target;
	struct symbols_module **modules; /* as the target lists them */
	size_t module_count;
	struct symbols_module **past;
	size_t past_count;
	size_t life_count;        /* of those */
	struct range_index index; /* of modules */
	struct symbol *own;       /* ::nmadd's; their names are ours */
	size_t own_count;
	struct symbols_style style;
	struct demangler demangler;
	struct memo names;  /* by address of the mangled name */
	struct arena arena; /* of what the memos point to */
};

/* No time: the modules that are there now before those of the past. */
enum { SYMBOLS_NOW = 0 };

/* The module that address belonged to then; NULL: none. */
struct symbols_module *symbols_module_at(const struct symbols *symbols,
					 uint64_t address, uint64_t ticks);

/* The name as a person reads it; linkage itself if it is not mangled. Kept. */
const char *symbols_pretty(struct symbols *symbols, const char *linkage);

/* Fill in what an entry of the module's table says. */
void symbols_describe(struct symbols *symbols,
		      const struct symbols_module *module,
		      const struct symbol_entry *entry, struct symbol *ret);

/* The symbol of one's own at an address, or of a name; NULL: none. */
const struct symbol *symbols_own_at(const struct symbols *symbols,
				    uint64_t address);
const struct symbol *symbols_own_named(const struct symbols *symbols,
				       const char *name);
void symbols_own_deinit(struct symbols *symbols);

#endif
