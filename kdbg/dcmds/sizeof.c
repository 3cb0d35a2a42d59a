/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::sizeof and ::offsetof - how large a type is, and where a member lies. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/type_words.h"

#include <inttypes.h>
#include <stdio.h>

enum { TYPE_TEXT_SIZE = 512, LINE_SIZE = 1024 };

static const struct column sizeof_columns[] = {
	{ "type", VALUE_TEXT },
	{ "size", VALUE_SIZE, .piped = true },
};

static const struct table sizeof_tables[] = {
	{ "default", sizeof_columns, 2, .no_header = true },
};

static const struct column offsetof_columns[] = {
	{ "type", VALUE_TEXT },
	{ "member", VALUE_TEXT },
	{ "offset", VALUE_SIZE, .piped = true },
	{ "size", VALUE_SIZE },
	{ "bit offset", VALUE_COUNT },
	{ "bits", VALUE_COUNT },
};

static const struct table offsetof_tables[] = {
	{ "default", offsetof_columns, 6, .no_header = true },
};

static struct err *sizeless(struct type *type)
{
	char text[TYPE_TEXT_SIZE];
	struct err *err = type_place_defined(type);

	type_format(type, text, sizeof(text));
	return err ? err : err_new(ERR_NOT_FOUND, "%s has no size", text);
}

static struct err *find(const struct dcmd_call *call, struct type_place *place,
			int *used)
{
	*place = (struct type_place){ 0 };
	return type_of_words(call->session, call->argc, call->argv,
			     &place->type, used);
}

static struct err *sizeof_run(const struct dcmd_call *call, struct sink *out)
{
	char name[TYPE_TEXT_SIZE], text[LINE_SIZE];
	struct type_place place;
	uint64_t size;
	int used;
	struct err *err = find(call, &place, &used);

	if (!err && used < call->argc)
		err = type_place_within(call->session, place.type,
					call->argv[used++], &place);
	if (!err && used < call->argc)
		err = err_new(ERR_USAGE, "one type, and one member at most");
	if (err)
		return err;
	if (!type_size(place.type, &size))
		return sizeless(place.type);
	type_format(place.type, name, sizeof(name));
	snprintf(text, sizeof(text), "sizeof (%s) = 0x%" PRIx64, name, size);
	SINK_ROW_AS(out, text, TEXT(name), SIZE(size));
	return NULL;
}

static void describe(const struct type_place *place, const char *type,
		     const char *member, char *text, size_t size)
{
	int length = snprintf(text, size, "offsetof (%s, %s) = 0x%" PRIx64,
			      type, member, place->offset);

	if (!place->bit_size || length < 0 || (size_t)length >= size)
		return;
	snprintf(text + length, size - (size_t)length, ", bits %u to %u",
		 place->bit_offset, place->bit_offset + place->bit_size - 1);
}

static struct err *offsetof_run(const struct dcmd_call *call, struct sink *out)
{
	char name[TYPE_TEXT_SIZE], text[LINE_SIZE];
	struct type_place place, member;
	uint64_t size;
	int used;
	struct err *err = find(call, &place, &used);

	if (!err && call->argc != used + 1)
		err = err_new(ERR_USAGE, "one type and one member");
	if (err)
		return err;
	err = type_place_within(call->session, place.type, call->argv[used],
				&member);
	if (err)
		return err;
	type_format(place.type, name, sizeof(name));
	describe(&member, name, call->argv[used], text, sizeof(text));
	bool sized = type_size(member.type, &size);
	SINK_ROW_AS(
		out, text, TEXT(name), TEXT(call->argv[used]),
		SIZE(member.offset), sized ? SIZE(size) : ABSENT(VALUE_SIZE),
		member.bit_size ? COUNT(member.bit_offset)
				: ABSENT(VALUE_COUNT),
		member.bit_size ? COUNT(member.bit_size) : ABSENT(VALUE_COUNT));
	return NULL;
}

const struct dcmd dcmd_sizeof = {
	.name = "sizeof",
	.summary = "how many bytes a type has",
	.help = "The size of a type, or of a member of it. A structure that is "
		"only declared, or an array without a count, has none.",
	.example = "::sizeof unsigned long",
	.arguments = "type [member]",
	.address_use = ADDRESS_NONE,
	.tables = sizeof_tables,
	.table_count = 1,
	.run = sizeof_run,
};

const struct dcmd dcmd_offsetof = {
	.name = "offsetof",
	.summary = "where in a type a member lies",
	.help = "The member may lie deeper: a.b, a[3].c, or in an anonymous "
		"structure or base class. Of a bitfield the bits are told too, "
		"counted from the least significant bit of the byte at the "
		"offset.",
	.example = "::offsetof struct kma_root heap_base",
	.arguments = "type member",
	.address_use = ADDRESS_NONE,
	.tables = offsetof_tables,
	.table_count = 1,
	.run = offsetof_run,
};
