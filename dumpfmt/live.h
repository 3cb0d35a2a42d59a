/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source over a living process, ours or another: its mappings, its modules,
 * its memory by what a level asks for. The caller adds facts and threads.
 *
 * What goes into the dump, in this order:
 *
 *	first		the allocator's metadata: all that DUMP_META keeps
 *	the mappings	each as its kind says (live.c), without first and never
 *
 * Of anonymous memory, pages never touched are known to be zero. Of private
 * mappings of files, read-only ones give the pages that differ from the file
 * (relocated data) and the ELF header; the rest is served from the file, which
 * the build id names. Nothing here allocates; reading a page that is not there
 * is an answer, not a fault.
 */
#ifndef DUMPFMT_LIVE_H
#define DUMPFMT_LIVE_H

#include "dumpfmt/procfs.h"
#include "dumpfmt/writer.h"

#include <stdbool.h>
#include <sys/types.h>

enum { LIVE_BUILD_ID_MAX = 64, LIVE_STATES_PAGES = 512 };

/* Ranges need not be page-aligned: they are widened. Any order. */
struct dump_live_ranges {
	const struct dump_extent *ranges;
	size_t count;
};

struct dump_live_plan {
	pid_t pid; /* 0: the calling process */
	enum dump_level level;
	struct dump_live_ranges first;
	struct dump_live_ranges heap;  /* DUMP_HEAP keeps these, too */
	struct dump_live_ranges never; /* the writer's own buffers */
	/* -1, or the page map of the process that this one is a copy of: a copy
	 * does not know which pages of shared mappings were touched. */
	int shared_pagemap;
	/* DUMP_HEAP: is this mapping needed otherwise (a thread's stack, its
	 * TLS, pages that a client of the heap's has brought)? */
	bool (*needs)(void *context, uint64_t start, uint64_t end);
	void *context;
};

struct dump_live {
	struct dump_live_plan plan;
	pid_t reader_pid;
	int memory;        /* /proc/PID/mem; -1: cannot be opened */
	int pagemap;       /* -1: cannot be read */
	int environ;       /* -1 */
	bool scan_refused; /* the kernel is too old for it */

	struct procfs_maps maps;
	struct dump_map map; /* that extents are being cut from */
	bool map_valid;
	uint32_t keep; /* what of it; live.c */
	int pass;
	size_t range;             /* next of first, for this map */
	struct dump_extent piece; /* of the map: what is not handed out yet */
	uint64_t data_end; /* of the last module's data: its bss begins */

	struct dump_module module; /* found, not known to be executable yet */
	bool module_valid;
	char module_path[PROCFS_TEXT];
	uint8_t build_id[LIVE_BUILD_ID_MAX];
	_Alignas(8) unsigned char page[DUMP_PAGE_SIZE];
	uint64_t states[LIVE_STATES_PAGES];
};

/* 0, or -errno: the mappings cannot be read. */
int dump_live_open(struct dump_live *live, const struct dump_live_plan *plan);
void dump_live_close(struct dump_live *live);

/* Set the members of source that this one serves, context among them: a caller
 * whose own functions need more makes live the first member of it. */
void dump_live_source(struct dump_live *live, struct dump_source *source);

/* The first run of [from, upto) of private anonymous memory that was ever
 * touched; all of it where the kernel cannot tell. False: none. */
bool dump_live_touched(struct dump_live *live, uint64_t from, uint64_t upto,
		       struct dump_extent *ret);

/* Copy memory of the process; how much was copied. */
size_t dump_live_read(struct dump_live *live, uint64_t address, void *buffer,
		      size_t size);

#endif
