/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of kma/netbsd.h above kmem(9): pool(9) and pool_cache(9). Included
 * by it, and by nobody else.
 */
#ifndef KMA_NETBSD_POOL_H
#define KMA_NETBSD_POOL_H

#ifndef KMA_NETBSD_H
#error "include kma/netbsd.h"
#endif

/* --- pool(9) ---------------------------------------------------------------
 */

#define PR_WAITOK     0x0001
#define PR_NOWAIT     0x0002
#define PR_PHINPAGE   0x0040
#define PR_LIMITFAIL  0x0100
#define PR_RECURSIVE  0x0200
#define PR_NOTOUCH    0x0400
#define PR_NOALIGN    0x0800
#define PR_LARGECACHE 0x1000
#define PR_ZERO       0x8000
#define PR_USEBMAP    0x10000 /* nothing to do: it is always so */
#define PR_PSERIALIZE 0x20000 /* likewise: no lock is held for long */

#define POOL_PADDR_INVALID ((paddr_t)-1)

struct pool;

/* Where a pool has its pages from: pa_pagesz bytes a time, aligned to that
 * unless the pool has PR_NOALIGN. */
struct pool_allocator {
	void *(*pa_alloc)(struct pool *pool, int flags);
	void (*pa_free)(struct pool *pool, void *page);
	unsigned int pa_pagesz;
};

/* The kernel's own allocators: all of them are the heap. */
static struct pool_allocator pool_allocator_kmem __attribute__((unused));
static struct pool_allocator pool_allocator_nointr __attribute__((unused));
static struct pool_allocator pool_allocator_meta __attribute__((unused));

struct pool {
	struct kma_cache *pr_cache;
	struct pool_allocator *pr_alloc;
};

KMA_DIALECT unsigned kma_netbsd_pool_flags(int flags)
{
	const int known = PR_WAITOK | PR_NOWAIT | PR_LIMITFAIL | PR_ZERO;
	unsigned native = KMA_NETBSD;

	if (flags & PR_WAITOK)
		native |= (unsigned)KMA_SLEEP;
	if (flags & PR_NOWAIT)
		native |= (unsigned)KMA_NOSLEEP;
	if (flags & PR_LIMITFAIL)
		native |= (unsigned)KMA_LIMITFAIL;
	if (flags & PR_ZERO)
		native |= (unsigned)KMA_ZERO;
	return flags & ~known ? native | 0x80000000u : native;
}

KMA_DIALECT void *kma_netbsd_page_alloc(void *source, size_t size,
					unsigned flags)
{
	struct pool *pool = (struct pool *)source;

	(void)size;
	return pool->pr_alloc->pa_alloc(
		pool, flags & (unsigned)KMA_SLEEP ? PR_WAITOK : PR_NOWAIT);
}

KMA_DIALECT void kma_netbsd_page_free(void *source, void *page, size_t size)
{
	struct pool *pool = (struct pool *)source;

	(void)size;
	pool->pr_alloc->pa_free(pool, page);
}

KMA_DIALECT unsigned kma_netbsd_cache_flags(int flags, int ipl)
{
	return (unsigned)KMA_NETBSD |
	       (flags & PR_NOTOUCH ? (unsigned)KMA_NOTOUCH : 0) |
	       (flags & PR_NOALIGN ? (unsigned)KMA_NOALIGN : 0) |
	       (flags & PR_LARGECACHE ? (unsigned)KMA_LARGE_GROUPS : 0) |
	       (ipl != IPL_NONE ? (unsigned)KMA_INTR_SAFE : 0);
}

KMA_DIALECT void kma_netbsd_set_pages(struct kma_cache_params *params,
				      struct pool *pool,
				      struct pool_allocator *allocator)
{
	pool->pr_alloc = allocator;
	if (!allocator || !allocator->pa_alloc)
		return;
	params->import = kma_netbsd_page_alloc;
	params->release = kma_netbsd_page_free;
	params->source = pool;
	params->slab_size = allocator->pa_pagesz ? allocator->pa_pagesz : 4096;
}

/* An item that does not fit, or a pool that cannot be made, is a panic. */
KMA_DIALECT void kma_netbsd_made(const struct kma_cache *cache,
				 const char *what, const char *name)
{
	if (cache)
		return;
	fprintf(stderr, "kma: %s: %s cannot be made\n", what, name);
	__builtin_trap();
}

KMA_DIALECT struct kma_cache_params
kma_netbsd_params(const char *name, size_t size, unsigned int align,
		  unsigned int align_offset, int flags, int ipl)
{
	struct kma_cache_params params;

	memset(&params, 0, sizeof(params));
	params.name = name;
	params.size = size;
	params.align = align;
	params.align_offset = align_offset;
	params.flags = kma_netbsd_cache_flags(flags, ipl);
	return params;
}

KMA_DIALECT void pool_init(struct pool *pool, size_t size, unsigned int align,
			   unsigned int align_offset, int flags,
			   const char *wchan, struct pool_allocator *allocator,
			   int ipl)
{
	struct kma_cache_params params =
		kma_netbsd_params(wchan, size, align, align_offset, flags, ipl);

	params.flags |= (unsigned)KMA_POOL;
	params.owner = pool;
	kma_netbsd_set_pages(&params, pool, allocator);
	pool->pr_cache = kma_cache_create(&params);
	kma_netbsd_made(pool->pr_cache, "pool_init", wchan);
}

KMA_DIALECT void pool_destroy(struct pool *pool)
{
	kma_cache_destroy(pool->pr_cache);
}

KMA_DIALECT void *pool_get(struct pool *pool, int flags)
{
	return kma_cache_alloc(pool->pr_cache, kma_netbsd_pool_flags(flags));
}

KMA_DIALECT void pool_put(struct pool *pool, void *item)
{
	kma_cache_free(pool->pr_cache, item);
}

KMA_DIALECT int pool_prime(struct pool *pool, int count)
{
	return kma_cache_prime(pool->pr_cache, (unsigned)count);
}

KMA_DIALECT void pool_setlowat(struct pool *pool, int count)
{
	kma_cache_set_low(pool->pr_cache, (unsigned)count);
}

KMA_DIALECT void pool_sethiwat(struct pool *pool, int count)
{
	kma_cache_set_high(pool->pr_cache, (unsigned)count);
}

KMA_DIALECT void pool_sethardlimit(struct pool *pool, int count,
				   const char *warning, int ratecap)
{
	kma_cache_set_limit(pool->pr_cache, (unsigned)count, warning,
			    (unsigned)ratecap);
}

KMA_DIALECT void pool_set_drain_hook(struct pool *pool,
				     void (*hook)(void *arg, int flags),
				     void *arg)
{
	kma_cache_set_drain_hook(pool->pr_cache, hook, arg);
}

KMA_DIALECT int pool_reclaim(struct pool *pool)
{
	return kma_cache_reclaim(pool->pr_cache) > 0;
}

/* The next pool or pool_cache that has pages to give, by turns, gives them;
 * *pool tells which. False: none had any. */
KMA_DIALECT bool pool_drain(struct pool **pool)
{
	struct kma_cache *cache = kma_cache_reclaim_one(KMA_NETBSD);

	if (pool)
		*pool = (struct pool *)kma_cache_owner(cache);
	return cache != NULL;
}

KMA_DIALECT void kma_netbsd_print(struct kma_cache *cache,
				  void (*pr)(const char *format, ...))
{
	pr("POOL %s: size %lu, align %lu\n", kma_cache_name(cache),
	   (unsigned long)kma_cache_stat(cache, "buf_size"),
	   (unsigned long)kma_cache_stat(cache, "align"));
	pr("\tminitems %lu, minpages %lu, npages %lu\n",
	   (unsigned long)kma_cache_stat(cache, "buf_low"),
	   (unsigned long)kma_cache_stat(cache, "slab_min"),
	   (unsigned long)kma_cache_stat(cache, "slab_count"));
	pr("\tnitems %lu, nout %lu, hardlimit %lu\n",
	   (unsigned long)(kma_cache_stat(cache, "buf_total") -
			   kma_cache_stat(cache, "buf_out")),
	   (unsigned long)kma_cache_stat(cache, "buf_out"),
	   (unsigned long)kma_cache_stat(cache, "buf_limit"));
	pr("\tnget %lu, nfail %lu, nput %lu\n",
	   (unsigned long)kma_cache_stat(cache, "alloc"),
	   (unsigned long)kma_cache_stat(cache, "alloc_fail"),
	   (unsigned long)kma_cache_stat(cache, "free"));
}

/* What a pool is at the moment, by pr(); modif is ignored: kdbg's ::pool has
 * the rest. */
KMA_DIALECT void pool_printit(struct pool *pool, const char *modif,
			      void (*pr)(const char *format, ...))
{
	(void)modif;
	kma_netbsd_print(pool->pr_cache, pr);
}

/* All pools and pool_caches. */
KMA_DIALECT void pool_printall(const char *modif,
			       void (*pr)(const char *format, ...))
{
	struct kma_cache *cache = kma_cache_next(NULL);

	(void)modif;
	for (; cache; cache = kma_cache_next(cache))
		kma_netbsd_print(cache, pr);
}

/* The pool whose item holds the address, if there is one. */
KMA_DIALECT void pool_whatis(uintptr_t address,
			     void (*pr)(const char *format, ...))
{
	struct kma_cache *cache = kma_cache_holding((void *)address);

	if (cache)
		pr("%p is in POOL '%s'\n", (void *)address,
		   kma_cache_name(cache));
}

KMA_DIALECT int pool_chk(struct pool *pool, const char *label)
{
	(void)label;
	return kma_cache_check(pool->pr_cache);
}

KMA_DIALECT unsigned int pool_nget(struct pool *pool)
{
	return (unsigned int)kma_cache_stat(pool->pr_cache, "alloc");
}

KMA_DIALECT unsigned int pool_nput(struct pool *pool)
{
	return (unsigned int)kma_cache_stat(pool->pr_cache, "free");
}

/* Pages of all pools and pool_caches, those that own allocators brought
 * included. */
KMA_DIALECT unsigned int pool_totalpages(void)
{
	struct kma_cache *cache = kma_cache_next(NULL);
	uint64_t pages = 0;

	for (; cache; cache = kma_cache_next(cache))
		pages += kma_cache_stat(cache, "page_count");
	return (unsigned int)pages;
}

/* The same, for who holds what a process has no lock for. */
KMA_DIALECT unsigned int pool_totalpages_locked(void)
{
	return pool_totalpages();
}

#define pool_inactive_time kma_pool_idle_seconds

/*
 * A pool that is there before main() is called, with the arguments of
 * pool_init().
 */
#define POOL_INIT(pp, size, align, offset, flags, wchan, allocator, ipl)     \
	struct pool pp;                                                      \
	__attribute__((constructor)) static void kma_pool_init_##pp(void)    \
	{                                                                    \
		pool_init(&pp, size, align, offset, flags, wchan, allocator, \
			  ipl);                                              \
	}                                                                    \
	struct pool

/* --- pool_cache(9) ---------------------------------------------------------
 */

/* The pool stands first: an own allocator is called with it. */
struct pool_cache {
	struct pool pc_pool;
};
typedef struct pool_cache *pool_cache_t;

KMA_DIALECT void
pool_cache_bootstrap(pool_cache_t pc, size_t size, unsigned int align,
		     unsigned int align_offset, unsigned int flags,
		     const char *name, struct pool_allocator *allocator,
		     int ipl,
		     int (*constructor)(void *arg, void *object, int flags),
		     void (*destructor)(void *arg, void *object), void *arg)
{
	struct kma_cache_params params = kma_netbsd_params(
		name, size, align, align_offset, (int)flags, ipl);

	params.construct = constructor; /* KMA_NETBSD: arg comes first */
	params.destruct = destructor;
	params.arg = arg;
	params.owner = pc;
	kma_netbsd_set_pages(&params, &pc->pc_pool, allocator);
	pc->pc_pool.pr_cache = kma_cache_create(&params);
	kma_netbsd_made(pc->pc_pool.pr_cache, "pool_cache_init", name);
}

KMA_DIALECT pool_cache_t pool_cache_init(
	size_t size, unsigned int align, unsigned int align_offset,
	unsigned int flags, const char *name, struct pool_allocator *allocator,
	int ipl, int (*constructor)(void *arg, void *object, int flags),
	void (*destructor)(void *arg, void *object), void *arg)
{
	pool_cache_t pc = (pool_cache_t)kmem_alloc(sizeof(*pc), KM_SLEEP);

	if (pc)
		pool_cache_bootstrap(pc, size, align, align_offset, flags, name,
				     allocator, ipl, constructor, destructor,
				     arg);
	return pc;
}

KMA_DIALECT void pool_cache_bootstrap_destroy(pool_cache_t pc)
{
	kma_cache_destroy(pc->pc_pool.pr_cache);
}

KMA_DIALECT void pool_cache_destroy(pool_cache_t pc)
{
	pool_cache_bootstrap_destroy(pc);
	kmem_free(pc, sizeof(*pc));
}

KMA_DIALECT void *pool_cache_get(pool_cache_t pc, int flags)
{
	return pool_get(&pc->pc_pool, flags);
}

KMA_DIALECT void pool_cache_put(pool_cache_t pc, void *object)
{
	pool_put(&pc->pc_pool, object);
}

/* A process does not see physical addresses: *pa is what the object was last
 * put with, or POOL_PADDR_INVALID. */
KMA_DIALECT void *pool_cache_get_paddr(pool_cache_t pc, int flags, paddr_t *pa)
{
	void *object = pool_cache_get(pc, flags);

	if (pa)
		*pa = object ? (paddr_t)kma_cache_note(pc->pc_pool.pr_cache,
						       object) -
				       1
			     : POOL_PADDR_INVALID;
	return object;
}

KMA_DIALECT void pool_cache_put_paddr(pool_cache_t pc, void *object, paddr_t pa)
{
	kma_cache_set_note(pc->pc_pool.pr_cache, object, (uint64_t)pa + 1);
	pool_cache_put(pc, object);
}

KMA_DIALECT void pool_cache_destruct_object(pool_cache_t pc, void *object)
{
	kma_cache_free_now(pc->pc_pool.pr_cache, object);
}

KMA_DIALECT void pool_cache_invalidate(pool_cache_t pc)
{
	kma_cache_invalidate(pc->pc_pool.pr_cache);
}

KMA_DIALECT bool pool_cache_reclaim(pool_cache_t pc)
{
	return pool_reclaim(&pc->pc_pool) != 0;
}

KMA_DIALECT void pool_cache_setlowat(pool_cache_t pc, int count)
{
	pool_setlowat(&pc->pc_pool, count);
}

KMA_DIALECT void pool_cache_sethiwat(pool_cache_t pc, int count)
{
	pool_sethiwat(&pc->pc_pool, count);
}

KMA_DIALECT void pool_cache_sethardlimit(pool_cache_t pc, int count,
					 const char *warning, int ratecap)
{
	pool_sethardlimit(&pc->pc_pool, count, warning, ratecap);
}

KMA_DIALECT void pool_cache_set_drain_hook(pool_cache_t pc,
					   void (*hook)(void *arg, int flags),
					   void *arg)
{
	pool_set_drain_hook(&pc->pc_pool, hook, arg);
}

KMA_DIALECT void pool_cache_prime(pool_cache_t pc, int count)
{
	kma_cache_prime_to(pc->pc_pool.pr_cache, (unsigned)count);
}

KMA_DIALECT unsigned int pool_cache_nget(pool_cache_t pc)
{
	return pool_nget(&pc->pc_pool);
}

KMA_DIALECT unsigned int pool_cache_nput(pool_cache_t pc)
{
	return pool_nput(&pc->pc_pool);
}

/* Processors are the library's own concern. */
struct cpu_info;
KMA_DIALECT void pool_cache_cpu_init(struct cpu_info *ci)
{
	(void)ci;
}

#endif
