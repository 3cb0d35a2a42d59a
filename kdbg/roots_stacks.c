/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stacks and registers: what of them can hold a pointer the program still has.
 *
 *	|guard|  unused   | red zone | frames ... | TLS | struct pthread |
 *	      ^ mapping	  ^ rsp-128  ^ rsp			         ^ end
 *
 * A live thread's stack is a root from 128 bytes below rsp up: a leaf function
 * may keep values there. What lies lower is what returned calls have left
 * behind, and would hide leaks. A thread that called the dump itself is no
 * leaf, so its root starts at rsp. The cut is made only where it is sure how
 * far down the stack goes: the main stack; one whose extent the control block
 * tells (struct pthread has start, size and size of the guard side by side);
 * a mapping with a guard below it and the control block in it. A coroutine's
 * stack stays a root as a whole: better to miss a leak than to invent one. So
 * does the stack that a thread left for its alternate stack. The alternate
 * stack that libkma gave a thread which is not on it holds what handlers have
 * left: when a dump was made, all the thread's registers.
 *
 * glibc keeps the stacks of ended threads for the next ones. They are told by
 * the control block at their top (struct pthread: its first and third word
 * point to itself), which is no live thread's fs_base. Nothing in them is a
 * root but the block's second word, the thread's dtv, which stays allocated
 * with the stack.
 */
#include "kdbg/heap.h"
#include "kdbg/roots_internal.h"
#include "kdbg/target.h"
#include "kdbg/vector.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum {
	RED_ZONE = 128,
	TCB_WINDOW = 8192, /* the control block is this near the top */
	TCB_SIZE = 2304,   /* of glibc 2.34 and later; older ones are smaller */
	TCB_ALIGN = 64,
	TCB_DTV = 8, /* offsets of its words */
	TCB_SELF = 16,
	PAGE = 4096,
};

static int compare_addresses(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool add_address(struct roots *roots, uint64_t address)
{
	uint64_t *grown;

	if (!address)
		return true;
	grown = vector_grow(roots->live, roots->live_count, sizeof(*grown));
	if (!grown)
		return false;
	roots->live = grown;
	grown[roots->live_count++] = address;
	return true;
}

bool roots_live_in(const struct roots *roots, uint64_t start, uint64_t end)
{
	size_t low = 0, high = roots->live_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (roots->live[middle] < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < roots->live_count && roots->live[low] < end;
}

static uint64_t stack_pointer(const struct dump_thread *thread)
{
	return thread->flags & (DUMP_THREAD_REGISTERS | DUMP_THREAD_SP_PC)
		       ? thread->registers.rsp
		       : 0;
}

static uint64_t thread_block(const struct dump_thread *thread)
{
	return thread->flags & DUMP_THREAD_REGISTERS ? thread->registers.fs_base
						     : 0;
}

/* Addresses that show a live thread uses a mapping as its stack. */
static bool collect_live(struct roots *roots, const struct heap_thread *records,
			 size_t record_count)
{
	const struct target *target = roots->target;

	for (size_t i = 0; i < target->thread_count; i++)
		if (!add_address(roots, stack_pointer(&target->threads[i])) ||
		    !add_address(roots, thread_block(&target->threads[i])))
			return false;
	for (size_t i = 0; i < record_count; i++)
		if (records[i].live && records[i].stack_top &&
		    target_thread(target, records[i].tid) &&
		    !add_address(roots, records[i].stack_top - 1))
			return false;
	if (roots->live_count)
		qsort(roots->live, roots->live_count, sizeof(*roots->live),
		      compare_addresses);
	return true;
}

static int compare_tids(const void *a, const void *b)
{
	const struct heap_thread *x = *(const struct heap_thread *const *)a;
	const struct heap_thread *y = *(const struct heap_thread *const *)b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

/* The records of live threads, by tid. */
struct records {
	const struct heap_thread **live;
	size_t live_count;
};

static const struct heap_thread *record_of(const struct records *records,
					   uint32_t tid)
{
	struct heap_thread key = { .tid = tid };
	const struct heap_thread *key_pointer = &key, **found;

	if (!records->live_count)
		return NULL;
	found = bsearch(&key_pointer, records->live, records->live_count,
			sizeof(*records->live), compare_tids);
	return found ? *found : NULL;
}

static bool records_init(struct records *records, const struct heap_thread *all,
			 size_t count)
{
	*records = (struct records){ .live = calloc(count + 1,
						    sizeof(*records->live)) };
	if (!records->live)
		return false;
	for (size_t i = 0; i < count; i++)
		if (all[i].live)
			records->live[records->live_count++] = &all[i];
	qsort(records->live, records->live_count, sizeof(*records->live),
	      compare_tids);
	return true;
}

static bool has_guard(const struct target *target, const struct dump_map *map)
{
	const struct dump_map *below = map - 1;

	return map > target->maps && below->end == map->start &&
	       !(below->flags & (DUMP_MAP_READ | DUMP_MAP_WRITE));
}

/* The kernel puts the 16 bytes of AT_RANDOM at the top of the main stack, which
 * a core does not name. */
static bool is_main_stack(const struct target *target,
			  const struct dump_map *map)
{
	uint64_t random = 0;

	return strcmp(map->path, "[stack]") == 0 ||
	       (!map->path[0] && target_auxv(target, AT_RANDOM, &random) &&
		random - map->start < map->end - map->start);
}

struct extent {
	uint64_t low, high;
};

/* Where glibc put the stack of the thread whose control block this is: the
 * three words are looked for by what they must be, as their place varies. */
static bool block_extent(struct target *target, uint64_t block,
			 struct extent *ret)
{
	const struct dump_map *map = target_map_at(target, block);
	uint64_t words[TCB_SIZE / 8];
	size_t count =
		target_read_some(target, block, words, sizeof(words)) / 8;

	for (size_t i = 0; i + 2 < count; i++) {
		uint64_t start = words[i], size = words[i + 1];
		uint64_t guard = words[i + 2];

		if (!map || start >= block || size <= block - start ||
		    size - (block - start) > TCB_WINDOW || guard % PAGE ||
		    guard >= block - start || start + guard < map->start ||
		    start + size > map->end)
			continue;
		*ret = (struct extent){ start + guard, start + size };
		return true;
	}
	return false;
}

/* The stack that a thread runs on, if it is certain to be nothing else. */
static bool own_stack(const struct roots *roots,
		      const struct dump_thread *thread,
		      const struct heap_thread *record,
		      const struct dump_map *map, struct extent *ret)
{
	uint64_t block = thread_block(thread), size = map->end - map->start;
	uint64_t pointer = thread->registers.rsp;

	if (block && block_extent(roots->target, block, ret) &&
	    pointer >= ret->low && pointer < ret->high)
		return true;
	*ret = (struct extent){ map->start, map->end };
	if (is_main_stack(roots->target, map))
		return true;
	return !map->path[0] && has_guard(roots->target, map) &&
	       (block - map->start < size ||
		(record && record->stack_top - 1 - map->start < size));
}

/* Below what is nothing of the thread's? */
static uint64_t stack_low(const struct target *target,
			  const struct dump_thread *thread)
{
	const struct dump_process *process = target->process;
	bool called = process && process->crashed_thread == thread->tid &&
		      (process->reason == DUMP_REASON_EXIT ||
		       process->reason == DUMP_REASON_ERROR ||
		       process->reason == DUMP_REASON_REQUEST);

	return (thread->registers.rsp - (called ? 0 : RED_ZONE)) & ~(uint64_t)7;
}

static bool place_stack(struct roots *roots, const struct dump_thread *thread,
			const struct heap_thread *record)
{
	uint64_t low = stack_low(roots->target, thread), top = 0;
	const struct dump_map *map = target_map_at(roots->target, low);
	struct extent own;

	if (record && low - record->altstack_base < record->altstack_size)
		top = record->altstack_base + record->altstack_size;
	else if (record && record->altstack_size &&
		 !roots_cut(roots, record->altstack_base,
			    record->altstack_base + record->altstack_size,
			    thread->tid, "alternate stack that is not in use"))
		return false;
	if (map && roots->heap && heap_owns(roots->heap, low) && top)
		return roots_add(roots,
				 &(struct root){ .kind = ROOT_STACK,
						 .start = low,
						 .end = top & ~(uint64_t)7,
						 .tid = thread->tid,
						 .path = "" });
	if (map && own_stack(roots, thread, record, map, &own) &&
	    !roots_live_in(roots, own.low, thread->registers.rsp))
		return roots_cut(roots, own.low, low, thread->tid,
				 "unused part of a stack");
	if (map && top)
		return roots_cut(roots, record->altstack_base, low, thread->tid,
				 "unused part of an alternate stack");
	return true;
}

/* The pointer to a thread's dtv leads to the second element of the array by
 * design. */
static bool add_dtv(struct roots *roots, uint32_t tid, uint64_t block)
{
	uint64_t at = block + TCB_DTV;

	if (!block || block % 8 || !target_extent_at(roots->target, at))
		return true;
	return roots_add(roots, &(struct root){ .kind = ROOT_STACK,
						.start = at,
						.end = at + 8,
						.inner_is_plain = true,
						.tid = tid,
						.path = "" });
}

static bool add_words(struct roots *roots, uint32_t tid, const void *words,
		      size_t size)
{
	return roots_add(roots, &(struct root){ .kind = ROOT_REGISTERS,
						.tid = tid,
						.path = "",
						.words = words,
						.words_size = size });
}

static bool place_thread(struct roots *roots, const struct dump_thread *thread,
			 const struct heap_thread *record)
{
	if (!(thread->flags & DUMP_THREAD_REGISTERS)) {
		roots->blind_threads++;
		if (!roots_add_gap(
			    roots,
			    &(struct root_gap){
				    .missing = true,
				    .tid = thread->tid,
				    .reason = "registers not in the target" }))
			return false;
	} else if (!add_words(roots, thread->tid, &thread->registers,
			      sizeof(thread->registers))) {
		return false;
	}
	if (thread->fpregs && thread->fpregs_size &&
	    !add_words(roots, thread->tid, thread->fpregs, thread->fpregs_size))
		return false;
	if (!add_dtv(roots, thread->tid, thread_block(thread)))
		return false;
	/* sigaltstack() leaves its address with the kernel. */
	if (record && record->signal_stack &&
	    !add_words(roots, thread->tid, &record->signal_stack,
		       sizeof(record->signal_stack)))
		return false;
	return !stack_pointer(thread) || place_stack(roots, thread, record);
}

/* The control block in the last words of [start, end), or 0. */
static uint64_t find_block(struct target *target, uint64_t start, uint64_t end)
{
	uint64_t words[2 * TCB_WINDOW / 8];
	size_t got;

	if (end - start > sizeof(words))
		start = end - sizeof(words);
	start = (start + TCB_ALIGN - 1) & ~(uint64_t)(TCB_ALIGN - 1);
	if (start >= end)
		return 0;
	got = target_read_some(target, start, words, (size_t)(end - start)) / 8;
	for (size_t i = 0; i + TCB_SELF / 8 < got; i += TCB_ALIGN / 8)
		if (words[i] == start + i * 8 &&
		    words[i + TCB_SELF / 8] == words[i])
			return words[i];
	return 0;
}

/* The stack of a thread that has ended, found by its control block: cut it, but
 * for the pointer to its dtv. Without an extent of its own it ends at high. */
static bool cut_ended(struct roots *roots, const struct dump_map *map,
		      uint64_t block, uint64_t high)
{
	struct extent stack;

	if (!block_extent(roots->target, block, &stack)) {
		if (!has_guard(roots->target, map) || high > map->end)
			return true;
		stack = (struct extent){ map->start, high };
	}
	if (roots_live_in(roots, stack.low, stack.high))
		return true;
	return add_dtv(roots, 0, block) &&
	       roots_cut(roots, stack.low, stack.high, 0,
			 "stack of a thread that has ended");
}

static bool may_hold_stack(const struct dump_map *map)
{
	return map && map->flags & DUMP_MAP_WRITE && !map->path[0] &&
	       !(map->flags & DUMP_MAP_SHARED);
}

/* Those whose top is the end of their mapping. */
static bool cut_ended_mappings(struct roots *roots)
{
	struct target *target = roots->target;

	for (size_t i = 0; i < target->map_count; i++) {
		const struct dump_map *map = &target->maps[i];
		uint64_t block;

		if (!may_hold_stack(map))
			continue;
		block = find_block(target, map->start, map->end);
		if (block && !cut_ended(roots, map, block, map->end))
			return false;
	}
	return true;
}

/* Those that lie below something else in their mapping; the allocator's records
 * tell about where they end. */
static bool cut_ended_records(struct roots *roots,
			      const struct heap_thread *records, size_t count)
{
	uint64_t last = 0; /* records of one stack lie side by side mostly */

	for (size_t i = 0; i < count; i++) {
		uint64_t top = records[i].stack_top, block, high;
		const struct dump_map *map =
			top ? target_map_at(roots->target, top - 1) : NULL;

		if (records[i].live || top == last || !may_hold_stack(map) ||
		    map->end - top < 2 * TCB_WINDOW)
			continue;
		last = top;
		block = find_block(roots->target, map->start, top + TCB_WINDOW);
		high = (block + TCB_SIZE + PAGE - 1) & ~(uint64_t)(PAGE - 1);
		if (block && !cut_ended(roots, map, block, high))
			return false;
	}
	return true;
}

bool roots_place_threads(struct roots *roots)
{
	const struct target *target = roots->target;
	const struct heap_thread *all = NULL;
	size_t count = roots->heap ? heap_threads(roots->heap, &all) : 0;
	struct records records;
	bool done;

	if (!collect_live(roots, all, count) ||
	    !records_init(&records, all, count))
		return false;
	done = true;
	for (size_t i = 0; done && i < target->thread_count; i++)
		done = place_thread(
			roots, &target->threads[i],
			record_of(&records, target->threads[i].tid));
	free(records.live);
	return done && cut_ended_mappings(roots) &&
	       cut_ended_records(roots, all, count);
}
