/* SPDX-License-Identifier: BSD-2-Clause */
/* What of a living process goes into its dump, and in what order. */
#include "dumpfmt/live_impl.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	PASS_FIRST, /* the allocator's metadata */
	PASS_REST,
	PASS_DONE,
	/* A larger private mapping of a file is data, not a program's own. */
	WHOLE_FILE_MAX = 64 << 20,
	/* Saved unseen where the page map cannot tell what was changed. */
	UNMAPPED_CHANGED_MAX = 256 << 10,
};

/* Bits of /proc/PID/pagemap. */
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)
#define PAGEMAP_FILE    (UINT64_C(1) << 61) /* or shared anonymous */
#define PAGEMAP_GUARD   (UINT64_C(1) << 58) /* MADV_GUARD_INSTALL: no memory */

/* ioctl PAGEMAP_SCAN, since Linux 6.7: newer than the headers we build with. */
struct page_region {
	uint64_t start, end, categories;
};

struct page_scan {
	uint64_t size, flags, start, end, walk_end;
	uint64_t vector, vector_size, max_pages;
	uint64_t inverted_mask, all_mask, any_mask, return_mask;
};

#define PAGE_SCAN         _IOWR('f', 16, struct page_scan)
#define PAGE_SCAN_PRESENT (UINT64_C(1) << 3)
#define PAGE_SCAN_SWAPPED (UINT64_C(1) << 4)

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);

	return length >= tail && !strcmp(text + length - tail, suffix);
}

static uint64_t page_down(uint64_t address)
{
	return address & ~(uint64_t)(DUMP_PAGE_SIZE - 1);
}

static uint64_t page_up(uint64_t address)
{
	return page_down(address + DUMP_PAGE_SIZE - 1);
}

static bool touches(const struct dump_live_ranges *ranges, uint64_t start,
		    uint64_t end)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (page_down(ranges->ranges[i].start) < end &&
		    page_up(ranges->ranges[i].end) > start)
			return true;
	return false;
}

/* Mappings of a device: reading one may act on it. */
static bool is_device(const char *path)
{
	return has_prefix(path, "/dev/") && !has_prefix(path, "/dev/zero") &&
	       !has_prefix(path, "/dev/shm/");
}

static uint32_t keep_private_file(const struct dump_map *map)
{
	if (has_suffix(map->path, " (deleted)"))
		return KEEP_FILE; /* nobody can read it from disk */
	if (!(map->flags & DUMP_MAP_WRITE))
		return KEEP_CHANGED;
	return map->end - map->start <= WHOLE_FILE_MAX ? KEEP_FILE
						       : KEEP_TOUCHED;
}

/* What a full dump keeps. */
static uint32_t keep_full(const struct dump_map *map)
{
	if (!(map->flags & (DUMP_MAP_READ | DUMP_MAP_WRITE | DUMP_MAP_EXEC)))
		return KEEP_NOTHING;
	if (has_prefix(map->path, "[v"))
		return !strcmp(map->path, "[vdso]") ? KEEP_FILE : KEEP_NOTHING;
	if (is_device(map->path))
		return KEEP_NOTHING;
	if (map->flags & DUMP_MAP_SHARED)
		return map->flags & DUMP_MAP_WRITE ? KEEP_TOUCHED
						   : KEEP_NOTHING;
	if (map->path[0] == '/')
		return keep_private_file(map);
	return KEEP_ALL;
}

/* Of anonymous memory, level heap keeps what is known to be needed. */
static bool heap_needs(const struct dump_live *live, const struct dump_map *map)
{
	const struct dump_live_plan *plan = &live->plan;

	return map->path[0] == '[' || map->start == live->data_end ||
	       touches(&plan->heap, map->start, map->end) ||
	       (plan->needs &&
		plan->needs(plan->context, map->start, map->end));
}

uint32_t live_keep_of(struct dump_live *live, const struct dump_map *map)
{
	bool first = touches(&live->plan.first, map->start, map->end);
	uint32_t keep = keep_full(map);
	bool data = map->path[0] == '/' && !(map->flags & DUMP_MAP_SHARED);

	if (live->plan.level == DUMP_META && !first)
		keep = KEEP_NOTHING;
	if (live->plan.level == DUMP_HEAP && !first && !data &&
	    !heap_needs(live, map))
		keep = KEEP_NOTHING;
	if (data)
		live->data_end = map->end;
	return keep;
}

/*
 * The next piece of the map: in the first pass each part that lies in a range
 * of first, in the second the map itself.
 */
static bool next_piece(struct dump_live *live)
{
	const struct dump_live_ranges *first = &live->plan.first;

	while (live->pass == PASS_FIRST && live->range < first->count) {
		const struct dump_extent *range = &first->ranges[live->range++];
		uint64_t start = page_down(range->start);
		uint64_t end = page_up(range->end);

		if (start < live->map.start)
			start = live->map.start;
		if (end > live->map.end)
			end = live->map.end;
		if (start < end) {
			live->piece = (struct dump_extent){ start, end };
			return true;
		}
	}
	if (live->pass == PASS_FIRST || live->range > 0 ||
	    live->plan.level == DUMP_META)
		return false;
	live->range++;
	live->piece = (struct dump_extent){ live->map.start, live->map.end };
	return true;
}

/* Move *start over a range that holds it, or *end down to the next range. */
static void cut_around(const struct dump_live_ranges *ranges, uint64_t *start,
		       uint64_t *end)
{
	for (size_t i = 0; i < ranges->count; i++) {
		uint64_t from = page_down(ranges->ranges[i].start);
		uint64_t upto = page_up(ranges->ranges[i].end);

		if (from <= *start && *start < upto)
			*start = upto;
		else if (*start < from && from < *end)
			*end = from;
	}
}

/* What is left of the piece, up to the next range that is not for here. */
static bool cut_piece(struct dump_live *live, struct dump_extent *ret)
{
	while (live->piece.start < live->piece.end) {
		uint64_t start = live->piece.start, end = live->piece.end;

		if (live->pass != PASS_FIRST)
			cut_around(&live->plan.first, &start, &end);
		cut_around(&live->plan.never, &start, &end);
		if (start == live->piece.start) {
			live->piece.start = end;
			*ret = (struct dump_extent){ start, end };
			return true;
		}
		live->piece.start = start;
	}
	return false;
}

/* Set up the next mapping that is saved; at the end, the next pass. */
static void next_saved_map(struct dump_live *live)
{
	live->map_valid = false;
	while (procfs_maps_next(&live->maps, &live->map)) {
		live->keep = live_keep_of(live, &live->map);
		if (live->keep == KEEP_NOTHING)
			continue;
		live->map_valid = true;
		live->range = 0;
		return;
	}
	procfs_maps_rewind(&live->maps);
	live->pass++;
}

bool live_next_extent(void *context, struct dump_extent *ret)
{
	struct dump_live *live = context;

	while (live->pass != PASS_DONE) {
		if (cut_piece(live, ret))
			return true;
		if (!live->map_valid || !next_piece(live))
			next_saved_map(live);
	}
	return false;
}

/* Which page map tells of the map at hand; -1: none. */
static int pagemap_of(const struct dump_live *live)
{
	if ((live->map.flags & DUMP_MAP_SHARED) &&
	    live->plan.shared_pagemap >= 0)
		return live->plan.shared_pagemap;
	return live->pagemap;
}

/* The first run of pages that are in memory or in swap, at most max_pages of
 * it (0: all). 1, 0: none, -1: this kernel does not tell. */
static int scan_touched(struct dump_live *live, int pagemap, uint64_t start,
			uint64_t end, uint64_t max_pages,
			struct page_region *ret)
{
	struct page_scan scan = {
		.size = sizeof(scan),
		.start = start,
		.end = end,
		.vector = (uintptr_t)ret,
		.vector_size = 1,
		.max_pages = max_pages,
		.any_mask = PAGE_SCAN_PRESENT | PAGE_SCAN_SWAPPED,
		.return_mask = PAGE_SCAN_PRESENT,
	};
	long count = live->scan_refused ? -1 : ioctl(pagemap, PAGE_SCAN, &scan);

	live->scan_refused = count < 0;
	return count < 0 ? -1 : count > 0;
}

uint64_t live_untouched(void *context, uint64_t address, uint64_t end,
			unsigned char *state)
{
	struct dump_live *live = context;
	struct page_region found;

	if (live->keep != KEEP_ALL && live->keep != KEEP_TOUCHED)
		return address;
	*state = live->keep == KEEP_ALL ? DUMP_PAGE_ZERO : DUMP_PAGE_SKIP;
	int count =
		scan_touched(live, pagemap_of(live), address, end, 1, &found);
	if (count < 0)
		return address;
	return count > 0 ? found.start : end;
}

bool dump_live_touched(struct dump_live *live, uint64_t from, uint64_t upto,
		       struct dump_extent *ret)
{
	struct page_region found;
	int count = scan_touched(live, live->pagemap, page_down(from),
				 page_up(upto), 0, &found);

	if (count < 0)
		found = (struct page_region){ from, upto, 0 };
	ret->start = found.start > from ? found.start : from;
	ret->end = found.end < upto ? found.end : upto;
	return count != 0;
}

static unsigned char page_state(const struct dump_live *live, uint64_t address,
				uint64_t bits)
{
	bool there = bits & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED);

	if (bits & PAGEMAP_GUARD) /* swapped, by the other bits */
		return DUMP_PAGE_SKIP;
	switch (live->keep) {
	case KEEP_ALL:
		return there ? DUMP_PAGE_READ : DUMP_PAGE_ZERO;
	case KEEP_TOUCHED:
		return there ? DUMP_PAGE_READ : DUMP_PAGE_SKIP;
	case KEEP_CHANGED:
		if (address == live->map.start && live->map.offset == 0)
			return DUMP_PAGE_READ;
		return there && !(bits & PAGEMAP_FILE) ? DUMP_PAGE_READ
						       : DUMP_PAGE_SKIP;
	default:
		return DUMP_PAGE_READ;
	}
}

/* Without a page map everything is read, except what would be a whole file. */
static unsigned char unknown_state(const struct dump_live *live,
				   uint64_t address)
{
	uint64_t size = live->map.end - live->map.start;

	if (live->keep != KEEP_CHANGED ||
	    (address == live->map.start && live->map.offset == 0))
		return DUMP_PAGE_READ;
	return size > UNMAPPED_CHANGED_MAX || (live->map.flags & DUMP_MAP_EXEC)
		       ? DUMP_PAGE_SKIP
		       : DUMP_PAGE_READ;
}

void live_page_states(void *context, uint64_t address, size_t count,
		      unsigned char *states)
{
	struct dump_live *live = context;
	int fd = pagemap_of(live);
	size_t known = 0;

	if (count > LIVE_STATES_PAGES)
		count = LIVE_STATES_PAGES; /* the rest is read */
	if (fd >= 0) {
		ssize_t n =
			pread(fd, live->states, count * sizeof(live->states[0]),
			      (off_t)(address / DUMP_PAGE_SIZE *
				      sizeof(live->states[0])));
		if (n > 0)
			known = (size_t)n / sizeof(live->states[0]);
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t at = address + i * DUMP_PAGE_SIZE;

		states[i] = i < known ? page_state(live, at, live->states[i])
				      : unknown_state(live, at);
	}
}
