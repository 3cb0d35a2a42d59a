/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small process that never was, for tests of the dump's writer and reader:
 * compressible pages, random pages, zero pages, a page that cannot be read,
 * two threads, three mappings.
 */
#ifndef TESTS_UNIT_DUMP_SAMPLE_H
#define TESTS_UNIT_DUMP_SAMPLE_H

#include "dumpfmt/writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SAMPLE_TEXT = 0x400000,   /* one compressible page, read-only */
	SAMPLE_DATA = 0x10000000, /* see sample.c for what lies where */
	SAMPLE_DATA_PAGES = 80,
	SAMPLE_RANDOM_PAGE = 4, /* two of them */
	SAMPLE_UNREADABLE_PAGE = 10,
	SAMPLE_ZERO_PAGE = 20, /* from here to 60: never touched */
	SAMPLE_ZERO_END = 60,
	SAMPLE_STACK = 0x20000000, /* two pages */
	SAMPLE_TID = 1234,
	SAMPLE_OTHER_TID = 1235,
};

struct sample {
	unsigned char text[DUMP_PAGE_SIZE];
	unsigned char data[SAMPLE_DATA_PAGES * DUMP_PAGE_SIZE];
	unsigned char stack[2 * DUMP_PAGE_SIZE];
	size_t threads, maps, modules, extents, symbols; /* handed out */
	const char *message;                             /* or NULL */
	struct dump_process process;
	struct dump_source source;
};

/* A source over *sample, ready for one dump_write(). */
void sample_init(struct sample *sample);

/* Where the bytes of [address, address + size) are; NULL: not saved. */
const unsigned char *sample_bytes(const struct sample *sample,
				  uint64_t address);

/* Write the sample to an unlinked file; returns its descriptor. */
int sample_write(struct sample *sample);

#endif
