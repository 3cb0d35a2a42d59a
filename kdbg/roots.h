/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a program can have pointers outside its heap: memory that is or was
 * writable and is not the allocator's, the used part of each live thread's
 * stack, registers.
 */
#ifndef KDBG_ROOTS_H
#define KDBG_ROOTS_H

#include "dumpfmt/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap;
struct target;
struct roots;

enum root_kind {
	ROOT_DATA,      /* .data, .bss, RELRO of a module */
	ROOT_STACK,     /* of a live thread, with its TLS above it */
	ROOT_REGISTERS, /* of a live thread */
	ROOT_OTHER,     /* any other writable memory, kma_root_add()'s */
	ROOT_IGNORED,   /* the buffers that the program said to ignore */
	ROOT_KIND_COUNT
};

struct root {
	enum root_kind kind;
	uint64_t start, end; /* addresses; with words: 0 */
	bool inner_is_plain; /* an inner reference from here is by design */
	bool unaligned;   /* machine code made at run time: pointers anywhere */
	uint32_t tid;     /* of a stack or registers */
	const char *path; /* of the mapping; "" anonymous */
	const void *words; /* registers, ignored: bytes; else NULL */
	size_t words_size;
};

/* What was not scanned, and why. missing: it would have been a root, but its
 * bytes are not in the target; else it holds no pointers by right. */
struct root_gap {
	bool missing;
	uint64_t start, end; /* 0: not memory */
	uint32_t tid;        /* 0: not a thread's */
	const char *reason;  /* "stack of a thread that has ended" */
};

/* heap may be NULL: then nothing is the allocator's. Both must outlive it. */
struct err *roots_create(struct target *target, struct heap *heap,
			 struct roots **ret) MUST_USE;
void roots_destroy(struct roots *roots);

/* Sorted by kind, then address. Ranges are 8-aligned; they are disjoint but for
 * the words that inner_is_plain singles out. */
size_t roots_list(const struct roots *roots, const struct root **ret);
size_t roots_gaps(const struct roots *roots, const struct root_gap **ret);

/* The buffers that are roots by the program's word; addresses stay the
 * caller's. Before the list is asked for. False: no memory. */
bool roots_add_ignored(struct roots *roots, const uint64_t *addresses,
		       size_t count);

/* Say that bytes of a root could not be read after all. */
void roots_add_missing(struct roots *roots, uint64_t start, uint64_t end,
		       const char *reason);

/* Ranges and bytes of a kind; bytes that are missing; any thread without
 * registers. */
size_t roots_count(const struct roots *roots, enum root_kind kind);
uint64_t roots_bytes(const struct roots *roots, enum root_kind kind);
uint64_t roots_missing(const struct roots *roots);
size_t roots_blind_threads(const struct roots *roots);

/* One line for people: what was scanned, left out, and missing. */
void roots_describe(const struct roots *roots, char *buffer, size_t size);

#endif
