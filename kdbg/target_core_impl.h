/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kdbg/target_core*.c share. */
#ifndef KDBG_TARGET_CORE_IMPL_H
#define KDBG_TARGET_CORE_IMPL_H

#include "kdbg/arena.h"
#include "kdbg/target_core.h"

#include <elf.h>

/* Words of the file are as aligned as they were in memory. */
enum { CORE_WORD = 8 };

/* A run of memory that the file holds. Sorted and disjoint. */
struct core_segment {
	uint64_t start, end;
	uint64_t offset; /* in the file */
};

/* A mapping of a file, as NT_FILE tells it. */
struct core_file {
	uint64_t start, end, offset;
	const char *path;
};

struct core {
	const char *path;
	unsigned char *image; /* the whole file, mapped */
	size_t size;
	struct arena arena; /* of what is below, and of strings */

	const Elf64_Phdr *headers;
	size_t header_count;
	struct core_segment *segments;
	size_t segment_count;
	struct dump_extent *extents; /* of segments that adjoin */
	size_t extent_count;
	struct core_copy *copies; /* of what lies in pieces */
	size_t copy_count, copied;
	struct dump_map *maps;
	size_t map_count;
	uint64_t missing; /* bytes that the headers promise beyond the end */
	size_t refused;   /* segments that make no sense */

	struct dump_process process;
	struct dump_thread *threads;
	size_t thread_count;
	struct core_file *files;
	size_t file_count;
	const uint64_t *auxv; /* pairs */
	size_t auxv_count;
	struct dump_module *modules;
	size_t module_count;
	uint64_t *roots;
	size_t root_count;
};

/* Segments, extents and maps. */
struct err *core_read_segments(struct core *core) MUST_USE;

/* The notes: threads, process, files, auxv. */
struct err *core_read_notes(struct core *core) MUST_USE;

/* The mapped files that are ELF, with their build ids where memory has them. */
struct err *core_find_modules(struct core *core) MUST_USE;

/* kma_root of each libkma: by its magic, in writable parts of modules. */
struct err *core_find_roots(struct core *core) MUST_USE;

/* size bytes at address, if the file has them in one piece; else NULL. */
const void *core_bytes(const struct core *core, uint64_t address, size_t size);

/* The same, put together if need be. */
struct err *core_view(struct core *core, uint64_t address, size_t size,
		      const void **ret) MUST_USE;

#endif
