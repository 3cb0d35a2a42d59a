/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A dump of ours as a target. */
#ifndef KDBG_TARGET_DUMP_H
#define KDBG_TARGET_DUMP_H

#include "kdbg/target.h"

struct err *target_dump_open(const char *path,
			     const struct target_options *options,
			     struct target **ret) MUST_USE;

#endif
