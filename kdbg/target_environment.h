/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The environment as the kernel gave it, found in the target's memory:
 *
 *	argc | argv ... 0 | envp ... 0 | auxv		on the first stack
 *
 * The auxiliary vector is known, so it is looked for, and the pointers before
 * it lead to the strings.
 */
#ifndef KDBG_TARGET_ENVIRONMENT_H
#define KDBG_TARGET_ENVIRONMENT_H

#include "kdbg/target.h"

/* The address of envp's first pointer. */
struct err *target_environment(struct target *target, uint64_t *ret) MUST_USE;

/* The program's arguments from there, with a space between, cut to size with
 * its terminating zero. False: they cannot be read, text is not to be used. */
bool target_arguments(struct target *target, char *text, size_t size);

#endif
