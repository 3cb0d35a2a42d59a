/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *	ELF header | memory ... | notes | program headers | section header
 *
 * The headers come last, because how many segments there are is known only
 * when all memory has been read: a damaged block ends one and begins another.
 * Runs of zeros become holes of the file. With 65535 program headers or more
 * their number stands in section header 0 (PN_XNUM).
 *
 * What is written at once, and aligned as it is large, is what the kernel keeps
 * as one in its page cache where the file system lets it. A core is looked at
 * soon after, all over: then there is a fault for each of these and not for
 * each few pages, and the processor finds their addresses at less cost.
 */
#include "kdbg/core_writer.h"

#include "kdbg/core_notes.h"
#include "kdbg/vector.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PAGE_SIZE = DUMP_PAGE_SIZE,
	PIECE_SIZE = 2 << 20, /* of the file, read and written at once */
	NOTE_ALIGN = 4,
};

struct core_writer {
	struct target *target;
	int fd;
	uint64_t offset; /* where the next bytes go */
	Elf64_Phdr *headers;
	size_t count;
	unsigned char *piece;
	const volatile int *stop; /* or NULL */
	struct core_written written;
};

static struct err *put_at(struct core_writer *w, const void *bytes, size_t size,
			  uint64_t offset)
{
	const char *from = bytes;

	while (size) {
		ssize_t n = pwrite(w->fd, from, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_new(ERR_IO, "writing: %s",
				       n < 0 ? strerror(errno) : "no progress");
		from += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return NULL;
}

static struct err *put(struct core_writer *w, const void *bytes, size_t size)
{
	struct err *err = put_at(w, bytes, size, w->offset);

	w->offset += size;
	return err;
}

static void align(struct core_writer *w, uint64_t to)
{
	w->offset = (w->offset + to - 1) / to * to;
}

static Elf64_Word flags_of(const struct dump_map *map)
{
	return (map->flags & DUMP_MAP_READ ? PF_R : 0u) |
	       (map->flags & DUMP_MAP_WRITE ? PF_W : 0u) |
	       (map->flags & DUMP_MAP_EXEC ? PF_X : 0u);
}

/* A segment from address on, without bytes yet. */
static struct err *begin_segment(struct core_writer *w,
				 const struct dump_map *map, uint64_t address,
				 bool stored)
{
	Elf64_Phdr *headers;

	if (stored)
		align(w, PAGE_SIZE);
	headers = vector_grow(w->headers, w->count, sizeof(*headers));
	if (!headers)
		return err_new(ERR_NO_MEMORY, "program headers");
	w->headers = headers;
	headers[w->count++] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = flags_of(map),
		.p_offset = w->offset,
		.p_vaddr = address,
		.p_align = PAGE_SIZE,
	};
	return NULL;
}

static struct err *add_hole(struct core_writer *w, const struct dump_map *map,
			    uint64_t from, uint64_t upto)
{
	if (from >= upto)
		return NULL;
	struct err *err = begin_segment(w, map, from, false);
	if (!err)
		w->headers[w->count - 1].p_memsz = upto - from;
	return err;
}

static bool is_zero(const unsigned char *bytes, size_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* How many bytes up to the first page that is zero, or the first that is not.
 */
static size_t run_of(const unsigned char *bytes, size_t size, bool zero)
{
	size_t at = 0;

	while (at < size) {
		size_t page = size - at < PAGE_SIZE ? size - at : PAGE_SIZE;

		if (is_zero(bytes + at, page) != zero)
			break;
		at += page;
	}
	return at;
}

/* size bytes of the segment at hand; zeros stay a hole of the file. */
static struct err *add_bytes(struct core_writer *w, const unsigned char *bytes,
			     size_t size)
{
	Elf64_Phdr *segment = &w->headers[w->count - 1];
	struct err *err = NULL;

	for (size_t at = 0; !err && at < size;) {
		size_t run = run_of(bytes + at, size - at, false);

		err = put_at(w, bytes + at, run, w->offset + at);
		at += run;
		at += run_of(bytes + at, size - at, true);
	}
	w->offset += size;
	segment->p_filesz += size;
	segment->p_memsz += size;
	w->written.memory += size;
	return err;
}

/* Zeros that need not be read. */
static void add_zeros(struct core_writer *w, uint64_t size)
{
	Elf64_Phdr *segment = &w->headers[w->count - 1];

	w->offset += size;
	segment->p_filesz += size;
	segment->p_memsz += size;
	w->written.memory += size;
}

/* What is damaged is left out: a page, and a new segment behind it. */
static struct err *skip_page(struct core_writer *w, const struct dump_map *map,
			     uint64_t *at, uint64_t upto)
{
	uint64_t next = (*at / PAGE_SIZE + 1) * PAGE_SIZE;

	if (next > upto)
		next = upto;
	w->written.unreadable += next - *at;
	*at = next;
	return *at < upto ? begin_segment(w, map, *at, true) : NULL;
}

/* [from, upto) of one map and one extent. */
static struct err *add_memory(struct core_writer *w, const struct dump_map *map,
			      uint64_t from, uint64_t upto)
{
	struct err *err = begin_segment(w, map, from, true);

	while (!err && from < upto) {
		if (w->stop && *w->stop)
			return err_new(ERR_IO, "interrupted");
		struct dump_extent data;
		uint64_t wanted = upto - from;

		if (!target_next_data(w->target, from, upto, &data))
			data.start = upto;
		if (data.start > from) {
			add_zeros(w, data.start - from);
			from = data.start;
			continue;
		}
		if (wanted > data.end - from)
			wanted = data.end - from;
		if (wanted > PIECE_SIZE - w->offset % PIECE_SIZE)
			wanted = PIECE_SIZE - w->offset % PIECE_SIZE;
		size_t done = target_read_some(w->target, from, w->piece,
					       (size_t)wanted);
		err = done ? add_bytes(w, w->piece, done) : NULL;
		from += done;
		if (!err && done < wanted)
			err = skip_page(w, map, &from, upto);
	}
	return err;
}

/* A map, from *from on: its runs that are there, and what lies between. */
static struct err *add_map(struct core_writer *w, const struct dump_map *map,
			   uint64_t *from, size_t *extent)
{
	const struct target *target = w->target;
	uint64_t at = map->start > *from ? map->start : *from;
	struct err *err = NULL;

	if (at >= map->end)
		return NULL;
	*from = map->end;
	while (*extent < target->extent_count &&
	       target->extents[*extent].end <= at)
		(*extent)++;
	for (size_t i = *extent; !err && i < target->extent_count &&
				 target->extents[i].start < map->end;
	     i++) {
		const struct dump_extent *e = &target->extents[i];
		uint64_t start = e->start > at ? e->start : at;
		uint64_t end = e->end < map->end ? e->end : map->end;

		err = add_hole(w, map, at, start);
		if (!err && start < end)
			err = add_memory(w, map, start, end);
		at = end;
	}
	return err ? err : add_hole(w, map, at, map->end);
}

static int compare_maps(const void *a, const void *b)
{
	const struct dump_map *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* In the order of addresses, each once, whatever a damaged file says. Memory
 * that no map tells of (of a file that was cut) is as good as any. */
static struct err *add_all(struct core_writer *w)
{
	const struct target *target = w->target;
	const struct dump_map unknown = { .flags = DUMP_MAP_READ |
						   DUMP_MAP_WRITE };
	struct dump_map *maps = calloc(target->map_count + 1, sizeof(*maps));
	struct err *err = NULL;
	uint64_t from = 0;
	size_t extent = 0;

	if (!maps)
		return err_new(ERR_NO_MEMORY, "mappings");
	if (target->map_count)
		memcpy(maps, target->maps, target->map_count * sizeof(*maps));
	qsort(maps, target->map_count, sizeof(*maps), compare_maps);
	for (size_t i = 0; !err && i < target->map_count; i++)
		err = add_map(w, &maps[i], &from, &extent);
	free(maps);
	for (size_t i = 0;
	     !err && !target->map_count && i < target->extent_count; i++)
		err = add_memory(w, &unknown, target->extents[i].start,
				 target->extents[i].end);
	return err;
}

static struct err *add_notes(struct core_writer *w, Elf64_Phdr *ret)
{
	unsigned char *notes;
	size_t size;
	struct err *err = core_notes(w->target, &notes, &size);

	if (err)
		return err;
	align(w, NOTE_ALIGN);
	*ret = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = w->offset,
		.p_filesz = size,
		.p_align = NOTE_ALIGN,
	};
	err = put(w, notes, size);
	free(notes);
	return err;
}

static struct err *add_headers(struct core_writer *w, const Elf64_Phdr *notes)
{
	uint64_t count = w->count + 1;
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT, ELFOSABI_NONE },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = count < PN_XNUM ? (Elf64_Half)count : PN_XNUM,
	};
	Elf64_Shdr first = { .sh_info = (Elf64_Word)count, .sh_size = 1 };

	align(w, sizeof(uint64_t));
	header.e_phoff = w->offset;
	struct err *err = put(w, notes, sizeof(*notes));
	if (!err)
		err = put(w, w->headers, w->count * sizeof(*w->headers));
	if (!err && count >= PN_XNUM) {
		header.e_shoff = w->offset;
		header.e_shnum = 1;
		header.e_shentsize = sizeof(first);
		err = put(w, &first, sizeof(first));
	}
	return err ? err : put_at(w, &header, sizeof(header), 0);
}

struct err *core_write(struct target *target, int fd, const volatile int *stop,
		       struct core_written *ret)
{
	struct core_writer w = { .target = target,
				 .fd = fd,
				 .stop = stop,
				 .offset = sizeof(Elf64_Ehdr) };
	Elf64_Phdr notes;

	w.piece = malloc(PIECE_SIZE);
	struct err *err =
		w.piece ? add_all(&w) : err_new(ERR_NO_MEMORY, "a buffer");
	if (!err)
		err = add_notes(&w, &notes);
	if (!err)
		err = add_headers(&w, &notes);
	w.written.segments = w.count;
	*ret = w.written;
	free(w.headers);
	free(w.piece);
	return err;
}
