/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modules: mappings that begin with an ELF header and have executable ones
 * behind them. A file that is merely mapped to be read has none.
 */
#include "dumpfmt/live_impl.h"

#include "dumpfmt/line.h"

#include <elf.h>
#include <string.h>

enum { NOTES_MAX = 1024 };

static uint64_t page_down(uint64_t address)
{
	return address & ~(uint64_t)(DUMP_PAGE_SIZE - 1);
}

static uint64_t page_up(uint64_t address)
{
	return page_down(address + DUMP_PAGE_SIZE - 1);
}

/* Look for the build id among the notes at address. */
static void find_build_id(struct dump_live *live, uint64_t address,
			  uint64_t size)
{
	unsigned char notes[NOTES_MAX];
	size_t at = 0;

	if (size > sizeof(notes))
		size = sizeof(notes);
	size = dump_live_read(live, address, notes, (size_t)size);
	while (at + sizeof(Elf64_Nhdr) <= size) {
		Elf64_Nhdr note;

		memcpy(&note, notes + at, sizeof(note));
		at += sizeof(note);
		uint64_t name = ((uint64_t)note.n_namesz + 3) & ~UINT64_C(3);
		uint64_t data = ((uint64_t)note.n_descsz + 3) & ~UINT64_C(3);
		if (name > size - at || data > size - at - name)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp(notes + at, "GNU", 4) &&
		    note.n_descsz <= sizeof(live->build_id)) {
			memcpy(live->build_id, notes + at + name,
			       note.n_descsz);
			live->module.build_id_size = note.n_descsz;
			return;
		}
		at += (size_t)(name + data);
	}
}

/* The program headers that lie in the first page, as all do in practice. */
static size_t read_headers(struct dump_live *live, uint64_t start,
			   const Elf64_Phdr **ret)
{
	Elf64_Ehdr header;

	size_t size =
		dump_live_read(live, start, live->page, sizeof(live->page));
	if (size < sizeof(header))
		return 0;
	memcpy(&header, live->page, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_phentsize != sizeof(Elf64_Phdr) ||
	    header.e_phoff % _Alignof(Elf64_Phdr) || header.e_phoff > size)
		return 0;
	size_t room = (size - header.e_phoff) / sizeof(Elf64_Phdr);
	*ret = (const Elf64_Phdr *)(const void *)(live->page + header.e_phoff);
	return header.e_phnum < room ? header.e_phnum : room;
}

/* Does an ELF file begin here? Then it is the module at hand. */
static void begin_module(struct dump_live *live, const struct dump_map *map)
{
	const Elf64_Phdr *headers;
	uint64_t low = UINT64_MAX, high = 0;
	struct line path;

	live->module_valid = false;
	size_t count = read_headers(live, map->start, &headers);
	for (size_t i = 0; i < count; i++) {
		if (headers[i].p_type != PT_LOAD)
			continue;
		if (headers[i].p_vaddr < low)
			low = page_down(headers[i].p_vaddr);
		if (headers[i].p_vaddr + headers[i].p_memsz > high)
			high = page_up(headers[i].p_vaddr + headers[i].p_memsz);
	}
	if (low >= high || map->start + (high - low) < map->start)
		return;
	live->module = (struct dump_module){
		.base = map->start,
		.end = map->start + (high - low),
		.path = live->module_path,
		.build_id = live->build_id,
	};
	live->module_valid = true;
	line_init(&path, live->module_path, sizeof(live->module_path));
	line_add(&path, map->path);
	for (size_t i = 0; i < count && live->module.build_id_size == 0; i++)
		if (headers[i].p_type == PT_NOTE)
			find_build_id(live,
				      map->start + headers[i].p_vaddr - low,
				      headers[i].p_filesz);
}

bool live_next_module(void *context, struct dump_module *ret)
{
	struct dump_live *live = context;
	struct dump_map map;

	while (procfs_maps_next(&live->maps, &map)) {
		bool named = map.path[0] == '/' || !strcmp(map.path, "[vdso]");

		if (named && map.offset == 0 && (map.flags & DUMP_MAP_READ) &&
		    !(live->module_valid && map.start < live->module.end &&
		      !strcmp(map.path, live->module_path)))
			begin_module(live, &map);
		if (live->module_valid && (map.flags & DUMP_MAP_EXEC) &&
		    map.start < live->module.end) {
			live->module_valid = false;
			*ret = live->module;
			return true;
		}
	}
	live->module_valid = false;
	procfs_maps_rewind(&live->maps);
	return false;
}
