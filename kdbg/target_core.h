/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An ELF core as a target: of the kernel, of gdb's gcore, or of anyone who
 * writes the same notes.
 */
#ifndef KDBG_TARGET_CORE_H
#define KDBG_TARGET_CORE_H

#include "kdbg/target.h"

struct err *target_core_open(const char *path,
			     const struct target_options *options,
			     struct target **ret) MUST_USE;

#endif
