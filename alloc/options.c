/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The environment, read once.
 *
 * Each variable is a comma list of items, an item a name or name=value. What
 * an item does stands in a table; an item that is not in the table of its
 * variable is told on stderr and ignored. UMEM_* are read only where the KMA_*
 * of the same name is unset, and then as libumem would read them.
 */
#include "alloc/options.h"

#include "alloc/options_items.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/startup.h"

#include <string.h>
#include <sys/auxv.h>

struct kma_options kma_options;

enum {
	DEPTH_DEFAULT = 64,
	STACKS_DEFAULT = 512 << 20,
	GUARD_DEPTH_DEFAULT = 4096,
};

/* --- reading ----------------------------------------------------------------
 */

struct line {
	char text[256];
	size_t size;
};

static void line_add(struct line *line, const char *at, size_t size)
{
	size_t room = sizeof(line->text) - 1 - line->size;

	if (size > room)
		size = room;
	memcpy(line->text + line->size, at, size);
	line->size += size;
	line->text[line->size] = '\0';
}

static void complain(const char *variable, struct text item, const char *what)
{
	enum { SHOWN = 80 };
	struct line line = { .size = 0 };
	bool cut = item.size > SHOWN;

	line_add(&line, variable, strlen(variable));
	line_add(&line, ": '", 3);
	line_add(&line, item.at, cut ? SHOWN : item.size);
	line_add(&line, "...", cut ? 3 : 0);
	line_add(&line, "' ", 2);
	line_add(&line, what, strlen(what));
	kma_message(line.text);
}

/* "tier:CACHE=TIER": the name is part of what is said. */
static bool is_prefixed(const struct variable *variable, struct text name)
{
	size_t size = variable->prefix ? strlen(variable->prefix) : 0;

	return size && name.size > size &&
	       memcmp(name.at, variable->prefix, size) == 0;
}

static void read_item(const struct variable *of, const char *variable,
		      const struct item *items, struct text item)
{
	struct text value;
	struct text name = text_cut(item, '=', &value);

	if (is_prefixed(of, name)) {
		if (!of->prefixed(name, value))
			complain(variable, item, "has a bad value; ignored");
		return;
	}
	for (; items->name; items++) {
		if (!text_is(name, items->name))
			continue;
		if (!items->action)
			complain(variable, item,
				 "is not in this version; ignored");
		else if (!items->action(value))
			complain(variable, item, "has a bad value; ignored");
		return;
	}
	complain(variable, item, "is not known; ignored");
}

static void read_items(const struct variable *of, const char *variable,
		       const struct item *items, struct text list)
{
	while (list.size) {
		struct text item = text_cut(list, ',', &list);

		if (item.size)
			read_item(of, variable, items, item);
	}
}

/* What was understood, for the debugger: "KMA_DEBUG=audit KMA_DUMP=..." */
static void keep(const char *variable, struct text value)
{
	struct line line = { .size = 0 };
	size_t used = strlen(kma_root.options_text);

	if (used)
		line_add(&line, " ", 1);
	line_add(&line, variable, strlen(variable));
	line_add(&line, "=", 1);
	line_add(&line, value.at, value.size);
	if (line.size < sizeof(kma_root.options_text) - used)
		memcpy(kma_root.options_text + used, line.text, line.size + 1);
}

/* The value in a string NAME=VALUE, if it is NAME's. */
static bool value_of(const char *string, const char *name, struct text *ret)
{
	size_t size = strlen(name);

	if (strncmp(string, name, size) != 0 || string[size] != '=')
		return false;
	ret->at = string + size + 1;
	ret->size = strlen(ret->at);
	return true;
}

static bool lookup(char *const *strings, const char *name, struct text *ret)
{
	for (; strings && *strings; strings++)
		if (value_of(*strings, name, ret))
			return true;
	return false;
}

static void read_variables(char *const *strings)
{
	struct text value;

	const struct variable *variable = kma_option_variables;

	for (; variable->name; variable++) {
		if (lookup(strings, variable->name, &value)) {
			keep(variable->name, value);
			read_items(variable, variable->name, variable->items,
				   value);
		} else if (variable->instead &&
			   lookup(strings, variable->instead, &value)) {
			keep(variable->instead, value);
			read_items(variable, variable->instead,
				   variable->instead_items, value);
		}
	}
	if (lookup(strings, "KMA_ROSTER", &value) &&
	    value.size < sizeof(kma_options.roster))
		memcpy(kma_options.roster, value.at, value.size);
}

/* A trigger without a path has nowhere to write to. */
static void refuse_triggers(void)
{
	if (kma_options.dump.on_given)
		kma_message("KMA_DUMP: no path=TEMPLATE is given; "
			    "no dump will be written");
	kma_options.dump.on_exit = false;
	kma_options.dump.on_fatal = false;
	kma_options.dump.on_killed = false;
	kma_options.dump.on_error = false;
	kma_options.dump.request_signal = 0;
}

void kma_options_init(enum kma_tier default_tier)
{
	kma_options.tier = default_tier;
	kma_options.audit_depth = DEPTH_DEFAULT;
	kma_options.saved_max = SAVED_DEFAULT;
	kma_options.stacks_max = STACKS_DEFAULT;
	kma_options.guard_depth = GUARD_DEPTH_DEFAULT;
	if (!getauxval(AT_SECURE))
		read_variables(kma_startup_environment());
	if (!kma_options.dump.path[0])
		refuse_triggers();
	else if (!kma_options.dump.on_given)
		kma_options.dump.on_exit = kma_options.dump.on_fatal =
			kma_options.dump.on_error = true;
}
