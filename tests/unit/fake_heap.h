/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A heap made of parts, for tests of the engines that stand on heaps. Takes
 * the place of kdbg/heap.c at link time.
 *
 *	struct fake_heap *heap = fake_heap_create(target, 16);
 *	size_t slab = fake_heap_slab(heap, &(struct fake_slab){ ... });
 *	uint64_t user = fake_heap_alloc(heap, slab, 0, 40);
 *	fake_heap_word(heap, user, other);
 *	struct session session = { ... .heap = fake_heap_finish(heap) };
 */
#ifndef TESTS_FAKE_HEAP_H
#define TESTS_FAKE_HEAP_H

#include "kdbg/heap.h"
#include "tests/unit/fake_target.h"

enum { FAKE_PAGE = 4096, FAKE_CACHES = 4 };
#define FAKE_HEAP_BASE    UINT64_C(0x10000000)
#define FAKE_BUFCTL_BASE  UINT64_C(0x18000000)
#define FAKE_RESERVE_BASE UINT64_C(0x0f000000)
#define FAKE_RESERVE_END  UINT64_C(0x20000000)

struct fake_heap;

struct fake_slab {
	size_t page, pages;
	uint64_t first, stride;
	uint32_t buffers;
	size_t cache; /* below FAKE_CACHES */
	bool audited; /* else a live buffer is all of its stride */
};

/* pages: of the heap; its memory is added to the target. */
struct fake_heap *fake_heap_create(struct fake_target *target, size_t pages);
void fake_heap_destroy(struct fake_heap *fake);
size_t fake_heap_slab(struct fake_heap *fake, const struct fake_slab *slab);

/* The user's address. offset is in bytes, a multiple of 16. */
uint64_t fake_heap_alloc(struct fake_heap *fake, size_t slab, uint32_t index,
			 uint64_t size);
uint64_t fake_heap_alloc_at(struct fake_heap *fake, size_t slab, uint32_t index,
			    uint64_t offset, uint64_t size);
/* By whom and when the buffer at a user's address was allocated. */
void fake_heap_event(struct fake_heap *fake, uint64_t user, uint32_t stack,
		     uint64_t time);
void fake_heap_word(struct fake_heap *fake, uint64_t address, uint64_t word);

/* Stack ids are 1 and up. */
uint32_t fake_heap_stack(struct fake_heap *fake, const uint64_t *pcs,
			 size_t count);

void fake_heap_thread(struct fake_heap *fake, const struct heap_thread *thread);

/* Memory that the program said holds pointers. */
void fake_heap_region(struct fake_heap *fake, uint64_t start, uint64_t end);

/* Set bits in the word of the buffer at a user's address. */
void fake_heap_ignore(struct fake_heap *fake, uint64_t user);

struct heap *fake_heap_finish(struct fake_heap *fake);

/* The number of the buffer at a user's address. */
uint64_t fake_heap_number(struct fake_heap *fake, uint64_t user);

#endif
