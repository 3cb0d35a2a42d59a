/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transaction logs. A log is a pool of chunks; a thread writes its own chunk
 * without a lock, and when it is full takes the pool's oldest. A record is
 * whole once valid is set, which is stored last: a crash between loses one
 * record, never the log.
 */
#ifndef ALLOC_LOG_H
#define ALLOC_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kma_log_kind {
	KMA_LOG_TRANSACTION = 1,
	KMA_LOG_CONTENTS = 2,
	KMA_LOG_FAIL = 3,
	KMA_LOG_SLAB = 4,
};

enum kma_operation {
	KMA_OP_ALLOC = 1, /* slab log: pages were cut into a slab */
	KMA_OP_FREE = 2,  /* slab log: and given back */
	KMA_OP_REALLOC = 3,
};

/*
 * In the contents log the bytes that a freed buffer began with follow its
 * record: min(size, saved_max) of them, rounded up to KMA_LOG_UNIT.
 */
enum { KMA_LOG_UNIT = 32, KMA_LOG_SAVED_MAX = 8192 };

struct kma_log_record { /* 32 bytes */
	uint64_t time;
	uint64_t address;  /* the user's pointer */
	uint32_t size;     /* request; UINT32_MAX and more: UINT32_MAX */
	uint32_t stack;    /* depot id */
	uint32_t thread;   /* tid */
	uint16_t cache;    /* index */
	uint8_t operation; /* enum kma_operation */
	uint8_t valid;     /* 1, written last */
};

struct kma_log_chunk {
	uint64_t sequence; /* order in which chunks were taken; 0 unused */
	uint32_t used;     /* bytes after the header */
	uint32_t thread;   /* whose records these are; 0: of all */
	uint32_t owner;    /* who writes here now; 0 nobody */
	uint32_t records;  /* contents: how many */
	uint32_t pad[2];
	/* records follow, 32-aligned */
};

struct kma_log {
	struct kma_log *next;
	char name[16]; /* "transaction" */
	uint32_t kind; /* enum kma_log_kind */
	uint32_t chunk_size;
	uint64_t chunk_count;
	char *base;
	uint64_t sequence;  /* last given */
	uint64_t lost;      /* records overwritten */
	uint64_t hand;      /* where the next free chunk is looked for */
	uint64_t shared;    /* records ever written to chunk 0 */
	uint64_t saved_max; /* contents: of each buffer, so many bytes */
};

/* Make the logs that the options ask for. */
void kma_log_init(void);

/* The thread ends: others may have its chunks. */
struct kma_thread;
void kma_log_hand_back(struct kma_thread *thread);

/* Does anybody want to know? To be asked before a stack is taken for it. */
bool kma_log_keeps_failures(void);
bool kma_log_keeps_slabs(void);

/* Add an allocation that could not be made to the failure log. */
void kma_log_failure(uint64_t time, size_t size, uint32_t stack,
		     unsigned cache_index);

/* Add a slab that came (KMA_OP_ALLOC) or went (KMA_OP_FREE) to the slab log. */
void kma_log_slab(enum kma_operation op, uint64_t time, uintptr_t base,
		  size_t size, uint32_t stack, unsigned cache_index);

/* Is there a transaction log, or one of contents? */
extern bool kma_log_any __attribute__((visibility("hidden")));

/* Add a record to the transaction log; does nothing when there is none. */
void kma_log_transaction(enum kma_operation op, uint64_t time,
			 uintptr_t address, size_t size, uint32_t stack,
			 unsigned cache_index);

/*
 * Add the bytes of a buffer that is being freed to the contents log; does
 * nothing when there is none. time is the free's, by which the two are found
 * to belong together.
 */
void kma_log_contents(uint64_t time, uintptr_t address, size_t size,
		      uint32_t stack, unsigned cache_index);

#endif
