/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/modules.h"

#include "kdbg/dcmd.h"
#include "kdbg/module_calls.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct modules {
	struct module *first;
	const struct dcmd *const *own_dcmds; /* kdbg's, without modules */
	const struct walker *const *own_walkers;
	const struct dcmd **dcmds;
	const struct walker **walkers;
};

static size_t count_of(const void *const *table)
{
	size_t count = 0;

	while (table[count])
		count++;
	return count;
}

/* Tables of kdbg's own and of every module that is loaded. */
static struct err *make_tables(struct session *session, struct modules *modules)
{
	size_t dcmd_count = count_of((const void *const *)modules->own_dcmds);
	size_t walker_count =
		count_of((const void *const *)modules->own_walkers);
	size_t dcmds = dcmd_count, walkers = walker_count;

	for (struct module *m = modules->first; m; m = m->next) {
		dcmds += m->loaded ? m->facts->command_count : 0;
		walkers += m->loaded ? m->facts->walker_count : 0;
	}
	const struct dcmd **all = calloc(dcmds + 1, sizeof(*all));
	const struct walker **walks = calloc(walkers + 1, sizeof(*walks));
	if (!all || !walks) {
		free(all);
		free(walks);
		return err_new(ERR_NO_MEMORY, "out of memory");
	}
	memcpy(all, modules->own_dcmds, dcmd_count * sizeof(*all));
	memcpy(walks, modules->own_walkers, walker_count * sizeof(*walks));
	for (struct module *m = modules->first; m; m = m->next) {
		if (!m->loaded)
			continue;
		for (size_t i = 0; i < m->facts->command_count; i++)
			all[dcmd_count++] = &m->commands[i].dcmd;
		for (size_t i = 0; i < m->facts->walker_count; i++)
			walks[walker_count++] = &m->walkers[i].walker;
	}
	free(modules->dcmds);
	free(modules->walkers);
	session->dcmds = modules->dcmds = all;
	session->walkers = modules->walkers = walks;
	return NULL;
}

static void module_destroy(struct module *module)
{
	if (module->handle)
		dlclose(module->handle);
	for (size_t i = 0; module->commands && module->facts &&
			   i < module->facts_command_count;
	     i++)
		free(module->commands[i].columns);
	free(module->commands);
	free(module->walkers);
	free(module->path);
	free(module);
}

/* Unmap what was unloaded, unless a command of it may be running. */
static void collect(struct session *session)
{
	struct module **link = &session->modules->first;

	while (*link && !session->depth) {
		struct module *module = *link;

		if (module->loaded) {
			link = &module->next;
			continue;
		}
		*link = module->next;
		module_destroy(module);
	}
}

static struct err *need_modules(struct session *session)
{
	if (session->modules)
		return NULL;
	session->modules = calloc(1, sizeof(*session->modules));
	if (!session->modules)
		return err_new(ERR_NO_MEMORY, "out of memory");
	session->modules->own_dcmds = session->dcmds;
	session->modules->own_walkers = session->walkers;
	return NULL;
}

/* Nothing of a module may take the place of what is there. */
static struct err *check_names(const struct session *session,
			       const struct kdbg_module *facts)
{
	for (size_t i = 0; i < facts->command_count; i++)
		if (session_dcmd(session, facts->commands[i].name))
			return err_new(ERR_USAGE,
				       "there is a command ::%s already",
				       facts->commands[i].name);
	for (size_t i = 0; i < facts->walker_count; i++)
		if (session_walker(session, facts->walkers[i].name))
			return err_new(ERR_USAGE,
				       "there is a walker %s already",
				       facts->walkers[i].name);
	return NULL;
}

static struct module *find(const struct session *session, const char *name)
{
	struct module *module =
		session->modules ? session->modules->first : NULL;

	while (module &&
	       !(module->loaded && strcmp(module->facts->name, name) == 0))
		module = module->next;
	return module;
}

static struct err *open_module(struct session *session, const char *path,
			       struct module *module)
{
	char *real = realpath(path, NULL);

	module->path = real ? real : strdup(path);
	if (!module->path)
		return err_new(ERR_NO_MEMORY, "out of memory");
	module->handle = dlopen(module->path, RTLD_NOW | RTLD_LOCAL);
	if (!module->handle)
		return err_new(ERR_NOT_FOUND, "%s", dlerror());
	module->facts = dlsym(module->handle, "kdbg_module");
	if (!module->facts)
		return err_new(ERR_USAGE, "%s does not define kdbg_module",
			       path);
	if (module->facts->version != KDBG_MODULE_VERSION)
		return err_new(ERR_USAGE,
			       "%s is for version %u of the interface; this "
			       "kdbg has %d",
			       path, module->facts->version,
			       KDBG_MODULE_VERSION);
	if (find(session, module->facts->name))
		return err_new(ERR_USAGE, "a module %s is loaded already",
			       module->facts->name);
	struct err *err = module_check(module->facts);
	return err ? err : check_names(session, module->facts);
}

struct err *modules_load(struct session *session, const char *path)
{
	struct err *err = need_modules(session);
	struct module *module;

	if (err)
		return err;
	collect(session);
	module = calloc(1, sizeof(*module));
	if (!module)
		return err_new(ERR_NO_MEMORY, "out of memory");
	err = open_module(session, path, module);
	if (!err)
		err = module_describe(module);
	if (err) {
		module_destroy(module);
		return err;
	}
	module->loaded = true;
	module->next = session->modules->first;
	session->modules->first = module;
	return make_tables(session, session->modules);
}

struct err *modules_unload(struct session *session, const char *name)
{
	struct module *module = find(session, name);

	if (!module)
		return err_new(ERR_NOT_FOUND, "no module %s is loaded", name);
	module->loaded = false;
	return make_tables(session, session->modules);
}

static const struct module *module_at(const struct session *session, size_t i)
{
	const struct module *module =
		session->modules ? session->modules->first : NULL;

	for (; module; module = module->next)
		if (module->loaded && i-- == 0)
			break;
	return module;
}

bool modules_at(const struct session *session, size_t i,
		struct module_facts *ret)
{
	const struct module *module = module_at(session, i);

	if (!module)
		return false;
	*ret = (struct module_facts){
		.name = module->facts->name,
		.path = module->path,
		.commands = module->facts->command_count,
		.walkers = module->facts->walker_count,
	};
	return true;
}

bool modules_command(const struct session *session, size_t i, size_t j,
		     const char **name, const char **summary)
{
	const struct module *module = module_at(session, i);

	if (!module || j >= module->facts->command_count)
		return false;
	*name = module->commands[j].dcmd.name;
	*summary = module->commands[j].dcmd.summary;
	return true;
}

bool modules_walker(const struct session *session, size_t i, size_t j,
		    const char **name, const char **summary)
{
	const struct module *module = module_at(session, i);

	if (!module || j >= module->facts->walker_count)
		return false;
	*name = module->walkers[j].walker.name;
	*summary = module->walkers[j].walker.summary;
	return true;
}

void modules_destroy(struct modules *modules)
{
	if (!modules)
		return;
	while (modules->first) {
		struct module *next = modules->first->next;

		module_destroy(modules->first);
		modules->first = next;
	}
	free(modules->dcmds);
	free(modules->walkers);
	free(modules);
}
