/* SPDX-License-Identifier: BSD-2-Clause */
/* glibc's questions about the heap, and its tuning. */
#ifndef ALLOC_MALLINFO_H
#define ALLOC_MALLINFO_H

#include <stddef.h>
#include <stdio.h>

struct mallinfo {
	int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks,
		fordblks, keepcost;
};

struct mallinfo2 {
	size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks,
		uordblks, fordblks, keepcost;
};

#pragma GCC visibility push(default)

struct mallinfo mallinfo(void);
struct mallinfo2 mallinfo2(void);
int mallopt(int parameter, int value);
int malloc_trim(size_t pad);
int malloc_info(int options, FILE *stream);
void malloc_stats(void);

#pragma GCC visibility pop

#endif
