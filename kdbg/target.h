/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A target: where bytes come from. A dump, an ELF core or a live process
 * answers the same questions: memory, map, threads, registers, modules, facts.
 * What the bytes mean is told above (heap.h, symbols.h).
 *
 * Arrays and strings belong to the target and live until target_close().
 */
#ifndef KDBG_TARGET_H
#define KDBG_TARGET_H

#include "dumpfmt/err.h"
#include "dumpfmt/format.h"
#include "dumpfmt/reader.h"
#include "kdbg/range_index.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct target;
struct target_files;
struct unwinder;

struct target_options {
	const char *executable; /* -x, or NULL */
	const char *sysroot;    /* or NULL */
	uint64_t max_size;      /* of unpacked content; 0: unpack.h's */
	uint64_t cache;  /* of a dump's unpacked memory; 0: half of what is free
			  */
	bool debuginfod; /* ask the servers of DEBUGINFOD_URLS */
};

/* The kinds of fact are the dump's: other targets fill the same records. */
struct target_ops {
	const char *kind; /* "dump", "core", "process" */
	void (*close)(void *impl);
	struct err *(*view)(void *impl, uint64_t address, size_t size,
			    const void **ret);
	/* As target_read_once(), of memory in extents; NULL: views will do. */
	size_t (*read_once)(void *impl, uint64_t address, void *buffer,
			    size_t size);
	/* As target_next_data(); NULL: every byte may be anything. */
	bool (*next_data)(void *impl, uint64_t from, uint64_t upto,
			  struct dump_extent *ret);
	/* As target_release() and target_reopen(); NULL: it never moves. */
	uint64_t (*release)(void *impl);
	struct err *(*reopen)(void *impl, const struct target_options *options,
			      struct target **ret);
};

struct target {
	const struct target_ops *ops;
	void *impl;
	char *path;
	char *sysroot;
	bool debuginfod; /* it may be asked */
	const struct dump_process *process;
	const struct dump_thread *threads;
	size_t thread_count;
	const struct dump_map *maps;
	size_t map_count;
	const struct dump_module *modules;
	size_t module_count;
	const struct dump_extent *extents; /* readable, sorted, disjoint */
	size_t extent_count;
	const uint64_t *roots; /* addresses of kma_root, one per instance */
	size_t root_count;
	const uint64_t *auxv; /* pairs */
	size_t auxv_count;
	const char *environment; /* as the program began; NULL: in its memory */
	size_t environment_size;
	/* Names that were saved for who has not the modules' files, in the
	 * order of dump_symbols(). */
	const struct dump_symbol *symbols;
	size_t symbol_count;
	const char *const *warnings; /* what the file lacks; shown at open */
	size_t warning_count;
	size_t executable; /* index of the program's own module, if any */
	bool released;     /* target_release(): a process, and it goes on */

	/* Of target*.c and unwind.c alone. */
	struct range_index map_index, module_index, thread_index;
	struct target_files *files; /* of modules, opened when needed */
	struct unwinder *unwinder;  /* made by the first stack */
	char *executable_path;      /* -x, or NULL */
	char **warning_texts;
};

/* By what the file is: our dump, an ELF core. */
struct err *target_open(const char *path, const struct target_options *options,
			struct target **ret) MUST_USE;
void target_close(struct target *target);

/*
 * A living process stands still while it is looked at. Release lets it go on:
 * what was read of it stays, the rest is out of reach. *ns, unless NULL: how
 * long it stood still. False: the target never moves, or was released before.
 */
bool target_release(struct target *target, uint64_t *ns);

/* The same process as it is now, stopped; target must be closed as before. */
struct err *target_reopen(struct target *target, struct target **ret) MUST_USE;

/*
 * For the kinds of target: create, fill in what the kind knows, then finish,
 * which sorts and checks. The target owns impl from the start; ops->close is
 * called with it, also when finishing fails.
 */
struct err *target_create(const char *path,
			  const struct target_options *options,
			  const struct target_ops *ops, void *impl,
			  struct target **ret) MUST_USE;
struct err *target_finish(struct target *target) MUST_USE;

/* Call it by another path, in messages that are to come. */
void target_rename(struct target *target, const char *path);

/* Add a line to warnings, once. */
void target_warn(struct target *target, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The value of an AT_ tag of the auxiliary vector. */
bool target_auxv(const struct target *target, uint64_t tag, uint64_t *ret);

/* Copy size bytes, or fail naming the first address that is not there. Reads
 * that fall in read-only file mappings a dump leaves out are served from the
 * file on disk when its build id agrees. */
struct err *target_read(struct target *target, uint64_t address, void *buffer,
			size_t size) MUST_USE;

/* How many bytes from address on could be copied: 0 .. size. Never fails. */
size_t target_read_some(struct target *target, uint64_t address, void *buffer,
			size_t size);

/* The same of memory that is not looked at again: a living process's is not
 * kept, so that what is read may be larger than what we have. */
size_t target_read_once(struct target *target, uint64_t address, void *buffer,
			size_t size);

/* Copy what the file of the module at address has there, also where the program
 * has written something else since. */
struct err *target_read_file(struct target *target, uint64_t address,
			     void *buffer, size_t size) MUST_USE;

/* The bytes themselves, valid until target_close(): the heap view keeps them.
 * They must lie in one extent. */
struct err *target_view(struct target *target, uint64_t address, size_t size,
			const void **ret) MUST_USE;

/*
 * The first run in [from, upto) that is not known to be all zero, so that
 * nobody searches a terabyte that was reserved and never touched. False: none.
 */
bool target_next_data(const struct target *target, uint64_t from, uint64_t upto,
		      struct dump_extent *ret);

/* The extent, map, thread, module that holds address (or tid); NULL: none. */
const struct dump_extent *target_extent_at(const struct target *target,
					   uint64_t address);
const struct dump_map *target_map_at(const struct target *target,
				     uint64_t address);
const struct dump_thread *target_thread(const struct target *target,
					uint32_t tid);
/* The thread to look at first: that which crashed, else the first; NULL: there
 * is none. */
const struct dump_thread *target_first_thread(const struct target *target);
const struct dump_module *target_module_at(const struct target *target,
					   uint64_t address);

/* Little-endian scalar of 1, 2, 4 or 8 bytes. */
struct err *target_read_uint(struct target *target, uint64_t address,
			     size_t size, uint64_t *ret) MUST_USE;

/* A NUL-terminated string of at most max - 1 bytes. */
struct err *target_read_text(struct target *target, uint64_t address,
			     char *buffer, size_t max) MUST_USE;

#endif
