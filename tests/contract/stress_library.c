/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For stress.c: a library that gives back all it takes. */
#include <stdlib.h>
#include <string.h>

static void *kept;

void *library_make(size_t size);

__attribute__((constructor)) static void load(void)
{
	kept = malloc(1000);
	if (kept)
		memset(kept, 1, 1000);
}

__attribute__((destructor)) static void unload(void)
{
	free(kept);
	free(malloc(77));
}

void *library_make(size_t size)
{
	return malloc(size);
}
