/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One ELF file, opened for reading: a program, a library, a debug file, or an
 * image that lies in the target's memory (the vdso).
 *
 * Paths come from a dump, so they may name anything: only regular files are
 * opened, without blocking, and only little-endian 64-bit ELF is accepted. No
 * descriptor is kept, so a target may have thousands of modules.
 */
#ifndef KDBG_MODULE_FILE_H
#define KDBG_MODULE_FILE_H

#include "dumpfmt/err.h"

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct module_file {
	char *path;
	void *image; /* the whole file */
	size_t size;
	bool mapped; /* image: by mmap, or by malloc */
	Elf *elf;
	uint64_t base;  /* page of the lowest PT_LOAD, in file addresses */
	uint64_t span;  /* bytes from base to the end of the last */
	const void *id; /* build id, or NULL */
	size_t id_size;
};

/* root, unless NULL: where path begins with it, the rest is found below it and
 * nowhere else. */
struct err *module_file_open(const char *root, const char *path,
			     struct module_file **ret) MUST_USE;

/* An image read from elsewhere; takes it over (it is from malloc). */
struct err *module_file_from_image(const char *name, void *image, size_t size,
				   struct module_file **ret) MUST_USE;
void module_file_close(struct module_file *file);

/* An error unless the file's build id is this one. */
struct err *module_file_check_id(const struct module_file *file, const void *id,
				 size_t id_size) MUST_USE;

/* The file's bytes at an address of its own that no program can have written
 * to: of a read-only segment. How many there are, at most size; 0: none. */
size_t module_file_view(const struct module_file *file, uint64_t address,
			size_t size, const void **ret);
/* The same of any segment: what it was before the program wrote to it. */
size_t module_file_view_original(const struct module_file *file,
				 uint64_t address, size_t size,
				 const void **ret);

/* Another Elf on the same bytes, for a library that wants to end it itself. */
Elf *module_file_elf(const struct module_file *file);

/* A section's bytes, NULL if it is not there. */
const void *module_file_section(const struct module_file *file,
				const char *name, size_t *size);

enum { BUILD_ID_TEXT_SIZE = 2 * 64 + 1 };

/* Hexadecimal, cut to 64 bytes; "" for none. */
void build_id_format(const void *id, size_t size,
		     char text[BUILD_ID_TEXT_SIZE]);

#endif
