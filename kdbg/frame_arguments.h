/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the functions on a stack were called with. */
#ifndef KDBG_FRAME_ARGUMENTS_H
#define KDBG_FRAME_ARGUMENTS_H

#include "kdbg/session.h"
#include "kdbg/unwind.h"

#include <stdio.h>

/*
 * Write "argc=0x2, argv=0x7ffc3d10b8a8" of the function whose frame this is, of
 * max arguments at most; a "?" where the compiler does not tell, or what it
 * tells of is lost. pc: where the frame stands, a return address minus one.
 * inlined: of how many calls inlined there this is the one, innermost first.
 * cfa: the caller's stack pointer, 0 if it is not known. False: no debug
 * information is there.
 */
bool frame_arguments_put(struct session *session, uint64_t pc, size_t inlined,
			 const struct unwind_registers *registers, uint64_t cfa,
			 uint64_t max, FILE *stream);

#endif
