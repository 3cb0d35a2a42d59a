/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a core says besides memory, in the kernel's words: one PT_NOTE. */
#ifndef KDBG_CORE_NOTES_H
#define KDBG_CORE_NOTES_H

#include "kdbg/target.h"

/* The caller frees *ret. */
struct err *core_notes(const struct target *target, unsigned char **ret,
		       size_t *size) MUST_USE;

#endif
