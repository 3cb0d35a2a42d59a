/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files behind a target's modules: found, checked by build id, opened when
 * first needed and kept until target_close().
 *
 * Where a file is looked for, in this order:
 *
 *	the vdso		in the target's own memory
 *	-x EXE			for the program itself, instead of its path
 *	SYSROOT/path		the path it was mapped from
 *	SYSROOT/usr/lib/debug/.build-id/xx/yyyy and yyyy.debug
 *
 * A file whose build id differs is never used. A module without a build id
 * takes a file without one that spans as many bytes, as nothing better can be
 * known; symbols_module_status() says that.
 */
#ifndef KDBG_TARGET_FILE_H
#define KDBG_TARGET_FILE_H

#include "kdbg/module_file.h"
#include "kdbg/target.h"

struct err *target_files_create(struct target *target,
				struct target_files **ret) MUST_USE;
void target_files_destroy(struct target_files *files);

/* The file of one of the target's modules. It failed once, it fails again:
 * the reason is kept, and told once as a warning. */
struct err *target_module_file(struct target *target,
			       const struct dump_module *module,
			       const struct module_file **ret) MUST_USE;

/* A file for a module that the target does not list; the caller closes it. */
struct err *target_find_file(struct target *target,
			     const struct dump_module *module,
			     struct module_file **ret) MUST_USE;

/* A separate debug file for a module, by build id or .gnu_debuglink of its
 * file; NULL: there is none. The caller closes it. */
struct module_file *target_find_debug_file(struct target *target,
					   const struct module_file *file);

/* The file that dwz moved common parts of a debug file to. */
struct module_file *target_find_alternate(struct target *target,
					  const struct module_file *of,
					  const char *name, const void *id,
					  size_t id_size);

/* Bytes of a read-only part of a module, from its file: at *ret, *length of
 * them, at least 1. An error says what is missing. */
struct err *target_files_view(struct target *target, uint64_t address,
			      size_t size, const void **ret,
			      size_t *length) MUST_USE;

#endif
