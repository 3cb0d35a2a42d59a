/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file names one address many times (malloc, __libc_malloc, __malloc) and a
 * symbol may lie inside another one. Entries are sorted by address, the one to
 * show last among equals; each knows the entry around it, so a search is one
 * binary search and, where symbols nest, a step or two outward.
 *
 * A symbol without a size (assembly) names code up to the next symbol or the
 * end of its section; in data it names its own address alone, or else every
 * variable after the last one would be _end.
 */
#include "kdbg/symbol_table.h"

#include "kdbg/symbol_records.h"
#include "kdbg/vector.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

/* A table of symbols that is being read. */
struct reading {
	struct symbol_table *table;
	Elf *elf;
	uint32_t file; /* source file of the local symbols now coming */
	bool no_memory;
};

void symbol_table_destroy(struct symbol_table *table)
{
	if (!table)
		return;
	free(table->entries);
	free(table->files);
	free(table->by_name);
	free(table);
}

static unsigned char rank_of(unsigned char type, unsigned char binding,
			     uint64_t size, const char *name)
{
	unsigned rank = 0;

	/* What the file says most of; then what others may call; then the name
	 * that the manual has: getpid (weak) and not __getpid (global). In
	 * .symtab a version may be part of the name. */
	rank = rank * 2 + (size != 0);
	rank = rank * 2 + (type != STT_NOTYPE);
	rank = rank * 2 + (strchr(name, '@') == NULL);
	rank = rank * 2 + (binding != STB_LOCAL);
	rank = rank * 4 + (name[0] != '_' ? 2 : name[1] != '_');
	return (unsigned char)(rank * 2 + (binding == STB_GLOBAL));
}

/* How far a sizeless symbol may reach: the end of its section if that is
 * code. */
static uint64_t reach(Elf *elf, const struct symbol_record *symbol)
{
	GElf_Shdr header;
	Elf_Scn *section = elf_getscn(elf, symbol->section);

	if (!section || !gelf_getshdr(section, &header) ||
	    !(header.sh_flags & SHF_EXECINSTR) ||
	    symbol->value < header.sh_addr ||
	    symbol->value - header.sh_addr >= header.sh_size)
		return 1;
	return header.sh_size - (symbol->value - header.sh_addr);
}

static bool add_file(struct reading *reading, const char *name)
{
	struct symbol_table *table = reading->table;
	const char **files =
		vector_grow(table->files, table->file_count, sizeof(*files));

	if (!files || table->file_count >= SYMBOL_NONE)
		return false;
	table->files = files;
	reading->file = (uint32_t)table->file_count;
	files[table->file_count++] = name;
	return true;
}

static bool is_wanted(const struct symbol_record *symbol)
{
	unsigned char type = symbol->type;

	return symbol->section != SHN_UNDEF && symbol->section != SHN_ABS &&
	       (type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE ||
		type == STT_GNU_IFUNC || type == STT_COMMON);
}

static bool add_entry(struct reading *reading,
		      const struct symbol_record *symbol)
{
	struct symbol_table *table = reading->table;
	struct symbol_entry *entries =
		vector_grow(table->entries, table->count, sizeof(*entries));

	if (!entries || table->count >= SYMBOL_NONE)
		return false;
	table->entries = entries;
	entries[table->count++] = (struct symbol_entry){
		.value = symbol->value,
		.span = symbol->size ? symbol->size
				     : reach(reading->elf, symbol),
		.name = symbol->name,
		.file = symbol->binding == STB_LOCAL ? reading->file : 0,
		.rank = rank_of(symbol->type, symbol->binding, symbol->size,
				symbol->name),
		.binding = symbol->binding,
		.type = symbol->type,
		.sized = symbol->size != 0,
	};
	return true;
}

static bool add_symbol(void *context, const struct symbol_record *symbol)
{
	struct reading *reading = context;

	if (!*symbol->name)
		return true;
	if (symbol->type == STT_FILE)
		reading->no_memory = !add_file(reading, symbol->name);
	else if (is_wanted(symbol))
		reading->no_memory = !add_entry(reading, symbol);
	return !reading->no_memory;
}

static bool read_table(struct symbol_table *table,
		       const struct module_file *file, bool dynamic)
{
	struct reading reading = { table, file->elf, 0, false };

	symbol_records_each(file, dynamic, add_symbol, &reading);
	return !reading.no_memory;
}

static bool read_file(struct symbol_table *table,
		      const struct module_file *file)
{
	return !file || (read_table(table, file, true) &&
			 read_table(table, file, false));
}

static bool add_saved(struct symbol_table *table, uint64_t base,
		      const struct dump_symbol *saved)
{
	unsigned char info = (unsigned char)saved->info;
	unsigned char type = GELF_ST_TYPE(info), binding = GELF_ST_BIND(info);

	if ((saved->flags & DUMP_SYMBOL_PLACE) || !*saved->name || !saved->size)
		return true;
	struct symbol_entry *entries =
		vector_grow(table->entries, table->count, sizeof(*entries));
	if (!entries || table->count >= SYMBOL_NONE)
		return false;
	table->entries = entries;
	entries[table->count++] = (struct symbol_entry){
		.value = base + saved->address,
		.span = saved->size,
		.name = saved->name,
		.rank = rank_of(type, binding, saved->size, saved->name),
		.binding = binding,
		.type = type,
		.sized = true,
	};
	return true;
}

static int compare_entries(const void *a, const void *b)
{
	const struct symbol_entry *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	size_t length_x = strlen(x->name), length_y = strlen(y->name);
	if (length_x != length_y)
		return length_x > length_y ? -1 : 1;
	return strcmp(y->name, x->name);
}

/* .dynsym and .symtab name the same things. */
static void drop_duplicates(struct symbol_table *table)
{
	struct symbol_entry *entries = table->entries;
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++) {
		struct symbol_entry *last = kept ? &entries[kept - 1] : NULL;

		if (last && last->value == entries[i].value &&
		    strcmp(last->name, entries[i].name) == 0) {
			if (!last->file)
				last->file = entries[i].file;
		} else {
			entries[kept++] = entries[i];
		}
	}
	table->count = kept;
}

static void limit_sizeless(struct symbol_table *table)
{
	struct symbol_entry *entries = table->entries;
	uint64_t next = UINT64_MAX, value = UINT64_MAX;

	for (size_t i = table->count; i-- > 0;) {
		if (entries[i].value != value) {
			next = value;
			value = entries[i].value;
		}
		if (!entries[i].sized && entries[i].span > next - value)
			entries[i].span = next - value;
	}
}

static bool holds(const struct symbol_entry *entry, uint64_t address)
{
	return address >= entry->value && address - entry->value < entry->span;
}

/* Each entry's enclosing one: the nearest before it that reaches over it. An
 * entry that reaches no further than here encloses nothing that comes. */
static void link_enclosing(struct symbol_table *table)
{
	struct symbol_entry *entries = table->entries;

	for (size_t i = 0; i < table->count; i++) {
		uint32_t around = i ? (uint32_t)(i - 1) : SYMBOL_NONE;

		while (around != SYMBOL_NONE &&
		       !holds(&entries[around], entries[i].value))
			around = entries[around].enclosing;
		entries[i].enclosing = around;
	}
}

struct err *symbol_table_create(const struct module_file *file,
				const struct module_file *debug,
				struct symbol_table **ret)
{
	return symbol_table_create_saved(file, debug, NULL, 0, ret);
}

struct err *symbol_table_create_saved(const struct module_file *file,
				      const struct module_file *debug,
				      const struct dump_symbol *saved,
				      size_t count, struct symbol_table **ret)
{
	struct symbol_table *table = calloc(1, sizeof(*table));
	struct reading none = { .table = table };
	bool made = table && add_file(&none, NULL) && read_file(table, file) &&
		    read_file(table, debug);

	for (size_t i = 0; i < count && made; i++)
		made = add_saved(table, file ? file->base : 0, &saved[i]);
	if (!made) {
		symbol_table_destroy(table);
		return err_new(ERR_NO_MEMORY, "%s: symbols",
			       file ? file->path : "saved");
	}
	if (table->count)
		qsort(table->entries, table->count, sizeof(*table->entries),
		      compare_entries);
	drop_duplicates(table);
	limit_sizeless(table);
	link_enclosing(table);
	*ret = table;
	return NULL;
}

const struct symbol_entry *symbol_table_at(const struct symbol_table *table,
					   uint64_t address, uint64_t distance)
{
	size_t low = 0, high = table->count;

	while (low < high) { /* the first entry beyond address */
		size_t middle = low + (high - low) / 2;

		if (table->entries[middle].value <= address)
			low = middle + 1;
		else
			high = middle;
	}
	uint32_t i = low ? (uint32_t)(low - 1) : SYMBOL_NONE;
	if (distance)
		return low && address - table->entries[i].value < distance
			       ? &table->entries[i]
			       : NULL;
	while (i != SYMBOL_NONE && !holds(&table->entries[i], address))
		i = table->entries[i].enclosing;
	return i == SYMBOL_NONE ? NULL : &table->entries[i];
}

static int compare_names(const void *a, const void *b, void *context)
{
	const struct symbol_entry *entries = context;
	const struct symbol_entry *x = &entries[*(const uint32_t *)a];
	const struct symbol_entry *y = &entries[*(const uint32_t *)b];
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	if ((x->binding == STB_LOCAL) != (y->binding == STB_LOCAL))
		return x->binding == STB_LOCAL ? 1 : -1;
	return (x > y) - (x < y);
}

/* The first entry by name that is not before name; count: none. */
static size_t search_name(struct symbol_table *table, const char *name)
{
	size_t low = 0, high = table->count;

	if (!table->by_name && high) {
		table->by_name = calloc(high, sizeof(*table->by_name));
		if (!table->by_name)
			return table->count;
		for (size_t i = 0; i < high; i++)
			table->by_name[i] = (uint32_t)i;
		qsort_r(table->by_name, high, sizeof(*table->by_name),
			compare_names, table->entries);
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(table->entries[table->by_name[middle]].name, name) <
		    0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_from(const struct symbol_table *table,
		    const struct symbol_entry *entry, const char *file)
{
	const char *from = table->files[entry->file];
	const char *slash = from ? strrchr(from, '/') : NULL;

	return from && (strcmp(from, file) == 0 ||
			(slash && strcmp(slash + 1, file) == 0));
}

const struct symbol_entry *symbol_table_named(struct symbol_table *table,
					      const char *name,
					      const char *file)
{
	for (size_t i = search_name(table, name); i < table->count; i++) {
		const struct symbol_entry *entry =
			&table->entries[table->by_name[i]];

		if (strcmp(entry->name, name) != 0)
			break;
		if (!file || is_from(table, entry, file))
			return entry;
	}
	return NULL;
}

void symbol_table_prefix(struct symbol_table *table, const char *prefix,
			 void (*found)(void *context, const char *name),
			 void *context)
{
	size_t length = strlen(prefix);

	for (size_t i = search_name(table, prefix); i < table->count; i++) {
		const char *name = table->entries[table->by_name[i]].name;

		if (strncmp(name, prefix, length) != 0)
			break;
		found(context, name);
	}
}

/* A search for a thread-local variable. */
struct thread_local_search {
	const char *name;
	uint64_t offset, size;
	bool found;
};

static bool is_thread_local(void *context, const struct symbol_record *record)
{
	struct thread_local_search *search = context;
	/* In .symtab a version may be part of the name. */
	size_t length = strcspn(record->name, "@");

	if (record->type != STT_TLS || record->section == SHN_UNDEF ||
	    strlen(search->name) != length ||
	    strncmp(record->name, search->name, length) != 0)
		return true;
	search->offset = record->value;
	search->size = record->size;
	search->found = true;
	return false;
}

bool symbol_table_thread_local(const struct module_file *file, const char *name,
			       uint64_t *offset, uint64_t *size)
{
	struct thread_local_search search = { .name = name };

	symbol_records_each(file, true, is_thread_local, &search);
	if (!search.found)
		symbol_records_each(file, false, is_thread_local, &search);
	*offset = search.offset;
	*size = search.size;
	return search.found;
}
