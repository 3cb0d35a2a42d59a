/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::mappings and $m - the address space. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <string.h>

static const struct column mappings_columns[] = {
	{ "BASE", VALUE_ADDRESS },
	{ "LIMIT", VALUE_ADDRESS },
	{ "SIZE", VALUE_SIZE, .width = 10 },
	{ "FLAGS", VALUE_TEXT, .width = 5 },
	{ "HELD", VALUE_SIZE, .width = 10 },
	{ "NAME", VALUE_TEXT },
};

static const struct table mappings_tables[] = {
	{ "default", mappings_columns,
	  sizeof(mappings_columns) / sizeof(mappings_columns[0]) },
};

/* How many of the mapping's bytes the target holds. Both are sorted, so the
 * first extent is found by its address. */
static uint64_t held(const struct target *target, const struct dump_map *map)
{
	size_t low = 0, high = target->extent_count;
	uint64_t sum = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (target->extents[middle].end <= map->start)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < target->extent_count &&
	       target->extents[low].start < map->end;
	     low++) {
		uint64_t start = target->extents[low].start;
		uint64_t end = target->extents[low].end;

		sum += (end < map->end ? end : map->end) -
		       (start > map->start ? start : map->start);
	}
	return sum;
}

static void emit_map(const struct target *target, const struct dump_map *map,
		     struct sink *out)
{
	const char flags[] = {
		map->flags & DUMP_MAP_READ ? 'r' : '-',
		map->flags & DUMP_MAP_WRITE ? 'w' : '-',
		map->flags & DUMP_MAP_EXEC ? 'x' : '-',
		map->flags & DUMP_MAP_SHARED ? 's' : 'p',
		'\0',
	};

	SINK_ROW(out, ADDRESS(map->start), ADDRESS(map->end),
		 SIZE(map->end - map->start), TEXT(flags),
		 SIZE(held(target, map)), TEXT(*map->path ? map->path : NULL));
}

static struct err *mappings_run(const struct dcmd_call *call, struct sink *out)
{
	const struct target *target = call->session->target;
	const char *name = call->argc ? call->argv[0] : "";
	size_t shown = 0;

	if (call->has_address) {
		const struct dump_map *map =
			target_map_at(target, call->address);
		if (!map)
			return err_new(ERR_NOT_FOUND,
				       "%#" PRIx64 ": not mapped",
				       call->address);
		emit_map(target, map, out);
		return NULL;
	}
	if (call->argc > 1)
		return err_new(ERR_USAGE, "one name at most");
	for (size_t i = 0; i < target->map_count && !out->failed; i++) {
		if (!strstr(target->maps[i].path, name))
			continue;
		emit_map(target, &target->maps[i], out);
		shown++;
	}
	if (*name && !shown)
		return err_new(ERR_NOT_FOUND, "no mapping has %s in its name",
			       name);
	return NULL;
}

const struct dcmd dcmd_mappings = {
	.name = "mappings",
	.aliases = (const char *const[]){ "$m", NULL },
	.summary = "the mappings of the address space",
	.help = "Where each mapping begins and ends, its size, what may be "
		"done with it (r w x, p private or s shared), how many of its "
		"bytes the target holds, and what is mapped there. With an "
		"address only the mapping that holds it, with a name those "
		"that have it in theirs.",
	.example = "::mappings stack",
	.arguments = "[object]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "address",
	.tables = mappings_tables,
	.table_count = 1,
	.run = mappings_run,
};
