/* SPDX-License-Identifier: BSD-2-Clause */
#include "dumpfmt/live_roots.h"

#include <string.h>

bool dump_live_root_head(struct dump_live *live, uint64_t address,
			 struct kma_root_head *ret)
{
	return dump_live_read(live, address, ret, sizeof(*ret)) ==
		       sizeof(*ret) &&
	       ret->magic[0] == KMA_ROOT_MAGIC0 &&
	       ret->magic[1] == KMA_ROOT_MAGIC1 && ret->self == address;
}

static bool may_hold_root(const struct dump_map *map)
{
	return (map->flags & DUMP_MAP_WRITE) && *map->path == '/' &&
	       !(map->flags & DUMP_MAP_SHARED);
}

static bool is_known(const uint64_t *roots, size_t count, uint64_t address)
{
	for (size_t i = 0; i < count; i++)
		if (roots[i] == address)
			return true;
	return false;
}

size_t dump_live_roots(struct dump_live *live, uint64_t *roots, size_t count,
		       size_t max)
{
	struct kma_root_head head;
	struct dump_map map;

	while (procfs_maps_next(&live->maps, &map)) {
		if (!may_hold_root(&map))
			continue;
		for (uint64_t page = map.start; page < map.end && count < max;
		     page += DUMP_PAGE_SIZE)
			if (!is_known(roots, count, page) &&
			    dump_live_root_head(live, page, &head))
				roots[count++] = page;
	}
	procfs_maps_rewind(&live->maps);
	return count;
}
