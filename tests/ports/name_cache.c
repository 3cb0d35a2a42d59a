/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kernel-style subsystem against kma/netbsd.h: a cache of names, as a file
 * system's lookup keeps it. Entries come from a pool cache and stay
 * constructed (their locks are made once); names and the hash table are
 * kmem's; statistics are kept for each processor.
 *
 * Usage: name_cache [leak|overrun]. Without an argument all is given back.
 */
#include <kma/netbsd.h>

#include <pthread.h>

enum { BUCKETS = 64, INLINE_NAME = 16, ENTRIES_MAX = 500 };

struct entry {
	struct entry *next;          /* in its bucket */
	struct entry *newer, *older; /* by use */
	pthread_mutex_t lock;        /* constructed */
	uint64_t directory, node;
	char *name; /* of name_size bytes with its NUL */
	size_t name_size;
};

struct statistics {
	uint64_t hits, misses;
};

struct name_cache {
	pthread_mutex_t lock;
	pool_cache_t entries;
	struct entry **buckets;
	struct entry *newest, *oldest;
	unsigned count;
	percpu_t *statistics;
};

static int entry_construct(void *arg, void *object, int flags)
{
	struct entry *entry = object;

	(void)arg, (void)flags;
	return pthread_mutex_init(&entry->lock, NULL);
}

static void entry_destruct(void *arg, void *object)
{
	struct entry *entry = object;

	(void)arg;
	pthread_mutex_destroy(&entry->lock);
}

static unsigned bucket_of(uint64_t directory, const char *name)
{
	uint64_t hash = directory * UINT64_C(0x9e3779b97f4a7c15);

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
	return (unsigned)(hash >> 32) % BUCKETS;
}

static struct name_cache *name_cache_create(void)
{
	struct name_cache *nc = kmem_zalloc(sizeof(*nc), KM_SLEEP);

	pthread_mutex_init(&nc->lock, NULL);
	nc->entries = pool_cache_init(sizeof(struct entry), 0, 0, 0, "ncentry",
				      NULL, IPL_NONE, entry_construct,
				      entry_destruct, NULL);
	nc->buckets = kmem_zalloc(BUCKETS * sizeof(nc->buckets[0]), KM_SLEEP);
	nc->statistics = percpu_alloc(sizeof(struct statistics));
	return nc;
}

static void count(struct name_cache *nc, bool hit)
{
	struct statistics *own = percpu_getref(nc->statistics);

	if (hit)
		own->hits++;
	else
		own->misses++;
	percpu_putref(nc->statistics);
}

/* --- by use, the lock held --------------------------------------------------
 */

static void use_insert(struct name_cache *nc, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = nc->newest;
	if (nc->newest)
		nc->newest->newer = entry;
	else
		nc->oldest = entry;
	nc->newest = entry;
}

static void use_remove(struct name_cache *nc, struct entry *entry)
{
	if (entry->newer)
		entry->newer->older = entry->older;
	else
		nc->newest = entry->older;
	if (entry->older)
		entry->older->newer = entry->newer;
	else
		nc->oldest = entry->newer;
}

static struct entry *find(struct name_cache *nc, uint64_t directory,
			  const char *name)
{
	struct entry *entry = nc->buckets[bucket_of(directory, name)];

	while (entry && (entry->directory != directory ||
			 strcmp(entry->name, name) != 0))
		entry = entry->next;
	return entry;
}

static void discard(struct name_cache *nc, struct entry *entry)
{
	struct entry **link =
		&nc->buckets[bucket_of(entry->directory, entry->name)];

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	use_remove(nc, entry);
	nc->count--;
	kmem_free(entry->name, entry->name_size);
	pool_cache_put(nc->entries, entry);
}

/* --- the interface ----------------------------------------------------------
 */

/* 0: it is not known. */
static uint64_t name_cache_lookup(struct name_cache *nc, uint64_t directory,
				  const char *name)
{
	struct entry *entry;
	uint64_t node = 0;

	pthread_mutex_lock(&nc->lock);
	entry = find(nc, directory, name);
	if (entry) {
		use_remove(nc, entry);
		use_insert(nc, entry);
		node = entry->node;
	}
	pthread_mutex_unlock(&nc->lock);
	count(nc, entry != NULL);
	return node;
}

static void name_cache_enter(struct name_cache *nc, uint64_t directory,
			     const char *name, uint64_t node)
{
	struct entry *entry = pool_cache_get(nc->entries, PR_WAITOK);
	unsigned bucket = bucket_of(directory, name);

	entry->directory = directory;
	entry->node = node;
	entry->name = kmem_strdupsize(name, &entry->name_size, KM_SLEEP);
	pthread_mutex_lock(&nc->lock);
	entry->next = nc->buckets[bucket];
	nc->buckets[bucket] = entry;
	use_insert(nc, entry);
	nc->count++;
	while (nc->count > ENTRIES_MAX)
		discard(nc, nc->oldest);
	pthread_mutex_unlock(&nc->lock);
}

static void name_cache_destroy(struct name_cache *nc)
{
	while (nc->oldest)
		discard(nc, nc->oldest);
	pool_cache_destroy(nc->entries);
	percpu_free(nc->statistics, sizeof(struct statistics));
	kmem_free(nc->buckets, BUCKETS * sizeof(nc->buckets[0]));
	pthread_mutex_destroy(&nc->lock);
	kmem_free(nc, sizeof(*nc));
}

/* --- what goes wrong with it ------------------------------------------------
 */

/* A name that nobody keeps. */
__attribute__((noinline)) static void plant_leak(struct name_cache *nc)
{
	char *name = kmem_alloc(100, KM_SLEEP);

	memset(name, 'x', 100);
	name_cache_enter(nc, 1, "leaks", 2);
}

/* A name is copied with its NUL into room for the name alone. */
__attribute__((noinline)) static void plant_overrun(void)
{
	static const char name[] = "sixteen-and-more";
	volatile char *copy = kmem_alloc(sizeof(name) - 1, KM_SLEEP);

	for (size_t i = 0; i < sizeof(name); i++)
		copy[i] = name[i];
	kmem_free((void *)copy, sizeof(name) - 1);
}

int main(int argc, char **argv)
{
	struct name_cache *nc = name_cache_create();
	const char *fault = argc > 1 ? argv[1] : "";
	unsigned found = 0;

	for (uint64_t i = 1; i <= 2000; i++) {
		char *name = kmem_asprintf("file-%u", (unsigned)i);

		if (!name_cache_lookup(nc, i % 7, name))
			name_cache_enter(nc, i % 7, name, i);
		found += name_cache_lookup(nc, i % 7, name) == i;
		kmem_strfree(name);
	}
	if (strcmp(fault, "leak") == 0)
		plant_leak(nc);
	if (strcmp(fault, "overrun") == 0)
		plant_overrun();
	name_cache_destroy(nc);
	return found != 2000;
}
