/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The facts of a process that its memory does not tell, as the writer takes
 * them from a source and the reader gives them back. Strings are
 * NUL-terminated and never NULL when read from a dump; a writer takes NULL for
 * "not known".
 */
#ifndef DUMPFMT_FACTS_H
#define DUMPFMT_FACTS_H

#include "dumpfmt/format.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DUMP_EXIT_STATUS_UNKNOWN UINT32_MAX

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

/*
 * A name in a module's code, so that a stack can be read without the module's
 * file: a function, or the place in the source that an address comes from
 * (calls inlined there have one each, the innermost first).
 */
struct dump_symbol {
	uint64_t module;  /* dump_module_key() */
	uint64_t address; /* less the module's base */
	uint64_t size;    /* of a function */
	uint32_t flags;   /* enum dump_symbol_flags */
	uint32_t info; /* a function's st_info; of places, which of several */
	uint32_t line; /* of a place; 0: not known */
	const char *name; /* as the linker knows it, or "" */
	const char *file; /* of a place, or "" */
};

/* What names a module wherever it is mapped: the first bytes of its build id,
 * else a hash (FNV-1a) of its path. */
static inline uint64_t dump_module_key(const struct dump_module *module)
{
	uint64_t key = UINT64_C(0xcbf29ce484222325);

	if (module->build_id_size >= sizeof(key)) {
		memcpy(&key, module->build_id, sizeof(key));
		return key;
	}
	for (const char *c = module->path; c && *c; c++)
		key = (key ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	return key;
}

/* A run of addresses whose bytes the dump holds. Sorted, disjoint. */
struct dump_extent {
	uint64_t start, end;
};

#endif
