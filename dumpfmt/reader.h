/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dump, opened: checked facts and memory by address.
 *
 * The file is hostile until proven otherwise: every number is checked, every
 * count bounded by the bytes that are there, every section's checksum compared.
 * A file that is cut or damaged is opened as far as it is whole; what is
 * missing is told by dump_warnings(), one line each. Strings and arrays belong
 * to the dump and live until dump_close(). Not thread-safe.
 */
#ifndef DUMPFMT_READER_H
#define DUMPFMT_READER_H

#include "dumpfmt/err.h"
#include "dumpfmt/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dump;

struct dump_process {
	uint32_t pid, ppid, uid, gid;
	uint64_t start_realtime_ns, dump_realtime_ns, dump_monotonic_ns;
	uint32_t reason; /* enum dump_reason */
	uint32_t signal; /* 0 none */
	int32_t signal_code;
	uint32_t crashed_thread; /* tid, or of the thread that wrote the dump */
	uint64_t fault_address;
	uint32_t level;       /* enum dump_level */
	uint32_t exit_status; /* when known at exit; UINT32_MAX not */
	const char *executable, *arguments, *directory, *hostname, *kernel;
	const char *writer; /* "libkma 0.1", "kdbg 0.1" */
};

struct dump_thread {
	uint32_t tid;
	uint32_t flags; /* enum dump_thread_flags */
	const char *name;
	struct dump_registers registers; /* as of the interrupted code */
	uint64_t stack_low, stack_high;  /* mapping that holds sp; 0 unknown */
	const void *fpregs;              /* raw vector state, or NULL */
	size_t fpregs_size;
};

struct dump_map {
	uint64_t start, end, offset;
	uint32_t flags;   /* enum dump_map_flags: r w x shared, in dump, ... */
	const char *path; /* "" anonymous, "[stack]", ... */
};

struct dump_module {
	uint64_t base, end;
	const char *path;
	const uint8_t *build_id;
	size_t build_id_size;
};

/* A run of addresses whose bytes the dump holds. Sorted, disjoint. */
struct dump_extent {
	uint64_t start, end;
};

struct err *dump_open(const char *path, struct dump **ret) MUST_USE;
void dump_close(struct dump *dump);

const struct dump_process *dump_process(const struct dump *dump);
size_t dump_threads(const struct dump *dump, const struct dump_thread **ret);
size_t dump_maps(const struct dump *dump, const struct dump_map **ret);
size_t dump_modules(const struct dump *dump, const struct dump_module **ret);
size_t dump_roots(const struct dump *dump, const uint64_t **ret);
size_t dump_auxv(const struct dump *dump, const uint64_t **ret); /* pairs */
size_t dump_extents(const struct dump *dump, const struct dump_extent **ret);

/* Lines that say what is missing or damaged; 0 for a whole file. */
size_t dump_warnings(const struct dump *dump, const char *const **ret);

/*
 * The bytes [address, address + size), which must lie in one extent, as one
 * contiguous block that stays put until dump_close(). Blocks are inflated on
 * first use; an error names the block that is damaged.
 */
struct err *dump_view(struct dump *dump, uint64_t address, size_t size,
		      const void **ret) MUST_USE;

#endif
