/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays that grow by one, without a capacity to carry: it is the next power
 * of two of the count. */
#ifndef KDBG_VECTOR_H
#define KDBG_VECTOR_H

#include <stdint.h>
#include <stdlib.h>

/* items, with room for one more than count elements of size bytes. NULL: no
 * memory, and items is as it was. */
static inline void *vector_grow(void *items, size_t count, size_t size)
{
	if (count & (count - 1))
		return items; /* not full */
	return reallocarray(items, count ? 2 * count : 1, size);
}

#endif
