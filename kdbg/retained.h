/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What would go with a buffer: the live buffers that nothing but it leads to,
 * itself included. What it leads to by any reference, less what the roots or
 * another live buffer lead to without it. Of a reachable buffer, leaked ones
 * hold nothing.
 */
#ifndef KDBG_RETAINED_H
#define KDBG_RETAINED_H

#include "kdbg/heap.h"
#include "kdbg/session.h"

struct retained {
	struct heap_buffer buffer;
	uint64_t buffers, bytes;             /* retained */
	uint64_t reach_buffers, reach_bytes; /* it leads to */
};

struct err *retained_find(struct session *session, uint64_t address,
			  struct retained *ret) MUST_USE;

#endif
