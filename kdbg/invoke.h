/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KDBG_INVOKE_H
#define KDBG_INVOKE_H

#include "kdbg/dcmd.h"

/* Run a command: call holds the address, count and list; its options and words
 * are filled in here, from argv. Usage errors end with the usage line. */
struct err *dcmd_invoke(const struct dcmd *dcmd, struct dcmd_call *call,
			int argc, const char *const *argv,
			struct sink *out) MUST_USE;

#endif
