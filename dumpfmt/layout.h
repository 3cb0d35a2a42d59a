/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The allocator's structures as a debugger sees them: the one agreement
 * between libkma, which owns them, and kdbg, which never includes their
 * declarations.
 *
 *	KMA_LAYOUT(BEGIN, FIELD, ARRAY, FLEX, END)
 *		BEGIN(s, revision)	structure s; the revision says what its
 *					bits mean and rises when that changes
 *		FIELD(s, f, kind)	one member: UINT, POINTER, TEXT or EMBED
 *		ARRAY(s, f, kind)	a fixed array: count and stride follow
 *		FLEX(s, f, kind)	a flexible array member: where it starts
 *		END(s)
 *	KMA_CONSTANTS(CONSTANT)
 *		CONSTANT(name)		a number the debugger needs by name
 *
 * The allocator expands the lists into a table of kma_schema_record, found
 * from kma_root in the target's own memory. The debugger expands them into a
 * struct of offsets that it fills from that table. To export a field, add one
 * line here. A structure, a field or a constant that the target does not
 * describe resolves to "absent", which the debugger must be ready for: an old
 * dump stays readable.
 */
#ifndef DUMPFMT_LAYOUT_H
#define DUMPFMT_LAYOUT_H

#include <assert.h>
#include <stdint.h>

/* First 16 bytes of kma_root: how a debugger finds it without symbols. */
#define KMA_ROOT_MAGIC0 UINT64_C(0x4b4d41524f4f5401) /* "KMAROOT", 1 */
#define KMA_ROOT_MAGIC1 UINT64_C(0x9d1f3b6e57c2a884)

enum kma_schema_kind {
	KMA_SCHEMA_STRUCT = 1,  /* value: unused, size: sizeof */
	KMA_SCHEMA_UINT = 2,    /* value: offset, size: 1, 2, 4 or 8 */
	KMA_SCHEMA_POINTER = 3, /* value: offset, size: 8 */
	KMA_SCHEMA_TEXT = 4,  /* value: offset, NUL-terminated in size bytes */
	KMA_SCHEMA_EMBED = 5, /* value: offset; a structure the reader knows */
	KMA_SCHEMA_CONSTANT = 6, /* value: the constant; owner is "" */
	KMA_SCHEMA_KIND_COUNT
};

enum { KMA_SCHEMA_NAME_SIZE = 32 };

/* One row of the schema, in the target's memory. Little-endian. */
struct kma_schema_record {
	char owner[KMA_SCHEMA_NAME_SIZE]; /* structure, or "" */
	char name[KMA_SCHEMA_NAME_SIZE]; /* field or constant; "" for the struct
					  */
	uint64_t value;
	uint64_t size;     /* of one element */
	uint32_t kind;     /* enum kma_schema_kind */
	uint32_t revision; /* of the structure */
	uint32_t count;    /* elements; 1 for a scalar */
	uint32_t stride;   /* bytes between elements; 0 for a scalar */
};
static_assert(sizeof(struct kma_schema_record) == 96, "schema record size");

/*
 * The root has this fixed head in every version; the rest of it is described
 * by the schema that the head points to.
 */
struct kma_root_head {
	uint64_t magic[2];     /* KMA_ROOT_MAGIC0, KMA_ROOT_MAGIC1 */
	uint64_t self;         /* address of this very object */
	uint64_t root_size;    /* bytes */
	uint64_t schema;       /* struct kma_schema_record[schema_count] */
	uint32_t schema_count; /* at most KMA_SCHEMA_MAX */
	uint32_t schema_record_size; /* may grow; never shrinks below 96 */
	uint64_t next;               /* kma_root of another instance, or 0 */
};
static_assert(sizeof(struct kma_root_head) == 56, "root head size");

enum { KMA_SCHEMA_MAX = 4096 };

/* clang-format off */
#define KMA_LAYOUT(BEGIN, FIELD, ARRAY, FLEX, END)		\
	BEGIN(kma_root, 1)					\
		FIELD(kma_root, version, TEXT)			\
		FIELD(kma_root, instance, TEXT)			\
		FIELD(kma_root, pid, UINT)			\
		FIELD(kma_root, asks, UINT)			\
		FIELD(kma_root, tier, UINT)			\
		FIELD(kma_root, audit_depth, UINT)		\
		FIELD(kma_root, start_time, UINT)		\
		FIELD(kma_root, fork_time, UINT)		\
		ARRAY(kma_root, clock, EMBED)			\
		FIELD(kma_root, canary_secret, UINT)		\
		FIELD(kma_root, guards_missing, UINT)		\
		FIELD(kma_root, sample_rate, UINT)		\
		FIELD(kma_root, sample_tier, UINT)		\
		FIELD(kma_root, sample_bytes, UINT)		\
		FIELD(kma_root, options_text, TEXT)		\
		FIELD(kma_root, heap_base, UINT)		\
		FIELD(kma_root, heap_committed, UINT)		\
		FIELD(kma_root, heap_end, UINT)			\
		FIELD(kma_root, page_map, POINTER)		\
		FIELD(kma_root, reserve_base, UINT)		\
		FIELD(kma_root, reserve_end, UINT)		\
		FIELD(kma_root, text_base, UINT)		\
		FIELD(kma_root, text_end, UINT)			\
		FIELD(kma_root, data_base, UINT)		\
		FIELD(kma_root, data_end, UINT)			\
		FIELD(kma_root, roster_base, UINT)		\
		FIELD(kma_root, roster_end, UINT)		\
		FIELD(kma_root, caches, POINTER)		\
		FIELD(kma_root, cache_count, UINT)		\
		FIELD(kma_root, threads, POINTER)		\
		FIELD(kma_root, modules, POINTER)		\
		FIELD(kma_root, depot, POINTER)			\
		FIELD(kma_root, logs, POINTER)			\
		FIELD(kma_root, errors, EMBED)			\
		FIELD(kma_root, waiters, POINTER)		\
		FIELD(kma_root, wait_count, UINT)		\
		FIELD(kma_root, heap_limit, UINT)		\
		FIELD(kma_root, types, POINTER)			\
		FIELD(kma_root, percpus, POINTER)		\
		FIELD(kma_root, guard_depth, UINT)		\
		FIELD(kma_root, fork_count, UINT)		\
		FIELD(kma_root, arenas, POINTER)		\
		FIELD(kma_root, meta_caches, POINTER)		\
		FIELD(kma_root, meta_cache_count, UINT)		\
		FIELD(kma_root, regions, POINTER)		\
		FIELD(kma_root, checkpoints, POINTER)		\
		FIELD(kma_root, suppressions, POINTER)		\
		FIELD(kma_root, foreign, POINTER)		\
	END(kma_root)						\
	BEGIN(kma_clock_pair, 1)				\
		FIELD(kma_clock_pair, ticks, UINT)		\
		FIELD(kma_clock_pair, monotonic_ns, UINT)	\
		FIELD(kma_clock_pair, realtime_ns, UINT)	\
	END(kma_clock_pair)					\
	BEGIN(kma_region, 1)					\
		FIELD(kma_region, next, POINTER)		\
		FIELD(kma_region, start, UINT)			\
		FIELD(kma_region, size, UINT)			\
	END(kma_region)						\
	BEGIN(kma_checkpoint, 1)				\
		FIELD(kma_checkpoint, next, POINTER)		\
		FIELD(kma_checkpoint, time, UINT)		\
		FIELD(kma_checkpoint, name, TEXT)		\
	END(kma_checkpoint)					\
	BEGIN(kma_cache, 1)					\
		FIELD(kma_cache, next, POINTER)			\
		FIELD(kma_cache, name, TEXT)			\
		FIELD(kma_cache, index, UINT)			\
		FIELD(kma_cache, bufsize, UINT)			\
		FIELD(kma_cache, align, UINT)			\
		FIELD(kma_cache, flags, UINT)			\
		FIELD(kma_cache, tier, UINT)			\
		FIELD(kma_cache, cflags, UINT)			\
		FIELD(kma_cache, slab_create, UINT)		\
		FIELD(kma_cache, slab_destroy, UINT)		\
		FIELD(kma_cache, buf_total, UINT)		\
		FIELD(kma_cache, pages, UINT)			\
		FIELD(kma_cache, alloc, UINT)			\
		FIELD(kma_cache, free, UINT)			\
		FIELD(kma_cache, alloc_fail, UINT)		\
		ARRAY(kma_cache, full_magazines, POINTER)	\
		FIELD(kma_cache, magazine_size, UINT)		\
		FIELD(kma_cache, align_offset, UINT)		\
		FIELD(kma_cache, out, UINT)			\
		FIELD(kma_cache, limit, UINT)			\
		FIELD(kma_cache, slab_alloc, UINT)		\
		FIELD(kma_cache, client, POINTER)		\
	END(kma_cache)						\
	BEGIN(kma_client, 1)					\
		FIELD(kma_client, state, UINT)			\
		FIELD(kma_client, flags, UINT)			\
		FIELD(kma_client, personality, UINT)		\
		FIELD(kma_client, size, UINT)			\
		FIELD(kma_client, construct, POINTER)		\
		FIELD(kma_client, destruct, POINTER)		\
		FIELD(kma_client, arg, POINTER)			\
		FIELD(kma_client, import, POINTER)		\
		FIELD(kma_client, slab_size, UINT)		\
		FIELD(kma_client, low, UINT)			\
		FIELD(kma_client, slab_min, UINT)		\
		FIELD(kma_client, slab_high, UINT)		\
		FIELD(kma_client, slab_peak, UINT)		\
		FIELD(kma_client, waits, UINT)			\
		FIELD(kma_client, limit_fails, UINT)		\
		FIELD(kma_client, construct_fails, UINT)	\
		FIELD(kma_client, reaps, UINT)			\
	END(kma_client)						\
	BEGIN(kma_waiter, 1)					\
		FIELD(kma_waiter, next, POINTER)		\
		FIELD(kma_waiter, thread, UINT)			\
		FIELD(kma_waiter, kind, UINT)			\
		FIELD(kma_waiter, size, UINT)			\
		FIELD(kma_waiter, since, UINT)			\
		FIELD(kma_waiter, stack, UINT)			\
		FIELD(kma_waiter, name, TEXT)			\
	END(kma_waiter)						\
	BEGIN(kma_type, 1)					\
		FIELD(kma_type, next, POINTER)			\
		FIELD(kma_type, name, TEXT)			\
		FIELD(kma_type, number, UINT)			\
		FIELD(kma_type, memuse, UINT)			\
		FIELD(kma_type, limit, UINT)			\
		FIELD(kma_type, maxused, UINT)			\
		FIELD(kma_type, inuse, UINT)			\
		FIELD(kma_type, calls, UINT)			\
		FIELD(kma_type, fails, UINT)			\
		FIELD(kma_type, limblocks, UINT)		\
		FIELD(kma_type, sizes, UINT)			\
	END(kma_type)						\
	BEGIN(kma_percpu, 1)					\
		FIELD(kma_percpu, next, POINTER)		\
		FIELD(kma_percpu, size, UINT)			\
		FIELD(kma_percpu, stride, UINT)			\
		FIELD(kma_percpu, count, UINT)			\
		FIELD(kma_percpu, parts, POINTER)		\
	END(kma_percpu)						\
	BEGIN(kma_slab, 1)					\
		FIELD(kma_slab, next, POINTER)			\
		FIELD(kma_slab, cache, POINTER)			\
		FIELD(kma_slab, base, UINT)			\
		FIELD(kma_slab, pages, UINT)			\
		FIELD(kma_slab, first, UINT)			\
		FIELD(kma_slab, stride, UINT)			\
		FIELD(kma_slab, buffers, UINT)			\
		FIELD(kma_slab, in_use, UINT)			\
		FIELD(kma_slab, tier, UINT)			\
		FIELD(kma_slab, hollow, UINT)			\
		FIELD(kma_slab, pristine, UINT)			\
		FIELD(kma_slab, bare, UINT)			\
		FIELD(kma_slab, sampled, UINT)			\
		FIELD(kma_slab, free_bits, POINTER)		\
		FIELD(kma_slab, bufctls, POINTER)		\
		FIELD(kma_slab, words, POINTER)			\
		FIELD(kma_slab, types, POINTER)			\
	END(kma_slab)						\
	BEGIN(kma_bufctl, 1)					\
		FIELD(kma_bufctl, word, UINT)			\
		FIELD(kma_bufctl, alloc_time, UINT)		\
		FIELD(kma_bufctl, free_time, UINT)		\
		FIELD(kma_bufctl, alloc_thread, UINT)		\
		FIELD(kma_bufctl, free_thread, UINT)		\
		FIELD(kma_bufctl, alloc_stack, UINT)		\
		FIELD(kma_bufctl, free_stack, UINT)		\
	END(kma_bufctl)						\
	BEGIN(kma_magazine, 1)					\
		FIELD(kma_magazine, next, POINTER)		\
		FIELD(kma_magazine, rounds, UINT)		\
		FIELD(kma_magazine, capacity, UINT)		\
		FLEX(kma_magazine, round, UINT)			\
	END(kma_magazine)					\
	BEGIN(kma_magset, 2)					\
		FIELD(kma_magset, hot, UINT)			\
		FIELD(kma_magset, top, POINTER)			\
		FIELD(kma_magset, loaded, POINTER)		\
		FIELD(kma_magset, previous, POINTER)		\
		FIELD(kma_magset, alloc, UINT)			\
		FIELD(kma_magset, free, UINT)			\
	END(kma_magset)						\
	BEGIN(kma_meta_cache, 1)				\
		FIELD(kma_meta_cache, name, TEXT)		\
		FIELD(kma_meta_cache, unit, UINT)		\
		FIELD(kma_meta_cache, in_use, UINT)		\
		FIELD(kma_meta_cache, memory, UINT)		\
		FIELD(kma_meta_cache, alloc, UINT)		\
		FIELD(kma_meta_cache, alloc_fail, UINT)		\
	END(kma_meta_cache)					\
	BEGIN(kma_vmem, 1)					\
		FIELD(kma_vmem, next, POINTER)			\
		FIELD(kma_vmem, name, TEXT)			\
		FIELD(kma_vmem, flags, UINT)			\
		FIELD(kma_vmem, parent, POINTER)		\
		FIELD(kma_vmem, quantum, UINT)			\
		FIELD(kma_vmem, limit, UINT)			\
		FIELD(kma_vmem, in_use, UINT)			\
		FIELD(kma_vmem, total, UINT)			\
		FIELD(kma_vmem, imported, UINT)			\
		FIELD(kma_vmem, alloc, UINT)			\
		FIELD(kma_vmem, free, UINT)			\
		FIELD(kma_vmem, alloc_fail, UINT)		\
		FIELD(kma_vmem, waits, UINT)			\
		FIELD(kma_vmem, segments, UINT)			\
		FIELD(kma_vmem, head, EMBED)			\
		FIELD(kma_vmem, qcache_count, UINT)		\
		ARRAY(kma_vmem, qcaches, POINTER)		\
	END(kma_vmem)						\
	BEGIN(kma_vmem_seg, 1)					\
		FIELD(kma_vmem_seg, start, UINT)		\
		FIELD(kma_vmem_seg, length, UINT)		\
		FIELD(kma_vmem_seg, size, UINT)			\
		FIELD(kma_vmem_seg, next, POINTER)		\
		FIELD(kma_vmem_seg, type, UINT)			\
		FIELD(kma_vmem_seg, giver, UINT)		\
		FIELD(kma_vmem_seg, imported, UINT)		\
		FIELD(kma_vmem_seg, time, UINT)			\
		FIELD(kma_vmem_seg, stack, UINT)		\
		FIELD(kma_vmem_seg, thread, UINT)		\
	END(kma_vmem_seg)					\
	BEGIN(kma_vmem_qcache, 1)				\
		FIELD(kma_vmem_qcache, name, TEXT)		\
		FIELD(kma_vmem_qcache, size, UINT)		\
		FIELD(kma_vmem_qcache, slab_size, UINT)		\
		FIELD(kma_vmem_qcache, slabs, UINT)		\
		FIELD(kma_vmem_qcache, in_use, UINT)		\
		FIELD(kma_vmem_qcache, total, UINT)		\
		FIELD(kma_vmem_qcache, alloc, UINT)		\
		FIELD(kma_vmem_qcache, alloc_fail, UINT)	\
	END(kma_vmem_qcache)					\
	BEGIN(kma_thread, 2)					\
		FIELD(kma_thread, next, POINTER)		\
		FIELD(kma_thread, tid, UINT)			\
		FIELD(kma_thread, state, UINT)			\
		FIELD(kma_thread, name, TEXT)			\
		FIELD(kma_thread, start_time, UINT)		\
		FIELD(kma_thread, end_time, UINT)		\
		FIELD(kma_thread, stack_top, UINT)		\
		FIELD(kma_thread, altstack_base, UINT)		\
		FIELD(kma_thread, altstack_size, UINT)		\
		FIELD(kma_thread, signal_stack, UINT)		\
		FIELD(kma_thread, created_time, UINT)		\
		FIELD(kma_thread, created_by, UINT)		\
		FIELD(kma_thread, created_stack, UINT)		\
		FIELD(kma_thread, magsets, POINTER)		\
		FIELD(kma_thread, magset_count, UINT)		\
		FIELD(kma_thread, magset_caches, UINT)		\
	END(kma_thread)						\
	BEGIN(kma_module, 1)					\
		FIELD(kma_module, next, POINTER)		\
		FIELD(kma_module, base, UINT)			\
		FIELD(kma_module, end, UINT)			\
		FIELD(kma_module, from_time, UINT)		\
		FIELD(kma_module, until_time, UINT)		\
		FIELD(kma_module, path, POINTER)		\
		FIELD(kma_module, build_id_size, UINT)		\
		ARRAY(kma_module, build_id, UINT)		\
	END(kma_module)						\
	BEGIN(kma_depot, 1)					\
		FIELD(kma_depot, base, POINTER)			\
		FIELD(kma_depot, used, UINT)			\
		FIELD(kma_depot, capacity, UINT)		\
		FIELD(kma_depot, count, UINT)			\
		FIELD(kma_depot, dropped, UINT)			\
		FIELD(kma_depot, table_mask, UINT)		\
	END(kma_depot)						\
	BEGIN(kma_stack, 1)					\
		FIELD(kma_stack, hash, UINT)			\
		FIELD(kma_stack, depth, UINT)			\
		FIELD(kma_stack, flags, UINT)			\
		FLEX(kma_stack, pc, UINT)			\
	END(kma_stack)						\
	BEGIN(kma_log, 1)					\
		FIELD(kma_log, next, POINTER)			\
		FIELD(kma_log, name, TEXT)			\
		FIELD(kma_log, kind, UINT)			\
		FIELD(kma_log, base, POINTER)			\
		FIELD(kma_log, chunk_size, UINT)		\
		FIELD(kma_log, chunk_count, UINT)		\
		FIELD(kma_log, lost, UINT)			\
		FIELD(kma_log, saved_max, UINT)			\
	END(kma_log)						\
	BEGIN(kma_log_chunk, 1)					\
		FIELD(kma_log_chunk, sequence, UINT)		\
		FIELD(kma_log_chunk, used, UINT)		\
		FIELD(kma_log_chunk, thread, UINT)		\
	END(kma_log_chunk)					\
	BEGIN(kma_log_record, 1)				\
		FIELD(kma_log_record, time, UINT)		\
		FIELD(kma_log_record, address, UINT)		\
		FIELD(kma_log_record, size, UINT)		\
		FIELD(kma_log_record, stack, UINT)		\
		FIELD(kma_log_record, thread, UINT)		\
		FIELD(kma_log_record, cache, UINT)		\
		FIELD(kma_log_record, operation, UINT)		\
		FIELD(kma_log_record, valid, UINT)		\
	END(kma_log_record)					\
	BEGIN(kma_errors, 1)					\
		FIELD(kma_errors, count, UINT)			\
		FIELD(kma_errors, record_count, UINT)		\
		ARRAY(kma_errors, record, EMBED)		\
		FIELD(kma_errors, ring_position, UINT)		\
		FIELD(kma_errors, ring, TEXT)			\
	END(kma_errors)						\
	BEGIN(kma_error, 1)					\
		FIELD(kma_error, code, UINT)			\
		FIELD(kma_error, name, TEXT)			\
		FIELD(kma_error, time, UINT)			\
		FIELD(kma_error, thread, UINT)			\
		FIELD(kma_error, stack, UINT)			\
		FIELD(kma_error, address, UINT)			\
		FIELD(kma_error, buffer, UINT)			\
		FIELD(kma_error, bufctl, POINTER)		\
		FIELD(kma_error, slab, POINTER)			\
		FIELD(kma_error, cache, POINTER)		\
		FIELD(kma_error, size, UINT)			\
		FIELD(kma_error, offset, UINT)			\
		FIELD(kma_error, expected, UINT)		\
		FIELD(kma_error, found, UINT)			\
		FIELD(kma_error, alloc_stack, UINT)		\
		FIELD(kma_error, free_stack, UINT)		\
		FIELD(kma_error, alloc_thread, UINT)		\
		FIELD(kma_error, free_thread, UINT)		\
		FIELD(kma_error, message, TEXT)			\
	END(kma_error)

/*
 * kma_thread 1: magsets[cache index * KMA_TIER_COUNT + tier].
 * 2: magsets[tier * magset_caches + cache index].
 *
 * kma_magset 1: loaded->rounds tells how many rounds loaded has. 2: top is the
 * address of its last one, which is not there but in hot; the one before round
 * 0, and hot 0, when it has none.
 *
 * The page-map word, the bufctl word, states, families, operations: the
 * allocator's enums of the same names.
 *
 * KMA_PATTERN_REVISION says how a guard's bytes come from canary_secret, and
 * between which addresses a buffer's guards and fill lie. 2: the 8-aligned word
 * at address a of a guard is
 *
 *	m = (canary_secret ^ a) * 0x9e3779b97f4a7c15 (mod 2^64)
 *	(m ^ m >> 32) | 0x8080808080808080
 *
 * 1, which also holds where it is absent, had | 0x0101010101010101.
 *
 * A buffer of request size, offset up in its cell from start, has its canary
 * in [start - KMA_CANARY_SIZE, user), its redzone in [user + size, start +
 * stride - KMA_CANARY_SIZE), of each the KMA_GUARD_MAX bytes next to the
 * request at most; where that leaves a redzone short, its last KMA_GUARD_TAIL
 * bytes are guard, too (if the constant is there). Of a free one the request
 * reads KMA_FILL_FREE, whole up to KMA_FILL_FREE_MAX bytes (where that is
 * absent: KMA_FILL_MAX), its first KMA_FILL_MAX bytes if it is larger; where the
 * slab is sampled, its first KMA_FILL_SAMPLED_MAX bytes. Where its slab is hollow, the whole pages of the request
 * behind those read zero, and with KMA_FILL_FREE_MAX what there is before and
 * behind the whole pages KMA_FILL_FREE. At tier guard and in a bare slab
 * KMA_CANARY_SIZE counts as 0, and a free buffer has no pages. Slabs of tier
 * off and lite have no guards.
 * In a slab that is pristine a buffer that was never handed out reads zero, from
 * its canary on for stride bytes.
 */
#define KMA_CONSTANTS(CONSTANT)			\
	CONSTANT(KMA_PAGE_SHIFT)		\
	CONSTANT(KMA_PAGE_SLAB_MASK)		\
	CONSTANT(KMA_PAGE_KIND_MASK)		\
	CONSTANT(KMA_PAGE_TIER_SHIFT)		\
	CONSTANT(KMA_PAGE_TIER_MASK)		\
	CONSTANT(KMA_PAGE_CACHE_SHIFT)		\
	CONSTANT(KMA_PAGE_NONE)			\
	CONSTANT(KMA_PAGE_SLAB)			\
	CONSTANT(KMA_PAGE_LARGE)		\
	CONSTANT(KMA_PAGE_FREE)			\
	CONSTANT(KMA_PAGE_ARENA)		\
	CONSTANT(KMA_TIER_OFF)			\
	CONSTANT(KMA_TIER_LITE)			\
	CONSTANT(KMA_TIER_AUDIT)		\
	CONSTANT(KMA_TIER_GUARD)		\
	CONSTANT(KMA_TIER_COUNT)		\
	CONSTANT(KMA_BUFCTL_STATE_SHIFT)	\
	CONSTANT(KMA_BUFCTL_STATE_MASK)		\
	CONSTANT(KMA_BUFCTL_FAMILY_SHIFT)	\
	CONSTANT(KMA_BUFCTL_FAMILY_MASK)	\
	CONSTANT(KMA_BUFCTL_IGNORED)		\
	CONSTANT(KMA_BUFCTL_OFFSET_SHIFT)	\
	CONSTANT(KMA_BUFCTL_OFFSET_MASK)	\
	CONSTANT(KMA_BUFCTL_SIZE_SHIFT)		\
	CONSTANT(KMA_BUFFER_NEVER)		\
	CONSTANT(KMA_BUFFER_ALLOCATED)		\
	CONSTANT(KMA_BUFFER_FREE)		\
	CONSTANT(KMA_BUFFER_CHANGING)		\
	CONSTANT(KMA_CANARY_SIZE)		\
	CONSTANT(KMA_REDZONE_MIN)		\
	CONSTANT(KMA_PATTERN_REVISION)		\
	CONSTANT(KMA_FILL_FREE)			\
	CONSTANT(KMA_FILL_MAX)			\
	CONSTANT(KMA_FILL_FREE_MAX)		\
	CONSTANT(KMA_FILL_SAMPLED_MAX)		\
	CONSTANT(KMA_GUARD_MAX)			\
	CONSTANT(KMA_GUARD_TAIL)		\
	CONSTANT(KMA_STACK_UNIT)		\
	CONSTANT(KMA_STACK_TRUNCATED)		\
	CONSTANT(KMA_STACK_BY_FRAME_POINTER)	\
	CONSTANT(KMA_LOG_TRANSACTION)		\
	CONSTANT(KMA_LOG_CONTENTS)		\
	CONSTANT(KMA_LOG_FAIL)			\
	CONSTANT(KMA_LOG_SLAB)			\
	CONSTANT(KMA_LOG_UNIT)			\
	CONSTANT(KMA_OP_ALLOC)			\
	CONSTANT(KMA_OP_FREE)			\
	CONSTANT(KMA_OP_REALLOC)		\
	CONSTANT(KMA_VMEM_ACCOUNT)		\
	CONSTANT(KMA_VMC_IDENTIFIER)		\
	CONSTANT(KMA_VMEM_SEG_ALLOC)		\
	CONSTANT(KMA_VMEM_SEG_FREE)		\
	CONSTANT(KMA_VMEM_SEG_SPAN)		\
	CONSTANT(KMA_VMEM_BY_QCACHE)		\
	CONSTANT(KMA_THREAD_LIVE)		\
	CONSTANT(KMA_THREAD_EXITED)		\
	CONSTANT(KMA_POOL)			\
	CONSTANT(KMA_NOTOUCH)			\
	CONSTANT(KMA_CLIENT_LIVE)		\
	CONSTANT(KMA_FOREIGN_LEVELS)		\
	CONSTANT(KMA_FOREIGN_BITS)		\
	CONSTANT(KMA_PERCPU_HEAD)
/* clang-format on */

#endif
