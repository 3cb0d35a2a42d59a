/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/roster_map.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PAGE_RECORDS = 4096 / ROSTER_RECORD_SIZE,
	SHARE = 16,          /* of the limit, for records */
	SHARE_MIN = 1 << 20, /* bytes */
	SHARE_MAX = 64 << 20,
};
static_assert(ROSTER_HEADER_SIZE == 4096 && PAGE_RECORDS * 1024 == 4096,
	      "records begin with a page");

static void *map_part(int fd, uint64_t offset, uint64_t size)
{
	void *part = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_NORESERVE, fd, (off_t)offset);

	if (part == MAP_FAILED)
		return NULL;
	madvise(part, size, MADV_DONTDUMP);
	/* On a disk the first touch would read ahead all that is reserved. */
	madvise(part, size, MADV_RANDOM);
	return part;
}

/* How many records a process under this limit may need. */
static uint64_t share_of(uint64_t address_limit)
{
	uint64_t bytes = address_limit / SHARE;

	if (bytes < SHARE_MIN)
		bytes = SHARE_MIN;
	if (bytes > SHARE_MAX)
		bytes = SHARE_MAX;
	return bytes / ROSTER_RECORD_SIZE;
}

static uint64_t taken_by_now(const struct roster_map *map)
{
	uint64_t taken = __atomic_load_n(&map->header->taken, __ATOMIC_ACQUIRE);

	return taken < map->end ? taken : map->end;
}

static void set_range(struct roster_map *map)
{
	map->base = map->origin + map->first * ROSTER_RECORD_SIZE;
	map->stop = map->origin + map->end * ROSTER_RECORD_SIZE;
}

static bool map_whole(int fd, uint64_t size, struct roster_map *map)
{
	map->header = map_part(fd, 0, size);
	map->origin = (uintptr_t)map->header + ROSTER_HEADER_SIZE;
	set_range(map);
	map->base = (uintptr_t)map->header;
	return map->header != NULL;
}

static bool map_share(int fd, uint64_t address_limit, struct roster_map *map)
{
	uint64_t share = share_of(address_limit);
	uintptr_t records;

	map->header = map_part(fd, 0, ROSTER_HEADER_SIZE);
	if (!map->header)
		return false;
	map->first = taken_by_now(map) & ~(uint64_t)(PAGE_RECORDS - 1);
	if (map->end - map->first > share)
		map->end = map->first + share;
	records = (uintptr_t)map_part(
		fd, ROSTER_HEADER_SIZE + map->first * ROSTER_RECORD_SIZE,
		(map->end - map->first) * ROSTER_RECORD_SIZE);
	if (!records) {
		munmap(map->header, ROSTER_HEADER_SIZE);
		return false;
	}
	map->origin = records - map->first * ROSTER_RECORD_SIZE;
	set_range(map);
	return true;
}

static void unmap(struct roster_map *map, bool whole)
{
	uint64_t records = (map->end - map->first) * ROSTER_RECORD_SIZE;

	if (whole) {
		munmap(map->header, ROSTER_HEADER_SIZE + records);
		return;
	}
	munmap(map->header, ROSTER_HEADER_SIZE);
	munmap((void *)map->base, records);
}

static bool map_file(int fd, uint64_t address_limit, struct roster_map *map)
{
	bool whole = address_limit == UINT64_MAX, mapped;
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_size <= ROSTER_HEADER_SIZE ||
	    (uint64_t)st.st_size > roster_file_size(ROSTER_CAPACITY_MAX))
		return false;
	map->end = ((uint64_t)st.st_size - ROSTER_HEADER_SIZE) /
		   ROSTER_RECORD_SIZE;
	mapped = whole ? map_whole(fd, (uint64_t)st.st_size, map)
		       : map_share(fd, address_limit, map);
	if (mapped && map->header->magic == ROSTER_MAGIC &&
	    map->header->record_size == ROSTER_RECORD_SIZE)
		return true;
	if (mapped)
		unmap(map, whole);
	return false;
}

bool kma_roster_map(const char *path, uint64_t address_limit,
		    struct roster_map *ret)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool mapped = false;

	*ret = (struct roster_map){ .header = NULL };
	if (fd < 0)
		return false;
	mapped = map_file(fd, address_limit, ret);
	close(fd);
	if (!mapped)
		*ret = (struct roster_map){ .header = NULL };
	return mapped;
}

/* What is between two records, which both begin a page. */
static void drop(const struct roster_map *map, uint64_t from, uint64_t upto)
{
	if (from < upto)
		munmap((void *)(map->origin + from * ROSTER_RECORD_SIZE),
		       (upto - from) * ROSTER_RECORD_SIZE);
}

void kma_roster_map_shrink(struct roster_map *map, uint64_t keep,
			   uint64_t address_limit)
{
	uint64_t first, end;

	if (!map->header)
		return;
	end = (taken_by_now(map) + share_of(address_limit) + PAGE_RECORDS) &
	      ~(uint64_t)(PAGE_RECORDS - 1);
	first = keep & ~(uint64_t)(PAGE_RECORDS - 1);
	if (first < map->first)
		first = map->first;
	if (end < map->end) {
		uint64_t before = map->end;
		/* First nobody takes them any more. */
		__atomic_store_n(&map->end, end, __ATOMIC_SEQ_CST);
		drop(map, end, before);
	}
	drop(map, map->first, first);
	map->first = first;
	set_range(map);
}

struct roster_record *kma_roster_map_record(const struct roster_map *map,
					    uint64_t index)
{
	uint64_t end = __atomic_load_n(&map->end, __ATOMIC_RELAXED);

	if (index < map->first || index >= end)
		return NULL;
	return (struct roster_record *)(map->origin +
					index * ROSTER_RECORD_SIZE);
}
