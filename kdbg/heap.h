/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The heap as the allocator's own structures tell it: caches, slabs, buffers,
 * bufctls, stacks, logs, threads, modules, errors. Read by the schema that the
 * target brings along (dumpfmt/layout.h), so that one reader serves every
 * version; every instance of libkma in the target is part of one heap.
 *
 * A damaged heap is normal input. Slabs are found through the page map, not
 * through lists, each is checked for sense before it is believed, and what
 * was refused is counted and told by heap_problems().
 */
#ifndef KDBG_HEAP_H
#define KDBG_HEAP_H

#include "kdbg/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap;
struct symbols;

enum heap_tier { TIER_OFF, TIER_LITE, TIER_AUDIT, TIER_GUARD };

struct heap_instance {
	uint64_t root;
	const char *name, *version;
	uint32_t pid;
	enum heap_tier tier;
	uint64_t heap_base, heap_end; /* committed part */
	uint64_t reserve_base, reserve_end;
	uint64_t data_base, data_end;     /* the library's own data */
	uint64_t roster_base, roster_end; /* shared with a supervisor */
	uint64_t text_base, text_end;
	uint64_t start_time, fork_time; /* ticks */
	uint64_t fork_count;
	const char *options;
};

struct heap_cache {
	uint64_t address;
	const char *name; /* with the instance where names collide */
	size_t instance;
	uint32_t index;
	uint32_t flags, cflags;
	enum heap_tier tier; /* of new buffers; off where it is not said */
	uint64_t bufsize, align;
	uint64_t alloc, free, alloc_fail; /* threads' counts included */
	uint64_t slab_create, slab_destroy;
	uint64_t slab_alloc; /* taken from the slabs, ever */
	uint64_t buf_total, buf_in_use, buf_cached; /* counted from slabs */
	uint64_t pages;
	bool is_imported;       /* its slabs are memory of the program's own */
	uint64_t imported_slab; /* bytes of such a slab, where it is none of
				 * heap_slabs() and counted alone: of numbers,
				 * of an older libkma; else 0 */
};

struct heap_slab {
	uint64_t address;    /* of the header */
	size_t cache;        /* index into heap_caches() */
	uint64_t base, size; /* of its pages */
	uint64_t first, stride;
	uint32_t buffers, in_use;
	enum heap_tier tier;
	bool large;
	bool hollow;           /* freed: all pages but the first are zero */
	bool pristine;         /* buffers that were never used are zero */
	bool bare;             /* audited, without canaries */
	bool sampled;          /* of samples: less of them is filled */
	uint64_t bufctls;      /* address of the array, 0 none */
	uint64_t words;        /* lite: a word of each buffer alone; or 0 */
	uint64_t free_bits;    /* address of the bitmap */
	uint64_t first_buffer; /* running number of buffer 0 over all slabs */
	/* Its pages are not the heap's: the cache's client brought them. They
	 * may be a buffer's bytes, as which no address leads to it. */
	bool foreign;
	bool has_carrier;
	size_t carrier_slab;
	uint32_t carrier_index;
};

enum buffer_state {
	BUFFER_ALLOCATED,
	BUFFER_FREE,     /* in the slab, a magazine or quarantine */
	BUFFER_NEVER,    /* not handed out yet */
	BUFFER_CHANGING, /* a thread is allocating or freeing it */
};

struct heap_event {       /* an allocation or a free */
	uint64_t time;    /* ticks; 0: did not happen */
	uint64_t time_ns; /* monotonic */
	uint32_t thread;  /* tid */
	uint32_t stack;   /* depot id; 0 none */
	size_t instance;
};

struct heap_buffer {
	size_t slab;    /* index into heap_slabs() */
	uint32_t index; /* in the slab */
	uint64_t start; /* of the buffer's bytes in the slab */
	uint64_t user;  /* what the program has */
	uint64_t size;  /* request, or the buffer's size where unknown */
	enum buffer_state state;
	bool cached;     /* free and in a magazine */
	uint64_t bufctl; /* address, or 0 */
	unsigned family; /* enum kma_family */
	struct heap_event alloc, free;
};

/* Does the program have it? What a thread was freeing or allocating counts:
 * what it holds may be held by nothing else. */
static inline bool heap_buffer_live(const struct heap_buffer *buffer)
{
	return buffer->state == BUFFER_ALLOCATED ||
	       buffer->state == BUFFER_CHANGING;
}

struct err *heap_open(struct target *target, struct heap **ret) MUST_USE;
void heap_close(struct heap *heap);

size_t heap_instances(const struct heap *heap,
		      const struct heap_instance **ret);

/* Caches in the allocator's order; slabs sorted by base, foreign ones after all
 * others. Slabs are read when first asked for. heap_caches() counts buffers,
 * which looks at every bufctl; the others do not: there the counts may still be
 * 0. */
size_t heap_caches(struct heap *heap, const struct heap_cache **ret);
size_t heap_slabs(struct heap *heap, const struct heap_slab **ret);
size_t heap_slabs_refused(struct heap *heap); /* not believed: see problems */
const struct heap_cache *heap_cache_at(struct heap *heap, uint64_t address);
const struct heap_cache *heap_cache_named(struct heap *heap, const char *name);
const struct heap_cache *heap_cache_of(struct heap *heap, size_t slab);

/* All buffers of all slabs, live or not: slab.first_buffer + index runs from 0
 * to this. */
uint64_t heap_buffer_count(struct heap *heap);

/* Which slab or buffer holds address? O(1). False: none. */
bool heap_slab_at(struct heap *heap, uint64_t address, size_t *slab);
bool heap_buffer_at(struct heap *heap, uint64_t address,
		    struct heap_buffer *ret);

/* The buffer by number in its slab; by the address of its bufctl. */
bool heap_buffer_get(struct heap *heap, size_t slab, uint32_t index,
		     struct heap_buffer *ret);
bool heap_buffer_of_bufctl(struct heap *heap, uint64_t bufctl,
			   struct heap_buffer *ret);

/* Its number in the slab alone, without looking at the bufctl. */
bool heap_find(struct heap *heap, uint64_t address, size_t *slab,
	       uint32_t *index);

/*
 * For engines that ask about every word of memory. The arrays belong to the
 * heap and live as long as it; they tell of the slabs of heap_slabs() only.
 */
struct heap_pages {                   /* the heap part of one instance */
	uint64_t base, end;           /* up to the last slab's page */
	unsigned page_shift;          /* address to page */
	const uint32_t *slab_of_page; /* index into heap_slabs() */
};
#define HEAP_NO_SLAB UINT32_MAX
size_t heap_pages(struct heap *heap, const struct heap_pages **ret);

/* The same of foreign slabs that lie outside of the heap parts, sorted: the
 * range that an address is in, or NULL. */
size_t heap_foreign_pages(struct heap *heap, const struct heap_pages **ret);
static inline const struct heap_pages *
heap_pages_search(const struct heap_pages *ranges, size_t count,
		  uint64_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && ranges[low].base <= address ? &ranges[low] : NULL;
}

/* How the word of a bufctl reads; sizes and shifts as the schema has them. */
struct heap_bufctl_layout {
	uint32_t stride;      /* bytes from one bufctl to the next */
	uint32_t word_offset; /* the 64-bit word in it */
	uint32_t state_shift, state_mask, state_allocated;
	uint32_t offset_shift, offset_mask; /* start to user, units of 16 */
	uint64_t ignored; /* this bit: the program loses it on purpose */
	uint32_t size_shift;
};
/* False: the instance's schema has no bufctls. */
bool heap_bufctl_layout(const struct heap *heap, size_t instance,
			struct heap_bufctl_layout *ret);

/* Magazines that hold buffers, of threads first and then of depots. */
struct heap_magazine {
	uint64_t address;
	size_t cache;    /* index into heap_caches() */
	uint64_t rounds; /* buffers in it */
};
size_t heap_magazines(struct heap *heap, const struct heap_magazine **ret);

/* A thread's magazines of a cache and tier, and its counts; those it used. */
struct heap_magset {
	uint64_t address;
	const struct heap_thread *thread;
	size_t cache;    /* index into heap_caches() */
	uint64_t rounds; /* buffers in its magazines */
};
size_t heap_magsets(struct heap *heap, const struct heap_magset **ret);

/* How many buffers one that was sampled stands for; 1: it is itself alone. */
double heap_sample_weight(const struct heap *heap,
			  const struct heap_buffer *buffer);

/* One bit for each buffer of a slab, set where the program has it
 * (heap_buffer_live). bits has room for slab.buffers bits, cleared up to a
 * multiple of 64. */
void heap_slab_live(struct heap *heap, size_t slab, uint64_t *bits);

/* The allocator's records of threads; one is used again after its thread has
 * ended, so not every ended thread is here. */
struct heap_thread {
	uint64_t address; /* of the record */
	size_t instance;
	uint32_t tid;
	bool live;
	const char *name;
	uint64_t start_time, end_time; /* ticks; end 0: not yet */
	uint64_t stack_top;            /* end of its stack; 0 unknown */
	uint64_t altstack_base, altstack_size;
	uint64_t signal_stack; /* the program's own alternate stack; 0: none */
	struct heap_event created;      /* thread: by whom; time 0: not known */
	uint64_t magsets, magset_count; /* its magazines */
	uint64_t magset_caches; /* of each tier; 0: an older libkma's order */
};
size_t heap_threads(struct heap *heap, const struct heap_thread **ret);
/* The latest of that tid; NULL: none. */
const struct heap_thread *heap_thread(struct heap *heap, uint32_t tid);

/* The frames of a depot stack, innermost first. The array belongs to the
 * target. 0: no such stack. */
size_t heap_stack(struct heap *heap, size_t instance, uint32_t id,
		  const uint64_t **pcs, uint32_t *flags);

/* What of a stack is told in a report of many, and tells users apart: audit=0
 * keeps tens of thousands of frames of a deep recursion. */
enum { HEAP_STACK_TOLD = 512 };

/* Does a stack with these flags go on past its last frame? */
bool heap_stack_truncated(const struct heap *heap, size_t instance,
			  uint32_t flags);

/* How many stacks are kept, in how many bytes, and how many found no room;
 * false: none are. */
struct heap_stacks {
	uint64_t count, bytes, dropped;
};
bool heap_stacks_kept(struct heap *heap, size_t instance,
		      struct heap_stacks *ret);

/* Where the depot's entries lie; false: there are none. */
bool heap_depot(struct heap *heap, size_t instance, uint64_t *base,
		uint64_t *end);

/* The first frame that is neither libkma nor operator new; 0: none. Without
 * symbols an operator new outside libkma is not known as one. */
uint64_t heap_stack_caller(struct heap *heap, size_t instance, uint32_t id);
uint64_t heap_stack_caller_named(struct heap *heap, struct symbols *symbols,
				 size_t instance, uint32_t id);

/* Ticks to nanoseconds of CLOCK_MONOTONIC. Without a second calibration (a
 * core of a crash) the rate is not known and a tick counts as one. */
bool heap_time_known(const struct heap *heap, size_t instance);
uint64_t heap_time_ns(const struct heap *heap, size_t instance, uint64_t ticks);

/* True where memory is the allocator's own: reserve, library data. */
bool heap_owns(const struct heap *heap, uint64_t address);

/* What was mapped where when stacks were taken; also what is gone since. */
struct heap_module {
	uint64_t address; /* of the record */
	size_t instance;
	uint64_t base, end;
	uint64_t from_time, until_time; /* ticks; until 0: still there */
	const char *path;
	uint8_t build_id[64];
	size_t build_id_size;
};
size_t heap_modules(struct heap *heap, const struct heap_module **ret);

/* Memory that the program said holds pointers: kma_root_add(). May overlap. */
struct heap_region {
	uint64_t start, end;
};
size_t heap_regions(struct heap *heap, const struct heap_region **ret);

/* Moments with a name, kma_checkpoint(): latest first in each instance. */
struct heap_checkpoint {
	size_t instance;
	const char *name;
	uint64_t time, time_ns;
};
size_t heap_checkpoints(struct heap *heap, const struct heap_checkpoint **ret);

/* The text of the program's __lsan_default_suppressions(), NULL where it has
 * none. Free it. */
struct err *heap_suppressions(struct heap *heap, size_t instance,
			      char **ret) MUST_USE;

/*
 * The logs and their records, newest first, merged over threads: of what was
 * allocated and freed, of the bytes that freed buffers had, of what could not
 * be allocated, of slabs that came and went.
 */
enum heap_operation { OPERATION_ALLOC, OPERATION_FREE, OPERATION_REALLOC };
enum heap_log_kind {
	LOG_TRANSACTIONS,
	LOG_CONTENTS,
	LOG_FAILURES,
	LOG_SLABS,
	LOG_UNKNOWN
};

struct heap_log {
	uint64_t address;
	size_t instance;
	const char *name;
	enum heap_log_kind kind;
	uint64_t base, chunk_size, chunk_count;
	uint64_t lost;      /* records overwritten */
	uint64_t saved_max; /* contents: bytes of a buffer */
};
size_t heap_logs(struct heap *heap, const struct heap_log **ret);

struct heap_log_record {
	uint64_t address; /* of the record */
	size_t instance;
	enum heap_operation operation;
	uint64_t time, time_ns;
	uint64_t buffer; /* what the program had */
	uint64_t size;   /* request */
	uint32_t stack, thread;
	const struct heap_cache *cache; /* or NULL */
	uint64_t contents, saved; /* where the buffer's first bytes are kept,
				     and how many; 0 none */
};
struct heap_log_walk;
struct err *heap_log_open(struct heap *heap, enum heap_log_kind kind,
			  struct heap_log_walk **ret) MUST_USE;
bool heap_log_next(struct heap_log_walk *walk, struct heap_log_record *ret);
void heap_log_close(struct heap_log_walk *walk);
bool heap_log_record_at(struct heap *heap, uint64_t address,
			struct heap_log_record *ret);

/*
 * What a log has on one buffer, newest first. The first question reads the log
 * once and sorts it; the others are answered from that.
 */
struct heap_log_entry {
	uint64_t buffer, time; /* ticks */
	uint64_t record;       /* for heap_log_record_at() */
};
struct err *heap_log_history(struct heap *heap, enum heap_log_kind kind,
			     uint64_t buffer, const struct heap_log_entry **ret,
			     size_t *count) MUST_USE;

/* What libkma reported: the first records, all counted. */
struct heap_error {
	size_t instance;
	uint32_t code;
	const char *name;    /* "DUPFREE" */
	const char *message; /* the report's first line */
	uint64_t time, time_ns;
	uint32_t thread, stack;
	uint64_t address; /* passed, or the first damaged byte */
	uint64_t buffer, size;
	int64_t offset; /* of address from buffer */
	uint64_t bufctl, slab, cache;
	uint64_t expected, found;
	uint32_t alloc_thread, free_thread; /* as they were then */
	uint32_t alloc_stack, free_stack;
};
size_t heap_errors(struct heap *heap, const struct heap_error **ret);
/* Ever reported, over all instances. */
uint64_t heap_error_count(struct heap *heap);
/* The message ring of an instance, oldest line first; "" when empty. */
const char *heap_messages(struct heap *heap, size_t instance);

/* What of the allocator's own is at an address, unless it is in a slab. */
struct heap_description {
	uint64_t base;
	char what[160]; /* "header of the slab ..." */
};
bool heap_describe(struct heap *heap, uint64_t address,
		   struct heap_description *ret);

struct heap_problem {
	uint64_t address;
	const char *text;
};
size_t heap_problems(const struct heap *heap, const struct heap_problem **ret);
/* How many more there were than are kept. */
size_t heap_problems_lost(const struct heap *heap);

/* How many structures, fields and constants the target's libkma does not
 * describe that this kdbg knows, as of an older revision; *first is one. That
 * is no damage: what needs them is not shown. */
size_t heap_absent(const struct heap *heap, const char **first);

#endif
