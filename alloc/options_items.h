/* SPDX-License-Identifier: BSD-2-Clause */
/* What can stand in the environment's variables, and what it does. */
#ifndef ALLOC_OPTIONS_ITEMS_H
#define ALLOC_OPTIONS_ITEMS_H

#include "alloc/options_text.h"

/* False: the value is not one this item takes. */
typedef bool item_action(struct text value);

struct item {
	const char *name;
	item_action *action; /* NULL: known, but not in this version */
};

/* Bytes that are kept of each buffer, where nothing else is said. */
enum { SAVED_DEFAULT = 256 };

/* A variable, and its items up to one without a name. */
struct variable {
	const char *name;
	const struct item *items;
	const char *instead; /* read where name is unset */
	const struct item *instead_items;
	/* For a name that begins with prefix, before the items; or NULL. */
	const char *prefix;
	bool (*prefixed)(struct text name, struct text value);
};

/* Up to one without a name. */
extern const struct variable kma_option_variables[];

#endif
