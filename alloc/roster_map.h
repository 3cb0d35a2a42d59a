/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A roster's file, mapped: all of it, for records are announced by number and
 * there is no descriptor left to map more by. That is 256 MB of addresses,
 * which count where RLIMIT_AS is set: there it is the header, and what is
 * likely to be written while this process lives.
 */
#ifndef ALLOC_ROSTER_MAP_H
#define ALLOC_ROSTER_MAP_H

#include "dumpfmt/roster.h"

#include <stdbool.h>
#include <stdint.h>

struct roster_map {
	struct roster_header *header; /* NULL: no supervisor */
	uintptr_t origin;             /* where record 0 is, or would be */
	uint64_t first, end;          /* records that are mapped */
	uintptr_t base, stop;         /* the addresses of these */
};

/* address_limit: of the process, or UINT64_MAX. */
bool kma_roster_map(const char *path, uint64_t address_limit,
		    struct roster_map *ret);

/*
 * Let go of all but the header, the records from keep on, and a share of the
 * new limit. Records that others are writing are among those, as what was taken
 * is at most so much ahead.
 */
void kma_roster_map_shrink(struct roster_map *map, uint64_t keep,
			   uint64_t address_limit);

/* NULL: it is not mapped. What the file says was checked once, and is not
 * believed again. */
struct roster_record *kma_roster_map_record(const struct roster_map *map,
					    uint64_t index);

#endif
