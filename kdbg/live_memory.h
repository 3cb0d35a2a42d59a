/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The memory of a living process: copies of what was looked at. */
#ifndef KDBG_LIVE_MEMORY_H
#define KDBG_LIVE_MEMORY_H

#include "dumpfmt/err.h"
#include "dumpfmt/facts.h"
#include "dumpfmt/live.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_copy;

struct live_memory { /* zeroes: none */
	struct dump_live *process;
	bool still; /* while it stands: only then is more copied */
	struct dump_extent *extents;
	struct live_copy *copies; /* one for each extent */
	size_t extent_count;
};

/* A readable mapping, in rising order; false: no memory. */
bool live_memory_add(struct live_memory *memory, uint64_t start, uint64_t end);
/* After the last one, before the first view. */
struct err *live_memory_finish(struct live_memory *memory) MUST_USE;
void live_memory_deinit(struct live_memory *memory);

/* The bytes themselves, valid until the end; they lie in one extent. */
struct err *live_memory_view(struct live_memory *memory, uint64_t address,
			     size_t size, const void **ret) MUST_USE;

#endif
