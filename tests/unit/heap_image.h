/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A heap laid out by hand with the allocator's own structures, in a fake
 * target: what the views on a heap are tested with.
 *
 *	struct heap_image *image = heap_image_create();
 *	struct kma_cache *cache = heap_image_cache(image, "kmem_alloc_64", 64);
 *	heap_image_slab(image, cache, 0, 2, KMA_TIER_OFF);
 *	struct target *target = heap_image_finish(image);
 *
 * Structures are made in one arena, which stands at IMAGE_META in the target;
 * until heap_image_finish() a test may spoil them as it likes. A pointer in a
 * structure is an address of the target: IMAGE_POINTER(image, p).
 */
#ifndef TESTS_HEAP_IMAGE_H
#define TESTS_HEAP_IMAGE_H

#include "alloc/log.h"
#include "alloc/module.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/thread.h"
#include "tests/unit/fake_target.h"

enum {
	IMAGE_PAGES = 512,
	IMAGE_META_SIZE = 1 << 20,
	IMAGE_DEPOT_SIZE = 1 << 16,
};
#define IMAGE_META UINT64_C(0x7f0000000000)
#define IMAGE_HEAP UINT64_C(0x7f1000000000)
#define IMAGE_TEXT UINT64_C(0x7f2000000000) /* of libkma: a page */

struct heap_image {
	char *meta; /* the arena */
	size_t used;
	struct kma_root *root;
	uint64_t *page_map;
	struct kma_schema_record *schema;
	struct kma_depot *depot;
	struct fake_target *target;
};

struct heap_image *heap_image_create(void);

/* Zeroed, 64-byte aligned, in the arena. */
void *heap_image_alloc(struct heap_image *image, size_t size);
uint64_t heap_image_address(const struct heap_image *image, const void *p);
#define IMAGE_POINTER(image, p) \
	((void *)(uintptr_t)heap_image_address(image, p))

struct kma_cache *heap_image_cache(struct heap_image *image, const char *name,
				   size_t bufsize);

/* All its buffers are free in the slab (off) or never handed out (audit). */
struct kma_slab *heap_image_slab(struct heap_image *image,
				 struct kma_cache *cache, size_t page,
				 size_t pages, enum kma_tier tier);
uint64_t heap_image_buffer(const struct kma_slab *slab, uint32_t index);

/* The program has it: the bit is cleared, the bufctl (if any) filled. */
void heap_image_take(struct heap_image *image, struct kma_slab *slab,
		     uint32_t index, size_t size, uint32_t stack);

uint32_t heap_image_stack(struct heap_image *image, const uint64_t *pcs,
			  uint16_t depth);
struct kma_thread *heap_image_thread(struct heap_image *image, uint32_t tid);
struct kma_magazine *heap_image_magazine(struct heap_image *image,
					 const uint64_t *rounds,
					 uint32_t count);

/* Make a magazine with rounds the loaded one of a set. */
void heap_image_load(struct heap_image *image, struct kma_magset *set,
		     struct kma_magazine *magazine);

/* The host's pointer of an address in the arena. */
void *heap_image_at(const struct heap_image *image, const void *address);

/* Frees image and the arena: the target has a copy. */
struct target *heap_image_finish(struct heap_image *image);

#endif
