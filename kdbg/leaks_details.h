/* SPDX-License-Identifier: GPL-3.0-or-later */
/* More of a group of leaks, worked out when a person asks: who, for example
 * which, what is in them, what circle they form. */
#ifndef KDBG_LEAKS_DETAILS_H
#define KDBG_LEAKS_DETAILS_H

#include "kdbg/leaks.h"

enum { LEAK_SAMPLES = 3, LEAK_HINT_SIZE = 128, LEAK_CYCLE_MAX = 16 };

struct leak_step { /* the word at address leads to the next step's buffer */
	uint64_t buffer, address;
};

struct leak_details {
	size_t threads;                 /* that allocated them; 0: not known */
	uint64_t samples[LEAK_SAMPLES]; /* other buffers than the oldest leader
					 */
	size_t sample_count;
	char hint[LEAK_HINT_SIZE]; /* a class, a text; "" none */
	/* The shortest circle through the leader; cut after so many steps. */
	struct leak_step cycle[LEAK_CYCLE_MAX];
	size_t cycle_count, cycle_length;
};

struct err *leaks_details(const struct leaks *leaks,
			  const struct leak_group *group,
			  struct symbols *symbols,
			  struct leak_details *ret) MUST_USE;

#endif
