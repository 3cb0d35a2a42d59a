/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees whose nodes know their parent, each node with a name. */
#include "corpus/escape.h"

#include <stdlib.h>
#include <string.h>

struct node {
	struct node *parent, *left, *right;
	char *name;
};

static NOINLINE void name_node(struct node *node)
{
	node->name = strdup("a name of twenty byt");
}

static NOINLINE struct node *plant(struct node *parent, int depth)
{
	struct node *node = escape(calloc(1, sizeof(*node)));

	node->parent = parent;
	name_node(node);
	if (depth > 0) {
		node->left = plant(node, depth - 1);
		node->right = plant(node, depth - 1);
	}
	return escape(node);
}

static NOINLINE void lose_tree(void)
{
	escape(plant(NULL, 3)); /* 15 nodes */
}

int main(void)
{
	for (int i = 0; i < times(2); i++)
		lose_tree();
	forget();
	return 0;
}
