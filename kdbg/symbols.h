/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names for addresses and addresses for names, from the target's modules.
 *
 * The table that is searched is ours, sorted, one per module, made when first
 * needed. A file
 * whose build id is not the module's is never used: a warning of the target and
 * symbols_module_status() say so. Results are memoised by address.
 */
#ifndef KDBG_SYMBOLS_H
#define KDBG_SYMBOLS_H

#include "kdbg/target.h"

struct symbol_record;
struct symbols;

struct symbol_frame { /* one source-level frame; strings live with symbols */
	const char *function;  /* demangled, or NULL */
	const char *linkage;   /* as in the symbol table, or NULL */
	const char *file;      /* or NULL */
	const char *directory; /* it is relative to, or NULL */
	unsigned line;
	bool inlined; /* into the next frame of the same pc */
};

struct symbol {
	const char *module; /* basename, or NULL: no module there */
	const char *module_path;
	const struct dump_module *facts; /* what the target tells of it */
	const char *name;                /* demangled, or NULL */
	const char *linkage;             /* mangled, or NULL */
	uint64_t value, size;
	uint64_t offset;             /* address - value */
	uint64_t module_offset;      /* address - module base */
	unsigned char type, binding; /* STT_, STB_ of <elf.h> */
};

struct err *symbols_create(struct target *target,
			   struct symbols **ret) MUST_USE;
void symbols_destroy(struct symbols *symbols);

struct symbols_style {
	/* 0: a symbol names the addresses that its size covers; else all that
	 * are less than this above it. */
	uint64_t distance;
	bool mangled; /* C++ names as the linker has them */
};

/* How addresses are named from now on; zeroed at first. */
void symbols_set_style(struct symbols *symbols,
		       const struct symbols_style *style);

/*
 * A library that was closed since, as the allocator's module registry knows
 * it, with the ticks between which it was there (until 0: it still is). What
 * the _then forms ask for is looked up among the modules of that time; the
 * others prefer those that are there now.
 */
struct err *symbols_add_module(struct symbols *symbols,
			       const struct dump_module *module, uint64_t from,
			       uint64_t until) MUST_USE;

/* False: no module, or no symbol there (module is filled if there is one). */
bool symbols_at(struct symbols *symbols, uint64_t address, struct symbol *ret);
bool symbols_at_then(struct symbols *symbols, uint64_t address, uint64_t ticks,
		     struct symbol *ret);

/* Source frames of a code address, innermost inline first; how many there are
 * (at least 1 when any is known), at most max. A return address is looked up
 * at pc - 1: pass that. */
size_t symbols_frames(struct symbols *symbols, uint64_t pc,
		      struct symbol_frame *frames, size_t max);
size_t symbols_frames_then(struct symbols *symbols, uint64_t pc, uint64_t ticks,
			   struct symbol_frame *frames, size_t max);

/*
 * "name", "module`name", "module`file`name". A module is named by its path,
 * its last part, or that up to ".so" or behind it; the program also by a.out. A
 * C++ name may be mangled or not, then with or without its parameters.
 */
struct err *symbols_find(struct symbols *symbols, const char *name,
			 struct symbol *ret, uint64_t *address) MUST_USE;

/* "module`name+0x12" or "module+0x1234" or "0x1234". Always terminated. */
void symbols_format(struct symbols *symbols, uint64_t address, char *buffer,
		    size_t size);

/*
 * A return address of a stack: "name+0x12 (file.c:42)", with calls inlined
 * there before it, innermost first: "name+0x12 (helper at file.h:7,
 * file.c:42)"; as symbols_format() where no source is known.
 */
void symbols_format_return(struct symbols *symbols, uint64_t pc, char *buffer,
			   size_t size);
void symbols_format_return_then(struct symbols *symbols, uint64_t pc,
				uint64_t ticks, char *buffer, size_t size);

/* The same for a pc that was about to be executed: frame 0 of a thread. */
void symbols_format_pc(struct symbols *symbols, uint64_t pc, char *buffer,
		       size_t size);

/* A name of one's own for an address, ahead of all others in both directions;
 * again: it moves. size 0: the address alone. type: STT_FUNC, STT_OBJECT or
 * STT_NOTYPE. */
struct err *symbols_define(struct symbols *symbols, const char *name,
			   uint64_t value, uint64_t size,
			   unsigned char type) MUST_USE;
/* False: there is none of that name. */
bool symbols_undefine(struct symbols *symbols, const char *name);
/* The i-th of them; false: there are fewer. */
bool symbols_own(const struct symbols *symbols, size_t i, struct symbol *ret);

/* A thread-local variable, named as for symbols_find(): its value is where it
 * lies in the module's block of each thread (thread_local.h). */
struct err *symbols_find_thread_local(struct symbols *symbols, const char *name,
				      struct symbol *ret) MUST_USE;

/*
 * Each symbol of the modules called object (NULL: of all that are there now),
 * in the order of the files, until each says false: of the full table, or of
 * the dynamic one where that is asked for or all there is. The record has what
 * the file says besides (symbol_records.h). How many modules are called that.
 */
size_t symbols_each(struct symbols *symbols, const char *object, bool dynamic,
		    bool (*each)(void *context, const struct symbol *symbol,
				 const struct symbol_record *record),
		    void *context);

/* What the file says of a symbol besides; left alone where no file has it. */
void symbols_record(struct symbols *symbols, const struct symbol *symbol,
		    struct symbol_record *ret);

/* Why a module has no symbols, or only some; NULL: it has all. */
const char *symbols_module_status(struct symbols *symbols,
				  const struct dump_module *module);

/* The file its debug information was found in, when that is another; or NULL.
 */
const char *symbols_debug_file(struct symbols *symbols,
			       const struct dump_module *module);

/* Prefix completion for the prompt: call each name once. */
void symbols_complete(struct symbols *symbols, const char *prefix,
		      void (*found)(void *context, const char *name),
		      void *context);

struct symbols_dwarf {
	uint64_t base, end; /* of the module in the target */
	uint64_t bias;      /* address in the target - address in the file */
	struct Dwarf *dwarf;
};

/* The i-th module: where it lies. False: there are not so many. */
bool symbols_module(struct symbols *symbols, size_t i,
		    struct symbols_dwarf *ret);

struct source_lines;

/* What tells source lines and functions of the i-th module; NULL: nothing does.
 */
struct source_lines *symbols_source(struct symbols *symbols, size_t i);

/* The same with its debug information, opened now if it has to be; it stays
 * the symbols'. False: there is none. */
bool symbols_dwarf(struct symbols *symbols, size_t i,
		   struct symbols_dwarf *ret);

#endif
