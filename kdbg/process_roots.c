/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/process_roots.h"

#include <string.h>

bool process_root_head(struct dump_live *process, uint64_t address,
		       struct kma_root_head *ret)
{
	return dump_live_read(process, address, ret, sizeof(*ret)) ==
		       sizeof(*ret) &&
	       ret->magic[0] == KMA_ROOT_MAGIC0 &&
	       ret->magic[1] == KMA_ROOT_MAGIC1 && ret->self == address;
}

static bool may_hold_root(const struct dump_map *map)
{
	return (map->flags & DUMP_MAP_WRITE) && *map->path == '/' &&
	       !(map->flags & DUMP_MAP_SHARED);
}

size_t process_roots(struct dump_live *process, uint64_t *roots, size_t max)
{
	struct kma_root_head head;
	struct dump_map map;
	size_t count = 0;

	while (procfs_maps_next(&process->maps, &map)) {
		if (!may_hold_root(&map))
			continue;
		for (uint64_t page = map.start; page < map.end && count < max;
		     page += DUMP_PAGE_SIZE)
			if (process_root_head(process, page, &head))
				roots[count++] = page;
	}
	procfs_maps_rewind(&process->maps);
	return count;
}

static bool is_field(const struct kma_schema_record *record, const char *name)
{
	return record->kind == KMA_SCHEMA_UINT &&
	       (record->size == 4 || record->size == 8) &&
	       strncmp(record->owner, "kma_root", sizeof(record->owner)) == 0 &&
	       strncmp(record->name, name, sizeof(record->name)) == 0;
}

uint64_t process_root_number(struct dump_live *process, uint64_t root,
			     const char *field)
{
	struct kma_schema_record record;
	struct kma_root_head head;
	uint64_t number = 0;

	if (!process_root_head(process, root, &head) ||
	    head.schema_count > KMA_SCHEMA_MAX ||
	    head.schema_record_size < sizeof(record))
		return 0;
	for (uint32_t i = 0; i < head.schema_count; i++) {
		uint64_t at =
			head.schema + (uint64_t)i * head.schema_record_size;

		if (dump_live_read(process, at, &record, sizeof(record)) <
		    sizeof(record))
			return 0;
		if (!is_field(&record, field) ||
		    record.value > head.root_size - record.size)
			continue;
		dump_live_read(process, root + record.value, &number,
			       (size_t)record.size);
		break;
	}
	return number;
}
