/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The symbols of a file as they stand in it, in its order, with what a table
 * for finding names (symbol_table.h) has no use for: undefined ones, sections,
 * source files, thread-local ones. Values are the file's own.
 */
#ifndef KDBG_SYMBOL_RECORDS_H
#define KDBG_SYMBOL_RECORDS_H

#include "kdbg/module_file.h"

struct symbol_record {
	uint32_t index;   /* in its table */
	const char *name; /* in the file; "" for none */
	uint64_t value, size;
	unsigned char type, binding, other; /* STT_, STB_, STV_ */
	uint16_t section;                   /* SHN_ */
};

/* Of the dynamic table, or else of the full one: each, until each says false.
 * False: the file has no such table. */
bool symbol_records_each(const struct module_file *file, bool dynamic,
			 bool (*each)(void *context,
				      const struct symbol_record *record),
			 void *context);

#endif
