/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory of a core: its segments, and views of them.
 *
 * A segment is what one mapping holds, so memory that a program gave other
 * permissions in part lies in several. Kernel and gdb write those one after the
 * other, and a view across them points into the file like any other. Where they
 * lie elsewhere in the file, what is looked at is put together and kept.
 *
 * Words must be aligned in the file as they were in memory, which kernel and
 * gdb both see to; segments that are not are refused.
 */
#include "kdbg/target_core_impl.h"

#include "kdbg/vector.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16 };

/* --- reading the headers ---------------------------------------------------
 */

static bool makes_sense(const Elf64_Phdr *header)
{
	return header->p_memsz && header->p_filesz <= header->p_memsz &&
	       header->p_memsz <= UINT64_MAX - header->p_vaddr &&
	       header->p_vaddr % CORE_WORD == header->p_offset % CORE_WORD;
}

static void add_map(struct core *core, const Elf64_Phdr *header)
{
	struct dump_map *map = &core->maps[core->map_count++];

	*map = (struct dump_map){
		.start = header->p_vaddr,
		.end = header->p_vaddr + header->p_memsz,
		.path = "",
		.flags = (header->p_flags & PF_R ? DUMP_MAP_READ : 0u) |
			 (header->p_flags & PF_W ? DUMP_MAP_WRITE : 0u) |
			 (header->p_flags & PF_X ? DUMP_MAP_EXEC : 0u) |
			 (header->p_filesz ? DUMP_MAP_STORED : 0u),
	};
}

static void add_segment(struct core *core, const Elf64_Phdr *header)
{
	uint64_t there = 0;

	if (header->p_offset < core->size)
		there = core->size - header->p_offset;
	if (there > header->p_filesz)
		there = header->p_filesz;
	core->missing += header->p_filesz - there;
	if (there)
		core->segments[core->segment_count++] =
			(struct core_segment){ header->p_vaddr,
					       header->p_vaddr + there,
					       header->p_offset };
}

static int compare_segments(const void *a, const void *b)
{
	const struct core_segment *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Those that adjoin are one: what is split by permissions is still whole. */
static void add_extent(struct core *core, const struct core_segment *segment)
{
	struct dump_extent *last =
		core->extent_count ? &core->extents[core->extent_count - 1]
				   : NULL;

	if (last && last->end == segment->start)
		last->end = segment->end;
	else
		core->extents[core->extent_count++] =
			(struct dump_extent){ segment->start, segment->end };
}

static void sort_segments(struct core *core)
{
	size_t kept = 0;

	qsort(core->segments, core->segment_count, sizeof(*core->segments),
	      compare_segments);
	for (size_t i = 0; i < core->segment_count; i++) {
		const struct core_segment *segment = &core->segments[i];

		if (kept && core->segments[kept - 1].end > segment->start) {
			core->refused++;
			continue;
		}
		core->segments[kept++] = *segment;
		add_extent(core, segment);
	}
	core->segment_count = kept;
}

struct err *core_read_segments(struct core *core)
{
	size_t count = core->header_count;

	core->segments =
		arena_array(&core->arena, count, sizeof(*core->segments));
	core->extents =
		arena_array(&core->arena, count, sizeof(*core->extents));
	core->maps = arena_array(&core->arena, count, sizeof(*core->maps));
	if (!core->segments || !core->extents || !core->maps)
		return err_new(ERR_NO_MEMORY, "%s: %zu segments", core->path,
			       count);
	for (size_t i = 0; i < count; i++) {
		const Elf64_Phdr *header = &core->headers[i];

		if (header->p_type != PT_LOAD)
			continue;
		if (!makes_sense(header)) {
			core->refused += header->p_memsz != 0;
			continue;
		}
		add_map(core, header);
		add_segment(core, header);
	}
	sort_segments(core);
	return NULL;
}

/* --- views ------------------------------------------------------------------
 */

static const struct core_segment *segment_at(const struct core *core,
					     uint64_t address)
{
	size_t low = 0, high = core->segment_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (core->segments[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == core->segment_count || core->segments[low].start > address)
		return NULL;
	return &core->segments[low];
}

static uint64_t offset_of(const struct core_segment *segment, uint64_t address)
{
	return segment->offset + (address - segment->start);
}

/* How many of the bytes at address lie one after the other in the file. */
static uint64_t run_at(const struct core *core,
		       const struct core_segment *segment, uint64_t address)
{
	const struct core_segment *end = core->segments + core->segment_count;

	while (segment + 1 < end && segment[1].start == segment->end &&
	       segment[1].offset == offset_of(segment, segment->end))
		segment++;
	return segment->end - address;
}

const void *core_bytes(const struct core *core, uint64_t address, size_t size)
{
	const struct core_segment *segment = segment_at(core, address);

	if (!segment || (size > segment->end - address &&
			 size > run_at(core, segment, address)))
		return NULL;
	return core->image + offset_of(segment, address);
}

/* Is every byte in a segment, whichever? */
static bool holds(const struct core *core, uint64_t address, size_t size)
{
	const struct core_segment *segment = segment_at(core, address);
	const struct core_segment *end = core->segments + core->segment_count;

	if (!segment)
		return false;
	while (size > segment->end - address && segment + 1 < end &&
	       segment[1].start == segment->end)
		segment++;
	return size <= segment->end - address;
}

/* A piece of memory that segments hold together. */
struct core_copy {
	uint64_t start;
	size_t size;
	unsigned char *bytes;
};

static const void *find_copy(const struct core *core, uint64_t address,
			     size_t size)
{
	for (size_t i = 0; i < core->copy_count; i++) {
		const struct core_copy *copy = &core->copies[i];
		uint64_t skip = address - copy->start;

		if (skip < copy->size && size <= copy->size - skip)
			return copy->bytes + skip;
	}
	return NULL;
}

static void copy_segments(const struct core *core, struct core_copy *copy)
{
	const struct core_segment *segment = segment_at(core, copy->start);
	size_t done = 0;

	for (; done < copy->size; segment++) {
		uint64_t at = copy->start + done;
		uint64_t length = segment->end - at;

		if (length > copy->size - done)
			length = copy->size - done;
		memcpy(copy->bytes + done, core->image + offset_of(segment, at),
		       (size_t)length);
		done += (size_t)length;
	}
}

/*
 * Segments of a real core share no bytes of the file, so all copies are no more
 * than the file; one that asks for more was made to. Aligned as in memory.
 */
static struct err *add_copy(struct core *core, uint64_t address, size_t size,
			    const void **ret)
{
	struct core_copy *copies, copy = { address, size, NULL };
	size_t lead = (size_t)(address % ALIGNMENT);

	if (size > core->size - core->copied)
		return err_new(ERR_UNSUPPORTED,
			       "%#" PRIx64 ": %zu bytes are in pieces, and too "
			       "much was put together already",
			       address, size);
	copies = vector_grow(core->copies, core->copy_count, sizeof(*copies));
	if (!copies)
		return err_new(ERR_NO_MEMORY, "%zu bytes", size);
	core->copies = copies;
	copy.bytes = arena_alloc(&core->arena, lead + size);
	if (!copy.bytes)
		return err_new(ERR_NO_MEMORY, "%zu bytes", size);
	copy.bytes += lead;
	copy_segments(core, &copy);
	copies[core->copy_count++] = copy;
	core->copied += size;
	*ret = copy.bytes;
	return NULL;
}

struct err *core_view(struct core *core, uint64_t address, size_t size,
		      const void **ret)
{
	*ret = core_bytes(core, address, size);
	if (!*ret)
		*ret = find_copy(core, address, size);
	if (*ret)
		return NULL;
	if (holds(core, address, size))
		return add_copy(core, address, size, ret);
	return err_new(ERR_NOT_FOUND,
		       "%#" PRIx64 ": %zu bytes are not in the core", address,
		       size);
}
