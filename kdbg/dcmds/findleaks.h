/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the parts of ::findleaks. */
#ifndef KDBG_DCMDS_FINDLEAKS_H
#define KDBG_DCMDS_FINDLEAKS_H

#include "kdbg/dcmds/dcmds.h"
#include "kdbg/leaks.h"

/* The function asked for; high 0: all. */
struct findleaks_filter {
	uint64_t low, high;
};

/* Did the group come from there? */
bool findleaks_from(struct session *session,
		    const struct findleaks_filter *filter,
		    const struct leak_group *group);

/* The rows of --weak, into the table that was announced. */
struct err *findleaks_weak(const struct dcmd_call *call,
			   const struct findleaks_filter *filter,
			   struct sink *out) MUST_USE;

/* Notes: -v's, and what every report ends with. */
void findleaks_statistics(const struct reach *reach, struct sink *out);
void findleaks_trust(const struct reach *reach, const struct leaks *leaks,
		     bool possible, struct sink *out);

#endif
