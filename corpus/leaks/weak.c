/* SPDX-License-Identifier: BSD-2-Clause */
/* A lost list that a stale word keeps alive: a loop's variable is long done
 * with when the program is killed, but its frame is still there. */
#include "corpus/escape.h"

#include <stdlib.h>

struct node {
	struct node *next;
	char payload[56];
};

static NOINLINE struct node *build(void)
{
	struct node *head = NULL;

	for (int i = 0; i < times(20); i++) {
		struct node *node = escape(malloc(sizeof(*node)));

		node->next = head;
		head = node;
	}
	return head;
}

static NOINLINE void lose(void)
{
	escape(malloc(200));
}

int main(void)
{
	struct node *volatile list = build();

	lose();
	forget();
	__builtin_trap();
	escape((void *)list);
}
