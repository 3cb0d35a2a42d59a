/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A heap to measure leak finding on: N buffers of 64 bytes in lists of 1000
 * with pointers across them, allocated in turn so that neighbours in a list
 * are far apart in memory; the heads of one list in a hundred are lost.
 *
 *	many_buffers N [hold]
 *
 * hold: then wait for the end of standard input.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
	struct node *next, *across;
	uint64_t payload[6];
};

static struct node **heads;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void lose_some(size_t lists)
{
	for (size_t i = 0; i < lists; i += 100)
		heads[i] = NULL;
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000;
	size_t lists = count / 1000 + 1;
	uint64_t state = 88172645463325252u;

	heads = calloc(lists, sizeof(*heads));
	for (size_t i = 0; i < count; i++) {
		struct node *node = malloc(sizeof(*node));
		size_t list = i % lists, other = next_random(&state) % lists;

		*node = (struct node){ .next = heads[list] };
		/* Nothing that is kept may lead into what will be lost. */
		if (other % 100)
			node->across = heads[other];
		node->payload[0] = state;
		node->payload[1] = i;
		heads[list] = node;
	}
	lose_some(lists);
	printf("%zu buffers, %zu of %zu lists lost\n", count,
	       (lists + 99) / 100, lists);
	fflush(stdout);
	while (argc > 2 && getchar() != EOF)
		;
	return 0;
}
