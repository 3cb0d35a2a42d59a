/* SPDX-License-Identifier: BSD-2-Clause */
/* live.c's parts: what to keep (live_extents.c), modules (live_modules.c). */
#ifndef DUMPFMT_LIVE_IMPL_H
#define DUMPFMT_LIVE_IMPL_H

#include "dumpfmt/live.h"

/* What of a mapping is saved. */
enum live_keep {
	KEEP_NOTHING,
	KEEP_ALL,     /* and untouched pages are zero: anonymous memory */
	KEEP_FILE,    /* every page, touched or not */
	KEEP_CHANGED, /* pages that differ from the file, and its first */
	KEEP_TOUCHED, /* pages this process has used */
};

uint32_t live_keep_of(struct dump_live *live, const struct dump_map *map);
bool live_next_extent(void *context, struct dump_extent *ret);
void live_page_states(void *context, uint64_t address, size_t count,
		      unsigned char *states);
uint64_t live_untouched(void *context, uint64_t address, uint64_t end,
			unsigned char *state);
bool live_next_module(void *context, struct dump_module *ret);

#endif
