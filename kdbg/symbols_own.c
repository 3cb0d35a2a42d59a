/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Symbols that a person has added: a handful, so a list does. */
#include "kdbg/symbols_impl.h"

#include "kdbg/vector.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* As mdb calls the table of these: private`name. */
#define OWN_MODULE "private"

/* The one added last counts where two hold an address. */
const struct symbol *symbols_own_at(const struct symbols *symbols,
				    uint64_t address)
{
	for (size_t i = symbols->own_count; i-- > 0;) {
		const struct symbol *own = &symbols->own[i];
		uint64_t size = own->size ? own->size : 1;

		if (address >= own->value && address - own->value < size)
			return own;
	}
	return NULL;
}

const struct symbol *symbols_own_named(const struct symbols *symbols,
				       const char *name)
{
	size_t scope = strlen(OWN_MODULE "`");

	if (strncmp(name, OWN_MODULE "`", scope) == 0)
		name += scope;
	for (size_t i = 0; i < symbols->own_count; i++)
		if (strcmp(symbols->own[i].name, name) == 0)
			return &symbols->own[i];
	return NULL;
}

bool symbols_own(const struct symbols *symbols, size_t i, struct symbol *ret)
{
	if (i >= symbols->own_count)
		return false;
	*ret = symbols->own[i];
	return true;
}

bool symbols_undefine(struct symbols *symbols, const char *name)
{
	const struct symbol *found = symbols_own_named(symbols, name);

	if (!found)
		return false;
	size_t i = (size_t)(found - symbols->own);
	free((char *)found->name);
	memmove(symbols->own + i, symbols->own + i + 1,
		(symbols->own_count - i - 1) * sizeof(*symbols->own));
	symbols->own_count--;
	return true;
}

struct err *symbols_define(struct symbols *symbols, const char *name,
			   uint64_t value, uint64_t size, unsigned char type)
{
	struct symbol *own =
		vector_grow(symbols->own, symbols->own_count, sizeof(*own));
	char *copy = strdup(name);

	if (own)
		symbols->own = own;
	if (!own || !copy) {
		free(copy);
		return err_new(ERR_NO_MEMORY, "out of memory");
	}
	symbols_undefine(symbols, name);
	own[symbols->own_count++] = (struct symbol){
		.module = OWN_MODULE,
		.name = copy,
		.linkage = copy,
		.value = value,
		.size = size,
		.type = type,
		.binding = STB_GLOBAL,
	};
	return NULL;
}

void symbols_own_deinit(struct symbols *symbols)
{
	for (size_t i = 0; i < symbols->own_count; i++)
		free((char *)symbols->own[i].name);
	free(symbols->own);
}
