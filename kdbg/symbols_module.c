/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/symbols_module.h"

#include "kdbg/target_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_SIZE = 512 };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool copy_facts(struct symbols_module *module,
		       const struct dump_module *facts)
{
	char *path = strdup(facts->path);
	uint8_t *id = malloc(facts->build_id_size ? facts->build_id_size : 1);

	module->facts.path = path;
	module->facts.build_id = id;
	if (!path || !id)
		return false;
	if (facts->build_id_size)
		memcpy(id, facts->build_id, facts->build_id_size);
	return true;
}

struct symbols_module *symbols_module_create(const struct dump_module *facts,
					     bool listed)
{
	struct symbols_module *module = calloc(1, sizeof(*module));

	if (!module)
		return NULL;
	module->facts = *facts;
	module->listed = listed;
	module->origin = listed ? facts : NULL;
	if (!listed && !copy_facts(module, facts)) {
		symbols_module_destroy(module);
		return NULL;
	}
	module->name = base_name(module->facts.path);
	return module;
}

void symbols_module_destroy(struct symbols_module *module)
{
	if (!module)
		return;
	memo_deinit(&module->frames);
	source_lines_destroy(module->lines);
	symbol_table_destroy(module->table);
	module_file_close(module->debug);
	module_file_close(module->owned);
	free(module->status);
	free(module->lives);
	if (!module->listed) {
		free((char *)module->facts.path);
		free((uint8_t *)module->facts.build_id);
	}
	free(module);
}

static struct err *open_file(struct symbols_module *module,
			     struct target *target)
{
	if (module->listed)
		return target_module_file(target, module->origin,
					  &module->file);
	struct err *err =
		target_find_file(target, &module->facts, &module->owned);
	if (!err)
		module->file = module->owned;
	return err;
}

static bool has_section(const struct symbols_module *module, const char *name)
{
	size_t size;

	return module_file_section(module->file, name, &size) ||
	       (module->debug &&
		module_file_section(module->debug, name, &size));
}

/* Of the names that the target saved: the first of a module. */
static size_t first_saved(const struct target *target, uint64_t key)
{
	size_t low = 0, high = target->symbol_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (target->symbols[middle].module < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void find_saved(struct symbols_module *module,
		       const struct target *target)
{
	uint64_t key = dump_module_key(&module->facts);
	size_t first = first_saved(target, key), end = first;

	while (end < target->symbol_count && target->symbols[end].module == key)
		end++;
	module->saved = end > first ? &target->symbols[first] : NULL;
	module->saved_count = end - first;
}

size_t symbols_module_places(const struct symbols_module *module,
			     uint64_t address, const struct dump_symbol **ret)
{
	size_t low = 0, high = module->saved_count, count = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct dump_symbol *s = &module->saved[middle];

		if (!(s->flags & DUMP_SYMBOL_PLACE) || s->address < address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == module->saved_count)
		return 0;
	*ret = &module->saved[low];
	while (low + count < module->saved_count &&
	       module->saved[low + count].address == address)
		count++;
	return count;
}

static const char *what_is_missing(const struct symbols_module *module)
{
	if (!module->table->count)
		return "no symbols";
	if (!module->file->mapped)
		return NULL; /* the vdso: memory has all there is */
	if (!has_section(module, ".symtab"))
		return "exported names only: no .symtab, no debug file";
	if (!has_section(module, ".debug_info"))
		return "no line numbers: no debug information";
	if (!module->facts.build_id_size && module->file->span)
		return "not verified: the module has no build id";
	return NULL;
}

/* The names that were saved help where the file has not all of them. */
static struct err *make_table(struct symbols_module *module,
			      const struct target *target)
{
	bool complete = module->file && has_section(module, ".symtab");

	find_saved(module, target);
	if (!module->file && !module->saved_count)
		return NULL;
	return symbol_table_create_saved(
		module->file, module->debug, module->saved,
		complete ? 0 : module->saved_count, &module->table);
}

static void set_status(struct symbols_module *module, struct err *err)
{
	char text[STATUS_SIZE / 2], status[STATUS_SIZE];
	const char *missing = text;

	if (!err) {
		missing = what_is_missing(module);
	} else {
		err_describe(err, text, sizeof(text));
		err_free(err);
	}
	if (err && module->table) {
		snprintf(status, sizeof(status),
			 "only the names saved in the dump: %s", text);
		missing = status;
	}
	module->status = missing ? strdup(missing) : NULL;
}

void symbols_module_load(struct symbols_module *module, struct target *target)
{
	if (module->loaded)
		return;
	module->loaded = true;
	struct err *err = open_file(module, target);
	if (!err &&
	    !module_file_section(module->file, ".debug_info", &(size_t){ 0 }))
		module->debug = target_find_debug_file(target, module->file);
	struct err *failed = make_table(module, target);
	if (err)
		err_free(failed);
	set_status(module, err ? err : failed);
}

struct source_lines *symbols_module_lines(struct symbols_module *module,
					  struct target *target)
{
	symbols_module_load(module, target);
	if (module->lines_tried || !module->file)
		return module->lines;
	module->lines_tried = true;
	if (module->debug)
		module->lines = source_lines_create(target, module->debug);
	if (!module->lines)
		module->lines = source_lines_create(target, module->file);
	return module->lines;
}

uint64_t symbols_module_bias(const struct symbols_module *module)
{
	return module->facts.base - (module->file ? module->file->base : 0);
}
