/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/type_value.h"

#include "kdbg/target.h"
#include "kdbg/type_real.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHUNK = 256, /* of a string, read at a time */
	OPAQUE_MAX = 64,
	NAMES_SIZE = 512,
	SYMBOL_SIZE = 512,
};

/* --- characters --------------------------------------------------------- */

static void put_character(unsigned char c, char quote, FILE *stream)
{
	static const char letters[] = "a\ab\bt\tn\nv\vf\fr\r\\\\";

	if (c == quote) {
		fprintf(stream, "\\%c", c);
		return;
	}
	for (size_t i = 0; i + 1 < sizeof(letters); i += 2)
		if ((unsigned char)letters[i + 1] == c) {
			fprintf(stream, "\\%c", letters[i]);
			return;
		}
	if (c == '\0')
		fputs("\\0", stream);
	else if (isprint(c))
		fputc(c, stream);
	else
		fprintf(stream, "\\x%02x", c);
}

/* Characters of an array up to size, of a string up to its NUL; at most limit,
 * and what can be read. The NULs that an array ends with are left out. False:
 * not one byte can be read. */
static bool put_string(struct session *session, const struct type_place *place,
		       uint64_t address, uint64_t size, uint64_t limit,
		       FILE *stream)
{
	bool array = size != UINT64_MAX;
	unsigned char bytes[CHUNK];
	uint64_t done = 0, zeros = 0;
	bool whole = false;

	while (!whole && done < size && done < limit) {
		uint64_t left = (size < limit ? size : limit) - done;
		size_t want = left < CHUNK ? (size_t)left : CHUNK;
		size_t got = 0;

		if (!place->immediate)
			got = target_read_some(session->target, address + done,
					       bytes, want);
		else if (want <= sizeof(place->value))
			memcpy(bytes, &place->value, got = want);
		if (!done && !got)
			return false;
		if (!done)
			fputc('"', stream);
		for (size_t i = 0; i < got && !whole; i++) {
			whole = !bytes[i] && !array;
			zeros += !bytes[i];
			for (; bytes[i] && zeros; zeros--)
				fputs("\\0", stream);
			if (bytes[i])
				put_character(bytes[i], '"', stream);
		}
		done += got;
		if (got < want)
			break;
	}
	fputs(done ? "\"" : "\"\"", stream);
	if (!whole && done < size)
		fputs("...", stream);
	return true;
}

/* --- numbers ------------------------------------------------------------ */

static void put_integer(uint64_t value, bool is_signed, bool decimal,
			unsigned bits, FILE *stream)
{
	if (!decimal && bits && bits < 64)
		value &= (UINT64_C(1) << bits) - 1;
	if (decimal && is_signed)
		fprintf(stream, "%" PRId64, (int64_t)value);
	else if (decimal)
		fprintf(stream, "%" PRIu64, value);
	else
		fprintf(stream, value ? "0x%" PRIx64 : "%" PRIx64, value);
}

static void put_digits(unsigned __int128 value, unsigned base, FILE *stream)
{
	if (value >= base)
		put_digits(value / base, base, stream);
	fputc("0123456789abcdef"[(unsigned)(value % base)], stream);
}

/* __int128 */
static struct err *put_wide(struct session *session,
			    const struct type_place *place, bool decimal,
			    FILE *stream)
{
	unsigned __int128 value;
	struct err *err = type_place_read(session, place, place->address,
					  &value, sizeof(value));

	if (err)
		return err;
	if (decimal && type_peel(place->type)->is_signed &&
	    (__int128)value < 0) {
		fputc('-', stream);
		value = 0 - value;
	}
	fputs(decimal || !value ? "" : "0x", stream);
	put_digits(value, decimal ? 10 : 16, stream);
	return NULL;
}

static struct err *put_opaque(struct session *session,
			      const struct type_place *place, FILE *stream)
{
	unsigned char bytes[OPAQUE_MAX];
	uint64_t size = 0;

	if (!type_size(place->type, &size)) {
		fputs("<no size>", stream);
		return NULL;
	}
	uint64_t shown = size < OPAQUE_MAX ? size : OPAQUE_MAX;
	struct err *err = type_place_read(session, place, place->address, bytes,
					  (size_t)shown);
	if (err)
		return err;
	fputs("0x", stream); /* the most significant byte first */
	for (uint64_t i = shown; i-- > 0;)
		fprintf(stream, "%02x", bytes[i]);
	if (shown < size)
		fputs("...", stream);
	return NULL;
}

/* --- names for values --------------------------------------------------- */

static const char *exact_name(const struct type_enumerator *list, size_t count,
			      int64_t value)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].value == value)
			return list[i].name;
	return NULL;
}

bool type_value_enumerator(struct type *type, int64_t value, char *buffer,
			   size_t size)
{
	const struct type_enumerator *list;
	size_t count = type_enumerators(type_peel(type), &list);
	const char *name = exact_name(list, count, value);
	uint64_t left = (uint64_t)value;
	size_t used = 0;

	if (name) {
		snprintf(buffer, size, "%s", name);
		return true;
	}
	for (size_t i = 0; i < count && left; i++) {
		uint64_t bit = (uint64_t)list[i].value;

		if (!bit || (bit & (bit - 1)) || !(left & bit))
			continue;
		int length = snprintf(buffer + used, size - used, "%s%s",
				      used ? "|" : "", list[i].name);
		if (length < 0 || (size_t)length >= size - used)
			return false;
		used += (size_t)length;
		left &= ~bit;
	}
	return used && !left;
}

/* The symbol that an address lies in. False: none. */
static bool put_symbol(struct session *session, uint64_t address, FILE *stream)
{
	struct symbols *symbols;
	struct symbol symbol;
	char text[SYMBOL_SIZE];
	struct err *err = session_symbols(session, &symbols);

	if (err) {
		err_free(err);
		return false;
	}
	if (!symbols_at(symbols, address, &symbol) || !symbol.name ||
	    (symbol.size && symbol.offset >= symbol.size))
		return false;
	symbols_format(symbols, address, text, sizeof(text));
	fputs(text, stream);
	return true;
}

static void put_pointer(struct session *session, struct type *pointer,
			uint64_t value,
			const struct type_value_options *options, FILE *stream)
{
	struct type *target = type_peel(type_target(pointer));
	const struct type_place memory = { .type = target };
	bool text = target->kind == TYPE_CHARACTER;

	if (!value) {
		fputc('0', stream);
		return;
	}
	if (!options->no_symbols && !text && put_symbol(session, value, stream))
		return;
	fprintf(stream, "0x%" PRIx64, value);
	if (!text || !session->target ||
	    !target_read_some(session->target, value, &(char){ 0 }, 1))
		return;
	fputc(' ', stream);
	put_string(session, &memory, value, UINT64_MAX, options->characters,
		   stream);
}

/* How far into the object a member lies; or a function, or where the vtable has
 * it (then the number is odd), and what to add to the object's address. */
static struct err *put_member_pointer(struct session *session,
				      const struct type_place *place,
				      uint64_t size,
				      const struct type_value_options *options,
				      FILE *stream)
{
	uint64_t words[2] = { 0 };
	struct err *err = type_place_read(
		session, place, place->address, words,
		size < sizeof(words) ? sizeof(words[0]) : sizeof(words));

	if (err)
		return err;
	if (size < sizeof(words) && words[0] == UINT64_MAX)
		fputs("NULL", stream);
	else if (size < sizeof(words))
		fprintf(stream, "+0x%" PRIx64, words[0]);
	else if (!words[0])
		fputs("NULL", stream);
	else if (words[0] & 1)
		fprintf(stream, "virtual +0x%" PRIx64, words[0] - 1);
	else if (options->no_symbols || !put_symbol(session, words[0], stream))
		fprintf(stream, "0x%" PRIx64, words[0]);
	if (words[1])
		fprintf(stream, ", this %+" PRId64, (int64_t)words[1]);
	return NULL;
}

static struct err *put_scalar(struct session *session,
			      const struct type_place *place, struct type *type,
			      const struct type_value_options *options,
			      FILE *stream)
{
	char names[NAMES_SIZE];
	uint64_t value;
	unsigned bits = place->bit_size ? place->bit_size
					: (unsigned)(type->size & 15) * 8;
	struct err *err = type_place_number(session, place, &value);

	if (err)
		return err;
	switch (type->kind) {
	case TYPE_CHARACTER:
		fputc('\'', stream);
		put_character((unsigned char)value, '\'', stream);
		fputc('\'', stream);
		break;
	case TYPE_BOOLEAN:
		if (value > 1)
			put_integer(value, false, false, 0, stream);
		else
			fputs(value ? "true" : "false", stream);
		break;
	case TYPE_POINTER:
	case TYPE_REFERENCE:
		put_pointer(session, type, value, options, stream);
		break;
	case TYPE_ENUM:
		put_integer(value, type->is_signed, options->decimal, bits,
			    stream);
		if (type_value_enumerator(type, (int64_t)value, names,
					  sizeof(names)))
			fprintf(stream, " (%s)", names);
		break;
	default:
		put_integer(value, type->is_signed, options->decimal, bits,
			    stream);
		break;
	}
	return NULL;
}

/* --- arrays ------------------------------------------------------------- */

static struct err *put_elements(struct session *session,
				const struct type_place *place, uint64_t count,
				const struct type_value_options *options,
				FILE *stream)
{
	uint64_t shown = count < options->elements ? count : options->elements;

	if (!count) {
		fputs("[]", stream);
		return NULL;
	}
	fputs("[ ", stream);
	for (uint64_t i = 0; i < shown; i++) {
		struct type_place element;
		struct err *err = type_place_element(place, i, &element);

		if (i)
			fputs(", ", stream);
		if (!err)
			err = type_value_put(session, &element, options,
					     stream);
		if (err && !i)
			return err;
		if (err || session_interrupted(session)) {
			err_free(err); /* the rest cannot be read either */
			fputs("...", stream);
			break;
		}
	}
	fputs(shown < count ? ", ... ]" : " ]", stream);
	return NULL;
}

static struct err *put_array(struct session *session,
			     const struct type_place *place, struct type *type,
			     const struct type_value_options *options,
			     FILE *stream)
{
	struct type *element = type_peel(type_target(type));

	if (element->kind != TYPE_CHARACTER || !type->count)
		return put_elements(session, place, type->count, options,
				    stream);
	/* All of it must be there, or what is missing is told. */
	struct err *err = type_place_read(session, place, place->address,
					  &(char){ 0 }, 1);
	if (err)
		return err;
	fputs(options->bare_text ? "" : "[ ", stream);
	put_string(session, place, place->address, type->count,
		   options->characters, stream);
	fputs(options->bare_text ? "" : " ]", stream);
	return NULL;
}

bool type_value_is_line(struct type *type)
{
	type = type_peel(type);
	if (type->kind != TYPE_ARRAY)
		return !type_is_aggregate(type);
	type = type_peel(type_target(type));
	return type->kind != TYPE_ARRAY && !type_is_aggregate(type);
}

struct err *type_value_put(struct session *session,
			   const struct type_place *place,
			   const struct type_value_options *options,
			   FILE *stream)
{
	struct type *type = type_peel(place->type);
	uint64_t size = 0;

	if (type->kind == TYPE_ARRAY)
		return put_array(session, place, type, options, stream);
	type_size(type, &size);
	if (type->kind == TYPE_REAL && !place->bit_size)
		return type_real_put(session, place, size, stream);
	if (type->kind == TYPE_MEMBER_POINTER)
		return put_member_pointer(session, place, size, options,
					  stream);
	if (type->kind == TYPE_COMPLEX)
		return type_complex_put(session, place, size, stream);
	if (type->kind == TYPE_INTEGER && size == sizeof(__int128))
		return put_wide(session, place, options->decimal, stream);
	if (type_is_scalar(type) && size <= sizeof(uint64_t) && size)
		return put_scalar(session, place, type, options, stream);
	return put_opaque(session, place, stream);
}
