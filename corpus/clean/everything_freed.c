/* SPDX-License-Identifier: BSD-2-Clause */
/* Every buffer is freed, some in another order, some by realloc and atexit. */
#include "corpus/escape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *until_exit;

static void free_at_exit(void)
{
	free(until_exit);
	until_exit = NULL;
}

int main(void)
{
	void *buffers[1000];
	char *text = NULL;
	size_t size = 0;

	until_exit = strdup("freed by atexit");
	atexit(free_at_exit);
	for (size_t i = 0; i < 1000; i++)
		buffers[i] = escape(malloc(i * 37 % 5000));
	for (size_t i = 0; i < 1000; i++)
		free(buffers[(i * 7) % 1000]);
	for (size_t i = 1; i < 100; i++) {
		text = realloc(text, size += i);
		memset(text, 'x', size);
	}
	free(text);
	printf("done\n");
	return 0;
}
