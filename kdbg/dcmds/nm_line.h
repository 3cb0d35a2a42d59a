/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line of ::nm: the fields that -f names. */
#ifndef KDBG_DCMDS_NM_LINE_H
#define KDBG_DCMDS_NM_LINE_H

#include "kdbg/session.h"
#include "kdbg/symbol_records.h"
#include "kdbg/symbols.h"

enum { NM_FIELDS_MAX = 16, NM_LINE_SIZE = 1536, NM_WORD_SIZE = 16 };

struct nm_symbol {
	struct symbol symbol; /* value in the target */
	struct symbol_record record;
};

struct nm_format {
	unsigned radix; /* of values and sizes: 8, 10 or 16 */
	size_t count;
	unsigned char fields[NM_FIELDS_MAX];
};

/* fields: "val,size,name"; NULL: the usual ones, and where it is wide the
 * object. */
struct err *nm_format_choose(const char *fields, bool wide,
			     struct nm_format *ret) MUST_USE;

void nm_format_heading(const struct nm_format *format, char *line, size_t size);
void nm_format_line(const struct nm_format *format, struct session *session,
		    const struct nm_symbol *symbol, char *line, size_t size);

/* The command that would give the symbol its name again. */
void nm_format_command(const struct nm_symbol *symbol, char *line, size_t size);

const char *nm_type_name(unsigned char type);
const char *nm_binding_name(unsigned char binding);
const char *nm_visibility_name(unsigned char visibility);
void nm_section_name(const struct nm_symbol *symbol, char word[NM_WORD_SIZE]);

/* Of a variable, by the debug information; NULL: not known. */
const char *nm_c_type(struct session *session, const struct symbol *symbol,
		      char *buffer, size_t size);

/* Is name one of the words of list, which have commas between, in any case? */
bool nm_is_listed(const char *list, const char *name);

#endif
