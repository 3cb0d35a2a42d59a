/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KDBG_CHECK_MERGE_H
#define KDBG_CHECK_MERGE_H

#include "kdbg/check_result.h"

#include <stddef.h>

/*
 * Join leaks that a reader could not tell apart: of one class and cache, with
 * stacks that read the same. A compiler that unrolls a loop makes several
 * return addresses of one line. Each joins the first of its kind; returns how
 * many are left. Without memory for it, all.
 */
size_t check_merge(struct check_leak *leaks, size_t count);

/* "definite" before "indirect", then what holds most. */
void check_sort(struct check_leak *leaks, size_t count);

/*
 * And those of one stack that lie in several caches, as what a place loses may
 * be of any size: once nobody asks for caches any more (suppressions do).
 * False: no memory for it, and nothing is changed.
 */
bool check_merge_caches(struct arena *arena, struct check_process *process);

/* Two misuses that read the same, but for addresses. */
bool check_errors_alike(const struct check_error *a,
			const struct check_error *b);

/* Two processes of one program with the same findings, but for addresses: forks
 * of a server lose the same. Those that do have the same hash. */
bool check_alike(const struct check_process *a, const struct check_process *b);
uint64_t check_alike_hash(const struct check_process *process);
uint64_t check_text_hash(const char *text);

#endif
