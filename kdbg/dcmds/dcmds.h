/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands and walkers kdbg has. A new one is a file beside this, a line
 * here and lines in table.c and meson.build. */
#ifndef KDBG_DCMDS_DCMDS_H
#define KDBG_DCMDS_DCMDS_H

#include "kdbg/dcmd.h"

extern const struct dcmd *const dcmd_table[];     /* NULL-terminated */
extern const struct walker *const walker_table[]; /* NULL-terminated */

extern const struct dcmd dcmd_dcmds;
extern const struct dcmd dcmd_walkers;

#endif
