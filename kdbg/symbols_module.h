/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One module as symbols see it: its files, its table, its source lines, each
 * opened when first needed. Of kdbg/symbols*.c alone.
 */
#ifndef KDBG_SYMBOLS_MODULE_H
#define KDBG_SYMBOLS_MODULE_H

#include "kdbg/memo.h"
#include "kdbg/source_lines.h"
#include "kdbg/symbol_table.h"
#include "kdbg/target.h"

/* From when until when a module of the past was there, in ticks. */
struct symbols_life {
	uint64_t from, until;
};

struct symbols_module {
	struct dump_module facts;
	const char *name; /* basename */
	uint64_t from;    /* ticks, of one that is there; 0: not known */
	bool listed;      /* by the target itself: facts are its own */
	const struct dump_module *origin; /* in the target, if listed */

	/* If it is one of the past, the latest first. */
	struct symbols_life *lives;
	size_t life_count, life_capacity;

	bool loaded;
	const struct module_file *file; /* NULL: none, and status says why */
	struct module_file *owned;      /* file, if not the target's */
	struct module_file *debug;      /* separate debug file, or NULL */
	struct symbol_table *table;
	char *status; /* NULL: nothing is missing */

	/* What the target saved of it: functions, then places in the source. */
	const struct dump_symbol *saved;
	size_t saved_count;

	bool lines_tried;
	struct source_lines *lines;
	struct memo frames; /* by address: struct symbols_frames_memo */
};

struct symbols_module *symbols_module_create(const struct dump_module *facts,
					     bool listed);
void symbols_module_destroy(struct symbols_module *module);

/* Find the files and make the table, once, also of names the target saved.
 * Failing leaves table NULL. */
void symbols_module_load(struct symbols_module *module, struct target *target);

/* Open DWARF, once; NULL: there is none. */
struct source_lines *symbols_module_lines(struct symbols_module *module,
					  struct target *target);

/* The places in the source that were saved of an address behind the module's
 * base, the innermost first; how many. */
size_t symbols_module_places(const struct symbols_module *module,
			     uint64_t address, const struct dump_symbol **ret);

/* Where the table's address 0 would be. */
uint64_t symbols_module_bias(const struct symbols_module *module);

#endif
