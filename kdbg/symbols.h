/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names for addresses and addresses for names, from the target's modules.
 *
 * libdwfl finds and opens files and debug information; the table that is
 * searched is ours, sorted, one per module, made when first needed. A file
 * whose build id is not the module's is never used, and symbols_warnings()
 * says so. Results are memoised by address.
 */
#ifndef KDBG_SYMBOLS_H
#define KDBG_SYMBOLS_H

#include "kdbg/target.h"

struct symbols;

struct symbol_frame { /* one source-level frame; strings live with symbols */
	const char *function; /* demangled, or NULL */
	const char *linkage;  /* as in the symbol table, or NULL */
	const char *file;     /* or NULL */
	unsigned line;
	bool inlined; /* into the next frame of the same pc */
};

struct symbol {
	const char *module; /* basename, or NULL: no module there */
	const char *module_path;
	const char *name;    /* demangled, or NULL */
	const char *linkage; /* mangled, or NULL */
	uint64_t value, size;
	uint64_t offset;        /* address - value */
	uint64_t module_offset; /* address - module base */
};

struct err *symbols_create(struct target *target,
			   struct symbols **ret) MUST_USE;
void symbols_destroy(struct symbols *symbols);

/* False: no module, or no symbol there (module is filled if there is one). */
bool symbols_at(struct symbols *symbols, uint64_t address, struct symbol *ret);

/* Source frames of a code address, innermost inline first; how many there are
 * (at least 1 when any is known), at most max. A return address is looked up
 * at pc - 1: pass that. */
size_t symbols_frames(struct symbols *symbols, uint64_t pc,
		      struct symbol_frame *frames, size_t max);

/* "name", "module`name", "module`file`name". */
struct err *symbols_find(struct symbols *symbols, const char *name,
			 struct symbol *ret, uint64_t *address) MUST_USE;

/* "module`name+0x12" or "module+0x1234" or "0x1234". Always terminated. */
void symbols_format(struct symbols *symbols, uint64_t address, char *buffer,
		    size_t size);

/* "name+0x12 (file.c:42)" for a return address of a stack. */
void symbols_format_return(struct symbols *symbols, uint64_t pc, char *buffer,
			   size_t size);

/* Why a module has no symbols, or only some; NULL: it has all. */
const char *symbols_module_status(struct symbols *symbols,
				  const struct dump_module *module);

/* Prefix completion for the prompt: call each name once. */
void symbols_complete(struct symbols *symbols, const char *prefix,
		      void (*found)(void *context, const char *name),
		      void *context);

#endif
