/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chunks of a log are used round and round, each by one thread at a time.
 * A thread whose chunk is full releases it and takes the next in the ring that
 * nobody has, which is as good as the oldest. Chunk 0 is for all: records go
 * there, one atomic addition each, when every other chunk is taken and when a
 * signal handler interrupted the allocator, which may be halfway through a
 * record of this very thread.
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

enum { CHUNK_MIN = 4096, CHUNK_MAX = 64 * 1024, CHUNKS_WANTED = 64 };

static struct kma_log transaction_log, fail_log;

static size_t chunk_size_for(size_t total)
{
	size_t size = CHUNK_MIN;

	while (size < CHUNK_MAX && total / size > CHUNKS_WANTED)
		size *= 2;
	return size;
}

static struct kma_log_chunk *chunk_at(const struct kma_log *log, uint64_t index)
{
	return (struct kma_log_chunk *)(log->base + index * log->chunk_size);
}

static uint32_t capacity(const struct kma_log *log)
{
	size_t records = (log->chunk_size - sizeof(struct kma_log_chunk)) /
			 sizeof(struct kma_log_record);

	return (uint32_t)(records * sizeof(struct kma_log_record));
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
	if (total < 2 * CHUNK_MIN)
		total = 2 * CHUNK_MIN;
	log->chunk_size = (uint32_t)chunk_size_for(total);
	log->chunk_count = total / log->chunk_size;
	log->base = (char *)reserve_bytes(log->chunk_count * log->chunk_size);
	if (!log->base) {
		kma_message("no memory for a log");
		return;
	}
	log->kind = kind;
	strncpy(log->name, name, sizeof(log->name) - 1);
	chunk_at(log, 0)->sequence = ++log->sequence;
	log->next = kma_root.logs;
	kma_root.logs = log;
}

void kma_log_init(void)
{
	log_create(&fail_log, "fail", KMA_LOG_FAIL, kma_options.fail_log);
	log_create(&transaction_log, "transaction", KMA_LOG_TRANSACTION,
		   kma_options.transaction_log);
}

/* Empty a chunk for a new owner; it becomes the youngest. */
static void chunk_open(struct kma_log *log, struct kma_log_chunk *chunk,
		       uint32_t thread)
{
	uint32_t records = chunk->used / sizeof(struct kma_log_record);

	__atomic_fetch_add(&log->lost, records, __ATOMIC_RELAXED);
	__atomic_store_n(&chunk->used, 0, __ATOMIC_RELEASE);
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

void kma_log_hand_back(struct kma_thread *thread)
{
	struct kma_log_chunk *chunk = thread->log_chunk;

	thread->log_chunk = NULL;
	if (chunk)
		chunk_release(chunk);
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

/* The next place in the thread's own chunk; NULL when it can have none. */
static struct kma_log_record *reserve_own(struct kma_log *log,
					  struct kma_thread *self)
{
	struct kma_log_chunk *chunk = self->log_chunk;

	if (!chunk || chunk->used == capacity(log)) {
		kma_log_hand_back(self);
		chunk = self->log_chunk = chunk_take(log, self->tid);
	}
	if (!chunk)
		return NULL;
	struct kma_log_record *record = record_at(chunk, chunk->used);
	__atomic_store_n(&record->valid, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&chunk->used, chunk->used + (uint32_t)sizeof(*record),
			 __ATOMIC_RELEASE);
	return record;
}

static void record_fill(struct kma_log_record *record, enum kma_operation op,
			uint64_t time, uintptr_t address, size_t size,
			uint32_t stack, unsigned cache_index)
{
	const struct kma_thread *self = kma_self;

	__atomic_store_n(&record->valid, 0, __ATOMIC_RELEASE);
	record->time = time;
	record->address = address;
	record->size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
	record->stack = stack;
	record->thread = self ? self->tid : sys_gettid();
	record->cache = (uint16_t)cache_index;
	record->operation = (uint8_t)op;
	__atomic_store_n(&record->valid, 1, __ATOMIC_RELEASE);
}

bool kma_log_keeps_failures(void)
{
	return fail_log.base != NULL;
}

void kma_log_failure(uint64_t time, size_t size, uint32_t stack,
		     unsigned cache_index)
{
	if (fail_log.base)
		record_fill(reserve_shared(&fail_log), KMA_OP_ALLOC, time, 0,
			    size, stack, cache_index);
}

void kma_log_transaction(enum kma_operation op, uint64_t time,
			 uintptr_t address, size_t size, uint32_t stack,
			 unsigned cache_index)
{
	struct kma_log *log = &transaction_log;
	struct kma_thread *self = kma_self;
	struct kma_log_record *record = NULL;

	if (!log->base)
		return;
	if (self && !kma_thread_nested(self))
		record = reserve_own(log, self);
	if (!record)
		record = reserve_shared(log);
	record_fill(record, op, time, address, size, stack, cache_index);
}
