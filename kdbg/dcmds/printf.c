/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::printf - one line of chosen members for each object. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/number_text.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"
#include "kdbg/type_value.h"
#include "kdbg/type_words.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIELD_SIZE = 4096, /* of one conversion, and of a string */
	WIDTH_MAX = 1024,
	POINTER_WIDTH = 16,
};

static const struct column printf_columns[] = {
	{ "address", VALUE_ADDRESS },
	{ "text", VALUE_TEXT },
};

static const struct table printf_tables[] = {
	{ "default", printf_columns, 2, .no_header = true },
};

struct conversion {
	bool left, zeros;
	int width;
	char letter;
};

struct printf {
	struct session *session;
	FILE *line;
	char field[FIELD_SIZE];
};

/* --- the format --------------------------------------------------------- */

/* What follows a %; *at is moved behind it. */
static struct err *parse_conversion(const char **at, struct conversion *ret)
{
	const char *text = *at;

	*ret = (struct conversion){ 0 };
	for (;; text++)
		if (*text == '-')
			ret->left = true;
		else if (*text == '0')
			ret->zeros = true;
		else
			break;
	for (; isdigit((unsigned char)*text); text++)
		if (ret->width < WIDTH_MAX)
			ret->width = ret->width * 10 + (*text - '0');
	if (*text == '?') {
		ret->width = POINTER_WIDTH;
		text++;
	}
	while (*text == 'l' || *text == 'h') /* the member knows its size */
		text++;
	ret->letter = *text;
	if (!*text || !strchr("acdHINopqrRsuxXY%", *text))
		return err_new(ERR_USAGE, "%%%.1s is no conversion", text);
	if (ret->width > WIDTH_MAX)
		ret->width = WIDTH_MAX;
	*at = text + 1;
	return NULL;
}

static void put_field(struct printf *printf,
		      const struct conversion *conversion)
{
	const char *text = printf->field;
	int length = (int)strlen(text);
	int fill = conversion->width > length ? conversion->width - length : 0;
	bool zeros = conversion->zeros && !conversion->left;

	if (zeros && *text == '-') {
		fputc('-', printf->line);
		text++;
	}
	for (int i = 0; !conversion->left && i < fill; i++)
		fputc(zeros ? '0' : ' ', printf->line);
	fputs(text, printf->line);
	for (int i = 0; conversion->left && i < fill; i++)
		fputc(' ', printf->line);
}

/* --- values ------------------------------------------------------------- */

static void format_number(struct printf *printf, char letter, uint64_t value)
{
	char *text = printf->field;
	size_t size = sizeof(printf->field);

	switch (letter) {
	case 'a':
		number_as_symbol(printf->session, value, text, size);
		break;
	case 'c':
		snprintf(text, size, "%c", (char)value);
		break;
	case 'd':
		snprintf(text, size, "%" PRId64, (int64_t)value);
		break;
	case 'H':
		number_as_size(value, text);
		break;
	case 'o':
		number_in_radix(value, 8, text);
		break;
	case 'q':
		number_signed_octal((int64_t)value, text);
		break;
	case 'r':
		number_in_radix(value, printf->session->radix, text);
		break;
	case 'R':
		number_in_radix(value, 2, text);
		break;
	case 'u':
		snprintf(text, size, "%" PRIu64, value);
		break;
	case 'X':
		snprintf(text, size, "%" PRIX64, value);
		break;
	case 'Y':
		number_as_time((int64_t)value, "%Y %b %e %H:%M:%S", text, size);
		break;
	default: /* p, x */
		snprintf(text, size, "%" PRIx64, value);
		break;
	}
}

/* An address of the internet, as it lies in memory. */
static struct err *format_address(struct printf *printf,
				  const struct type_place *place, char letter)
{
	int family = letter == 'I' ? AF_INET : AF_INET6;
	unsigned char bytes[16];
	struct err *err =
		type_place_read(printf->session, place, place->address, bytes,
				family == AF_INET ? 4 : 16);

	if (!err)
		inet_ntop(family, bytes, printf->field, sizeof(printf->field));
	return err;
}

/* A character array, what a pointer to char points to, an enumerator. */
static struct err *format_string(struct printf *printf,
				 const struct type_place *place)
{
	struct type *type = type_peel(place->type);
	uint64_t address = place->address;
	size_t size = sizeof(printf->field);
	struct err *err;

	if (type->kind == TYPE_ARRAY) {
		if (type->count && type->count < size)
			size = (size_t)type->count;
		size = target_read_some(printf->session->target, address,
					printf->field, size);
		printf->field[size < FIELD_SIZE ? size : FIELD_SIZE - 1] = '\0';
		return NULL;
	}
	err = type_place_number(printf->session, place, &address);
	if (err)
		return err;
	if (type->kind == TYPE_ENUM) {
		if (!type_value_enumerator(type, (int64_t)address,
					   printf->field, size))
			snprintf(printf->field, size, "%" PRId64,
				 (int64_t)address);
		return NULL;
	}
	if (type->kind != TYPE_POINTER)
		return err_new(ERR_USAGE,
			       "%%s is for strings and enumerations");
	if (!address) {
		snprintf(printf->field, size, "<NULL>");
		return NULL;
	}
	return target_read_text(printf->session->target, address, printf->field,
				size);
}

/* A signed member as the bits it has. */
static uint64_t without_sign(const struct type_place *place, uint64_t value)
{
	struct type *type = type_peel(place->type);
	uint64_t bits = place->bit_size ? place->bit_size : type->size * 8;

	if (!type->is_signed || !bits || bits >= 64)
		return value;
	return value & ((UINT64_C(1) << bits) - 1);
}

static struct err *format_value(struct printf *printf, char letter,
				const struct type_place *object,
				const char *member)
{
	struct type_place place = *object;
	uint64_t value = object->address;
	bool itself = strcmp(member, ".") == 0;
	struct err *err = type_place_follow(printf->session, member, &place);

	if (err)
		return err;
	if (letter == 's' && !itself)
		return format_string(printf, &place);
	if (letter == 'I' || letter == 'N')
		return format_address(printf, &place, letter);
	/* "." and what has no number is its address. */
	if (!itself && type_value_is_line(place.type) &&
	    type_peel(place.type)->kind != TYPE_ARRAY)
		err = type_place_number(printf->session, &place, &value);
	else
		value = place.address;
	if (!err)
		format_number(printf, letter,
			      strchr("dqc", letter) || itself
				      ? value
				      : without_sign(&place, value));
	return err;
}

static struct err *put_line(struct printf *printf, const char *format,
			    const struct type_place *object, int argc,
			    const char *const *argv)
{
	struct conversion conversion;
	struct err *err = NULL;
	int used = 0;

	while (!err && *format) {
		if (*format != '%') {
			fputc(*format++, printf->line);
			continue;
		}
		format++;
		err = parse_conversion(&format, &conversion);
		if (!err && conversion.letter == '%') {
			fputc('%', printf->line);
			continue;
		}
		if (!err && used == argc)
			err = err_new(ERR_USAGE,
				      "more conversions than members");
		if (!err)
			err = format_value(printf, conversion.letter, object,
					   argv[used++]);
		if (!err)
			put_field(printf, &conversion);
	}
	if (!err && used < argc)
		err = err_new(ERR_USAGE, "no conversion for member %s",
			      argv[used]);
	return err;
}

static struct err *printf_run(const struct dcmd_call *call, struct sink *out)
{
	struct printf printf = { .session = call->session };
	struct type_place object;
	char *text = NULL;
	size_t size;
	int used;

	if (call->argc < 1)
		return err_new(ERR_USAGE, "a format, a type, and members");
	struct err *err = type_place_of_words(call->session, call->has_address,
					      call->address, call->argc - 1,
					      call->argv + 1, &object, &used);
	if (err)
		return err;
	printf.line = open_memstream(&text, &size);
	if (!printf.line)
		return err_new(ERR_NO_MEMORY, "out of memory");
	err = put_line(&printf, call->argv[0], &object, call->argc - 1 - used,
		       call->argv + 1 + used);
	fclose(printf.line);
	if (!err && size && text[size - 1] == '\n')
		text[size - 1] = '\0'; /* a row is a line anyhow */
	if (!err)
		SINK_ROW_AS(out, text, ADDRESS(object.address), TEXT(text));
	free(text);
	return err;
}

const struct dcmd dcmd_printf = {
	.name = "printf",
	.summary = "one formatted line of members for each object",
	.help = "Each conversion of the format takes the next member of the "
		"object at the address, written as for ::print; the member "
		"\".\" is the address itself. A conversion is %, then perhaps "
		"-, 0, a width, or ? for the width of a pointer, and a "
		"letter:\n\n"
		"a address as symbol, c character, d signed decimal, H size "
		"with K M G, I and N internet address of 4 and 16 bytes, o "
		"octal, p and x hexadecimal, X with capitals, q signed octal, "
		"r the radix of ::radix, R binary, s string or enumerator, u "
		"decimal, Y seconds since 1970 as a date, % itself.\n\n"
		"What fits no letter, such as a structure, is its address. "
		"Sizes and signs are the member's.",
	.example = "<rsp::printf \"%?p %016x\" 'unsigned long' . .",
	.arguments = "format [type] member ...",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "object",
	.tables = printf_tables,
	.table_count = 1,
	.run = printf_run,
};
