/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a living process has its kma_root: on a page of its own in the data of
 * a module, known by its magic. */
#ifndef KDBG_PROCESS_ROOTS_H
#define KDBG_PROCESS_ROOTS_H

#include "dumpfmt/layout.h"
#include "dumpfmt/live.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The head of the root at address; false: there is none. */
bool process_root_head(struct dump_live *process, uint64_t address,
		       struct kma_root_head *ret);

/* How many were found, at most max. The list of mappings is gone over once. */
size_t process_roots(struct dump_live *process, uint64_t *roots, size_t max);

/* A number of a root's that its schema names; 0: it has none. */
uint64_t process_root_number(struct dump_live *process, uint64_t root,
			     const char *field);

#endif
