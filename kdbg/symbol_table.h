/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The symbols of one module, sorted by address and, when first asked for, by
 * name. Addresses are the file's own: who knows where the file was loaded adds
 * the difference. Names point into the files, which must outlive the table.
 */
#ifndef KDBG_SYMBOL_TABLE_H
#define KDBG_SYMBOL_TABLE_H

#include "dumpfmt/facts.h"
#include "kdbg/module_file.h"

struct symbol_entry {
	uint64_t value;
	uint64_t span; /* addresses it names; guessed for a sizeless one */
	const char *name;
	uint32_t enclosing; /* entry around this one, or SYMBOL_NONE */
	uint32_t file;      /* source file of a local symbol, 0: not known */
	unsigned char rank; /* of two at one address the higher is shown */
	unsigned char binding, type; /* STB_, STT_ */
	bool sized;                  /* span is what the file says */
};

enum { SYMBOL_NONE = UINT32_MAX };

struct symbol_table {
	struct symbol_entry *entries;
	size_t count;
	const char **files; /* [0] is NULL */
	size_t file_count;
	uint32_t *by_name; /* indexes of entries, made by the first search */
};

/* From the file and its debug file, which may be NULL. */
struct err *symbol_table_create(const struct module_file *file,
				const struct module_file *debug,
				struct symbol_table **ret) MUST_USE;

/* The same, and the functions among count names that were saved (the module's,
 * in any order), which the table's owner keeps. Here file may be NULL, too:
 * then addresses are those behind the module's base. */
struct err *symbol_table_create_saved(const struct module_file *file,
				      const struct module_file *debug,
				      const struct dump_symbol *saved,
				      size_t count,
				      struct symbol_table **ret) MUST_USE;

void symbol_table_destroy(struct symbol_table *table);

/* The innermost symbol that holds address; NULL: none. With a distance, the
 * last one at or below it that is less than that away, whatever its size. */
const struct symbol_entry *symbol_table_at(const struct symbol_table *table,
					   uint64_t address, uint64_t distance);

/* By name and, unless NULL, base name of its source file; of several the one
 * of widest binding. */
const struct symbol_entry *symbol_table_named(struct symbol_table *table,
					      const char *name,
					      const char *file);

/* A thread-local variable of a file: where in the module's block it lies. Not
 * in the table, for it has no address. False: there is none of that name. */
bool symbol_table_thread_local(const struct module_file *file, const char *name,
			       uint64_t *offset, uint64_t *size);

/* Call each symbol whose name begins with prefix, in order, aliases too. */
void symbol_table_prefix(struct symbol_table *table, const char *prefix,
			 void (*found)(void *context, const char *name),
			 void *context);

#endif
