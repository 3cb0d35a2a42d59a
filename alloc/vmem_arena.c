/* SPDX-License-Identifier: BSD-2-Clause */
/* Arenas as a whole: made, given up, asked. */
#include "alloc/vmem.h"

#include "alloc/meta.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/vmem_impl.h"
#include "alloc/wait.h"

#include <errno.h>
#include <string.h>

enum {
	CREATE_FLAGS = KMA_VM_SLEEP | KMA_VM_NOSLEEP | KMA_VMC_IDENTIFIER |
		       KMA_VMC_LARGEIMPORT | KMA_VMC_LEAKS_PASS |
		       KMA_VMC_INTR_SAFE,
};

/* Guards the list of arenas; comes before the locks of any. */
struct kma_lock kma_vmem_list_lock;
static struct kma_vmem **last_link; /* NULL at its end */

/* --- the list ----------------------------------------------------------------
 */

static void list_append(struct kma_vmem *vmem)
{
	struct kma_thread *self = kma_vmem_enter(&kma_vmem_list_lock);

	if (!last_link) /* the heap's own, which stay, are there already */
		last_link = &kma_root.arenas;
	while (*last_link)
		last_link = &(*last_link)->next;
	vmem->link = last_link;
	__atomic_store_n(last_link, vmem, __ATOMIC_RELEASE);
	last_link = &vmem->next;
	kma_vmem_leave(&kma_vmem_list_lock, self);
}

static void list_remove(struct kma_vmem *vmem)
{
	struct kma_thread *self = kma_vmem_enter(&kma_vmem_list_lock);

	__atomic_store_n(vmem->link, vmem->next, __ATOMIC_RELEASE);
	if (vmem->next)
		vmem->next->link = vmem->link;
	else
		last_link = vmem->link;
	kma_vmem_leave(&kma_vmem_list_lock, self);
}

void kma_vmem_each_lock(void (*apply)(struct kma_lock *lock))
{
	for (struct kma_vmem *vmem = kma_root.arenas; vmem; vmem = vmem->next) {
		for (uint32_t i = 0; i < vmem->qcache_count; i++)
			apply(&vmem->qcaches[i]->lock);
		apply(&vmem->lock);
	}
	apply(&kma_vmem_tags_lock);
}

/* --- making ------------------------------------------------------------------
 */

static int import_from_arena(const struct kma_vmem_source *source, size_t *size,
			     unsigned flags, uintptr_t *address)
{
	return kma_vmem_alloc(source->arena, *size, flags | KMA_VM_MAYFAIL,
			      address);
}

static void release_to_arena(const struct kma_vmem_source *source,
			     uintptr_t address, size_t size)
{
	kma_vmem_free(source->arena, address, size);
}

static void arena_init(struct kma_vmem *vmem, const char *name, size_t quantum,
		       size_t qcache_max, unsigned flags)
{
	size_t cached = quantum * KMA_VMEM_QCACHES_MAX;

	strncpy(vmem->name, name, sizeof(vmem->name) - 1);
	vmem->flags = flags;
	vmem->quantum = quantum;
	vmem->qcache_max =
		qcache_max < cached ? qcache_max & ~(quantum - 1) : cached;
	vmem->limit = SIZE_MAX;
	vmem->head.next = vmem->head.prev = &vmem->head;
	vmem->next_fit = &vmem->head;
	vmem->hash = vmem->hash_first;
	vmem->hash_size = KMA_VMEM_HASH_MIN;
}

static void arena_discard(struct kma_vmem *vmem)
{
	kma_vmem_qcaches_destroy(vmem);
	kma_vmem_tags_discard(vmem);
	kma_meta_give(KMA_META_VMEM, vmem, 1, sizeof(*vmem));
}

static bool is_valid(const char *name, size_t quantum, unsigned flags)
{
	return name && quantum && (quantum & (quantum - 1)) == 0 &&
	       (flags & ~(unsigned)CREATE_FLAGS) == 0;
}

struct kma_vmem *kma_vmem_make(const char *name, size_t quantum,
			       const struct kma_vmem_source *source,
			       size_t qcache_max, unsigned flags)
{
	struct kma_vmem *vmem = kma_meta_take(KMA_META_VMEM, 1, sizeof(*vmem));

	if (!vmem)
		return NULL;
	arena_init(vmem, name, quantum, qcache_max, flags);
	if (source)
		vmem->source = *source;
	vmem->parent = vmem->source.arena;
	if (!kma_vmem_qcaches_create(vmem)) {
		arena_discard(vmem);
		return NULL;
	}
	list_append(vmem);
	return vmem;
}

struct kma_vmem *kma_vmem_xcreate(const char *name, uintptr_t base, size_t size,
				  size_t quantum,
				  const struct kma_vmem_source *source,
				  size_t qcache_max, unsigned flags)
{
	struct kma_vmem *vmem = NULL;
	int failed = EINVAL;

	if (is_valid(name, quantum, flags)) {
		failed = ENOMEM;
		if (kma_init())
			vmem = kma_vmem_make(name, quantum, source, qcache_max,
					     flags);
	}
	if (vmem && size)
		failed = kma_vmem_add(vmem, base, size, KMA_VM_NOSLEEP);
	if (vmem && size && failed) {
		kma_vmem_destroy(vmem);
		vmem = NULL;
	}
	if (!vmem)
		errno = failed;
	return vmem;
}

struct kma_vmem *kma_vmem_create(const char *name, uintptr_t base, size_t size,
				 size_t quantum, struct kma_vmem *source,
				 size_t qcache_max, unsigned flags)
{
	const struct kma_vmem_source from = {
		.import = import_from_arena,
		.release = release_to_arena,
		.arena = source,
	};

	return kma_vmem_xcreate(name, base, size, quantum,
				source ? &from : NULL, qcache_max, flags);
}

void kma_vmem_set_source(struct kma_vmem *vmem,
			 const struct kma_vmem_source *source)
{
	struct kma_thread *self = kma_vmem_enter(&vmem->lock);

	vmem->source = *source;
	vmem->parent = source->arena;
	kma_vmem_leave(&vmem->lock, self);
}

void kma_vmem_set_reclaim(struct kma_vmem *vmem,
			  void (*reclaim)(struct kma_vmem *vmem,
					  unsigned flags),
			  void (*foreign)(void))
{
	vmem->foreign_reclaim = foreign;
	__atomic_store_n(&vmem->reclaim, reclaim, __ATOMIC_RELEASE);
}

void (*kma_vmem_foreign_reclaim(const struct kma_vmem *vmem))(void)
{
	return vmem->foreign_reclaim;
}

static bool overlaps(const struct kma_vmem *vmem, uintptr_t first,
		     uintptr_t last)
{
	const struct kma_vmem_seg *span = vmem->head.list_next;

	for (; span; span = span->list_next)
		if (first <= span->start + (span->length - 1) &&
		    span->start <= last)
			return true;
	return false;
}

int kma_vmem_add(struct kma_vmem *vmem, uintptr_t address, size_t size,
		 unsigned flags)
{
	uintptr_t last = address + (size - 1);
	int failed = 0;

	(void)flags; /* tags are there or are not: nothing to sleep for */
	if (size == 0 || last < address || (address | size) % vmem->quantum)
		return EINVAL;

	struct kma_thread *self = kma_vmem_enter(&vmem->lock);

	if (overlaps(vmem, address, last))
		failed = EINVAL;
	else if (!kma_vmem_span_add(vmem, address, size, false))
		failed = ENOMEM;
	kma_vmem_leave(&vmem->lock, self);
	kma_wait_wake_fenced();
	return failed;
}

/* --- giving up ---------------------------------------------------------------
 */

/* Imported spans were released as they emptied; where they are kept, the
 * source knows no better. */
void kma_vmem_destroy(struct kma_vmem *vmem)
{
	kma_vmem_free_deferred();
	kma_vmem_reap(vmem);
	if (vmem->in_use) {
		const struct kma_report report = {
			.code = KMA_ERROR_LEAK,
			.function = "kma_vmem_destroy",
			.vmem = vmem,
			.may_go_on = (vmem->flags & KMA_VMC_LEAKS_PASS) != 0,
		};

		kma_report(&report);
		return;
	}
	list_remove(vmem);
	arena_discard(vmem);
}

/* --- asking ------------------------------------------------------------------
 */

size_t kma_vmem_size(struct kma_vmem *vmem, unsigned types)
{
	struct kma_thread *self = kma_vmem_enter(&vmem->lock);
	size_t size = 0;

	if (types & KMA_VMEM_ALLOC)
		size += vmem->in_use;
	if (types & KMA_VMEM_FREE)
		size += vmem->total - vmem->in_use;
	kma_vmem_leave(&vmem->lock, self);
	return size;
}

bool kma_vmem_contains(struct kma_vmem *vmem, uintptr_t address, size_t size)
{
	struct kma_thread *self = kma_vmem_enter(&vmem->lock);
	const struct kma_vmem_seg *span = vmem->head.list_next;

	while (span && !(address >= span->start &&
			 address - span->start < span->length &&
			 size <= span->length - (address - span->start)))
		span = span->list_next;
	kma_vmem_leave(&vmem->lock, self);
	return span != NULL;
}

struct kma_vmem *kma_vmem_known(const void *p)
{
	struct kma_thread *self = kma_vmem_enter(&kma_vmem_list_lock);
	struct kma_vmem *vmem = kma_root.arenas;

	while (vmem && vmem != p)
		vmem = vmem->next;
	kma_vmem_leave(&kma_vmem_list_lock, self);
	return vmem;
}

/* The heap's own have no segments to ask about. */
struct kma_vmem *kma_vmem_next(const struct kma_vmem *after)
{
	struct kma_thread *self = kma_vmem_enter(&kma_vmem_list_lock);
	struct kma_vmem *next = after ? after->next : kma_root.arenas;

	while (next && next->flags & KMA_VMEM_ACCOUNT)
		next = next->next;
	kma_vmem_leave(&kma_vmem_list_lock, self);
	return next;
}

const char *kma_vmem_name(const struct kma_vmem *vmem)
{
	return vmem->name;
}

size_t kma_vmem_roundup(const struct kma_vmem *vmem, size_t size)
{
	return (size + vmem->quantum - 1) & ~(vmem->quantum - 1);
}

void kma_vmem_set_limit(struct kma_vmem *vmem, size_t limit)
{
	struct kma_thread *self = kma_vmem_enter(&vmem->lock);

	vmem->limit = limit;
	kma_vmem_leave(&vmem->lock, self);
	kma_wait_wake_fenced();
}

struct told {
	enum kma_vmem_types type;
	uintptr_t address;
	size_t size;
};

static enum kma_vmem_types type_of(const struct kma_vmem_seg *seg)
{
	switch (seg->type) {
	case KMA_VMEM_SEG_ALLOC:
		return KMA_VMEM_ALLOC;
	case KMA_VMEM_SEG_FREE:
		return KMA_VMEM_FREE;
	default:
		return KMA_VMEM_SPAN;
	}
}

static size_t copy_segments(const struct kma_vmem *vmem, unsigned types,
			    struct told *told)
{
	const struct kma_vmem_seg *seg = vmem->head.next;
	size_t count = 0;

	for (; seg != &vmem->head; seg = seg->next)
		if (types & type_of(seg))
			told[count++] = (struct told){ type_of(seg), seg->start,
						       seg->length };
	return count;
}

int kma_vmem_walk(struct kma_vmem *vmem, unsigned types,
		  void (*callback)(void *argument, enum kma_vmem_types type,
				   uintptr_t address, size_t size),
		  void *argument)
{
	struct kma_thread *self = kma_vmem_enter(&vmem->lock);
	size_t bytes = vmem->segments * sizeof(struct told);
	/* From the metadata, which no callback can change. */
	struct told *told = kma_meta_alloc(bytes);
	size_t count = told ? copy_segments(vmem, types, told) : 0;

	kma_vmem_leave(&vmem->lock, self);
	for (size_t i = 0; i < count; i++)
		callback(argument, told[i].type, told[i].address, told[i].size);
	kma_meta_free(told, bytes);
	return told ? 0 : ENOMEM;
}

static size_t copy_given(const struct kma_vmem *vmem, struct told *told)
{
	const struct kma_vmem_seg *seg = vmem->head.next;
	size_t count = 0;

	for (; seg != &vmem->head; seg = seg->next)
		if (type_of(seg) == KMA_VMEM_ALLOC &&
		    seg->giver == KMA_VMEM_BY_XALLOC)
			told[count++] = (struct told){ KMA_VMEM_ALLOC,
						       seg->start, seg->size };
	return count;
}

void kma_vmem_free_all(struct kma_vmem *vmem)
{
	struct kma_thread *self = kma_vmem_enter(&vmem->lock);
	size_t bytes = vmem->segments * sizeof(struct told);
	struct told *told = kma_meta_alloc(bytes);
	size_t count = told ? copy_given(vmem, told) : 0;

	kma_vmem_leave(&vmem->lock, self);
	for (size_t i = 0; i < count; i++)
		kma_vmem_xfree(vmem, told[i].address, told[i].size);
	kma_meta_free(told, bytes);
}
