/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KMA_DEBUG, KMA_LOGGING, KMA_OPTIONS, KMA_DUMP (and UMEM_*), read once, from
 * the initial environment, without getenv's locks and without allocating. An
 * unknown item is reported once on stderr and ignored. Set-uid programs ignore
 * all of it.
 */
#ifndef ALLOC_OPTIONS_H
#define ALLOC_OPTIONS_H

#include "alloc/cache.h"
#include "dumpfmt/format.h"

#include <stdbool.h>
#include <stddef.h>

enum { KMA_TIER_CHOICES_MAX = 128 };

struct kma_options {
	enum kma_tier tier;
	unsigned audit_depth; /* frames, default 64; 0 no limit */
	/* One request in sample_rate, or one byte, is of sample_tier; 0: none
	 */
	size_t sample_rate;
	enum kma_tier sample_tier;
	bool sample_bytes;
	struct {
		char cache[KMA_CACHE_NAME_SIZE];
		enum kma_tier tier;
	} tiers[KMA_TIER_CHOICES_MAX]; /* of single caches */
	size_t tier_count;
	bool guards;        /* some buffers may be of tier guard */
	bool guard_left;    /* they begin behind a guard */
	size_t guard_depth; /* freed ones whose pages stay untouchable */
	size_t guard_limit; /* bytes of pages for live ones; 0: by what is there
			     */
	size_t firewall;    /* what is as large is of tier guard; 0: nothing */
	bool noabort;
	bool verbose;
	size_t limit;         /* bytes that the heap gives out; 0 none */
	size_t stacks_max;    /* bytes that the stack depot may hold */
	size_t reap_interval; /* seconds between two looks at what is idle; 0: a
				 program that does nothing keeps it */
	/* Where the kernels' rules differ; KMA_ZERO_BY_KERNEL: each its own. */
	enum kma_zero_size {
		KMA_ZERO_BY_KERNEL,
		KMA_ZERO_ABORT,    /* reported (ZEROSIZE) */
		KMA_ZERO_NULL_LOG, /* NULL, counted and logged */
		KMA_ZERO_MIN,      /* the smallest object */
	} zero_size;
	bool free_null_ignored; /* by typed malloc */
	enum kma_wired {
		KMA_WIRED_COMMIT,  /* there is memory for it */
		KMA_WIRED_LOCK,    /* and it is locked, if that may be */
		KMA_WIRED_REQUIRE, /* or there is none */
	} wired;
	size_t mtbf; /* one call in so many fails; 0 none */
	size_t mtbf_seed;
	size_t transaction_log;                  /* bytes; 0 none */
	size_t contents_log, fail_log, slab_log; /* likewise */
	size_t saved_max; /* contents: of each buffer, so many bytes */
	struct {
		char path[1024]; /* %p %e %t %m; "" none */
		bool on_given;   /* else a path alone means all three */
		bool on_exit, on_fatal, on_error;
		bool on_killed; /* SIGTERM, SIGPIPE, ...: the end, no crash */
		int request_signal; /* 0 none */
		unsigned level;     /* enum dump_level of dumpfmt/format.h */
		bool codec_given;
		enum dump_codec codec; /* else the writer's choice */
		unsigned workers;      /* processes that compress; 0: as 1 */
		bool symbols;          /* names of functions, too */
	} dump;
	char roster[256]; /* KMA_ROSTER: path of the supervisor's mapping; ""
			     none */
};

extern struct kma_options kma_options;

/* default_tier is what applies when the environment says nothing. */
void kma_options_init(enum kma_tier default_tier);

#endif
