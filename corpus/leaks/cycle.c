/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings: no member lacks a reference, yet all are lost. */
#include "corpus/escape.h"

#include <stdlib.h>

struct node {
	struct node *next, *previous;
	void *body;
};

static NOINLINE struct node *make_node(void)
{
	struct node *node = escape(calloc(1, sizeof(*node)));

	node->next = node->previous = node;
	return node;
}

static NOINLINE void give_body(struct node *node)
{
	node->body = escape(malloc(200));
}

/* Four nodes in a ring; the first has a body. */
static NOINLINE void lose_ring(void)
{
	struct node *first = make_node();

	give_body(first);
	for (int i = 0; i < times(3); i++) {
		struct node *node = make_node();

		node->next = first->next;
		node->previous = first;
		first->next->previous = node;
		first->next = node;
	}
	escape(first);
}

int main(void)
{
	for (int i = 0; i < times(3); i++)
		lose_ring();
	forget();
	return 0;
}
