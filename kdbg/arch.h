/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kdbg knows of the machine the target ran on. All of it lies in one file
 * per machine. */
#ifndef KDBG_ARCH_H
#define KDBG_ARCH_H

#include "dumpfmt/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arch_register {
	const char *name;
	size_t offset; /* in struct dump_registers */
};

/* In the order in which people read them. */
size_t arch_registers(const struct arch_register **ret);

/* The value of the register called name; "pc" and "sp" work everywhere. */
bool arch_register_get(const struct dump_registers *registers, const char *name,
		       uint64_t *ret);

#endif
