/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long before the dump something happened. */
#ifndef KDBG_DCMDS_AGE_H
#define KDBG_DCMDS_AGE_H

#include "kdbg/session.h"
#include "kdbg/sink.h"

#include <stdint.h>

/* In milliseconds; UINT64_MAX: not known. time_ns as heap_time_ns() has it, 0:
 * it did not happen. */
uint64_t age_ms(const struct session *session, uint64_t time_ns);

/* The same for a column of kind VALUE_COUNT. */
struct value age_value(const struct session *session, uint64_t time_ns);

#endif
