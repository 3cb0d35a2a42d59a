/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files by build id from the servers of DEBUGINFOD_URLS, where the user allows
 * it by --debuginfod: nothing else in kdbg opens the network. The library of
 * elfutils that speaks to them is loaded by the first question.
 */
#ifndef KDBG_DEBUGINFOD_H
#define KDBG_DEBUGINFOD_H

#include "dumpfmt/err.h"

#include <stdbool.h>
#include <stddef.h>

struct debuginfod;

/* Neither fails: what is missing is told by the first question. */
struct debuginfod *debuginfod_create(void);
void debuginfod_destroy(struct debuginfod *client);

/* Where the file was put, which is freed by the caller: the program or library
 * itself, or what it was stripped of. */
struct err *debuginfod_find(struct debuginfod *client, const void *id,
			    size_t id_size, bool debug, char **ret) MUST_USE;

#endif
