/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/demangle.h"
#include "kdbg/symbol_records.h"
#include "kdbg/symbols_impl.h"

#include <elf.h>
#include <string.h>

enum { SCOPE_SIZE = 1024, SECTION_UNKNOWN = 1 };

/* "module`file`name", taken apart; module and file are "" where not given. */
struct scoped_name {
	char module[SCOPE_SIZE], file[SCOPE_SIZE];
	const char *name;
};

static bool take(char *to, const char *from, const char *end)
{
	size_t length = (size_t)(end - from);

	if (length >= SCOPE_SIZE)
		return false;
	memcpy(to, from, length);
	to[length] = 0;
	return true;
}

static bool split_name(const char *text, struct scoped_name *ret)
{
	const char *first = strchr(text, '`');
	const char *second = first ? strchr(first + 1, '`') : NULL;

	*ret = (struct scoped_name){ .name = text };
	if (first && !take(ret->module, text, first))
		return false;
	if (second && !take(ret->file, first + 1, second))
		return false;
	if (first)
		ret->name = (second ? second : first) + 1;
	return true;
}

static bool is_program(const struct symbols *symbols,
		       const struct symbols_module *module)
{
	const struct target *target = symbols->target;

	return module->origin == &target->modules[target->executable];
}

static bool is_called(const struct symbols *symbols,
		      const struct symbols_module *module, const char *name)
{
	const char *suffix = strstr(module->name, ".so");
	size_t stem =
		suffix ? (size_t)(suffix - module->name) : strlen(module->name);

	return !*name || strcmp(name, module->facts.path) == 0 ||
	       strcmp(name, module->name) == 0 ||
	       (strncmp(name, module->name, stem) == 0 &&
		(!name[stem] || strcmp(name + stem, ".so") == 0)) ||
	       (strcmp(name, "a.out") == 0 && is_program(symbols, module));
}

static const char *skip_tags(const char *demangled)
{
	static const char tag[] = "[abi:";

	while (strncmp(demangled, tag, sizeof(tag) - 1) == 0) {
		const char *end = strchr(demangled, ']');

		if (!end)
			break;
		demangled = end + 1;
	}
	return demangled;
}

/* Is text what a person may write for a demangled name? Without parameters, and
 * without the tags that the compiler adds: name[abi:cxx11]. */
static bool reads_as(const char *demangled, const char *text)
{
	for (; *text; text++, demangled++) {
		if (*text != '[')
			demangled = skip_tags(demangled);
		if (*demangled != *text)
			return false;
	}
	demangled = skip_tags(demangled);
	return !*demangled || *demangled == '(';
}

static const struct symbol_entry *find_demangled(struct symbols *symbols,
						 struct symbol_table *table,
						 const char *text)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct symbol_entry *entry = &table->entries[i];

		if (is_mangled(entry->name) &&
		    reads_as(symbols_pretty(symbols, entry->name), text))
			return entry;
	}
	return NULL;
}

/* How a symbol is looked for; each way in all modules before the next. */
enum search { SEARCH_EXPORTED, SEARCH_ANY, SEARCH_DEMANGLED, SEARCH_COUNT };

static const struct symbol_entry *search(struct symbols *symbols,
					 struct symbols_module *module,
					 const struct scoped_name *wanted,
					 enum search how)
{
	const char *file = *wanted->file ? wanted->file : NULL;
	const struct symbol_entry *found;

	symbols_module_load(module, symbols->target);
	if (!module->table)
		return NULL;
	if (how == SEARCH_DEMANGLED)
		return find_demangled(symbols, module->table, wanted->name);
	found = symbol_table_named(module->table, wanted->name, file);
	if (found && how == SEARCH_EXPORTED && found->binding == STB_LOCAL)
		return NULL;
	return found;
}

static struct symbols_module *module_in_turn(const struct symbols *symbols,
					     size_t i)
{
	return i < symbols->module_count
		       ? symbols->modules[i]
		       : symbols->past[i - symbols->module_count];
}

static struct err *not_found(const struct scoped_name *wanted,
			     bool module_found)
{
	if (*wanted->module && !module_found)
		return err_new(ERR_NOT_FOUND,
			       "no module is called %s; ::objects lists them",
			       wanted->module);
	if (*wanted->module)
		return err_new(ERR_NOT_FOUND, "%s: no symbol %s",
			       wanted->module, wanted->name);
	return err_new(ERR_NOT_FOUND, "no symbol %s", wanted->name);
}

struct err *symbols_find(struct symbols *symbols, const char *name,
			 struct symbol *ret, uint64_t *address)
{
	size_t count = symbols->module_count + symbols->past_count;
	struct scoped_name wanted;
	bool module_found = false;
	const struct symbol *own = symbols_own_named(symbols, name);

	if (own) {
		*ret = *own;
		*address = own->value;
		return NULL;
	}
	if (!split_name(name, &wanted) || !*wanted.name)
		return err_new(ERR_NOT_FOUND, "not a symbol: %.80s", name);
	for (int how = 0; how < SEARCH_COUNT; how++)
		for (size_t i = 0; i < count; i++) {
			struct symbols_module *module =
				module_in_turn(symbols, i);
			const struct symbol_entry *found;

			if (!is_called(symbols, module, wanted.module))
				continue;
			module_found = true;
			found = search(symbols, module, &wanted,
				       (enum search)how);
			if (!found)
				continue;
			*ret = (struct symbol){
				.module = module->name,
				.module_path = module->facts.path,
			};
			symbols_describe(symbols, module, found, ret);
			ret->module_offset = ret->value - module->facts.base;
			*address = ret->value;
			return NULL;
		}
	return not_found(&wanted, module_found);
}

struct err *symbols_find_thread_local(struct symbols *symbols, const char *name,
				      struct symbol *ret)
{
	struct scoped_name wanted;
	bool module_found = false;

	if (!split_name(name, &wanted) || !*wanted.name)
		return err_new(ERR_NOT_FOUND, "not a symbol: %.80s", name);
	for (size_t i = 0; i < symbols->module_count; i++) {
		struct symbols_module *module = symbols->modules[i];

		if (!is_called(symbols, module, wanted.module))
			continue;
		module_found = true;
		symbols_module_load(module, symbols->target);
		*ret = (struct symbol){
			.module = module->name,
			.module_path = module->facts.path,
			.module_offset = module->facts.base,
			.type = STT_TLS,
		};
		if (symbol_table_thread_local(module->file, wanted.name,
					      &ret->value, &ret->size) ||
		    symbol_table_thread_local(module->debug, wanted.name,
					      &ret->value, &ret->size))
			return NULL;
	}
	return err_wrap(not_found(&wanted, module_found), "thread-local");
}

struct listing {
	struct symbols *symbols;
	const struct symbols_module *module;
	bool (*each)(void *context, const struct symbol *symbol,
		     const struct symbol_record *record);
	void *context;
	bool ended;
};

static bool has_address(const struct symbol_record *record)
{
	return record->section != SHN_UNDEF && record->section != SHN_ABS &&
	       record->type != STT_TLS && record->type != STT_FILE;
}

static bool list_record(void *context, const struct symbol_record *record)
{
	struct listing *listing = context;
	const struct symbols_module *module = listing->module;
	const struct symbol symbol = {
		.module = module->name,
		.module_path = module->facts.path,
		.name = symbols_pretty(listing->symbols, record->name),
		.linkage = record->name,
		.value =
			record->value +
			(has_address(record) ? symbols_module_bias(module) : 0),
		.size = record->size,
		.type = record->type,
		.binding = record->binding,
	};

	listing->ended = !listing->each(listing->context, &symbol, record);
	return !listing->ended;
}

/* Where no file is to be had: the names that the target brought. */
static void list_entries(struct listing *listing)
{
	const struct symbol_table *table = listing->module->table;

	for (size_t i = 0; table && i < table->count && !listing->ended; i++) {
		const struct symbol_entry *entry = &table->entries[i];
		const struct symbol_record record = {
			.index = (uint32_t)i,
			.name = entry->name,
			.value = entry->value,
			.size = entry->sized ? entry->span : 0,
			.type = entry->type,
			.binding = entry->binding,
			.section = SECTION_UNKNOWN,
		};

		list_record(listing, &record);
	}
}

size_t symbols_each(struct symbols *symbols, const char *object, bool dynamic,
		    bool (*each)(void *context, const struct symbol *symbol,
				 const struct symbol_record *record),
		    void *context)
{
	struct listing listing = { .symbols = symbols,
				   .each = each,
				   .context = context };
	size_t found = 0;

	for (size_t i = 0; i < symbols->module_count && !listing.ended; i++) {
		struct symbols_module *module = symbols->modules[i];

		if (!is_called(symbols, module, object ? object : ""))
			continue;
		found++;
		listing.module = module;
		symbols_module_load(module, symbols->target);
		/* What was stripped may lie in a file of its own. */
		if (!dynamic && (symbol_records_each(module->file, false,
						     list_record, &listing) ||
				 symbol_records_each(module->debug, false,
						     list_record, &listing)))
			continue;
		if (!symbol_records_each(module->file, true, list_record,
					 &listing))
			list_entries(&listing);
	}
	return found;
}

/* The record that a symbol was made of: names point into the files. */
struct record_search {
	const struct symbol *symbol;
	uint64_t value; /* the file's own */
	struct symbol_record *ret;
};

static bool is_its_record(void *context, const struct symbol_record *record)
{
	struct record_search *search = context;

	if (record->value != search->value ||
	    strcmp(record->name, search->symbol->linkage) != 0)
		return true;
	*search->ret = *record;
	return false;
}

void symbols_record(struct symbols *symbols, const struct symbol *symbol,
		    struct symbol_record *ret)
{
	ptrdiff_t i = range_index_find(&symbols->index, symbol->value);
	const struct symbols_module *module =
		i < 0 ? NULL : symbols->modules[i];

	if (!module || !module->file || !symbol->linkage)
		return;
	struct record_search search = {
		symbol, symbol->value - symbols_module_bias(module), ret
	};
	symbol_records_each(module->file, true, is_its_record, &search);
	symbol_records_each(module->debug, false, is_its_record, &search);
	symbol_records_each(module->file, false, is_its_record, &search);
}

/* --- completion --------------------------------------------------------- */

struct completion {
	struct symbols *symbols;
	size_t module; /* whose names are being offered */
	const char *last;
	void (*found)(void *context, const char *name);
	void *context;
};

static void offer(void *context, const char *name)
{
	struct completion *completion = context;
	struct symbols *symbols = completion->symbols;

	if (completion->last && strcmp(completion->last, name) == 0)
		return;
	completion->last = name;
	for (size_t i = 0; i < completion->module; i++)
		if (symbols->modules[i]->table &&
		    symbol_table_named(symbols->modules[i]->table, name, NULL))
			return;
	completion->found(completion->context, name);
}

void symbols_complete(struct symbols *symbols, const char *prefix,
		      void (*found)(void *context, const char *name),
		      void *context)
{
	struct completion completion = { symbols, 0, NULL, found, context };

	for (size_t i = 0; i < symbols->module_count; i++) {
		struct symbols_module *module = symbols->modules[i];

		symbols_module_load(module, symbols->target);
		completion.module = i;
		completion.last = NULL;
		if (module->table)
			symbol_table_prefix(module->table, prefix, offer,
					    &completion);
	}
}
