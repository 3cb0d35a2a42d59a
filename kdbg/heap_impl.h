/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the heap view share. Everyone else sees heap.h. */
#ifndef KDBG_HEAP_IMPL_H
#define KDBG_HEAP_IMPL_H

#include "kdbg/address_set.h"
#include "kdbg/heap.h"
#include "kdbg/heap_layout.h"

enum {
	HEAP_INSTANCES_MAX = 64,
	HEAP_PAGES_MAX = 1 << 28, /* 1 TiB, what libkma reserves at most */
	HEAP_FOREIGN_TABLES_MAX = 1 << 16, /* as much, where all are full */
	HEAP_SLAB_BUFFERS_MAX = 1 << 20,
	HEAP_CACHES_MAX = 1 << 16, /* an index has 16 bits */
	HEAP_THREADS_MAX = 1 << 20,
	HEAP_LOGS_MAX = 64,
	HEAP_MODULES_MAX = 1 << 16,
	HEAP_REGIONS_MAX = 1 << 20,
	HEAP_CHECKPOINTS_MAX = 1 << 22,
	HEAP_PROBLEMS_MAX = 64, /* kept; the rest is counted */
};

/* One libkma. Parallel to heap->instances. */
struct instance {
	struct heap_layout layout;
	unsigned char *root; /* kma_root, copied */
	uint64_t heap_base;  /* page-aligned */
	uint64_t page_count; /* committed */
	unsigned page_shift;
	uint32_t *slab_of_page; /* HEAP_NO_SLAB or an index */
	size_t table_pages;     /* up to the last page of a slab */
	uint64_t page_top;      /* behind all ever handed out; 0: not looked */
	uint64_t depot_base, depot_used;
	uint64_t depot_count, depot_dropped, depot_table;
	bool depot_read;
};

/* What a lookup needs, apart so that it stays in the cache. Parallel to
 * heap->slabs. */
struct slab_geometry {
	uint64_t start; /* of buffer 0 */
	uint64_t end;   /* past the last buffer */
	uint64_t stride;
	uint64_t reciprocal; /* 2^64 / stride + 1 */
	/* Views, made when first needed; the bitmap and the bufctls. */
	const unsigned char *free_bits;
	const unsigned char *bufctls;
	const unsigned char *words;
	unsigned char *owned; /* a copy, where a view was not to be had */
	bool viewed;
};

struct heap {
	struct target *target;
	struct heap_instance *instances;
	struct instance *parts;
	size_t instance_count;

	bool slabs_read; /* and caches */
	bool caches_counted;
	struct heap_cache *caches;
	size_t cache_count;
	size_t *caches_by_address;
	struct heap_slab *slabs;
	struct slab_geometry *geometry;
	size_t slab_count, slab_capacity;
	size_t slabs_refused;
	struct heap_pages *pages;
	struct heap_pages *foreign; /* heap_foreign.c */
	size_t foreign_count;
	uint64_t buffer_count;
	struct slab_order *bufctl_order; /* audited slabs, by their bufctls */
	size_t audited_count;

	bool magazines_read;
	uint64_t *in_magazine; /* a bit for each buffer */
	struct heap_magazine *magazines;
	size_t magazine_count;
	struct heap_magset *magsets;
	size_t magset_count;
	uint64_t rounds_met; /* of all magazines read until now */

	bool arenas_read;
	struct heap_arena *arenas;
	size_t arena_count;
	struct arena_key *arenas_by_address; /* heap_vmem.c */
	struct heap_side_cache *side_caches;
	size_t side_cache_count;

	bool threads_read, modules_read, logs_read, errors_read;
	bool annotations_read;
	bool types_read, waiters_read, percpus_read;
	struct heap_type *types;
	size_t type_count;
	struct heap_waiter *waiters;
	size_t waiter_count;
	struct heap_percpu *percpus;
	size_t percpu_count;
	struct heap_thread *threads;
	size_t thread_count;
	struct heap_module *modules;
	size_t module_count;
	struct heap_log *logs;
	size_t log_count;
	/* By buffer, then newest first; NULL: not asked for yet. */
	struct heap_log_entry *log_index[LOG_UNKNOWN];
	size_t log_index_count[LOG_UNKNOWN];
	struct heap_error *errors;
	size_t error_count;
	struct heap_region *regions;
	size_t region_count;
	struct heap_checkpoint *checkpoints;
	size_t checkpoint_count;

	char **strings; /* all that the views point to */
	size_t string_count;
	struct heap_problem *problems;
	uint32_t problem_hashes[HEAP_PROBLEMS_MAX]; /* of their texts */
	size_t problem_count;                       /* kept */
	size_t problems_lost;
	const char *absent; /* the first that no schema describes */
	size_t absent_count;
};

/* Grow an array by one element; NULL and the old array kept when memory is
 * exhausted. capacity doubles at powers of two, so count alone tells. */
void *heap_grow(void *array, size_t count, size_t element_size);

/* A copy that lives as long as the heap; "" when memory is exhausted. */
const char *heap_text(struct heap *heap, const char *text);
const char *heap_field_text(struct heap *heap, const unsigned char *record,
			    const struct field *field);

/* What could not be believed, where. The texts are told once each. */
void heap_note(struct heap *heap, uint64_t address, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void heap_note_err(struct heap *heap, uint64_t address, struct err *err);

/* The bytes of a structure. */
struct err *heap_record(const struct heap *heap, const struct field *self,
			uint64_t address, const unsigned char **ret) MUST_USE;

/* A list of the target, followed with suspicion: it ends, and a problem is
 * noted, at a pointer that leads nowhere, is misaligned, or came before. */
struct heap_list {
	struct heap *heap;
	const char *what; /* "cache list" */
	const struct field *self, *link;
	uint64_t next;
	size_t limit;
	struct address_set seen;
};
struct heap_list heap_list_begin(struct heap *heap, const char *what,
				 const struct field *self,
				 const struct field *link, uint64_t first,
				 size_t limit);
/* False: the end, and the list has been released. */
bool heap_list_next(struct heap_list *list, uint64_t *address,
		    const unsigned char **record);

enum heap_tier heap_tier_of(const struct heap_layout *layout, uint64_t value);

void heap_read_caches(struct heap *heap);
void heap_read_slabs(struct heap *heap);

/* For heap_read_slabs(): what a header says, but for the tier of one that does
 * not; why it is not to be believed, NULL if it is; and entering it. False: no
 * memory, which was noted. */
struct heap_slab heap_slab_record(const struct heap_layout *layout,
				  uint64_t header, const unsigned char *record,
				  unsigned page_shift);
const char *heap_slab_reason(const struct heap_slab *slab);
bool heap_slab_enter(struct heap *heap, const struct heap_slab *slab);
/* Enough of instance.slab_of_page for that many pages. */
bool heap_grow_table(struct instance *part, uint64_t pages);

void heap_read_foreign(struct heap *heap);
void heap_close_foreign(struct heap *heap);
void heap_read_magazines(struct heap *heap);

/* One that the lists lost may be added while slabs are read. False: no
 * memory. */
struct heap_cache heap_read_cache(struct heap *heap, size_t instance,
				  uint64_t address,
				  const unsigned char *record);
bool heap_add_cache(struct heap *heap, const struct heap_cache *cache);

/* By the address of its structure; index into heap->caches. */
bool heap_cache_find(const struct heap *heap, uint64_t address, size_t *ret);

/* By its index in its instance; NULL: none. */
struct heap_cache *heap_cache_indexed(struct heap *heap, size_t instance,
				      uint64_t index);

/* The slab's bitmap and bufctls, viewed or copied; NULL where there is none. */
const struct slab_geometry *heap_slab_views(struct heap *heap, size_t slab);

#endif
