/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Why copies. Views live as long as the target, and the heap's are spread over
 * everything the allocator owns. To map the memory of another process is not
 * possible, and to hold it still for as long as somebody sits at a prompt is
 * not acceptable. So each extent gets reserved addresses of ours, into which a
 * page is copied when it is first looked at: what nobody asks for costs
 * nothing, what was asked for stays consistent after the process goes on.
 *
 *	extent   |-----------------------------|	mappings, joined
 *	copy     |..##......####...............|	reserved, # copied
 *	bits      0011000000111100000			one for each page
 */
#include "kdbg/live_memory.h"

#include "kdbg/vector.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE_SIZE = DUMP_PAGE_SIZE, PAGES_PER_BYTE = 8 };

struct live_copy {
	unsigned char *bytes; /* NULL: nothing was looked at yet */
	unsigned char *bits;
};

static size_t extent_size(const struct live_memory *memory, size_t i)
{
	return (size_t)(memory->extents[i].end - memory->extents[i].start);
}

static size_t bits_size(const struct live_memory *memory, size_t i)
{
	return extent_size(memory, i) / PAGE_SIZE / PAGES_PER_BYTE + 1;
}

static void *reserve(size_t size)
{
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return bytes == MAP_FAILED ? NULL : bytes;
}

static struct err *reserve_copy(struct live_memory *memory, size_t i)
{
	struct live_copy *copy = &memory->copies[i];

	if (!copy->bits)
		copy->bits = reserve(bits_size(memory, i));
	if (copy->bits && !copy->bytes)
		copy->bytes = reserve(extent_size(memory, i));
	if (copy->bytes)
		return NULL;
	return err_new(ERR_NO_MEMORY, "no room for %zu bytes of memory",
		       extent_size(memory, i));
}

static bool is_copied(const struct live_copy *copy, size_t page)
{
	return copy->bits[page / PAGES_PER_BYTE] >> page % PAGES_PER_BYTE & 1;
}

/* Copy [first, last) pages, none of which is there; stops at what cannot be
 * read. */
static struct err *copy_run(struct live_memory *memory, size_t i, size_t first,
			    size_t last)
{
	struct live_copy *copy = &memory->copies[i];
	uint64_t address = memory->extents[i].start + first * PAGE_SIZE;
	size_t size = (last - first) * PAGE_SIZE;
	size_t done = 0;

	if (!memory->still)
		return err_new(ERR_NOT_FOUND,
			       "%#" PRIx64
			       ": not copied before the process went on",
			       address);
	done = dump_live_read(memory->process, address,
			      copy->bytes + first * PAGE_SIZE, size);
	for (size_t page = first; page < first + done / PAGE_SIZE; page++)
		copy->bits[page / PAGES_PER_BYTE] |=
			(unsigned char)(1u << page % PAGES_PER_BYTE);
	if (done == size)
		return NULL;
	return err_new(ERR_NOT_FOUND, "%#" PRIx64 ": cannot be read",
		       address + done);
}

static struct err *copy_pages(struct live_memory *memory, size_t i,
			      size_t first, size_t last)
{
	const struct live_copy *copy = &memory->copies[i];
	struct err *err = NULL;

	while (!err && first < last) {
		size_t end = first;

		while (end < last && !is_copied(copy, end))
			end++;
		if (end > first)
			err = copy_run(memory, i, first, end);
		first = end > first ? end : first + 1;
	}
	return err;
}

/* The extent that holds address, or extent_count. */
static size_t extent_at(const struct live_memory *memory, uint64_t address)
{
	size_t low = 0, high = memory->extent_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memory->extents[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < memory->extent_count && memory->extents[low].start <= address)
		return low;
	return memory->extent_count;
}

struct err *live_memory_view(struct live_memory *memory, uint64_t address,
			     size_t size, const void **ret)
{
	size_t i = extent_at(memory, address);

	if (i == memory->extent_count ||
	    size > memory->extents[i].end - address)
		return err_new(ERR_NOT_FOUND,
			       "%#" PRIx64 ": %zu bytes are not mapped",
			       address, size);
	struct err *err = reserve_copy(memory, i);
	if (err)
		return err;
	uint64_t offset = address - memory->extents[i].start;
	err = copy_pages(memory, i, (size_t)(offset / PAGE_SIZE),
			 (size_t)((offset + size + PAGE_SIZE - 1) / PAGE_SIZE));
	if (!err)
		*ret = memory->copies[i].bytes + offset;
	return err;
}

bool live_memory_add(struct live_memory *memory, uint64_t start, uint64_t end)
{
	struct dump_extent *last =
		memory->extent_count
			? &memory->extents[memory->extent_count - 1]
			: NULL;

	if (last && last->end == start) {
		last->end = end;
		return true;
	}
	struct dump_extent *extents = vector_grow(
		memory->extents, memory->extent_count, sizeof(*extents));
	if (!extents)
		return false;
	memory->extents = extents;
	extents[memory->extent_count++] = (struct dump_extent){ start, end };
	return true;
}

struct err *live_memory_finish(struct live_memory *memory)
{
	memory->copies =
		calloc(memory->extent_count + 1, sizeof(*memory->copies));
	return memory->copies ? NULL : err_new(ERR_NO_MEMORY, "out of memory");
}

void live_memory_deinit(struct live_memory *memory)
{
	for (size_t i = 0; memory->copies && i < memory->extent_count; i++) {
		const struct live_copy *copy = &memory->copies[i];
		if (copy->bytes)
			munmap(copy->bytes, extent_size(memory, i));
		if (copy->bits)
			munmap(copy->bits, bits_size(memory, i));
	}
	free(memory->copies);
	free(memory->extents);
}
