/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded beside the allocator: by the time main begins, its thread has
 * magazines of every class, as it has in a program that runs for a while. What
 * is wrong then is met where most calls go, and has neighbours.
 */
#include <stdlib.h>

#define KEEP(p) __asm__ volatile("" : "+r"(p) : : "memory")

__attribute__((constructor)) static void warm(void)
{
	enum { ROUNDS = 300, LARGEST = 1024 };
	void *p[ROUNDS], *one;

	for (size_t size = LARGEST; size > 3; size -= 3) {
		for (int i = 0; i < ROUNDS; i++) {
			p[i] = malloc(size);
			KEEP(p[i]);
		}
		for (int i = 0; i < ROUNDS; i++)
			free(p[i]);
		/* Now the one magazine is neither empty nor the other full. */
		for (int i = 0; i < 2; i++) {
			one = malloc(size);
			KEEP(one);
			free(one);
		}
	}
}
