/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The test's own process as a target: its modules, and its writable memory
 * seen live. Read-only parts of modules are left out, as dumps do, so that they
 * come from the files. One thread, whose registers the test captures.
 */
#ifndef TESTS_SELF_TARGET_H
#define TESTS_SELF_TARGET_H

#include "kdbg/target.h"

#include <ucontext.h>

enum { SELF_TARGET_THREAD = 100 };

/* context may be NULL: then there is no thread. */
struct target *self_target_create(const ucontext_t *context);

#endif
