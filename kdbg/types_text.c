/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Types as text: read from what a person types, written as C does.
 *
 * C writes a type from the inside out: what is pointed to stands around what
 * points. So a type is written into the middle of a growing text, from the
 * name outwards, with parentheses where a star meets brackets.
 */
#include "kdbg/types_impl.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TEXT_SIZE = 1024,
	PARAMETERS_MAX = 16,
	DEPTH_MAX = 16,
	PARAMETER_DEPTH = 4, /* functions that take functions that take ... */
};

/* --- C's own types ------------------------------------------------------ */

struct builtin {
	const char *name;
	enum type_kind kind;
	bool is_signed;
	uint64_t size;
};

static const struct builtin builtins[] = {
	{ "void", TYPE_VOID, false, 0 },
	{ "char", TYPE_CHARACTER, true, 1 },
	{ "signed char", TYPE_INTEGER, true, 1 },
	{ "unsigned char", TYPE_INTEGER, false, 1 },
	{ "short", TYPE_INTEGER, true, 2 },
	{ "unsigned short", TYPE_INTEGER, false, 2 },
	{ "int", TYPE_INTEGER, true, 4 },
	{ "unsigned int", TYPE_INTEGER, false, 4 },
	{ "long", TYPE_INTEGER, true, 8 },
	{ "unsigned long", TYPE_INTEGER, false, 8 },
	{ "float", TYPE_REAL, true, 4 },
	{ "double", TYPE_REAL, true, 8 },
	{ "long double", TYPE_REAL, true, 16 },
	{ "bool", TYPE_BOOLEAN, false, 1 },
	{ "_Bool", TYPE_BOOLEAN, false, 1 },
	{ "int8_t", TYPE_INTEGER, true, 1 },
	{ "int16_t", TYPE_INTEGER, true, 2 },
	{ "int32_t", TYPE_INTEGER, true, 4 },
	{ "int64_t", TYPE_INTEGER, true, 8 },
	{ "uint8_t", TYPE_INTEGER, false, 1 },
	{ "uint16_t", TYPE_INTEGER, false, 2 },
	{ "uint32_t", TYPE_INTEGER, false, 4 },
	{ "uint64_t", TYPE_INTEGER, false, 8 },
	{ "intptr_t", TYPE_INTEGER, true, 8 },
	{ "uintptr_t", TYPE_INTEGER, false, 8 },
	{ "ptrdiff_t", TYPE_INTEGER, true, 8 },
	{ "size_t", TYPE_INTEGER, false, 8 },
	{ "ssize_t", TYPE_INTEGER, true, 8 },
	{ "wchar_t", TYPE_INTEGER, true, 4 },
	{ "char16_t", TYPE_INTEGER, false, 2 },
	{ "char32_t", TYPE_INTEGER, false, 4 },
};

struct type *types_builtin(struct types *types, const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
		const struct builtin *builtin = &builtins[i];

		if (strncmp(builtin->name, name, length) != 0 ||
		    builtin->name[length])
			continue;
		if (builtin->kind == TYPE_VOID)
			return &types->nothing;
		struct type *type = types_new(types, builtin->kind,
					      builtin->name, builtin->size);
		if (type != &types->bad)
			type->is_signed = builtin->is_signed;
		return type;
	}
	return NULL;
}

unsigned *type_word(struct type_words *words, const char *word, size_t length)
{
	static const struct {
		const char *word;
		size_t slot;
	} known[] = {
		{ "unsigned", offsetof(struct type_words, is_unsigned) },
		{ "signed", offsetof(struct type_words, is_signed) },
		{ "short", offsetof(struct type_words, is_short) },
		{ "long", offsetof(struct type_words, is_long) },
		{ "int", offsetof(struct type_words, is_int) },
		{ "char", offsetof(struct type_words, is_char) },
		{ "double", offsetof(struct type_words, is_double) },
		{ "float", offsetof(struct type_words, is_float) },
		{ "void", offsetof(struct type_words, is_void) },
		{ "bool", offsetof(struct type_words, is_bool) },
		{ "_Bool", offsetof(struct type_words, is_bool) },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].word) == length &&
		    memcmp(known[i].word, word, length) == 0)
			return (unsigned *)((char *)words + known[i].slot);
	return NULL;
}

const char *type_words_name(const struct type_words *words)
{
	if (words->is_void)
		return "void";
	if (words->is_bool)
		return "bool";
	if (words->is_float)
		return "float";
	if (words->is_double)
		return words->is_long ? "long double" : "double";
	if (words->is_char)
		return words->is_unsigned ? "unsigned char"
		       : words->is_signed ? "signed char"
					  : "char";
	if (words->is_short)
		return words->is_unsigned ? "unsigned short" : "short";
	if (words->is_long)
		return words->is_unsigned ? "unsigned long" : "long";
	return words->is_unsigned ? "unsigned int" : "int";
}

/* --- reading ------------------------------------------------------------ */

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* "std::map<int, long>": letters, "::", and all between < and its >. */
static size_t name_length(const char *text)
{
	size_t at = 0;
	int nesting = 0;

	if (!isalpha((unsigned char)*text) && *text != '_' && *text != ':')
		return 0;
	for (; text[at]; at++) {
		unsigned char c = (unsigned char)text[at];

		if (c == '<')
			nesting++;
		else if (c == '>' && !nesting)
			break; /* of -> */
		else if (c == '>')
			nesting--;
		else if (!nesting && !isalnum(c) && c != '_' &&
			 !(c == ':' && (text[at + 1] == ':' ||
					(at && text[at - 1] == ':'))))
			break;
	}
	return nesting ? 0 : at;
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(text, word, length) == 0;
}

static bool is_qualifier(const char *text, size_t length)
{
	return is_word(text, length, "const") ||
	       is_word(text, length, "volatile") ||
	       is_word(text, length, "restrict");
}

static enum type_name_kind keyword(const char *text, size_t length)
{
	if (is_word(text, length, "struct") || is_word(text, length, "class"))
		return NAME_STRUCT;
	if (is_word(text, length, "union"))
		return NAME_UNION;
	return is_word(text, length, "enum") ? NAME_ENUM : NAME_ANY;
}

/* Which modules cannot say, for want of debug information. */
static const char *const kind_words[] = {
	[NAME_STRUCT] = "struct ",
	[NAME_UNION] = "union ",
	[NAME_ENUM] = "enum ",
	[NAME_ANY] = "",
};

static struct err *missing(struct types *types, enum type_name_kind kind,
			   const char *text, size_t length)
{
	size_t with = 0;

	for (size_t i = 0; i < types->module_count; i++)
		if (types_module_index(types, &types->modules[i]))
			with++;
	if (with)
		return err_new(ERR_NOT_FOUND,
			       "no type %s%.*s in the %zu of %zu modules that "
			       "have debug information (::typedef declares "
			       "types)",
			       kind_words[kind], (int)length, text, with,
			       types->module_count);
	return err_new(ERR_NOT_FOUND,
		       "no type %s%.*s: none of the %zu modules has debug "
		       "information; build with -g, install debug files, or "
		       "declare types with ::typedef",
		       kind_words[kind], (int)length, text,
		       types->module_count);
}

static struct err *find_name(struct types *types, const char *text,
			     size_t length, enum type_name_kind kind,
			     struct type **ret)
{
	*ret = length ? types_named(types, text, length, kind) : NULL;
	if (!*ret && kind == NAME_ANY && length)
		*ret = types_builtin(types, text, length);
	if (*ret)
		return NULL;
	if (!length)
		return err_new(ERR_USAGE, "a type is missing at '%.40s'", text);
	return missing(types, kind, text, length);
}

static struct err *find_words(struct types *types, const char **at,
			      struct type **ret)
{
	struct type_words words = { 0 };
	const char *text = *at;

	for (;;) {
		const char *word = skip_blanks(text);
		size_t length = name_length(word);
		unsigned *slot = type_word(&words, word, length);

		if (slot)
			++*slot;
		else if (!is_qualifier(word, length))
			break;
		text = word + length;
	}
	*at = text;
	const char *name = type_words_name(&words);
	*ret = types_builtin(types, name, strlen(name));
	return NULL;
}

static struct err *find_base(struct types *types, const char **at,
			     struct type **ret)
{
	const char *text = skip_blanks(*at);
	size_t length = name_length(text);
	enum type_name_kind kind;

	while (is_qualifier(text, length)) {
		text = skip_blanks(text + length);
		length = name_length(text);
	}
	*at = text;
	if (type_word(&(struct type_words){ 0 }, text, length))
		return find_words(types, at, ret);
	kind = keyword(text, length);
	if (kind != NAME_ANY) {
		text = skip_blanks(text + length);
		length = name_length(text);
	}
	*at = text + length;
	return find_name(types, text, length, kind, ret);
}

/* [4][2] is an array of 4 arrays of 2. */
static struct err *find_dimensions(struct types *types, const char **at,
				   unsigned depth, struct type **type)
{
	char *end;

	if (**at != '[')
		return NULL;
	if (depth == DEPTH_MAX)
		return err_new(ERR_USAGE, "too many dimensions");
	uint64_t count = strtoull(*at + 1, &end, 0);
	if (end == *at + 1 || *end != ']')
		return err_new(ERR_USAGE,
			       "a dimension is [N], N a C number: '%.40s'",
			       *at);
	*at = skip_blanks(end + 1);
	struct err *err = find_dimensions(types, at, depth + 1, type);
	if (!err)
		*type = type_array_of(types, *type, count);
	return err;
}

/* In "struct foo *next" the star is not the type's, in "struct foo * next" it
 * is: members may be asked for with a star. */
static bool begins_member(const char *text)
{
	size_t stars = strspn(text, "*");
	size_t length = name_length(text + stars);

	return stars && length && !is_qualifier(text + stars, length);
}

struct err *types_find(struct types *types, const char *text, const char **end,
		       struct type **ret)
{
	struct type *type;
	struct err *err = find_base(types, &text, &type);

	if (err)
		return err;
	for (text = skip_blanks(text); *text; text = skip_blanks(text)) {
		size_t length = name_length(text);

		if (begins_member(text)) {
			break;
		} else if (*text == '*' || *text == '&') {
			type = type_pointer_to(types, type);
			text++;
		} else if (is_qualifier(text, length)) {
			text += length;
		} else {
			break;
		}
	}
	err = find_dimensions(types, &text, 0, &type);
	*end = text;
	*ret = type;
	return err;
}

/* --- writing ------------------------------------------------------------ */

struct text {
	char bytes[TEXT_SIZE];
};

static void around(struct text *text, const char *before, const char *after)
{
	struct text copy = *text;

	/* What is too long is cut: the least important is at the end. */
	if (snprintf(text->bytes, sizeof(text->bytes), "%s%s%s", before,
		     copy.bytes, after) < 0)
		text->bytes[0] = '\0';
}

static const char *tag_of(const struct type *type)
{
	if (type->cpp && type->name)
		return "";
	switch (type->kind) {
	case TYPE_STRUCT:
		return "struct ";
	case TYPE_CLASS:
		return "class ";
	case TYPE_UNION:
		return "union ";
	case TYPE_ENUM:
		return "enum ";
	default:
		return "";
	}
}

static const char *name_or_shape(const struct type *type)
{
	if (type->name)
		return type->name;
	if (type_is_aggregate(type) || type->kind == TYPE_ENUM)
		return "{...}";
	return type->kind == TYPE_VOID ? "void" : "?";
}

static void write_named(struct type *type, struct text *text)
{
	struct text name;
	bool stars = text->bytes[0] != '\0';

	snprintf(name.bytes, sizeof(name.bytes), "%s%s%s", tag_of(type),
		 name_or_shape(type), stars ? " " : "");
	around(text, name.bytes, "");
}

static void write_type(struct type *type, struct text *text, unsigned depth);

static void write_parameters(struct type *type, struct text *text,
			     unsigned depth)
{
	const struct type_member *members;
	size_t count = type_members(type, &members);
	struct text all = { "" };

	for (size_t i = 0; i < count && i < PARAMETERS_MAX; i++) {
		struct text one = { "" };

		write_type(members[i].type, &one, depth + PARAMETER_DEPTH);
		around(&all, "", i ? ", " : "");
		around(&all, "", one.bytes);
	}
	if (!count)
		around(&all, "void", "");
	around(text, "", "(");
	around(text, "", all.bytes);
	around(text, "", ")");
}

static void write_pointer(struct type *type, const char *star,
			  struct text *text, unsigned depth)
{
	struct type *target = type_target(type);
	bool inside =
		target->kind == TYPE_ARRAY || target->kind == TYPE_FUNCTION;

	around(text, star, "");
	if (inside)
		around(text, "(", ")");
	write_type(target, text, depth);
}

static void write_array(struct type *type, struct text *text, unsigned depth)
{
	char brackets[32] = "[]";

	if (!type->flexible)
		snprintf(brackets, sizeof(brackets), "[%" PRIu64 "]",
			 type->count);
	around(text, "", brackets);
	write_type(type_target(type), text, depth);
}

static void write_qualified(struct type *type, const char *word,
			    struct text *text, unsigned depth)
{
	struct type *target = type_target(type);

	if (target->kind == TYPE_POINTER) {
		around(text, word, "");
		write_type(target, text, depth);
	} else {
		write_type(target, text, depth);
		around(text, word, "");
	}
}

static void write_type(struct type *type, struct text *text, unsigned depth)
{
	if (++depth > DEPTH_MAX) {
		around(text, "...", "");
		return;
	}
	switch (type->kind) {
	case TYPE_POINTER:
		write_pointer(type, "*", text, depth);
		break;
	case TYPE_REFERENCE:
		write_pointer(type, "&", text, depth);
		break;
	case TYPE_MEMBER_POINTER:
		write_pointer(type, "::*", text, depth);
		break;
	case TYPE_ARRAY:
		write_array(type, text, depth);
		break;
	case TYPE_FUNCTION:
		write_parameters(type, text, depth);
		write_type(type_target(type), text, depth);
		break;
	case TYPE_CONST:
		write_qualified(type, "const ", text, depth);
		break;
	case TYPE_VOLATILE:
		write_qualified(type, "volatile ", text, depth);
		break;
	case TYPE_QUALIFIED:
		write_type(type_target(type), text, depth);
		break;
	default:
		write_named(type, text);
		break;
	}
}

void type_format(struct type *type, char *buffer, size_t size)
{
	struct text text = { "" };

	write_type(type, &text, 0);
	size_t length = strlen(text.bytes);
	if (length && text.bytes[length - 1] == ' ')
		text.bytes[length - 1] = '\0'; /* "int *const " */
	snprintf(buffer, size, "%s", text.bytes);
}
