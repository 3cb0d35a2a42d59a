/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was mapped, and where libkma is.
 *
 * NT_FILE lists the mappings of each file. The one at file offset 0 begins a
 * module if it is ELF: the kernel keeps the first page of those, with headers
 * and nearly always the build id. The program headers there tell how far the
 * module reaches (its .bss is no mapping of the file).
 *
 * kma_root is page-aligned in writable data of a module and names its own
 * address, so looking at the first words of each such page is enough, and
 * almost free.
 */
#include "kdbg/target_core_impl.h"

#include "dumpfmt/layout.h"
#include "kdbg/vector.h"

#include <stdlib.h>
#include <string.h>

enum {
	PAGE_SIZE = 4096,
	HEADERS_MAX = 64, /* program headers of a module */
	NOTES_MAX = 4096, /* bytes of them */
	ROOTS_MAX = 64,
};

/* The module's own headers, if memory has them: how many. In a file that lies
 * about where memory is they need not be aligned. */
static size_t module_headers(const struct core *core, uint64_t base,
			     Elf64_Phdr ret[HEADERS_MAX])
{
	const void *memory = core_bytes(core, base, sizeof(Elf64_Ehdr));
	Elf64_Ehdr header;

	if (!memory)
		return 0;
	memcpy(&header, memory, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_phentsize != sizeof(*ret) ||
	    header.e_phnum > HEADERS_MAX || header.e_phoff > PAGE_SIZE)
		return 0;
	memory = core_bytes(core, base + header.e_phoff,
			    header.e_phnum * sizeof(*ret));
	if (!memory)
		return 0;
	memcpy(ret, memory, header.e_phnum * sizeof(*ret));
	return header.e_phnum;
}

static void read_build_id(const struct core *core, uint64_t address,
			  uint64_t size, struct dump_module *module)
{
	const unsigned char *notes =
		size <= NOTES_MAX ? core_bytes(core, address, (size_t)size)
				  : NULL;
	Elf64_Nhdr header;

	for (size_t at = 0; notes && at + sizeof(header) <= size;) {
		memcpy(&header, notes + at, sizeof(header));
		size_t name = at + sizeof(header);
		if (header.n_namesz > NOTES_MAX || header.n_descsz > NOTES_MAX)
			return;
		size_t bytes = name + ((header.n_namesz + 3) & ~3u);
		if (bytes > size || header.n_descsz > size - bytes)
			return;
		if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
		    memcmp(notes + name, "GNU", 4) == 0) {
			module->build_id = notes + bytes;
			module->build_id_size = header.n_descsz;
			return;
		}
		at = bytes + ((header.n_descsz + 3) & ~3u);
	}
}

/* Its end and build id, by its program headers. */
static void read_module(const struct core *core, struct dump_module *module)
{
	Elf64_Phdr headers[HEADERS_MAX];
	size_t count = module_headers(core, module->base, headers);
	uint64_t first = UINT64_MAX, last = 0;

	for (size_t i = 0; i < count; i++) {
		if (headers[i].p_type != PT_LOAD)
			continue;
		if (headers[i].p_vaddr < first)
			first = headers[i].p_vaddr & ~(uint64_t)(PAGE_SIZE - 1);
		if (headers[i].p_memsz <= UINT64_MAX - headers[i].p_vaddr &&
		    headers[i].p_vaddr + headers[i].p_memsz > last)
			last = headers[i].p_vaddr + headers[i].p_memsz;
	}
	if (first < last && last - first <= UINT64_MAX - module->base)
		module->end = module->base + (last - first);
	for (size_t i = 0; i < count; i++)
		if (headers[i].p_type == PT_NOTE && !module->build_id_size)
			read_build_id(core,
				      module->base + headers[i].p_vaddr - first,
				      headers[i].p_memsz, module);
}

static struct err *no_memory(const struct core *core)
{
	return err_new(ERR_NO_MEMORY, "%s: modules", core->path);
}

static bool add_module(struct core *core, uint64_t base, uint64_t end,
		       const char *path)
{
	struct dump_module *modules = vector_grow(
		core->modules, core->module_count, sizeof(*modules));

	if (!modules)
		return false;
	core->modules = modules;
	struct dump_module *module = &modules[core->module_count++];
	*module =
		(struct dump_module){ .base = base, .end = end, .path = path };
	read_module(core, module);
	return true;
}

/* A data file that is mapped from its beginning is not a module. What memory
 * does not have may be one: the file on disk decides. */
static bool may_be_module(const struct core *core, const struct core_file *file)
{
	const unsigned char *magic = core_bytes(core, file->start, SELFMAG);

	return !magic || memcmp(magic, ELFMAG, SELFMAG) == 0;
}

/* How far mappings of the same file follow each other from i on. */
static uint64_t files_end(const struct core *core, size_t i)
{
	const char *path = core->files[i].path;
	uint64_t end = core->files[i].end;

	for (i++; i < core->file_count && core->files[i].offset &&
		  strcmp(core->files[i].path, path) == 0;
	     i++)
		end = core->files[i].end;
	return end;
}

static bool has_code(const struct core *core, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < core->map_count; i++)
		if ((core->maps[i].flags & DUMP_MAP_EXEC) &&
		    core->maps[i].start >= start && core->maps[i].start < end)
			return true;
	return false;
}

static struct err *add_vdso(struct core *core)
{
	for (size_t i = 0; i < core->auxv_count; i++) {
		uint64_t base = core->auxv[2 * i + 1];

		if (core->auxv[2 * i] != AT_SYSINFO_EHDR ||
		    !core_bytes(core, base, SELFMAG))
			continue;
		if (!add_module(core, base, base + PAGE_SIZE,
				"linux-vdso.so.1"))
			return no_memory(core);
		for (size_t m = 0; m < core->map_count; m++)
			if (core->maps[m].start == base) {
				core->maps[m].path = "[vdso]";
				core->modules[core->module_count - 1].end =
					core->maps[m].end;
			}
	}
	return NULL;
}

static int compare_maps(const void *a, const void *b)
{
	const struct dump_map *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* The mapping that begins at start; NULL: none. */
static struct dump_map *map_from(struct core *core, uint64_t start)
{
	const struct dump_map key = { .start = start };

	return bsearch(&key, core->maps, core->map_count, sizeof(key),
		       compare_maps);
}

static void name_maps(struct core *core)
{
	qsort(core->maps, core->map_count, sizeof(*core->maps), compare_maps);
	for (size_t i = 0; i < core->file_count; i++) {
		struct dump_map *map = map_from(core, core->files[i].start);

		if (map) {
			map->path = core->files[i].path;
			map->offset = core->files[i].offset;
		}
	}
}

/* The program's path: that of the module it was entered in. */
static void name_program(struct core *core)
{
	for (size_t i = 0; i < core->auxv_count; i++)
		for (size_t m = 0; m < core->module_count; m++) {
			const struct dump_module *module = &core->modules[m];
			uint64_t value = core->auxv[2 * i + 1];

			if (core->auxv[2 * i] == AT_ENTRY &&
			    value >= module->base && value < module->end)
				core->process.executable = module->path;
		}
}

/* The mapping that holds address; NULL: none. */
static const struct dump_map *map_at(const struct core *core, uint64_t address)
{
	size_t low = 0, high = core->map_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (core->maps[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == core->map_count || core->maps[low].start > address)
		return NULL;
	return &core->maps[low];
}

static void find_stacks(struct core *core)
{
	for (size_t i = 0; i < core->thread_count; i++) {
		struct dump_thread *thread = &core->threads[i];
		const struct dump_map *map =
			map_at(core, thread->registers.rsp);

		if (!map)
			continue;
		thread->stack_low = map->start;
		thread->stack_high = map->end;
	}
}

struct err *core_find_modules(struct core *core)
{
	name_maps(core);
	for (size_t i = 0; i < core->file_count; i++) {
		const struct core_file *file = &core->files[i];

		if (file->offset || file->start >= file->end ||
		    !may_be_module(core, file))
			continue;
		uint64_t end = files_end(core, i);
		if (!core_bytes(core, file->start, SELFMAG) &&
		    !has_code(core, file->start, end))
			continue;
		if (!add_module(core, file->start, end, file->path))
			return no_memory(core);
	}
	struct err *err = add_vdso(core);
	name_program(core);
	find_stacks(core);
	return err;
}

/* --- kma_root ----------------------------------------------------------- */

static bool is_root(const struct core *core, uint64_t address)
{
	struct kma_root_head head;
	const void *memory = core_bytes(core, address, sizeof(head));

	if (!memory)
		return false;
	memcpy(&head, memory, sizeof(head));
	return head.magic[0] == KMA_ROOT_MAGIC0 &&
	       head.magic[1] == KMA_ROOT_MAGIC1 && head.self == address;
}

/* Of the bytes that are there: a mapping may claim to be endless. */
static void find_roots_in(struct core *core, const struct core_segment *segment)
{
	uint64_t page =
		(segment->start + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);

	for (; page >= segment->start && page < segment->end &&
	       core->root_count < ROOTS_MAX;
	     page += PAGE_SIZE)
		if (is_root(core, page))
			core->roots[core->root_count++] = page;
}

struct err *core_find_roots(struct core *core)
{
	core->roots =
		arena_array(&core->arena, ROOTS_MAX, sizeof(*core->roots));
	if (!core->roots)
		return no_memory(core);
	for (size_t i = 0; i < core->segment_count; i++) {
		const struct core_segment *segment = &core->segments[i];
		const struct dump_map *map = map_at(core, segment->start);

		if (map && (map->flags & DUMP_MAP_WRITE) && *map->path)
			find_roots_in(core, segment);
	}
	return NULL;
}
