/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a living process has its kma_root: on a page of its own in the data of
 * a module, known by its magic. There is one for each copy of the library: the
 * preload's, and that of a program which links libkma.a.
 */
#ifndef DUMPFMT_LIVE_ROOTS_H
#define DUMPFMT_LIVE_ROOTS_H

#include "dumpfmt/layout.h"
#include "dumpfmt/live.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The head of the root at address; false: there is none. */
bool dump_live_root_head(struct dump_live *live, uint64_t address,
			 struct kma_root_head *ret);

/* Those that roots, of which count are known, does not have yet are added, up
 * to max; how many there are then. The list of mappings is gone over once. */
size_t dump_live_roots(struct dump_live *live, uint64_t *roots, size_t count,
		       size_t max);

#endif
