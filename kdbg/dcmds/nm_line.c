/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/dcmds/nm_line.h"

#include "kdbg/number_text.h"
#include "kdbg/types.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum nm_field {
	FIELD_INDEX,
	FIELD_VALUE,
	FIELD_SIZE,
	FIELD_TYPE,
	FIELD_BINDING,
	FIELD_OTHER,
	FIELD_SECTION,
	FIELD_NAME,
	FIELD_C_TYPE,
	FIELD_OBJECT,
	FIELD_COUNT,
};

static const struct {
	const char *word, *heading;
	int width;
} fields[FIELD_COUNT] = {
	[FIELD_INDEX] = { "ndx", "NDX", 6 },
	[FIELD_VALUE] = { "val", "VALUE", 16 },
	[FIELD_SIZE] = { "size", "SIZE", 8 },
	[FIELD_TYPE] = { "type", "TYPE", 4 },
	[FIELD_BINDING] = { "bind", "BIND", 4 },
	[FIELD_OTHER] = { "oth", "OTH", 4 },
	[FIELD_SECTION] = { "shndx", "SHNDX", 5 },
	[FIELD_NAME] = { "name", "NAME", 28 },
	[FIELD_C_TYPE] = { "ctype", "CTYPE", 24 },
	[FIELD_OBJECT] = { "obj", "OBJECT", 16 },
};

bool nm_is_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (strncasecmp(list, name, length) == 0 &&
		    strchr(",", list[length]))
			return true;
	}
	return false;
}

static bool add_field(const char *word, size_t length, struct nm_format *format)
{
	for (unsigned char i = 0; i < FIELD_COUNT; i++) {
		if (strlen(fields[i].word) != length ||
		    strncasecmp(fields[i].word, word, length) != 0)
			continue;
		if (format->count == NM_FIELDS_MAX)
			return false;
		format->fields[format->count++] = i;
		return true;
	}
	return false;
}

struct err *nm_format_choose(const char *words, bool wide,
			     struct nm_format *ret)
{
	*ret = (struct nm_format){ .radix = 16 };
	if (!words)
		words = wide ? "val,size,type,bind,oth,shndx,name,obj"
			     : "val,size,type,bind,oth,shndx,name";
	while (*words) {
		size_t length = strcspn(words, ",");

		if (!add_field(words, length, ret))
			return err_new(ERR_USAGE,
				       "-f: no field %.*s; ::help nm lists "
				       "them",
				       (int)length, words);
		words += length;
		words += *words == ',';
	}
	return NULL;
}

const char *nm_type_name(unsigned char type)
{
	switch (type) {
	case STT_NOTYPE:
		return "NOTY";
	case STT_OBJECT:
		return "OBJT";
	case STT_FUNC:
		return "FUNC";
	case STT_SECTION:
		return "SECT";
	case STT_FILE:
		return "FILE";
	case STT_COMMON:
		return "COMM";
	case STT_TLS:
		return "TLS";
	case STT_GNU_IFUNC:
		return "IFUN";
	default:
		return "?";
	}
}

const char *nm_binding_name(unsigned char binding)
{
	if (binding == STB_LOCAL)
		return "LOCL";
	if (binding == STB_GNU_UNIQUE)
		return "UNIQ";
	return binding == STB_WEAK ? "WEAK" : "GLOB";
}

const char *nm_visibility_name(unsigned char visibility)
{
	static const char *const names[] = { "-", "INTL", "HIDN", "PROT" };

	return names[visibility & 3];
}

void nm_section_name(const struct nm_symbol *symbol, char word[NM_WORD_SIZE])
{
	uint16_t section = symbol->record.section;

	if (section == SHN_UNDEF || section == SHN_ABS || section == SHN_COMMON)
		snprintf(word, NM_WORD_SIZE, "%s",
			 section == SHN_UNDEF ? "UNDEF"
			 : section == SHN_ABS ? "ABS"
					      : "COMM");
	else
		snprintf(word, NM_WORD_SIZE, "%u", section);
}

const char *nm_c_type(struct session *session, const struct symbol *symbol,
		      char *buffer, size_t size)
{
	struct types *types;
	struct type *type;
	uint64_t offset;

	if (symbol->type != STT_OBJECT && symbol->type != STT_COMMON)
		return NULL;
	struct err *err = session_types(session, &types);
	bool found = !err &&
		     types_variable_at(types, symbol->value, &type, &offset) &&
		     offset == 0;
	err_free(err);
	if (found)
		type_format(type, buffer, size);
	return found ? buffer : NULL;
}

static int field_width(const struct nm_format *format, unsigned field)
{
	bool wide = format->radix != 16;

	if (field == FIELD_VALUE && wide)
		return format->radix == 8 ? 22 : 20;
	return fields[field].width;
}

static void format_number(const struct nm_format *format, unsigned field,
			  uint64_t value, char *text)
{
	if (field == FIELD_VALUE && format->radix == 16)
		snprintf(text, NUMBER_TEXT_SIZE, "%016" PRIx64, value);
	else
		number_in_radix(value, format->radix, text);
}

static void format_field(const struct nm_format *format, unsigned field,
			 struct session *session,
			 const struct nm_symbol *symbol, char *text,
			 size_t size)
{
	const struct symbol *of = &symbol->symbol;
	char word[NUMBER_TEXT_SIZE] = "", type[NM_LINE_SIZE];
	const char *shown = word;

	switch (field) {
	case FIELD_INDEX:
		snprintf(word, sizeof(word), "%u", symbol->record.index);
		break;
	case FIELD_VALUE:
		format_number(format, field, of->value, word);
		break;
	case FIELD_SIZE:
		format_number(format, field, of->size, word);
		break;
	case FIELD_TYPE:
		shown = nm_type_name(of->type);
		break;
	case FIELD_BINDING:
		shown = nm_binding_name(of->binding);
		break;
	case FIELD_OTHER:
		shown = nm_visibility_name(symbol->record.other);
		break;
	case FIELD_SECTION:
		nm_section_name(symbol, word);
		break;
	case FIELD_NAME:
		shown = of->name;
		break;
	case FIELD_C_TYPE:
		shown = nm_c_type(session, of, type, sizeof(type));
		break;
	default:
		shown = of->module;
		break;
	}
	snprintf(text, size, "%s", shown ? shown : "-");
}

/* Numbers stand to the right, the last field is not padded. */
static void add_padded(const struct nm_format *format, size_t i,
		       const char *text, char *line, size_t size)
{
	unsigned field = format->fields[i];
	int width = field_width(format, field);
	size_t used = strlen(line);
	bool number = field == FIELD_VALUE || field == FIELD_SIZE ||
		      field == FIELD_INDEX;

	if (i + 1 == format->count && !number)
		width = 0;
	snprintf(line + used, size - used, "%s%*s", i ? " " : "",
		 number ? width : -width, text);
}

void nm_format_heading(const struct nm_format *format, char *line, size_t size)
{
	*line = '\0';
	for (size_t i = 0; i < format->count; i++)
		add_padded(format, i, fields[format->fields[i]].heading, line,
			   size);
}

void nm_format_line(const struct nm_format *format, struct session *session,
		    const struct nm_symbol *symbol, char *line, size_t size)
{
	char text[NM_LINE_SIZE];

	*line = '\0';
	for (size_t i = 0; i < format->count; i++) {
		format_field(format, format->fields[i], session, symbol, text,
			     sizeof(text));
		add_padded(format, i, text, line, size);
	}
}

void nm_format_command(const struct nm_symbol *symbol, char *line, size_t size)
{
	const struct symbol *of = &symbol->symbol;
	const char *kind = of->type == STT_FUNC     ? "-f "
			   : of->type == STT_OBJECT ? "-o "
						    : "";

	snprintf(line, size, "%" PRIx64 "::nmadd %s-s %" PRIx64 " '%s'",
		 of->value, kind, of->size, of->name);
}
