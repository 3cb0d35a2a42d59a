/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dump, opened: checked facts and memory by address.
 *
 * The file is hostile until proven otherwise: every number is checked, every
 * count bounded by the bytes that are there, every section's checksum compared.
 * A file that is cut or damaged is opened as far as it is whole; what is
 * missing is told by dump_warnings(), one line each. Strings and arrays belong
 * to the dump and live until dump_close(). Not thread-safe; threads of its own
 * fetch ahead what is likely to be asked for, and are done without in a fork.
 */
#ifndef DUMPFMT_READER_H
#define DUMPFMT_READER_H

#include "dumpfmt/err.h"
#include "dumpfmt/facts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dump;

struct err *dump_open(const char *path, struct dump **ret) MUST_USE;
void dump_close(struct dump *dump);

const struct dump_process *dump_process(const struct dump *dump);
size_t dump_threads(const struct dump *dump, const struct dump_thread **ret);
size_t dump_maps(const struct dump *dump, const struct dump_map **ret);
size_t dump_modules(const struct dump *dump, const struct dump_module **ret);
/* By module, functions before places, address. */
size_t dump_symbols(const struct dump *dump, const struct dump_symbol **ret);
size_t dump_roots(const struct dump *dump, const uint64_t **ret);
size_t dump_auxv(const struct dump *dump, const uint64_t **ret); /* pairs */
size_t dump_extents(const struct dump *dump, const struct dump_extent **ret);
size_t dump_environment(const struct dump *dump, const char **ret); /* NULs */

/*
 * The first run of bytes in [from, upto) that are not known to be zero: for
 * who would search a terabyte that nobody ever touched. False: none.
 */
bool dump_next_data(const struct dump *dump, uint64_t from, uint64_t upto,
		    struct dump_extent *ret);

/*
 * Unpacked memory of at most so many bytes: what is more than that is held by
 * files without a name in TMPDIR or /var/tmp. Before the first view.
 */
void dump_limit_memory(struct dump *dump, uint64_t bytes);

/* Lines that say what is missing or damaged; 0 for a whole file. */
size_t dump_warnings(const struct dump *dump, const char *const **ret);

/* What the file is made of: a kind of section with all of its parts. */
struct dump_section {
	const char *name; /* "threads"; "unknown" of a newer kdbg */
	size_t parts, bad_parts;
	uint64_t size; /* of the payloads */
};

/* Kind by kind, from kind 0 on; false: no such kind. parts may be 0. */
bool dump_section_get(const struct dump *dump, uint32_t kind,
		      struct dump_section *ret);

/* The blocks that can be, sorted by address. */
size_t dump_block_count(const struct dump *dump);
void dump_block_get(const struct dump *dump, size_t i,
		    struct dump_page_entry *ret);

/* Read and decompress block i, and keep nothing. */
struct err *dump_block_check(struct dump *dump, size_t i) MUST_USE;

/*
 * The bytes [address, address + size), which must lie in one extent, as one
 * contiguous block that stays put until dump_close(). Blocks are inflated on
 * first use; an error names the block that is damaged.
 */
struct err *dump_view(struct dump *dump, uint64_t address, size_t size,
		      const void **ret) MUST_USE;

#endif
