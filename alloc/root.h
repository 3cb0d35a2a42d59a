/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kma_root: where everything hangs, for us and for a debugger.
 *
 * Page-aligned, in .data, written to when the allocator starts, so that every
 * core file that keeps private memory has it. The fixed head leads to the
 * schema, the schema describes the rest (dumpfmt/layout.h).
 */
#ifndef ALLOC_ROOT_H
#define ALLOC_ROOT_H

#include "alloc/cache.h"
#include "alloc/report.h"
#include "dumpfmt/layout.h"

#include <stdint.h>

struct kma_clock_pair {
	uint64_t ticks; /* kma_clock_now() */
	uint64_t monotonic_ns;
	uint64_t realtime_ns;
};

enum { KMA_CLOCK_START = 0, KMA_CLOCK_LATEST = 1, KMA_CLOCK_PAIRS = 2 };

struct kma_checkpoint;
struct kma_module;
struct kma_depot;
struct kma_foreign_table;
struct kma_log;
struct kma_region;
struct kma_percpu;
struct kma_thread;
struct kma_type;
struct kma_vmem;
struct kma_meta_cache;
struct kma_waiter;

struct kma_root {
	struct kma_root_head head;
	char version[16];
	char instance[32]; /* "libkma_malloc.so", "libkma.so", "libkma.a" */
	uint32_t pid;
	uint32_t tier;        /* enum kma_tier: what new slabs get */
	uint32_t audit_depth; /* frames; 0 no limit */
	uint32_t cache_count;
	uint32_t asks; /* DUMP_ASK_VERSION: who asks for a dump is heard */
	uint64_t start_time; /* ticks */
	uint64_t fork_time;  /* ticks of the last fork as a child, or 0 */
	uint64_t fork_count;
	uint64_t canary_secret;
	uint64_t sample_rate;    /* bytes or requests between samples; 0 none */
	uint32_t sample_tier;    /* enum kma_tier of the samples */
	uint32_t sample_bytes;   /* 1: the rate is in bytes (sample.h) */
	uint64_t guards_missing; /* pages that could not be guarded */
	struct kma_clock_pair clock[KMA_CLOCK_PAIRS];
	char options_text[256]; /* the environment as understood */
	uint64_t reserve_base, reserve_end;
	uint64_t heap_base, heap_committed, heap_end;
	uint64_t text_base, text_end;     /* of this library: not a caller */
	uint64_t data_base, data_end;     /* of this library: not a root */
	uint64_t roster_base, roster_end; /* shared with a supervisor; or 0 */
	uint64_t *page_map;
	struct kma_cache *caches;
	struct kma_thread *threads;
	struct kma_module *modules;
	struct kma_depot *depot;
	struct kma_log *logs;
	struct kma_vmem *arenas;
	struct kma_meta_cache *meta_caches;
	uint32_t meta_cache_count;
	uint32_t pad;
	struct kma_region *regions;         /* annotate.h */
	struct kma_checkpoint *checkpoints; /* latest first */
	const char *suppressions;           /* LeakSanitizer's text, or NULL */
	struct kma_waiter *waiters; /* who sleeps for memory, latest first */
	uint64_t wait_count;        /* ever slept */
	uint64_t heap_limit;        /* bytes; 0: none */
	uint64_t zero_sized;        /* requests of no bytes, not reported */
	struct kma_type *types;     /* of typed malloc, latest first */
	struct kma_percpu *percpus; /* latest first */
	uint64_t guard_depth;       /* freed buffers kept out of reach */
	struct kma_foreign_table *foreign; /* slabs on clients' pages */
	struct kma_errors errors;
};

extern struct kma_root kma_root __attribute__((visibility("default")));

/*
 * Start the allocator: options, reserve, caches. Idempotent, called by every
 * slow path; the first caller, in whatever constructor, does the work.
 */
bool kma_init(void);

#endif
