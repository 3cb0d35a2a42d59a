/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The first allocation of the process is made by a function that ld.so calls
 * while it still relocates: before any constructor, before libc knows its
 * environment. The tier is the environment's all the same.
 */
#include "tests/contract/contract.h"

#include <malloc.h>
#include <string.h>

static void *early;

static int answer(void)
{
	return 42;
}

/* used: clang does not see that the ifunc below needs it. */
__attribute__((used)) static int (*resolve(void))(void)
{
	early = malloc(100);
	return answer;
}

int chosen(void) __attribute__((ifunc("resolve")));

int main(void)
{
	const char *tier = getenv("KMA_DEBUG");

	CHECK(chosen() == 42);
	CHECK(early && tier);
	/* At every tier but off the size is the request's. */
	CHECK((malloc_usable_size(early) == 100) == (strcmp(tier, "off") != 0));
	free(early);
	return 0;
}
