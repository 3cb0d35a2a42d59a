/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program that brings a malloc of its own: libkma runs in it for nothing. As
 * a language's may do, it does not survive to be asked before main, but for
 * what the loader needs. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static char space[1 << 20];
static size_t used;
static bool ready;

void *malloc(size_t size)
{
	size_t at = used;

	if (!ready && size == 1)
		abort();
	used += (size + 15) / 16 * 16;
	return used <= sizeof(space) ? space + at : NULL;
}

void free(void *p)
{
	(void)p;
}

void *realloc(void *p, size_t size)
{
	void *moved = malloc(size);

	return moved && p ? memmove(moved, p, size) : moved;
}

/* It has no reallocarray: libc's asks its realloc, and so must libkma's. */
static bool is_mine(const void *p)
{
	return (const char *)p >= space && (const char *)p < space + used;
}

int main(void)
{
	ready = true;
	void *volatile lost = malloc(100);

	lost = reallocarray(lost, 2, 100);
	if (!is_mine(lost) || !is_mine(reallocarray(NULL, 2, 100)))
		return 1;
	lost = NULL;
	return lost != NULL;
}
