/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chunks of a log are used round and round, each by one thread at a time.
 * A thread whose chunk is full releases it and takes the next in the ring that
 * nobody has, which is as good as the oldest. Chunk 0 is for all: records go
 * there, one atomic addition each, when every other chunk is taken and when a
 * signal handler interrupted the allocator, which may be halfway through a
 * record of this very thread. Logs of what is rare, failures and slabs, have no
 * other chunk. Contents, whose records differ in size, never go there: then
 * they are lost, and counted.
 *
 * A chunk's thread says who owns it. It stays when the chunk is full or given
 * back, so that a reader knows whose records they are; owner is apart.
 */
#include "alloc/log.h"

#include "alloc/options.h"
#include "alloc/range.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/sys.h"
#include "alloc/thread.h"

#include <string.h>

enum {
	CHUNK_MIN = 4096,
	CHUNK_MAX = 64 * 1024,
	CHUNKS_WANTED = 64,
	SHARED_MAX = 64 << 20
};

/* A thread's own chunks, in kma_thread.log_chunks. */
enum { OF_TRANSACTIONS, OF_CONTENTS };

bool kma_log_any;

static struct kma_log transaction_log, contents_log, fail_log, slab_log;

/* Of what is rare there is one chunk, which all share. */
static bool is_shared(const struct kma_log *log)
{
	return log->kind == KMA_LOG_FAIL || log->kind == KMA_LOG_SLAB;
}

/* A chunk holds some of the largest records. */
static void divide(struct kma_log *log, size_t total)
{
	enum { RECORDS_MIN = 7 };
	size_t size = CHUNK_MIN;

	if (is_shared(log)) {
		total = (total + CHUNK_MIN - 1) & ~(size_t)(CHUNK_MIN - 1);
		log->chunk_size =
			(uint32_t)(total < SHARED_MAX ? total : SHARED_MAX);
		log->chunk_count = 1;
		return;
	}
	while (size < log->saved_max * RECORDS_MIN ||
	       (size < CHUNK_MAX && total / size > CHUNKS_WANTED))
		size *= 2;
	log->chunk_size = (uint32_t)size;
	log->chunk_count = total < 2 * size ? 2 : total / size;
}

static struct kma_log_chunk *chunk_at(const struct kma_log *log, uint64_t index)
{
	return (struct kma_log_chunk *)(log->base + index * log->chunk_size);
}

/* Chunks are a power of two in size, and so is a record. */
static uint32_t capacity(const struct kma_log *log)
{
	return (uint32_t)(log->chunk_size - sizeof(struct kma_log_chunk)) &
	       ~(uint32_t)(sizeof(struct kma_log_record) - 1);
}

/* Commit total bytes at the end of what logs have; 0: there is no room. */
static uintptr_t reserve_bytes(size_t total)
{
	static size_t used;
	const struct kma_range *part = &kma_reserve.logs;
	uintptr_t base = part->base + used;

	if (total > part->end - base ||
	    !kma_range_commit(&kma_reserve.logs, base + total))
		return 0;
	used += total;
	return base;
}

static void log_create(struct kma_log *log, const char *name,
		       enum kma_log_kind kind, size_t total)
{
	if (total == 0)
		return;
	log->kind = kind;
	divide(log, total);
	log->base = (char *)reserve_bytes(log->chunk_count * log->chunk_size);
	if (!log->base) {
		kma_message("no memory for a log");
		return;
	}
	strncpy(log->name, name, sizeof(log->name) - 1);
	chunk_at(log, 0)->sequence = ++log->sequence;
	log->next = kma_root.logs;
	kma_root.logs = log;
}

void kma_log_init(void)
{
	contents_log.saved_max = kma_options.saved_max;
	log_create(&slab_log, "slab", KMA_LOG_SLAB, kma_options.slab_log);
	log_create(&fail_log, "fail", KMA_LOG_FAIL, kma_options.fail_log);
	log_create(&contents_log, "contents", KMA_LOG_CONTENTS,
		   kma_options.contents_log);
	log_create(&transaction_log, "transaction", KMA_LOG_TRANSACTION,
		   kma_options.transaction_log);
	kma_log_any = contents_log.base || transaction_log.base;
}

static uint32_t records_in(const struct kma_log *log,
			   const struct kma_log_chunk *chunk)
{
	return log->kind == KMA_LOG_CONTENTS
		       ? chunk->records
		       : chunk->used / sizeof(struct kma_log_record);
}

/* Empty a chunk for a new owner; it becomes the youngest. */
static void chunk_open(struct kma_log *log, struct kma_log_chunk *chunk,
		       uint32_t thread)
{
	__atomic_fetch_add(&log->lost, records_in(log, chunk),
			   __ATOMIC_RELAXED);
	__atomic_store_n(&chunk->used, 0, __ATOMIC_RELEASE);
	chunk->records = 0;
	chunk->thread = thread;
	chunk->sequence =
		__atomic_add_fetch(&log->sequence, 1, __ATOMIC_RELAXED);
}

static struct kma_log_chunk *chunk_take(struct kma_log *log, uint32_t thread)
{
	uint64_t own = log->chunk_count - 1; /* all but chunk 0 */

	for (uint64_t i = 0; i < own; i++) {
		uint64_t at =
			__atomic_fetch_add(&log->hand, 1, __ATOMIC_RELAXED);
		struct kma_log_chunk *chunk = chunk_at(log, 1 + at % own);
		uint32_t nobody = 0;

		if (__atomic_compare_exchange_n(&chunk->owner, &nobody, thread,
						false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED)) {
			chunk_open(log, chunk, thread);
			return chunk;
		}
	}
	return NULL;
}

static void chunk_release(struct kma_log_chunk *chunk)
{
	__atomic_store_n(&chunk->owner, 0, __ATOMIC_RELEASE);
}

static void give_up(struct kma_log_chunk **own)
{
	struct kma_log_chunk *chunk = *own;

	*own = NULL;
	if (chunk)
		chunk_release(chunk);
}

void kma_log_hand_back(struct kma_thread *thread)
{
	for (unsigned i = 0; i < KMA_THREAD_LOGS; i++)
		give_up(&thread->log_chunks[i]);
}

static struct kma_log_record *record_at(struct kma_log_chunk *chunk,
					uint32_t offset)
{
	return (struct kma_log_record *)((char *)(chunk + 1) + offset);
}

/* The next place in the chunk that all share; it turns in itself. */
static struct kma_log_record *reserve_shared(struct kma_log *log)
{
	struct kma_log_chunk *chunk = chunk_at(log, 0);
	uint32_t size = sizeof(struct kma_log_record), full = capacity(log);
	uint64_t at =
		__atomic_fetch_add(&log->shared, 1, __ATOMIC_RELAXED) * size;

	if (at < full)
		__atomic_fetch_add(&chunk->used, size, __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(&log->lost, 1, __ATOMIC_RELAXED);
	return record_at(chunk, (uint32_t)(at % full));
}

/* The next size bytes in the thread's own chunk; NULL: it can have none. */
static struct kma_log_record *reserve_own(struct kma_log *log,
					  struct kma_thread *self,
					  unsigned which, uint32_t size)
{
	struct kma_log_chunk **own = &self->log_chunks[which];
	struct kma_log_chunk *chunk = *own;

	if (!chunk || capacity(log) - chunk->used < size) {
		give_up(own);
		chunk = *own = chunk_take(log, self->tid);
	}
	if (!chunk)
		return NULL;
	struct kma_log_record *record = record_at(chunk, chunk->used);
	__atomic_store_n(&record->valid, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&chunk->used, chunk->used + size, __ATOMIC_RELEASE);
	return record;
}

/* All but valid. */
static inline void record_write(struct kma_log_record *record,
				enum kma_operation op, uint64_t time,
				uintptr_t address, size_t size, uint32_t stack,
				uint32_t thread, unsigned cache_index)
{
	record->time = time;
	record->address = address;
	record->size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
	record->stack = stack;
	record->thread = thread;
	record->cache = (uint16_t)cache_index;
	record->operation = (uint8_t)op;
}

/* saved: of the bytes at address, so many go behind the record. */
static inline void record_fill(struct kma_log_record *record,
			       enum kma_operation op, uint64_t time,
			       uintptr_t address, size_t size, uint32_t stack,
			       unsigned cache_index, size_t saved)
{
	const struct kma_thread *self = kma_self;

	__atomic_store_n(&record->valid, 0, __ATOMIC_RELEASE);
	record_write(record, op, time, address, size, stack,
		     self ? self->tid : sys_gettid(), cache_index);
	memcpy(record + 1, (const void *)address, saved);
	__atomic_store_n(&record->valid, 1, __ATOMIC_RELEASE);
}

bool kma_log_keeps_failures(void)
{
	return fail_log.base != NULL;
}

bool kma_log_keeps_slabs(void)
{
	return slab_log.base != NULL;
}

void kma_log_failure(uint64_t time, size_t size, uint32_t stack,
		     unsigned cache_index)
{
	if (fail_log.base)
		record_fill(reserve_shared(&fail_log), KMA_OP_ALLOC, time, 0,
			    size, stack, cache_index, 0);
}

void kma_log_slab(enum kma_operation op, uint64_t time, uintptr_t base,
		  size_t size, uint32_t stack, unsigned cache_index)
{
	if (slab_log.base)
		record_fill(reserve_shared(&slab_log), op, time, base, size,
			    stack, cache_index, 0);
}

/* The thread's chunk is full, or it can have none. */
__attribute__((noinline)) static void
transaction_elsewhere(enum kma_operation op, uint64_t time, uintptr_t address,
		      size_t size, uint32_t stack, unsigned cache_index)
{
	struct kma_log *log = &transaction_log;
	struct kma_thread *self = kma_self;
	struct kma_log_record *record = NULL;

	if (self && !kma_thread_nested(self))
		record = reserve_own(log, self, OF_TRANSACTIONS,
				     sizeof(*record));
	if (!record)
		record = reserve_shared(log);
	record_fill(record, op, time, address, size, stack, cache_index, 0);
}

/*
 * Every audited call comes here: a record in the thread's own chunk is eight
 * stores. The log is longer than the processor's cache keeps it, so the line
 * that comes after this one is asked for beforehand.
 */
void kma_log_transaction(enum kma_operation op, uint64_t time,
			 uintptr_t address, size_t size, uint32_t stack,
			 unsigned cache_index)
{
	const struct kma_log *log = &transaction_log;
	struct kma_thread *self = kma_self;
	struct kma_log_chunk *chunk;

	if (!log->base)
		return;
	if (__builtin_expect(
		    !self || kma_thread_nested(self) ||
			    !(chunk = self->log_chunks[OF_TRANSACTIONS]) ||
			    chunk->used == capacity(log),
		    0)) {
		transaction_elsewhere(op, time, address, size, stack,
				      cache_index);
		return;
	}
	struct kma_log_record *record = record_at(chunk, chunk->used);
	__builtin_prefetch(record + 4, 1);
	__atomic_store_n(&record->valid, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&chunk->used, chunk->used + (uint32_t)sizeof(*record),
			 __ATOMIC_RELEASE);
	record_write(record, op, time, address, size, stack, self->tid,
		     cache_index);
	__atomic_store_n(&record->valid, 1, __ATOMIC_RELEASE);
}

__attribute__((noinline)) static void contents_add(uint64_t time,
						   uintptr_t address,
						   size_t size, uint32_t stack,
						   unsigned cache_index)
{
	struct kma_log *log = &contents_log;
	struct kma_thread *self = kma_self;
	struct kma_log_record *record = NULL;
	size_t saved = size < log->saved_max ? size : log->saved_max;
	size_t room = (saved + KMA_LOG_UNIT - 1) / KMA_LOG_UNIT * KMA_LOG_UNIT;

	if (self && !kma_thread_nested(self))
		record = reserve_own(log, self, OF_CONTENTS,
				     (uint32_t)(sizeof(*record) + room));
	if (!record) {
		__atomic_fetch_add(&log->lost, 1, __ATOMIC_RELAXED);
		return;
	}
	record_fill(record, KMA_OP_FREE, time, address, size, stack,
		    cache_index, saved);
	self->log_chunks[OF_CONTENTS]->records++;
}

void kma_log_contents(uint64_t time, uintptr_t address, size_t size,
		      uint32_t stack, unsigned cache_index)
{
	if (__builtin_expect(contents_log.base != NULL, 0))
		contents_add(time, address, size, stack, cache_index);
}
