/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/target_source.h"

#include "kdbg/target_environment.h"
#include "kdbg/vector.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum {
	PAGE_SIZE = DUMP_PAGE_SIZE,
	ENVIRONMENT_MAX = 8 << 20, /* the kernel allows 6 MiB */
};

/* Beyond it lies the kernel, of which a core may have a page (vsyscall). */
#define ADDRESS_MAX (UINT64_C(1) << 56)

static uint64_t page_down(uint64_t address)
{
	return address & ~(uint64_t)(PAGE_SIZE - 1);
}

static uint64_t page_up(uint64_t address)
{
	return address > UINT64_MAX - PAGE_SIZE
		       ? page_down(address)
		       : page_down(address + PAGE_SIZE - 1);
}

/* --- what is written ---------------------------------------------------- */

static bool plan(struct target_source *source, uint64_t start, uint64_t end)
{
	struct dump_extent *extents;

	if (start >= end)
		return true;
	extents = vector_grow(source->extents, source->extent_count,
			      sizeof(*extents));
	if (!extents)
		return false;
	source->extents = extents;
	extents[source->extent_count++] = (struct dump_extent){ start, end };
	return true;
}

/* What of [start, end) is metadata has its turn before. */
static bool plan_rest(struct target_source *source, uint64_t start,
		      uint64_t end)
{
	const struct heap_quotes *quotes = &source->quotes;

	for (size_t i = 0; i < quotes->metadata_count && start < end; i++) {
		uint64_t from = page_down(quotes->metadata[i].start);
		uint64_t upto = page_up(quotes->metadata[i].end);

		if (upto <= start || from >= end)
			continue;
		if (!plan(source, start, from))
			return false;
		start = upto;
	}
	return plan(source, start, end);
}

typedef bool plan_fn(struct target_source *source, uint64_t start,
		     uint64_t end);

/* Whole pages of what the target has in [start, end). */
static bool plan_range(struct target_source *source, uint64_t start,
		       uint64_t end, plan_fn *each)
{
	const struct target *target = source->target;
	size_t low = 0, high = target->extent_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (target->extents[middle].end <= start)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < target->extent_count && target->extents[low].start < end;
	     low++) {
		uint64_t from = page_up(target->extents[low].start);
		uint64_t upto = page_down(target->extents[low].end);

		if (from < start)
			from = start;
		if (upto > end)
			upto = end;
		if (from < upto && !each(source, from, upto))
			return false;
	}
	return true;
}

static bool plan_metadata(struct target_source *source)
{
	const struct heap_quotes *quotes = &source->quotes;
	uint64_t done = 0;

	for (size_t i = 0; i < quotes->metadata_count; i++) {
		uint64_t start = page_down(quotes->metadata[i].start);
		uint64_t end = page_up(quotes->metadata[i].end);

		if (start < done)
			start = done;
		if (start < end && !plan_range(source, start, end, plan))
			return false;
		done = end;
	}
	return true;
}

static bool holds_stack(const struct target *target, const struct dump_map *map)
{
	for (size_t i = 0; i < target->thread_count; i++) {
		const struct dump_registers *r = &target->threads[i].registers;

		if (r->rsp - map->start < map->end - map->start ||
		    r->fs_base - map->start < map->end - map->start)
			return true;
	}
	return false;
}

static bool holds_heap(const struct target_source *source,
		       const struct dump_map *map)
{
	const struct heap_quotes *quotes = &source->quotes;

	for (size_t i = 0; i < quotes->reserve_count; i++)
		if (quotes->reserve[i].start < map->end &&
		    quotes->reserve[i].end > map->start)
			return true;
	return false;
}

/* *data_end: of the data of the module before, behind which lies its bss. */
static bool heap_needs(const struct target_source *source,
		       const struct dump_map *map, uint64_t *data_end)
{
	bool data = map->path[0] == '/' && !(map->flags & DUMP_MAP_SHARED);
	bool bss = map->start == *data_end;

	if (data)
		*data_end = map->end;
	return data || bss || map->path[0] == '[' || holds_heap(source, map) ||
	       holds_stack(source->target, map);
}

static bool plan_all(struct target_source *source)
{
	const struct target *target = source->target;
	uint64_t data_end = 0;
	bool planned = plan_metadata(source);

	if (source->level == DUMP_FULL && planned)
		return plan_range(source, 0, ADDRESS_MAX, plan_rest);
	for (size_t i = 0;
	     planned && source->level == DUMP_HEAP && i < target->map_count;
	     i++) {
		const struct dump_map *map = &target->maps[i];

		if (heap_needs(source, map, &data_end))
			planned = plan_range(source, map->start, map->end,
					     plan_rest);
	}
	return planned;
}

/* --- the source's functions --------------------------------------------- */

static bool next_thread(void *context, struct dump_thread *ret)
{
	struct target_source *source = context;
	const struct target *target = source->target;

	if (source->next_thread == target->thread_count)
		return false;
	*ret = target->threads[source->next_thread++];
	if (source->level != DUMP_META)
		return true;
	ret->registers = (struct dump_registers){
		.rsp = ret->registers.rsp,
		.rip = ret->registers.rip,
	};
	if (ret->flags & DUMP_THREAD_REGISTERS) {
		ret->flags &= ~(uint32_t)DUMP_THREAD_REGISTERS;
		ret->flags |= DUMP_THREAD_SP_PC;
	}
	ret->fpregs = NULL;
	ret->fpregs_size = 0;
	return true;
}

static bool is_planned(const struct target_source *source,
		       const struct dump_map *map)
{
	for (size_t i = 0; i < source->quotes.metadata_count; i++)
		if (source->quotes.metadata[i].start < map->end &&
		    source->quotes.metadata[i].end > map->start)
			return true;
	return false;
}

static bool next_map(void *context, struct dump_map *ret)
{
	struct target_source *source = context;
	const struct target *target = source->target;

	if (source->next_map == target->map_count)
		return false;
	*ret = target->maps[source->next_map++];
	if (source->level != DUMP_META)
		return true;
	ret->flags &= ~(uint32_t)DUMP_MAP_STORED;
	if (is_planned(source, ret))
		ret->flags |= DUMP_MAP_STORED;
	const struct dump_module *module = target_module_at(target, ret->start);
	if (ret->path[0] == '/' &&
	    (!module || strcmp(module->path, ret->path) != 0))
		ret->path = "";
	return true;
}

static bool next_module(void *context, struct dump_module *ret)
{
	struct target_source *source = context;

	if (source->next_module == source->target->module_count)
		return false;
	*ret = source->target->modules[source->next_module++];
	return true;
}

static bool next_extent(void *context, struct dump_extent *ret)
{
	struct target_source *source = context;

	if (source->next_extent == source->extent_count ||
	    (source->stop && *source->stop))
		return false;
	*ret = source->extents[source->next_extent++];
	return true;
}

static uint64_t untouched(void *context, uint64_t address, uint64_t end,
			  unsigned char *state)
{
	struct target_source *source = context;
	struct dump_extent data;

	*state = DUMP_PAGE_ZERO;
	if (!target_next_data(source->target, address, end, &data))
		return end;
	return page_down(data.start);
}

static size_t read_memory(void *context, uint64_t address, void *buffer,
			  size_t size)
{
	struct target_source *source = context;

	if (source->stop && *source->stop)
		return 0;
	size_t done = target_read_once(source->target, address, buffer, size);

	if (source->level == DUMP_META)
		heap_quotes_strip(&source->quotes, address, buffer, done);
	return done;
}

static size_t give_environment(void *context, uint64_t offset, void *buffer,
			       size_t size)
{
	const struct target_source *source = context;
	const struct target *target = source->target;
	const struct dump_extent *memory = &source->environment;
	uint64_t left = target->environment ? target->environment_size
					    : memory->end - memory->start;

	if (source->level == DUMP_META || offset >= left)
		return 0;
	if (size > left - offset)
		size = (size_t)(left - offset);
	if (!target->environment)
		return target_read_some(source->target, memory->start + offset,
					buffer, size);
	memcpy(buffer, target->environment + offset, size);
	return size;
}

static bool next_symbol(void *context, struct dump_symbol *ret)
{
	struct target_source *source = context;

	if (source->next_symbol == source->symbol_count)
		return false;
	*ret = source->symbols[source->next_symbol++];
	return true;
}

/* --- making it ---------------------------------------------------------- */

static struct err *find_quotes(struct target_source *source)
{
	struct err *err = heap_quotes_find(source->target, &source->quotes);

	if (err && source->level == DUMP_META)
		return err_wrap(err, "level meta keeps nothing but libkma's "
				     "metadata");
	err_free(err); /* without libkma: all memory is alike */
	return NULL;
}

/* The kernel puts the strings in a row, the name of the program behind them. */
static void find_environment(struct target_source *source)
{
	struct target *target = source->target;
	uint64_t vector, first, name;
	struct err *err = target->environment_size
				  ? NULL
				  : target_environment(target, &vector);

	if (!err && !target->environment_size)
		err = target_read_uint(target, vector, sizeof(first), &first);
	if (!err && !target->environment_size &&
	    target_auxv(target, AT_EXECFN, &name) && first < name &&
	    name - first <= ENVIRONMENT_MAX)
		source->environment = (struct dump_extent){ first, name };
	err_free(err);
}

static struct err *find_symbols(struct target_source *source, bool look)
{
	source->symbols = source->target->symbols;
	source->symbol_count = source->target->symbol_count;
	if (!look)
		return NULL;
	struct err *err = symbols_save(source->target, &source->saved);
	source->symbols = source->saved.list;
	source->symbol_count = source->saved.count;
	return err;
}

struct err *target_source_init(struct target_source *source,
			       struct target *target, enum dump_level level,
			       bool symbols, struct dump_source *ret)
{
	*source = (struct target_source){ .target = target,
					  .level = level,
					  .process = *target->process };
	struct err *err = find_quotes(source);
	if (!err && !plan_all(source))
		err = err_new(ERR_NO_MEMORY, "list of memory");
	if (!err)
		err = find_symbols(source, symbols);
	if (err) {
		target_source_deinit(source);
		return err;
	}
	find_environment(source);
	source->process.level = level;
	source->process.writer = "kdbg " KMA_VERSION;
	if (level == DUMP_META) {
		source->process.arguments = NULL;
		source->process.directory = NULL;
	}
	*ret = (struct dump_source){
		.context = source,
		.process = &source->process,
		.roots = target->roots,
		.root_count = target->root_count,
		.auxv = target->auxv,
		.auxv_count = target->auxv_count,
		.next_thread = next_thread,
		.next_map = next_map,
		.next_module = next_module,
		.next_extent = next_extent,
		.environment = give_environment,
		.next_symbol = source->symbol_count ? next_symbol : NULL,
		.untouched = untouched,
		.read = read_memory,
	};
	return NULL;
}

void target_source_deinit(struct target_source *source)
{
	heap_quotes_deinit(&source->quotes);
	symbols_saved_deinit(&source->saved);
	free(source->extents);
	source->extents = NULL;
}

bool target_source_level(const char *name, enum dump_level *ret)
{
	static const char *const names[] = {
		[DUMP_FULL] = "full",
		[DUMP_HEAP] = "heap",
		[DUMP_META] = "meta",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0) {
			*ret = (enum dump_level)i;
			return true;
		}
	return false;
}
