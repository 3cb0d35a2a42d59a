/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program that counts what it asks for: its malloc is not ours, and what it
 * returns is. */
#include <dlfcn.h>
#include <stdlib.h>

static size_t asked;

void *malloc(size_t size)
{
	static void *(*next)(size_t size);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "malloc");
	asked += size;
	return next(size);
}

int main(void)
{
	void *volatile lost = malloc(100);

	free(reallocarray(malloc(100), 2, 100));
	lost = NULL;
	return lost != NULL || asked < 100;
}
