/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The living descendants of this process, as /proc tells. */
#ifndef KDBG_SUPERVISE_DESCENDANTS_H
#define KDBG_SUPERVISE_DESCENDANTS_H

#include "dumpfmt/err.h"

#include <stddef.h>
#include <sys/types.h>

/* Pids, in no order; zombies left out. free() the array. */
struct err *descendants_find(pid_t **ret, size_t *count) MUST_USE;

/* Its pid in the innermost namespace it is in; 0: cannot be told. */
pid_t descendant_inner_pid(pid_t pid);

/* The program that pid runs; "" when it cannot be told. */
void descendant_path(pid_t pid, char *path, size_t size);

#endif
