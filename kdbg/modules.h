/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Modules: commands and walkers from shared objects (kdbg_module.h).
 *
 * The session's tables are replaced by longer ones. A module that is unloaded,
 * or has crashed, goes from the tables at once; its code stays mapped until the
 * next ::load or the end, as a command of it may still be in a pipeline.
 */
#ifndef KDBG_MODULES_H
#define KDBG_MODULES_H

#include "kdbg/session.h"

struct modules;

struct module_facts {
	const char *name, *path;
	size_t commands, walkers;
};

/* A path, or a name that the system's linker finds. */
struct err *modules_load(struct session *session, const char *path) MUST_USE;
struct err *modules_unload(struct session *session, const char *name) MUST_USE;

/* The i-th module that is loaded; false: there are fewer. */
bool modules_at(const struct session *session, size_t i,
		struct module_facts *ret);

/* What the i-th module brings: its j-th command, or walker; false: it has not
 * so many. */
bool modules_command(const struct session *session, size_t i, size_t j,
		     const char **name, const char **summary);
bool modules_walker(const struct session *session, size_t i, size_t j,
		    const char **name, const char **summary);

void modules_destroy(struct modules *modules);

#endif
