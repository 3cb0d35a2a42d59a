/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists, trees and hash tables as programs make them, of items 1 to 6. */
#include <stddef.h>
#include <stdlib.h>
#include <sys/queue.h>

struct node { /* as list_head of Linux */
	struct node *next, *previous;
};
struct avl_node { /* as that of illumos */
	struct avl_node *child[2];
	unsigned long parent;
};
struct rb_node { /* as that of Linux */
	unsigned long parent_colour;
	struct rb_node *right, *left;
};
struct item {
	int number;
	struct item *next;
	struct node node;
	TAILQ_ENTRY(item) queued;
	LIST_ENTRY(item) listed;
	SLIST_ENTRY(item) single;
	struct avl_node avl;
	struct rb_node rb;
	struct item *left, *right;
	struct node chained;
};

enum { ITEMS = 6, BUCKETS = 4 };

struct item items[ITEMS];
struct node head = { &head, &head }, chains[BUCKETS];
TAILQ_HEAD(queue, item) queue = TAILQ_HEAD_INITIALIZER(queue);
LIST_HEAD(plain, item) plain = LIST_HEAD_INITIALIZER(plain);
SLIST_HEAD(singly, item) singly = SLIST_HEAD_INITIALIZER(singly);
struct item *buckets[BUCKETS], **table = buckets;
struct avl_node *avl_root;
struct rb_node *rb_root;
struct item *tree;
struct node circle[2] = { { &circle[1], NULL }, { &circle[1], NULL } };

static void insert(struct node *before, struct node *node)
{
	node->previous = before->previous;
	node->next = before;
	node->previous->next = node;
	before->previous = node;
}

/* Items low to high - 1, the middle one above the others. */
static struct item *plant(size_t low, size_t high)
{
	size_t middle = low + (high - low) / 2;
	struct item *item = &items[middle];

	if (low == high)
		return NULL;
	item->left = plant(low, middle);
	item->right = plant(middle + 1, high);
	item->avl.child[0] = item->left ? &item->left->avl : NULL;
	item->avl.child[1] = item->right ? &item->right->avl : NULL;
	item->rb.left = item->left ? &item->left->rb : NULL;
	item->rb.right = item->right ? &item->right->rb : NULL;
	return item;
}

int main(void)
{
	for (int i = 0; i < BUCKETS; i++)
		chains[i] = (struct node){ &chains[i], &chains[i] };
	for (int i = 0; i < ITEMS; i++) {
		struct item *item = &items[i];

		item->number = i + 1;
		item->next = buckets[i % BUCKETS];
		buckets[i % BUCKETS] = item;
		insert(&head, &item->node);
		insert(&chains[i % 3], &item->chained);
		TAILQ_INSERT_TAIL(&queue, item, queued);
		LIST_INSERT_HEAD(&plain, item, listed);
		SLIST_INSERT_HEAD(&singly, item, single);
	}
	tree = plant(0, ITEMS);
	avl_root = &tree->avl;
	rb_root = &tree->rb;
	abort();
}
