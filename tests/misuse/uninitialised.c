/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was never written, and what was freed, is used. The allocator cannot
 * know, but what the program then has is unmistakable.
 */
#include "tests/misuse/misuse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static APART uint64_t look(const char *p, size_t at)
{
	uint64_t value;

	KEEP(p);
	memcpy(&value, p + at, sizeof(value));
	return value;
}

static APART void tell(const char *what, const char *p, size_t first,
		       size_t second)
{
	uint64_t a = look(p, first);
	uint64_t b = look(p, second);

	fprintf(stderr, "%s: %" PRIx64 " %" PRIx64 "\n", what, a, b);
}

int main(void)
{
	char *p = make(64);

	tell("never written", p, 0, 56);
	memset(p, 1, 64);
	drop(p);
	tell("freed", p, 0, 56);
	p = calloc(4, 16);
	tell("calloc", p, 0, 56);
	p = realloc(p, 128);
	tell("grown", p, 56, 64);
	return 0;
}
