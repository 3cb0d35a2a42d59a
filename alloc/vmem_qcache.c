/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quantum caches: segments of the few sizes that are asked for all the time,
 * cut from slabs, so that they neither search nor leave holes behind.
 *
 * A slab is the smallest power of two above three times qcache_max, and
 * aligned to that: too long for a quantum cache itself, so taking one ends
 * there, and found from any of its pieces by rounding down. The arena's tag of
 * it leads to the record. Slabs with room hang in a list; one that is wholly
 * free goes back unless it is the last with room. Its record stays with the
 * cache: who frees twice, from two threads, must still find a record there.
 */
#include "alloc/vmem.h"

#include "alloc/meta.h"
#include "alloc/text.h"
#include "alloc/thread.h"
#include "alloc/vmem_impl.h"

#include <string.h>

static size_t record_size(uint32_t pieces)
{
	return sizeof(struct kma_vmem_slab) +
	       pieces * sizeof(struct kma_vmem_piece);
}

static void room_insert(struct kma_vmem_slab *slab)
{
	struct kma_vmem_qcache *cache = slab->cache;

	slab->prev = NULL;
	slab->next = cache->room;
	if (slab->next)
		slab->next->prev = slab;
	cache->room = slab;
}

static void room_remove(struct kma_vmem_slab *slab)
{
	if (slab->prev)
		slab->prev->next = slab->next;
	else
		slab->cache->room = slab->next;
	if (slab->next)
		slab->next->prev = slab->prev;
}

static void count_slab(struct kma_vmem_qcache *cache,
		       const struct kma_vmem_slab *slab, int sign)
{
	cache->slabs += (uint32_t)sign;
	cache->total += (uint64_t)(sign * (int64_t)slab->pieces);
}

static struct kma_vmem_slab *record_get(struct kma_vmem_qcache *cache,
					uint32_t pieces)
{
	struct kma_thread *self = kma_vmem_enter(&cache->lock);
	struct kma_vmem_slab *slab = cache->spare;

	if (slab)
		cache->spare = slab->next;
	else
		slab = kma_meta_take(KMA_META_VMEM, 1, record_size(pieces));
	kma_vmem_leave(&cache->lock, self);
	return slab;
}

static void record_put(struct kma_vmem_slab *slab)
{
	struct kma_vmem_qcache *cache = slab->cache;
	struct kma_thread *self = kma_vmem_enter(&cache->lock);

	slab->next = cache->spare;
	cache->spare = slab;
	kma_vmem_leave(&cache->lock, self);
}

/* Without the cache's lock: the arena may import. */
static struct kma_vmem_slab *slab_create(struct kma_vmem_qcache *cache)
{
	const struct kma_vmem_want want = {
		.size = cache->slab_size,
		.align = cache->slab_size,
		.max = UINTPTR_MAX,
	};
	const struct kma_vmem_origin none = { 0 };
	uint32_t pieces = (uint32_t)(cache->slab_size / cache->size);
	struct kma_vmem_slab *slab = record_get(cache, pieces);
	struct kma_vmem_seg *seg;

	if (!slab)
		return NULL;
	slab->cache = cache;
	slab->pieces = pieces;
	if (kma_vmem_take(cache->vmem, &want, want.size,
			  KMA_VM_NOSLEEP | KMA_VM_INSTANTFIT,
			  KMA_VMEM_BY_QCACHE, &none, &seg)) {
		record_put(slab);
		return NULL;
	}
	slab->base = seg->start;
	/* Nobody frees a piece of it yet, so nobody reads this. */
	__atomic_store_n(&seg->slab, slab, __ATOMIC_RELEASE);
	return slab;
}

static void slab_destroy(struct kma_vmem_slab *slab)
{
	size_t found;

	kma_vmem_put(slab->cache->vmem, slab->base, slab->cache->slab_size,
		     KMA_VMEM_BY_QCACHE, &found);
	record_put(slab);
}

static uintptr_t take_piece(struct kma_vmem_slab *slab, size_t size,
			    const struct kma_vmem_origin *origin)
{
	struct kma_vmem_qcache *cache = slab->cache;
	uint32_t i = 0;

	while (slab->piece[i].size)
		i++;
	slab->piece[i] = (struct kma_vmem_piece){
		.size = size,
		.time = origin->time,
		.stack = origin->stack,
		.thread = origin->thread,
	};
	if (++slab->in_use == slab->pieces)
		room_remove(slab);
	cache->alloc++;
	cache->in_use++;
	return slab->base + i * cache->size;
}

bool kma_vmem_qcache_take(struct kma_vmem_qcache *cache, size_t size,
			  const struct kma_vmem_origin *origin, uintptr_t *ret)
{
	struct kma_thread *self = kma_vmem_enter(&cache->lock);
	struct kma_vmem_slab *slab = cache->room;

	if (!slab) {
		kma_vmem_leave(&cache->lock, self);
		slab = slab_create(cache);
		self = kma_vmem_enter(&cache->lock);
		if (slab) {
			room_insert(slab);
			count_slab(cache, slab, 1);
		}
		slab = cache->room; /* or somebody else's */
	}
	if (slab)
		*ret = take_piece(slab, size, origin);
	else
		cache->alloc_fail++;
	kma_vmem_leave(&cache->lock, self);
	return slab != NULL;
}

/* The slab that holds address; its cache is one of the arena's. */
static struct kma_vmem_slab *slab_of(struct kma_vmem *vmem, uintptr_t address)
{
	size_t slab_size = vmem->qcaches[0]->slab_size;
	struct kma_thread *self = kma_vmem_enter(&vmem->lock);
	struct kma_vmem_seg *seg =
		kma_vmem_lookup(vmem, address & ~(uintptr_t)(slab_size - 1));
	struct kma_vmem_slab *slab = NULL;

	if (seg && seg->giver == KMA_VMEM_BY_QCACHE)
		slab = __atomic_load_n(&seg->slab, __ATOMIC_ACQUIRE);
	kma_vmem_leave(&vmem->lock, self);
	return slab;
}

static enum kma_vmem_freed check_piece(const struct kma_vmem_slab *slab,
				       uintptr_t address, size_t size,
				       size_t *found)
{
	size_t offset = address - slab->base;
	size_t index = offset / slab->cache->size;

	if (offset % slab->cache->size || index >= slab->pieces)
		return KMA_VMEM_NOT_THERE;
	*found = slab->piece[index].size;
	if (*found == 0)
		return KMA_VMEM_NOT_THERE;
	return *found == size ? KMA_VMEM_FREED : KMA_VMEM_BAD_SIZE;
}

/* True: the slab is empty, out of the list, and to be destroyed. */
static bool put_piece(struct kma_vmem_slab *slab, uintptr_t address)
{
	struct kma_vmem_qcache *cache = slab->cache;

	slab->piece[(address - slab->base) / cache->size].size = 0;
	cache->free++;
	cache->in_use--;
	if (slab->in_use-- == slab->pieces)
		room_insert(slab);
	if (slab->in_use || (cache->room == slab && !slab->next))
		return false;
	room_remove(slab);
	count_slab(cache, slab, -1);
	return true;
}

enum kma_vmem_freed kma_vmem_qcache_put(struct kma_vmem *vmem,
					uintptr_t address, size_t size,
					size_t *found)
{
	struct kma_vmem_slab *slab = slab_of(vmem, address);
	bool empty = false;

	*found = 0;
	if (!slab)
		return KMA_VMEM_NOT_THERE;

	struct kma_vmem_qcache *cache = slab->cache;
	struct kma_thread *self = kma_vmem_enter(&cache->lock);
	enum kma_vmem_freed freed = check_piece(slab, address, size, found);

	if (freed == KMA_VMEM_FREED)
		empty = put_piece(slab, address);
	kma_vmem_leave(&cache->lock, self);
	if (empty)
		slab_destroy(slab);
	return freed;
}

/* Slabs that are wholly free, out of the list. */
static struct kma_vmem_slab *take_empty(struct kma_vmem_qcache *cache)
{
	struct kma_thread *self = kma_vmem_enter(&cache->lock);
	struct kma_vmem_slab *empty = NULL, *next;

	for (struct kma_vmem_slab *slab = cache->room; slab; slab = next) {
		next = slab->next;
		if (slab->in_use)
			continue;
		room_remove(slab);
		count_slab(cache, slab, -1);
		slab->next = empty;
		empty = slab;
	}
	kma_vmem_leave(&cache->lock, self);
	return empty;
}

size_t kma_vmem_reap(struct kma_vmem *vmem)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < vmem->qcache_count; i++) {
		struct kma_vmem_qcache *cache = vmem->qcaches[i];
		struct kma_vmem_slab *slab = take_empty(cache), *next;

		for (; slab; slab = next) {
			next = slab->next;
			bytes += cache->slab_size;
			slab_destroy(slab);
		}
	}
	return bytes;
}

struct kma_vmem_qcache *kma_vmem_qcache_for(const struct kma_vmem *vmem,
					    size_t size)
{
	return vmem->qcaches[(size - 1) / vmem->quantum];
}

static struct kma_vmem_qcache *cache_create(struct kma_vmem *vmem, size_t size)
{
	struct kma_vmem_qcache *cache =
		kma_meta_take(KMA_META_VMEM, 1, sizeof(*cache));
	struct kma_text name;

	if (!cache)
		return NULL;
	kma_text_init(&name, cache->name, sizeof(cache->name));
	kma_text_string(&name, vmem->name);
	kma_text_string(&name, "_");
	kma_text_decimal(&name, size);
	cache->vmem = vmem;
	cache->size = size;
	cache->slab_size = (size_t)1
			   << (kma_vmem_list_of(3 * vmem->qcache_max) + 1);
	return cache;
}

bool kma_vmem_qcaches_create(struct kma_vmem *vmem)
{
	uint32_t count = (uint32_t)(vmem->qcache_max / vmem->quantum);

	for (; vmem->qcache_count < count; vmem->qcache_count++) {
		struct kma_vmem_qcache *cache = cache_create(
			vmem, (vmem->qcache_count + 1) * vmem->quantum);

		if (!cache) {
			kma_vmem_qcaches_destroy(vmem);
			return false;
		}
		vmem->qcaches[vmem->qcache_count] = cache;
	}
	return true;
}

static void cache_destroy(struct kma_vmem_qcache *cache)
{
	struct kma_vmem_slab *slab;

	while ((slab = cache->spare)) {
		cache->spare = slab->next;
		kma_meta_give(KMA_META_VMEM, slab, 1,
			      record_size(slab->pieces));
	}
	kma_meta_give(KMA_META_VMEM, cache, 1, sizeof(*cache));
}

void kma_vmem_qcaches_destroy(struct kma_vmem *vmem)
{
	while (vmem->qcache_count)
		cache_destroy(vmem->qcaches[--vmem->qcache_count]);
}
