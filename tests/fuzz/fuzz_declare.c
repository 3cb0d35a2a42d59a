/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as declarations of types, and what it declared laid out, measured
 * and written. */
#include "kdbg/types_declare.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static struct err *view_nothing(void *impl, uint64_t address, size_t size,
				const void **ret)
{
	(void)impl;
	(void)address;
	(void)size;
	(void)ret;
	return err_new(ERR_NOT_FOUND, "nothing is there");
}

static void close_nothing(void *impl)
{
	(void)impl;
}

static const struct target_ops empty_ops = {
	.kind = "nothing",
	.close = close_nothing,
	.view = view_nothing,
};

static void look_at(void *context, const char *name, struct type *type)
{
	const struct type_member *members;
	char text[128];
	uint64_t size;

	(void)name;
	type_format(type, text, sizeof(text));
	type_size(type, &size);
	size_t count = type_members(type_peel(type), &members);
	for (size_t i = 0; i < count; i++)
		if (members[i].bit_offset > 7 || members[i].bit_size > 64)
			abort();
	++*(size_t *)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* exact, for the sanitizer */
	struct target *target;
	struct symbols *symbols;
	struct types *types;
	size_t count, seen = 0;

	memcpy(text, data, size);
	text[size] = '\0';
	if (target_create("none", NULL, &empty_ops, NULL, &target) ||
	    target_finish(target) || symbols_create(target, &symbols) ||
	    types_create(symbols, &types))
		abort();
	err_free(types_declare(types, text, &count));
	types_each_declared(types, look_at, &seen);
	if (seen != count)
		abort();
	types_destroy(types);
	symbols_destroy(symbols);
	target_close(target);
	free(text);
	return 0;
}
