/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kernel-style subsystem against kma/illumos.h: nodes of a file system in an
 * object cache, with a constructor, a list of unused nodes that a reclaim
 * callback empties, and a move callback that lets the library pack them.
 *
 * A node carries a word whose low bits say that it is known, so that the move
 * callback can tell a node from memory that is free or uninitialised.
 *
 * Usage: object_cache [leak|overrun]. Without an argument all is given back.
 */
#include <kma/illumos.h>

#include <pthread.h>

enum { NODES = 3000, KEPT_EACH = 10, KNOWN = 0x2, KNOWN_MASK = 0x3 };

struct node {
	uintptr_t owner; /* struct table * | KNOWN */
	uint64_t number;
	struct node *unused; /* the next one */
	char data[200];
};

struct table {
	pthread_mutex_t lock;
	kmem_cache_t *cache;
	struct node *nodes[NODES]; /* by number; NULL: none */
	struct node *unused;       /* kept for the next time */
	unsigned reclaimed, moved;
};

static int node_construct(void *buf, void *priv, int flags)
{
	struct node *node = buf;

	(void)priv, (void)flags;
	memset(node, 0, sizeof(*node));
	return 0;
}

static void node_destruct(void *buf, void *priv)
{
	struct node *node = buf;

	(void)priv;
	node->owner = 0;
}

static void node_reclaim(void *priv)
{
	struct table *table = priv;

	pthread_mutex_lock(&table->lock);
	while (table->unused) {
		struct node *node = table->unused;

		table->unused = node->unused;
		node->owner = 0;
		kmem_cache_free(table->cache, node);
		table->reclaimed++;
	}
	pthread_mutex_unlock(&table->lock);
}

static kmem_cbrc_t node_move(void *old, void *target, size_t size, void *priv)
{
	struct table *table = priv;
	struct node *node = old;
	kmem_cbrc_t answer = KMEM_CBRC_DONT_KNOW;

	if (pthread_mutex_trylock(&table->lock) != 0)
		return KMEM_CBRC_LATER;
	if ((node->owner & KNOWN_MASK) == KNOWN &&
	    (node->owner & ~(uintptr_t)KNOWN_MASK) == (uintptr_t)table &&
	    node->number < NODES && table->nodes[node->number] == node) {
		memcpy(target, node, size);
		table->nodes[node->number] = target;
		node->owner = 0;
		table->moved++;
		answer = KMEM_CBRC_YES;
	}
	pthread_mutex_unlock(&table->lock);
	return answer;
}

static struct table *table_create(void)
{
	struct table *table = kmem_zalloc(sizeof(*table), KM_SLEEP);

	pthread_mutex_init(&table->lock, NULL);
	table->cache = kmem_cache_create("node_cache", sizeof(struct node), 0,
					 node_construct, node_destruct,
					 node_reclaim, table, NULL, 0);
	kmem_cache_set_move(table->cache, node_move);
	return table;
}

static void table_open(struct table *table, uint64_t number)
{
	struct node *node;

	pthread_mutex_lock(&table->lock);
	node = table->unused;
	if (node)
		table->unused = node->unused;
	pthread_mutex_unlock(&table->lock);
	if (!node)
		node = kmem_cache_alloc(table->cache, KM_SLEEP);
	node->number = number;
	memset(node->data, (int)(number % 251), sizeof(node->data));
	pthread_mutex_lock(&table->lock);
	node->owner = (uintptr_t)table | KNOWN;
	table->nodes[number] = node;
	pthread_mutex_unlock(&table->lock);
}

static void table_close(struct table *table, uint64_t number, int keep)
{
	struct node *node;

	pthread_mutex_lock(&table->lock);
	node = table->nodes[number];
	table->nodes[number] = NULL;
	node->owner = 0;
	if (keep) {
		node->unused = table->unused;
		table->unused = node;
		node = NULL;
	}
	pthread_mutex_unlock(&table->lock);
	if (node)
		kmem_cache_free(table->cache, node);
}

static int table_is_intact(const struct table *table)
{
	for (uint64_t i = 0; i < NODES; i++) {
		const struct node *node = table->nodes[i];

		if (!node)
			continue;
		for (size_t at = 0; at < sizeof(node->data); at++)
			if ((unsigned char)node->data[at] != i % 251)
				return 0;
	}
	return 1;
}

static void table_destroy(struct table *table)
{
	for (uint64_t i = 0; i < NODES; i++)
		if (table->nodes[i])
			table_close(table, i, 0);
	node_reclaim(table);
	kmem_cache_destroy(table->cache);
	pthread_mutex_destroy(&table->lock);
	kmem_free(table, sizeof(*table));
}

/* --- what goes wrong with it ------------------------------------------------
 */

__attribute__((noinline)) static void plant_leak(void)
{
	volatile char *p = kmem_alloc(300, KM_SLEEP);

	p[0] = 1;
}

__attribute__((noinline)) static void plant_overrun(void)
{
	volatile char *p = kmem_alloc(48, KM_SLEEP);

	for (int i = 0; i <= 48; i++)
		p[i] = 'n';
	kmem_free((void *)p, 48);
}

int main(int argc, char **argv)
{
	struct table *table = table_create();
	const char *fault = argc > 1 ? argv[1] : "";
	int intact;

	for (uint64_t i = 0; i < NODES; i++)
		table_open(table, i);
	for (uint64_t i = 0; i < NODES; i++)
		if (i % KEPT_EACH)
			table_close(table, i, i % 3 == 0);
	kmem_cache_reap_now(table->cache);
	intact = table_is_intact(table) && table->reclaimed;
	if (strcmp(fault, "leak") == 0)
		plant_leak();
	if (strcmp(fault, "overrun") == 0)
		plant_overrun();
	table_destroy(table);
	return !intact;
}
