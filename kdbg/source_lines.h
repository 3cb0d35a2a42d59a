/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * File, line and inlined calls of a module's code addresses, from its DWARF.
 * Opened when first asked for; each compilation unit is indexed when an
 * address of it is first met. Addresses are the file's own. Strings point into
 * the files, which must outlive this.
 */
#ifndef KDBG_SOURCE_LINES_H
#define KDBG_SOURCE_LINES_H

#include "kdbg/module_file.h"
#include "kdbg/target.h"

#include <elfutils/libdw.h>

struct source_lines;

struct source_frame {
	const char *function;  /* as in the source, or NULL */
	const char *linkage;   /* mangled, or NULL */
	const char *file;      /* or NULL */
	const char *directory; /* where it was compiled, or NULL */
	unsigned line;
};

/* NULL: neither file has DWARF, or there is no memory. */
struct source_lines *source_lines_create(struct target *target,
					 const struct module_file *file);
void source_lines_destroy(struct source_lines *lines);

/* Frames of address, innermost inline first, at most max; how many. */
size_t source_lines_at(struct source_lines *lines, uint64_t address,
		       struct source_frame *frames, size_t max);

/* The function that address is in, and that of the inlined-th frame of
 * source_lines_at(): itself or a call inlined into it. */
bool source_lines_function(struct source_lines *lines, uint64_t address,
			   size_t inlined, Dwarf_Die *function,
			   Dwarf_Die *frame);

/* The DWARF itself, for who reads other things from it. */
struct Dwarf *source_lines_dwarf(const struct source_lines *lines);

#endif
