/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/variables.h"

#include <stdlib.h>
#include <string.h>

struct err *variables_create(struct variables **ret)
{
	struct variables *variables = calloc(1, sizeof(*variables));

	if (!variables)
		return err_new(ERR_NO_MEMORY, "out of memory");
	*ret = variables;
	return NULL;
}

void variables_destroy(struct variables *variables)
{
	if (!variables)
		return;
	for (size_t i = 0; i < variables->count; i++)
		free(variables->items[i].name);
	free(variables->items);
	free(variables);
}

/* Where name is, or would be. */
static size_t position(const struct variables *variables, const char *name,
		       bool *found)
{
	size_t low = 0, high = variables->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(variables->items[middle].name, name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool variables_get(const struct variables *variables, const char *name,
		   uint64_t *ret)
{
	bool found;
	size_t at = position(variables, name, &found);

	if (found)
		*ret = variables->items[at].value;
	return found;
}

static bool make_room(struct variables *variables)
{
	size_t capacity = variables->capacity ? variables->capacity * 2 : 16;
	struct variable *items;

	if (variables->count < variables->capacity)
		return true;
	items = reallocarray(variables->items, capacity, sizeof(*items));
	if (!items)
		return false;
	variables->items = items;
	variables->capacity = capacity;
	return true;
}

struct err *variables_set(struct variables *variables, const char *name,
			  uint64_t value)
{
	bool found;
	size_t at = position(variables, name, &found);

	if (!found) {
		char *copy = strdup(name);

		if (!copy || !make_room(variables)) {
			free(copy);
			return err_new(ERR_NO_MEMORY, "out of memory");
		}
		struct variable *slot = &variables->items[at];
		memmove(slot + 1, slot,
			(variables->count - at) * sizeof(*slot));
		*slot = (struct variable){ .name = copy };
		variables->count++;
	}
	if (variables->items[at].read_only)
		return err_new(ERR_USAGE, "variable %s is read-only", name);
	variables->items[at].value = value;
	return NULL;
}

struct err *variables_declare(struct variables *variables, const char *name,
			      uint64_t value, struct variable **ret)
{
	struct err *err = NULL;
	bool found;
	size_t at = position(variables, name, &found);

	if (!found)
		err = variables_set(variables, name, value);
	*ret = err ? NULL : &variables->items[at];
	return err;
}

bool variables_unset(struct variables *variables, const char *name)
{
	bool found;
	size_t at = position(variables, name, &found);

	if (!found)
		return false;
	free(variables->items[at].name);
	variables->count--;
	memmove(&variables->items[at], &variables->items[at + 1],
		(variables->count - at) * sizeof(variables->items[0]));
	return true;
}
