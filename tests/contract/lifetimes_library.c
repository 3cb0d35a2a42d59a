/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For lifetimes.c: a library that allocates whenever it is called upon. */
#include <stdlib.h>
#include <string.h>

static void *kept;

void *library_make(size_t size);

__attribute__((constructor)) static void load(void)
{
	kept = malloc(1000);
	memset(kept, 1, 1000);
}

__attribute__((destructor)) static void unload(void)
{
	free(kept);
	free(malloc(77));
}

void *library_make(size_t size)
{
	static __thread char *local;

	free(local);
	local = malloc(size);
	memset(local, 2, size);
	return malloc(size);
}
