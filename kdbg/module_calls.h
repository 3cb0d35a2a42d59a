/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What modules.c and module_calls.c share: a module's commands as ours. */
#ifndef KDBG_MODULE_CALLS_H
#define KDBG_MODULE_CALLS_H

#include "kdbg/dcmd.h"
#include "kdbg/kdbg_module.h"

struct module;

struct module_command {
	struct dcmd dcmd; /* what the session's table points to */
	struct table table;
	struct column *columns;
	const struct kdbg_command *is;
	struct module *module;
};

struct module_walker {
	struct walker walker;
	const struct kdbg_walker *is;
	struct module *module;
};

struct module {
	void *handle;
	char *path;
	const struct kdbg_module *facts; /* in the module */
	size_t facts_command_count;      /* once it may be unmapped */
	struct module_command *commands;
	struct module_walker *walkers;
	bool loaded; /* false: gone from the tables */
	struct module *next;
};

/* Does it say of itself all that a command must? */
struct err *module_check(const struct kdbg_module *facts) MUST_USE;

/* Make commands and walkers from the facts. */
struct err *module_describe(struct module *module) MUST_USE;

#endif
