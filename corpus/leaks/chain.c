/* SPDX-License-Identifier: BSD-2-Clause */
/* A list whose head is lost: one definite leak holds all the others. */
#include "corpus/escape.h"

#include <stdlib.h>

struct node {
	struct node *next;
	char payload[40];
};

static NOINLINE struct node *make_node(struct node *next)
{
	struct node *node = escape(malloc(sizeof(*node)));

	node->next = next;
	return node;
}

static NOINLINE struct node *make_head(struct node *next)
{
	return make_node(next);
}

static NOINLINE void lose_chain(void)
{
	struct node *list = NULL;

	for (int i = 0; i < times(49); i++)
		list = make_node(list);
	escape(make_head(list));
}

int main(void)
{
	lose_chain();
	forget();
	return 0;
}
