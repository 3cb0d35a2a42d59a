/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/arena.h"

#include "alloc/pages.h"
#include "alloc/range.h"
#include "alloc/root.h"
#include "alloc/thread.h"
#include "alloc/vmem.h"

#include <errno.h>
#include <string.h>

/* In kma_root.arenas from the start, in this order. */
static struct kma_vmem accounts[KMA_ACCOUNT_COUNT];

static struct kma_vmem *kmem_va;

static const struct {
	const char *name;
	enum kma_account parent; /* itself: none */
	bool leaf; /* imports what it hands out, no more and no less */
	bool full; /* all it has is in use */
} table[KMA_ACCOUNT_COUNT] = {
	[KMA_ACCOUNT_RESERVE] = { "reserve", KMA_ACCOUNT_RESERVE, false,
				  false },
	[KMA_ACCOUNT_PAGE_MAP] = { "page_map", KMA_ACCOUNT_RESERVE, false,
				   true },
	[KMA_ACCOUNT_METADATA] = { "kmem_metadata", KMA_ACCOUNT_RESERVE, false,
				   false },
	[KMA_ACCOUNT_STACKS] = { "kmem_stacks", KMA_ACCOUNT_RESERVE, false,
				 true },
	[KMA_ACCOUNT_LOG] = { "kmem_log", KMA_ACCOUNT_RESERVE, false, true },
	[KMA_ACCOUNT_HEAP] = { "heap", KMA_ACCOUNT_RESERVE, false, false },
	[KMA_ACCOUNT_DEFAULT] = { "kmem_default", KMA_ACCOUNT_HEAP, true,
				  false },
	[KMA_ACCOUNT_OVERSIZE] = { "kmem_oversize", KMA_ACCOUNT_HEAP, true,
				   false },
};

static void add(uint64_t *counter, uint64_t bytes)
{
	__atomic_add_fetch(counter, bytes, __ATOMIC_RELAXED);
}

void kma_arena_took(enum kma_account account, size_t bytes)
{
	struct kma_vmem *arena = &accounts[account];

	add(&arena->in_use, bytes);
	add(&arena->alloc, 1);
	if (table[account].leaf) {
		add(&arena->total, bytes);
		add(&arena->imported, bytes);
	}
}

void kma_arena_gave(enum kma_account account, size_t bytes)
{
	struct kma_vmem *arena = &accounts[account];

	add(&arena->in_use, -bytes);
	add(&arena->free, 1);
	if (table[account].leaf) {
		add(&arena->total, -bytes);
		add(&arena->imported, -bytes);
	}
}

void kma_arena_failed(enum kma_account account)
{
	add(&accounts[account].alloc_fail, 1);
}

const struct kma_vmem *kma_arena_account(enum kma_account account)
{
	return &accounts[account];
}

void kma_arena_grew(enum kma_account account, size_t bytes)
{
	struct kma_vmem *arena = &accounts[account];

	add(&arena->total, bytes);
	add(&arena->imported, bytes);
	if (table[account].full)
		kma_arena_took(account, bytes);
	kma_arena_took(KMA_ACCOUNT_RESERVE, bytes);
}

/* --- kmem_va ----------------------------------------------------------------
 */

static int import_pages(const struct kma_vmem_source *source, size_t *size,
			unsigned flags, uintptr_t *address)
{
	struct kma_thread *self;
	bool zeroed;

	(void)source;
	(void)flags; /* the waiting is the arena's */
	self = kma_thread_enter();
	uintptr_t base = kma_pages_alloc(*size >> KMA_PAGE_SHIFT, KMA_PAGE_SIZE,
					 &zeroed);

	if (base) /* no slab's and no buffer's */
		kma_pages_set(base, *size >> KMA_PAGE_SHIFT, KMA_PAGE_ARENA);
	kma_thread_leave(self);
	*address = base;
	return base ? 0 : ENOMEM;
}

static void release_pages(const struct kma_vmem_source *source,
			  uintptr_t address, size_t size)
{
	struct kma_thread *self = kma_thread_enter();

	(void)source;
	kma_pages_free(address, size >> KMA_PAGE_SHIFT);
	kma_thread_leave(self);
}

static bool create_kmem_va(void)
{
	const struct kma_vmem_source heap = {
		.import = import_pages,
		.release = release_pages,
		.arena = &accounts[KMA_ACCOUNT_HEAP],
	};

	kmem_va = kma_vmem_make("kmem_va", KMA_PAGE_SIZE, &heap,
				8 * KMA_PAGE_SIZE, 0);
	return kmem_va != NULL;
}

struct kma_vmem *kma_vmem_heap(void)
{
	return kma_init() ? kmem_va : NULL;
}

bool kma_arena_init(void)
{
	struct kma_vmem **link = &kma_root.arenas;

	for (unsigned i = 0; i < KMA_ACCOUNT_COUNT; i++) {
		struct kma_vmem *arena = &accounts[i];

		strncpy(arena->name, table[i].name, sizeof(arena->name) - 1);
		arena->flags = KMA_VMEM_ACCOUNT;
		arena->quantum = KMA_PAGE_SIZE;
		arena->limit = SIZE_MAX;
		if (table[i].parent != i)
			arena->parent = &accounts[table[i].parent];
		*link = arena;
		link = &arena->next;
	}
	accounts[KMA_ACCOUNT_RESERVE].total =
		kma_reserve.end - kma_reserve.base;
	accounts[KMA_ACCOUNT_METADATA].quantum = 64;
	return create_kmem_va();
}
