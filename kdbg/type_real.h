/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Floating point and complex numbers as text: of all formats that compilers for
 * this machine have. */
#ifndef KDBG_TYPE_REAL_H
#define KDBG_TYPE_REAL_H

#include "kdbg/type_place.h"

#include <stdio.h>

/* What a place of kind TYPE_REAL or TYPE_COMPLEX and so many bytes holds. */
struct err *type_real_put(struct session *session,
			  const struct type_place *place, uint64_t size,
			  FILE *stream) MUST_USE;
struct err *type_complex_put(struct session *session,
			     const struct type_place *place, uint64_t size,
			     FILE *stream) MUST_USE;

#endif
