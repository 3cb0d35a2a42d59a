/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A target as the dump writer's source: what turns a core, a dump or a stopped
 * process into a dump of a level.
 *
 *	full	all memory the target has
 *	heap	libkma's, stacks, data of modules
 *	meta	libkma's metadata, stripped (heap_quotes.h); of registers pc
 *		and sp; no arguments, no directory, no environment, of mapped
 *		files the modules alone
 */
#ifndef KDBG_TARGET_SOURCE_H
#define KDBG_TARGET_SOURCE_H

#include "dumpfmt/writer.h"
#include "kdbg/heap_quotes.h"
#include "kdbg/symbols_save.h"
#include "kdbg/target.h"

struct target_source {
	struct target *target;
	enum dump_level level;
	struct dump_process process;
	struct heap_quotes quotes;   /* empty where the target has no libkma */
	struct dump_extent *extents; /* in the order of writing */
	size_t extent_count;
	struct dump_extent environment; /* where the memory has it */
	struct symbols_saved saved;     /* symbols of it, if asked for */
	const struct dump_symbol *symbols;
	size_t symbol_count;
	const volatile int *stop; /* or NULL; once set, no memory is read */
	size_t next_thread, next_map, next_module, next_extent, next_symbol;
};

/* target must outlive it. symbols: names are looked up and saved; those that
 * the target has are in any case. An error: level meta of what has no libkma.
 */
struct err *target_source_init(struct target_source *source,
			       struct target *target, enum dump_level level,
			       bool symbols, struct dump_source *ret) MUST_USE;
void target_source_deinit(struct target_source *source);

/* "full", "heap" or "meta"; false: none of them. */
bool target_source_level(const char *name, enum dump_level *ret);

#endif
