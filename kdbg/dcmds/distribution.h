/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How often each number occurs, shown in bins as mdb shows it:
 *
 *	------ Distribution -------            Count
 *	      16..31      |@@@@@@@@@@@         120
 */
#ifndef KDBG_DCMDS_DISTRIBUTION_H
#define KDBG_DCMDS_DISTRIBUTION_H

#include "kdbg/dcmd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The options -b, -B, -d and -g of a command that shows one. */
struct distribution_options {
	bool raw, geometric;
	uint64_t most_bins; /* 0: the usual number */
	uint64_t least_bin; /* how wide a bin is at least */
};

struct distribution_pair {
	uint64_t value, count;
};

struct distribution {
	struct distribution_pair
		*pairs; /* after sorting: by value, once each */
	size_t count, capacity;
	bool failed; /* out of memory */
};

void distribution_add(struct distribution *distribution, uint64_t value);
void distribution_deinit(struct distribution *distribution);

/* The columns of the rows that distribution_emit() emits. */
enum { DISTRIBUTION_COLUMNS = 4 };
extern const struct column distribution_columns[DISTRIBUTION_COLUMNS];

/* One row for each bin that has any; cache is told with each, or NULL. */
struct err *distribution_emit(struct distribution *distribution,
			      const struct distribution_options *options,
			      const char *cache, struct sink *out) MUST_USE;

#endif
