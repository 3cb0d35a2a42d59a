/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kma_root of a living process (dumpfmt/live_roots.h) says. */
#ifndef KDBG_PROCESS_ROOTS_H
#define KDBG_PROCESS_ROOTS_H

#include "dumpfmt/live_roots.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number of a root's that its schema names; 0: it has none. */
uint64_t process_root_number(struct dump_live *process, uint64_t root,
			     const char *field);

#endif
