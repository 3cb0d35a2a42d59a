/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a variable of a function lies while one of its frames is on the stack:
 * DWARF's location expressions, for the registers of that frame.
 */
#ifndef KDBG_FRAME_LOCATION_H
#define KDBG_FRAME_LOCATION_H

#include "kdbg/unwind.h"

#include <elfutils/libdw.h>

struct frame_state {
	struct target *target;
	uint64_t pc;   /* in the file: of the call, not behind it */
	uint64_t bias; /* address in the target - address in the file */
	const struct unwind_registers *registers;
	uint64_t cfa; /* the caller's stack pointer; 0: not known */
	Dwarf_Die function;
};

struct frame_location {
	bool is_value; /* value is what it holds, else where it lies */
	uint64_t value;
};

/* False: the compiler does not tell, or the registers it tells of are lost. */
bool frame_locate(const struct frame_state *frame, Dwarf_Die *variable,
		  struct frame_location *ret);

#endif
