/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kernel-style subsystem against kma/netbsd.h: the inodes that a file system
 * has in memory. They come from a pool cache on pages of an allocator of its
 * own, a submap of the kernel's; numbers come from an arena, the blocks' list
 * from a pool with a hard limit, counters are kept for each processor. Inodes
 * that nobody uses stay for the next time, until the drain hook is asked.
 *
 * Usage: inode_cache [leak|overrun]. Without an argument all is given back.
 */
#include <kma/netbsd.h>
#include <kma/netbsd_malloc.h>

#include <pthread.h>

enum {
	BUCKETS = 128,
	INODES = 600, /* numbers */
	PAGES = 4 * 4096,
	MAP = 4 << 20,
	EXTENTS_MAX = 2000,
	INLINE = 60,
};

static MALLOC_DEFINE(M_MOUNT, "mount", "what a mounted file system has");

struct extent { /* of a file's blocks */
	struct extent *next;
	uint64_t block, count;
};

struct inode {
	struct inode *next; /* in its bucket */
	struct inode *idle; /* unused, the next one */
	pthread_mutex_t lock;
	vmem_addr_t number;
	unsigned users;
	struct extent *extents;
	char target[INLINE]; /* a short symbolic link's */
};

struct counters {
	uint64_t hits, misses, created;
};

struct mount {
	pthread_mutex_t lock;
	pool_cache_t inodes;
	struct pool extents;
	vmem_t *numbers;
	struct inode **buckets;
	struct inode *idle;
	percpu_t *counters;
};

/* --- pages of its own ------------------------------------------------------
 */

static struct vm_map *map;

static void *page_alloc(struct pool *pool, int flags)
{
	(void)pool;
	return (void *)uvm_km_alloc(
		map, PAGES, PAGES,
		UVM_KMF_WIRED |
			(flags & PR_WAITOK ? UVM_KMF_WAITVA : UVM_KMF_NOWAIT));
}

static void page_free(struct pool *pool, void *page)
{
	(void)pool;
	uvm_km_free(map, (vaddr_t)page, PAGES, UVM_KMF_WIRED);
}

static struct pool_allocator inode_pages = {
	.pa_alloc = page_alloc,
	.pa_free = page_free,
	.pa_pagesz = PAGES,
};

/* --- inodes ----------------------------------------------------------------
 */

static int inode_construct(void *arg, void *object, int flags)
{
	struct inode *inode = object;

	(void)arg, (void)flags;
	memset(inode, 0, sizeof(*inode));
	return pthread_mutex_init(&inode->lock, NULL);
}

static void inode_destruct(void *arg, void *object)
{
	struct inode *inode = object;

	(void)arg;
	pthread_mutex_destroy(&inode->lock);
}

static struct inode **bucket_of(const struct mount *mount, vmem_addr_t number)
{
	return &mount->buckets[number * 0x9e3779b97f4a7c15 >> 57];
}

static void count(struct mount *mount, size_t offset)
{
	char *own = percpu_getref(mount->counters);

	++*(uint64_t *)(own + offset);
	percpu_putref(mount->counters);
}

static void free_extents(struct mount *mount, struct inode *inode)
{
	while (inode->extents) {
		struct extent *extent = inode->extents;

		inode->extents = extent->next;
		pool_put(&mount->extents, extent);
	}
}

/* The caller has the lock. */
static void give_idle(struct mount *mount)
{
	while (mount->idle) {
		struct inode *inode = mount->idle;

		mount->idle = inode->idle;
		pool_cache_put(mount->inodes, inode);
	}
}

static void on_shortage(void *arg, int flags)
{
	struct mount *mount = arg;

	(void)flags;
	if (pthread_mutex_trylock(&mount->lock) != 0)
		return;
	give_idle(mount);
	pthread_mutex_unlock(&mount->lock);
}

static struct inode *inode_create(struct mount *mount)
{
	struct inode *inode;

	pthread_mutex_lock(&mount->lock);
	inode = mount->idle;
	if (inode)
		mount->idle = inode->idle;
	pthread_mutex_unlock(&mount->lock);
	if (!inode)
		inode = pool_cache_get(mount->inodes, PR_WAITOK);
	vmem_alloc(mount->numbers, 1, VM_SLEEP | VM_NEXTFIT, &inode->number);
	inode->users = 1;
	inode->idle = NULL;
	count(mount, offsetof(struct counters, created));
	pthread_mutex_lock(&mount->lock);
	inode->next = *bucket_of(mount, inode->number);
	*bucket_of(mount, inode->number) = inode;
	pthread_mutex_unlock(&mount->lock);
	return inode;
}

static struct inode *inode_find(struct mount *mount, vmem_addr_t number)
{
	struct inode *inode;

	pthread_mutex_lock(&mount->lock);
	inode = *bucket_of(mount, number);
	while (inode && inode->number != number)
		inode = inode->next;
	if (inode)
		inode->users++;
	pthread_mutex_unlock(&mount->lock);
	count(mount, inode ? offsetof(struct counters, hits)
			   : offsetof(struct counters, misses));
	return inode;
}

static void inode_map(struct mount *mount, struct inode *inode, uint64_t block)
{
	struct extent *extent = pool_get(&mount->extents, PR_WAITOK | PR_ZERO);

	extent->block = block;
	extent->count = 1;
	extent->next = inode->extents;
	inode->extents = extent;
}

static void inode_release(struct mount *mount, struct inode *inode)
{
	struct inode **link = bucket_of(mount, inode->number);

	pthread_mutex_lock(&mount->lock);
	if (--inode->users == 0) {
		while (*link != inode)
			link = &(*link)->next;
		*link = inode->next;
		free_extents(mount, inode);
		vmem_free(mount->numbers, inode->number, 1);
		inode->idle = mount->idle;
		mount->idle = inode;
	}
	pthread_mutex_unlock(&mount->lock);
}

/* --- the file system -------------------------------------------------------
 */

static struct mount *mount_create(void)
{
	struct mount *mount =
		malloc(sizeof(*mount), M_MOUNT, M_WAITOK | M_ZERO);
	vaddr_t min, max;

	map = uvm_km_suballoc(kernel_map, &min, &max, MAP, 0, false, NULL);
	pthread_mutex_init(&mount->lock, NULL);
	mount->inodes = pool_cache_init(sizeof(struct inode), 0, 0, 0, "inode",
					&inode_pages, IPL_NONE, inode_construct,
					inode_destruct, NULL);
	pool_cache_set_drain_hook(mount->inodes, on_shortage, mount);
	pool_cache_setlowat(mount->inodes, 10);
	pool_init(&mount->extents, sizeof(struct extent), 0, 0, 0, "extent",
		  NULL, IPL_NONE);
	pool_sethardlimit(&mount->extents, EXTENTS_MAX, "too many extents", 1);
	mount->numbers = vmem_create("inumber", 2, INODES, 1, NULL, NULL, NULL,
				     0, VM_SLEEP, IPL_NONE);
	mount->buckets =
		kmem_zalloc(BUCKETS * sizeof(struct inode *), KM_SLEEP);
	mount->counters = percpu_alloc(sizeof(struct counters));
	return mount;
}

static void add_counters(void *part, void *arg, struct cpu_info *ci)
{
	const struct counters *own = part;
	struct counters *sum = arg;

	(void)ci;
	sum->hits += own->hits;
	sum->misses += own->misses;
	sum->created += own->created;
}

static void mount_destroy(struct mount *mount)
{
	give_idle(mount);
	pool_cache_destroy(mount->inodes);
	pool_destroy(&mount->extents);
	vmem_destroy(mount->numbers);
	percpu_free(mount->counters, sizeof(struct counters));
	kmem_free(mount->buckets, BUCKETS * sizeof(struct inode *));
	pthread_mutex_destroy(&mount->lock);
	free(mount, M_MOUNT);
}

/* --- what goes wrong with it -----------------------------------------------
 */

/* An inode that another thread found while it was created is put nowhere. */
__attribute__((noinline)) static void plant_leak(struct mount *mount)
{
	struct inode *inode = pool_cache_get(mount->inodes, PR_WAITOK);

	inode->extents = NULL;
	inode_map(mount, inode, 42);
}

/* A link's target is copied with its NUL into room for the target alone. */
__attribute__((noinline)) static void plant_overrun(struct mount *mount)
{
	struct inode *inode = pool_cache_get(mount->inodes, PR_WAITOK);
	volatile char *target = inode->target;

	for (size_t i = 0; i <= sizeof(*inode) - offsetof(struct inode, target);
	     i++)
		target[i] = 't';
	pool_cache_put(mount->inodes, inode);
}

static struct mount *volatile mounted;

int main(int argc, char **argv)
{
	struct mount *mount = mounted = mount_create();
	const char *fault = argc > 1 ? argv[1] : "";
	struct counters sum = { 0 };

	for (int round = 0; round < 5; round++) {
		vmem_addr_t numbers[INODES];

		for (size_t i = 0; i < INODES; i++) {
			struct inode *inode = inode_create(mount);

			numbers[i] = inode->number;
			inode_map(mount, inode, i);
			inode_map(mount, inode, i + 1);
		}
		for (size_t i = 0; i < INODES; i++) {
			struct inode *inode = inode_find(mount, numbers[i]);

			inode_release(mount, inode);
			inode_release(mount, inode);
		}
		if (round % 2)
			pool_cache_reclaim(mount->inodes);
	}
	inode_find(mount, INODES + 7);
	percpu_foreach(mount->counters, add_counters, &sum);
	if (strcmp(fault, "leak") == 0) {
		plant_leak(mount);
		return 0;
	}
	if (strcmp(fault, "overrun") == 0)
		plant_overrun(mount);
	mount_destroy(mount);
	return sum.hits != 5 * INODES || sum.misses != 1 ||
	       sum.created != 5 * INODES;
}
