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
 * leaf, so its root starts at rsp. The cut is made only where the mapping is
 * surely this thread's stack and nothing else: "[stack]", or one with a guard
 * below it and the thread's control block in it. A coroutine's stack, or one
 * carved from a larger mapping, stays a root as a whole: better to miss a leak
 * than to invent one. So does the stack that a thread left for its alternate
 * stack.
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

/* Is map this thread's stack and nothing else? */
static bool is_own_stack(const struct roots *roots,
			 const struct dump_thread *thread,
			 const struct heap_thread *record,
			 const struct dump_map *map)
{
	uint64_t size = map->end - map->start;

	if (strcmp(map->path, "[stack]") == 0)
		return true;
	if (map->path[0] || !has_guard(roots->target, map))
		return false;
	return thread_block(thread) - map->start < size ||
	       (record && record->stack_top - 1 - map->start < size);
}

/* Below what is nothing of the thread's? */
static uint64_t stack_low(const struct target *target,
			  const struct dump_thread *thread)
{
	const struct dump_process *process = target->process;
	bool called = process && process->crashed_thread == thread->tid &&
		      (process->reason == DUMP_REASON_EXIT ||
		       process->reason == DUMP_REASON_REQUEST);

	return (thread->registers.rsp - (called ? 0 : RED_ZONE)) & ~(uint64_t)7;
}

static bool place_stack(struct roots *roots, const struct dump_thread *thread,
			const struct heap_thread *record)
{
	uint64_t low = stack_low(roots->target, thread), top = 0;
	const struct dump_map *map = target_map_at(roots->target, low);

	if (record && low - record->altstack_base < record->altstack_size)
		top = record->altstack_base + record->altstack_size;
	if (map && roots->heap && heap_owns(roots->heap, low) && top)
		return roots_add(roots,
				 &(struct root){ .kind = ROOT_STACK,
						 .start = low,
						 .end = top & ~(uint64_t)7,
						 .tid = thread->tid,
						 .path = "" });
	if (map && is_own_stack(roots, thread, record, map) &&
	    !roots_live_in(roots, map->start, thread->registers.rsp))
		return roots_cut(roots, map->start, low, thread->tid,
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
	return !stack_pointer(thread) || place_stack(roots, thread, record);
}

/* The control block in [start, end), or 0. */
static uint64_t find_block(struct target *target, uint64_t start, uint64_t end)
{
	uint64_t words[TCB_WINDOW / 8];
	size_t got;

	if (end - start > TCB_WINDOW)
		start = end - TCB_WINDOW;
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

/* The stack of a thread that has ended, whose control block is at block: cut
 * it, but for the pointer to its dtv. */
static bool cut_ended(struct roots *roots, const struct dump_map *map,
		      uint64_t block, uint64_t end)
{
	if (roots_live_in(roots, map->start, end))
		return true;
	return add_dtv(roots, 0, block) &&
	       roots_cut(roots, map->start, end, 0,
			 "stack of a thread that has ended");
}

static bool may_be_stack(const struct target *target,
			 const struct dump_map *map)
{
	return map && map->flags & DUMP_MAP_WRITE && !map->path[0] &&
	       !(map->flags & DUMP_MAP_SHARED) && has_guard(target, map);
}

/* Those whose top is the end of their mapping. */
static bool cut_ended_mappings(struct roots *roots)
{
	struct target *target = roots->target;

	for (size_t i = 0; i < target->map_count; i++) {
		const struct dump_map *map = &target->maps[i];
		uint64_t block;

		if (!may_be_stack(target, map) ||
		    roots_live_in(roots, map->start, map->end))
			continue;
		block = find_block(target, map->start, map->end);
		if (block && !cut_ended(roots, map, block, map->end))
			return false;
	}
	return true;
}

/* Those that the kernel merged with a mapping above them; the allocator's
 * records tell where they end. */
static bool cut_ended_records(struct roots *roots,
			      const struct heap_thread *records, size_t count)
{
	uint64_t last = 0; /* records of one stack lie side by side mostly */

	for (size_t i = 0; i < count; i++) {
		uint64_t top = records[i].stack_top, block, end;
		const struct dump_map *map =
			top ? target_map_at(roots->target, top - 1) : NULL;

		if (records[i].live || top == last ||
		    !may_be_stack(roots->target, map) ||
		    map->end - top < TCB_WINDOW)
			continue;
		last = top;
		end = top + TCB_SIZE;
		block = find_block(roots->target, map->start, end);
		end = (block + TCB_SIZE + PAGE - 1) & ~(uint64_t)(PAGE - 1);
		if (block && end <= map->end &&
		    !cut_ended(roots, map, block, end))
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
