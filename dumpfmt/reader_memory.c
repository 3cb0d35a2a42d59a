/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory, from the blocks.
 *
 * Neighbouring blocks make an extent. An extent is one run of reserved,
 * uncommitted addresses, so that a view of it is contiguous whatever its
 * blocks' codecs; a block's bytes get there when somebody first looks: zeros
 * are there already, stored pages are mapped from the file, compressed ones
 * are inflated into place. Small extents share a reservation, as a process can
 * have more mappings than the debugger may make.
 *
 * Where all of it may be more than memory should hold (dump_limit_memory), a
 * reservation is a file without a name: views stay where they are, and the
 * kernel takes back what is not looked at.
 *
 * What a file makes us commit is bounded by what it holds: a block inflates to
 * at most so many times its size, and zeros cost no page.
 */
#include "dumpfmt/reader_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ZLIB_RATIO = 1040,  /* deflate's own limit is 1032 */
	ZSTD_RATIO = 32768, /* it has none: a block of one byte, repeated */
};

#define SHARED_EXTENT_MAX  (UINT64_C(64) << 20)
#define SHARED_RESERVATION (UINT64_C(1) << 30)
#define ADDRESS_MAX        (UINT64_C(1) << 57)

/* Why an entry cannot be, or NULL. */
static const char *entry_fault(const struct dump *dump,
			       const struct dump_page_entry *e)
{
	uint64_t header = sizeof(struct dump_block_header);

	if (e->size == 0 || e->size % DUMP_PAGE_SIZE ||
	    e->address % DUMP_PAGE_SIZE)
		return "is not made of whole pages";
	if (e->address > ADDRESS_MAX || e->size > ADDRESS_MAX - e->address)
		return "lies outside any address space";
	if (e->codec == DUMP_CODEC_ZERO)
		return e->stored_size == 0 ? NULL : "is zero, yet has bytes";
	if (e->codec >= DUMP_CODEC_COUNT)
		return "has a codec this build cannot read";
	if (e->size > DUMP_BLOCK_MAX)
		return "is larger than a block may be";
	if (e->offset > dump->file_size ||
	    header > dump->file_size - e->offset ||
	    e->stored_size > dump->file_size - e->offset - header)
		return "runs past the end of the file";
	if (e->codec == DUMP_CODEC_STORED)
		return e->stored_size == e->size ? NULL : "has a wrong size";
	uint64_t ratio = e->codec == DUMP_CODEC_ZSTD ? ZSTD_RATIO : ZLIB_RATIO;
	if (e->stored_size > DUMP_BLOCK_MAX || e->size / ratio > e->stored_size)
		return "has a wrong size";
	return NULL;
}

static void warn_block(struct dump *dump, const struct dump_page_entry *e,
		       const char *fault)
{
	reader_warn(dump, "block at byte %" PRIu64 " (memory %#" PRIx64 ") %s",
		    e->offset, e->address, fault);
}

static int by_address(const void *a, const void *b)
{
	const struct reader_block *left = a, *right = b;

	return (left->entry.address > right->entry.address) -
	       (left->entry.address < right->entry.address);
}

static uint64_t block_end(const struct reader_block *block)
{
	return block->entry.address + block->entry.size;
}

/* Drop what cannot be; what is left is sorted and disjoint. */
static void check_blocks(struct dump *dump)
{
	size_t kept = 0;

	if (dump->block_count > 0)
		qsort(dump->blocks, dump->block_count, sizeof(*dump->blocks),
		      by_address);
	for (size_t i = 0; i < dump->block_count; i++) {
		const struct reader_block *block = &dump->blocks[i];
		const char *fault = entry_fault(dump, &block->entry);

		if (!fault && kept > 0 &&
		    block->entry.address < block_end(&dump->blocks[kept - 1]))
			fault = "overlaps another";
		if (fault)
			warn_block(dump, &block->entry, fault);
		else
			dump->blocks[kept++] = *block;
	}
	dump->block_count = kept;
}

static struct err *make_extents(struct dump *dump)
{
	for (size_t i = 0; i < dump->block_count; i++) {
		const struct reader_block *block = &dump->blocks[i];
		struct dump_extent *last =
			dump->extent_count > 0
				? &dump->extents[dump->extent_count - 1]
				: NULL;

		if (last && last->end == block->entry.address) {
			last->end = block_end(block);
			continue;
		}
		if (!reader_grow(&dump->extents, dump->extent_count,
				 sizeof(*dump->extents)))
			return err_new(ERR_NO_MEMORY, "list of extents");
		dump->extents[dump->extent_count++] =
			(struct dump_extent){ block->entry.address,
					      block_end(block) };
	}
	return NULL;
}

/* A new reservation at the end of the list. */
static struct err *add_reservation(struct dump *dump, uint64_t size,
				   size_t *ret)
{
	if (!reader_grow(&dump->reservations, dump->reservation_count,
			 sizeof(*dump->reservations)))
		return err_new(ERR_NO_MEMORY, "list of reservations");
	*ret = dump->reservation_count++;
	dump->reservations[*ret] =
		(struct reader_reservation){ .size = size, .fd = -1 };
	return NULL;
}

static struct err *place_extents(struct dump *dump)
{
	struct err *err = NULL;
	size_t shared = SIZE_MAX; /* index of the one being filled */

	dump->places = calloc(dump->extent_count + 1, sizeof(*dump->places));
	if (!dump->places)
		return err_new(ERR_NO_MEMORY, "places of extents");
	for (size_t i = 0; i < dump->extent_count && !err; i++) {
		uint64_t size = dump->extents[i].end - dump->extents[i].start;
		struct reader_place *place = &dump->places[i];

		if (size > SHARED_EXTENT_MAX) {
			err = add_reservation(dump, size, &place->reservation);
			continue;
		}
		if (shared == SIZE_MAX ||
		    dump->reservations[shared].size > SHARED_RESERVATION - size)
			err = add_reservation(dump, 0, &shared);
		if (err)
			break;
		place->reservation = shared;
		place->offset = dump->reservations[shared].size;
		dump->reservations[shared].size += size;
	}
	return err;
}

/* How many bytes of [start, end) are in the dump; *gap: the first that is not.
 */
static uint64_t bytes_held(const struct dump *dump, uint64_t start,
			   uint64_t end, size_t *hint, uint64_t *gap)
{
	uint64_t held = 0, at = start;
	size_t i = *hint;

	while (i < dump->extent_count && dump->extents[i].end <= start)
		i++;
	*hint = i;
	for (; i < dump->extent_count && dump->extents[i].start < end; i++) {
		const struct dump_extent *e = &dump->extents[i];
		uint64_t from = e->start > start ? e->start : start;
		uint64_t upto = e->end < end ? e->end : end;

		held += upto - from;
		if (from == at)
			at = upto;
	}
	*gap = at;
	return held;
}

/* Maps were to be saved; after a cut, say how much of them was not. */
static void warn_missing_memory(struct dump *dump)
{
	uint64_t missing = 0, first = 0;
	size_t hint = 0;

	for (size_t i = 0; i < dump->map_count; i++) {
		const struct dump_map *map = &dump->maps[i];
		uint64_t gap;

		if (!(map->flags & DUMP_MAP_STORED) ||
		    !(map->flags & DUMP_MAP_WRITE))
			continue;
		uint64_t held =
			bytes_held(dump, map->start, map->end, &hint, &gap);
		if (missing == 0)
			first = gap;
		missing += map->end - map->start - held;
	}
	if (missing > 0)
		reader_warn(dump,
			    "%" PRIu64 " KiB of writable memory are missing, "
			    "the first at %#" PRIx64,
			    missing / 1024, first);
}

struct err *reader_arrange_memory(struct dump *dump)
{
	check_blocks(dump);
	struct err *err = make_extents(dump);
	if (!err)
		err = place_extents(dump);
	if (!err && dump->scanned)
		warn_missing_memory(dump);
	return err;
}

void reader_release_memory(struct dump *dump)
{
	for (size_t i = 0; i < dump->reservation_count; i++) {
		const struct reader_reservation *r = &dump->reservations[i];

		if (r->base)
			munmap(r->base, (size_t)r->size);
		if (r->base && r->fd >= 0)
			close(r->fd);
	}
	free(dump->reservations);
	free(dump->places);
	free(dump->extents);
}

/* The first block that ends after address. */
static size_t find_block(const struct dump *dump, uint64_t address)
{
	size_t low = 0, high = dump->block_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (block_end(&dump->blocks[middle]) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool dump_next_data(const struct dump *dump, uint64_t from, uint64_t upto,
		    struct dump_extent *ret)
{
	size_t i = find_block(dump, from);

	while (i < dump->block_count &&
	       dump->blocks[i].entry.codec == DUMP_CODEC_ZERO)
		i++;
	if (i == dump->block_count || dump->blocks[i].entry.address >= upto)
		return false;
	ret->start = dump->blocks[i].entry.address;
	if (ret->start < from)
		ret->start = from;
	ret->end = block_end(&dump->blocks[i++]);
	while (i < dump->block_count && ret->end < upto &&
	       dump->blocks[i].entry.address == ret->end &&
	       dump->blocks[i].entry.codec != DUMP_CODEC_ZERO)
		ret->end = block_end(&dump->blocks[i++]);
	if (ret->end > upto)
		ret->end = upto;
	return true;
}

/* The extent that holds address, or extent_count. */
static size_t find_extent(const struct dump *dump, uint64_t address)
{
	size_t low = 0, high = dump->extent_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (dump->extents[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < dump->extent_count && dump->extents[low].start <= address)
		return low;
	return dump->extent_count;
}

/* --- views ----------------------------------------------------------------
 */

/* A file that has no name, on a disk; -1: none can be had. */
static int open_file(uint64_t size)
{
	const char *const folders[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < sizeof(folders) / sizeof(folders[0]);
	     i++)
		if (folders[i] && *folders[i])
			fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC,
				  S_IRUSR | S_IWUSR);
	if (fd >= 0 && ftruncate(fd, (off_t)size) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static struct err *reserve(struct dump *dump,
			   struct reader_reservation *reservation)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

	if (reservation->base)
		return NULL;
	reservation->fd = dump->in_files ? open_file(reservation->size) : -1;
	if (reservation->fd >= 0)
		flags = MAP_SHARED;
	void *base = mmap(NULL, (size_t)reservation->size,
			  PROT_READ | PROT_WRITE, flags, reservation->fd, 0);
	if (base == MAP_FAILED)
		return err_new(ERR_NO_MEMORY,
			       "no room for %" PRIu64 " bytes of memory",
			       reservation->size);
	reservation->base = base;
	return NULL;
}

void dump_limit_memory(struct dump *dump, uint64_t bytes)
{
	uint64_t packed = 0;

	for (size_t i = 0; i < dump->block_count; i++)
		if (dump->blocks[i].entry.codec > DUMP_CODEC_STORED)
			packed += dump->blocks[i].entry.size;
	dump->memory_max = bytes;
	dump->in_files = packed > bytes;
}

void reader_let_go(struct dump *dump)
{
	for (size_t i = 0; i < dump->reservation_count; i++) {
		const struct reader_reservation *r = &dump->reservations[i];

		if (r->base && r->fd >= 0)
			madvise(r->base, (size_t)r->size, MADV_DONTNEED);
	}
	__atomic_store_n(&dump->unpacked, 0, __ATOMIC_RELAXED);
}

struct err *dump_view(struct dump *dump, uint64_t address, size_t size,
		      const void **ret)
{
	size_t i = find_extent(dump, address);

	if (i == dump->extent_count || size > dump->extents[i].end - address)
		return err_new(ERR_NOT_FOUND,
			       "memory %#" PRIx64 " is not in the dump",
			       i == dump->extent_count ? address
						       : dump->extents[i].end);

	struct reader_reservation *reservation =
		&dump->reservations[dump->places[i].reservation];
	struct err *err = reserve(dump, reservation);
	if (err)
		return err;

	const struct reader_home home = {
		.reservation = reservation,
		.base = reservation->base + dump->places[i].offset,
		.start = dump->extents[i].start,
		.end = dump->extents[i].end,
	};
	for (size_t b = find_block(dump, address);
	     b < dump->block_count && !err &&
	     dump->blocks[b].entry.address < address + size;
	     b++)
		err = reader_fetch(dump, b, &home);
	if (!err)
		*ret = home.base + (address - home.start);
	return err;
}
