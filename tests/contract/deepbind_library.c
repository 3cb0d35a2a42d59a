/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For deepbind.c: allocates and frees by whatever malloc it was bound to. */
#include <stdlib.h>
#include <string.h>

char *library_make(size_t size);
void library_release(void *p);

char *library_make(size_t size)
{
	return memset(malloc(size), 2, size);
}

void library_release(void *p)
{
	free(p);
}
