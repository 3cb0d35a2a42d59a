/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A thread's thread storage lies below its control block, which fs points to,
 * and for all threads but the first both lie on top of the stack:
 *
 *	| frames ... | thread storage | control block |
 *	^ rsp        ^ end of stack   ^ fs
 *
 * A word above the stack's outermost frame and below fs is thread storage.
 */
#include "kdbg/place_frames.h"

#include "kdbg/symbols.h"
#include "kdbg/target.h"
#include "kdbg/unwind.h"
#include "kdbg/vector.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	FRAMES_MAX = 4096,   /* beyond, the outermost stands for the rest */
	STORAGE_MAX = 65536, /* of a thread that is not on its stack */
	CONTROL_SIZE = 2304, /* of glibc's struct pthread */
	RED_ZONE = 128,
	OUTERMOST_SIZE = 512, /* what the first function of a thread needs */
	TEXT_SIZE = 512,
};

struct thread_frames {
	struct unwind_frame *list;
	size_t count;
	bool done;
};

struct by_address {
	uint64_t address;
	size_t thread;
};

struct place_frames {
	struct session *session;
	struct target *target;
	struct thread_frames *threads; /* as in the target */
	struct by_address *stacks;     /* by stack pointer */
	size_t stack_count;
	struct by_address *blocks; /* by control block */
	size_t block_count;
};

static int compare_addresses(const void *a, const void *b)
{
	const struct by_address *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static void index_threads(struct place_frames *frames)
{
	const struct target *target = frames->target;

	for (size_t i = 0; i < target->thread_count; i++) {
		const struct dump_thread *thread = &target->threads[i];

		if (thread->flags & (DUMP_THREAD_REGISTERS | DUMP_THREAD_SP_PC))
			frames->stacks[frames->stack_count++] =
				(struct by_address){ thread->registers.rsp, i };
		if (thread->flags & DUMP_THREAD_REGISTERS &&
		    thread->registers.fs_base)
			frames->blocks[frames->block_count++] =
				(struct by_address){ thread->registers.fs_base,
						     i };
	}
	if (frames->stack_count)
		qsort(frames->stacks, frames->stack_count,
		      sizeof(*frames->stacks), compare_addresses);
	if (frames->block_count)
		qsort(frames->blocks, frames->block_count,
		      sizeof(*frames->blocks), compare_addresses);
}

/* How many of the list lie at or below an address. */
static size_t rank(const struct by_address *list, size_t count,
		   uint64_t address)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (list[middle].address <= address)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

struct err *place_frames_create(struct session *session,
				struct place_frames **ret)
{
	struct target *target = session->target;
	struct place_frames *frames = calloc(1, sizeof(*frames));

	if (!frames)
		return err_new(ERR_NO_MEMORY, "no memory for frames");
	frames->session = session;
	frames->target = target;
	frames->threads =
		calloc(target->thread_count + 1, sizeof(*frames->threads));
	frames->stacks =
		calloc(target->thread_count + 1, sizeof(*frames->stacks));
	frames->blocks =
		calloc(target->thread_count + 1, sizeof(*frames->blocks));
	if (!frames->threads || !frames->stacks || !frames->blocks) {
		place_frames_destroy(frames);
		return err_new(ERR_NO_MEMORY, "no memory for frames");
	}
	index_threads(frames);
	*ret = frames;
	return NULL;
}

void place_frames_destroy(struct place_frames *frames)
{
	if (!frames)
		return;
	for (size_t i = 0; frames->threads && i < frames->target->thread_count;
	     i++)
		free(frames->threads[i].list);
	free(frames->threads);
	free(frames->stacks);
	free(frames->blocks);
	free(frames);
}

static bool add_frame(void *context, const struct unwind_frame *frame)
{
	struct thread_frames *thread = context;
	struct unwind_frame *grown =
		vector_grow(thread->list, thread->count, sizeof(*grown));

	if (!grown)
		return false;
	thread->list = grown;
	grown[thread->count++] = *frame;
	return thread->count < FRAMES_MAX;
}

static const struct thread_frames *frames_of(struct place_frames *frames,
					     size_t i)
{
	struct thread_frames *thread = &frames->threads[i];

	if (!thread->done) {
		thread->done = true; /* what cannot be unwound has no frames */
		err_free(unwind_thread(frames->target,
				       &frames->target->threads[i], add_frame,
				       thread));
	}
	return thread;
}

static bool in_storage(const struct target *target,
		       const struct dump_thread *thread, uint64_t address)
{
	uint64_t block = thread->registers.fs_base;
	const struct dump_map *map;

	if (!(thread->flags & DUMP_THREAD_REGISTERS) || !block)
		return false;
	map = target_map_at(target, block);
	return map && address >= map->start && address < map->end &&
	       address - (block - STORAGE_MAX) <
		       (uint64_t)STORAGE_MAX + CONTROL_SIZE;
}

static bool in_stack(const struct dump_thread *thread, uint64_t address)
{
	uint64_t sp = thread->registers.rsp, high = thread->stack_high;
	uint64_t block = thread->registers.fs_base;

	if (block > sp && block < high)
		high = block + CONTROL_SIZE;
	return address + RED_ZONE >= sp && address < high;
}

/* The thread whose stack pointer is next below, else whose control block is
 * next above; its index, or the number of threads. */
static size_t find_thread(const struct place_frames *frames, uint64_t address)
{
	const struct target *target = frames->target;
	size_t at =
		rank(frames->stacks, frames->stack_count, address + RED_ZONE);
	size_t i;

	if (at) {
		i = frames->stacks[at - 1].thread;
		if (in_stack(&target->threads[i], address))
			return i;
	}
	at = rank(frames->blocks, frames->block_count, address - CONTROL_SIZE);
	if (at < frames->block_count) {
		i = frames->blocks[at].thread;
		if (in_storage(target, &target->threads[i], address))
			return i;
	}
	return target->thread_count;
}

uint32_t place_frames_thread(struct place_frames *frames, uint64_t address)
{
	size_t i = find_thread(frames, address);

	return i < frames->target->thread_count ? frames->target->threads[i].tid
						: 0;
}

/* The frame that the word lies in; count: none. */
static size_t find_frame(const struct thread_frames *thread, uint64_t address)
{
	size_t found = 0;

	for (size_t i = 0; i < thread->count; i++)
		if (thread->list[i].sp && thread->list[i].sp <= address)
			found = i;
	return found;
}

static void describe_frame(struct place_frames *frames, uint32_t tid,
			   const struct thread_frames *thread, uint64_t address,
			   char *buffer, size_t size)
{
	size_t i = find_frame(thread, address);
	const struct unwind_frame *frame = &thread->list[i];
	struct symbols *symbols = NULL;
	char name[TEXT_SIZE];

	err_free(session_symbols(frames->session, &symbols));
	if (!symbols)
		snprintf(name, sizeof(name), "%#" PRIx64, frame->pc);
	else if (frame->exact)
		symbols_format_pc(symbols, frame->pc, name, sizeof(name));
	else
		symbols_format_return(symbols, frame->pc, name, sizeof(name));
	if (!frame->sp)
		snprintf(buffer, size, "thread %u frame %zu %s", tid, i, name);
	else
		snprintf(buffer, size, "thread %u frame %zu %s sp%c%#" PRIx64,
			 tid, i, name, address < frame->sp ? '-' : '+',
			 address < frame->sp ? frame->sp - address
					     : address - frame->sp);
}

/* Is a word above every frame, and near the control block? */
static bool is_storage(const struct target *target,
		       const struct dump_thread *thread,
		       const struct thread_frames *unwound, uint64_t address)
{
	const struct unwind_frame *last =
		unwound->count ? &unwound->list[unwound->count - 1] : NULL;

	if (!in_storage(target, thread, address))
		return false;
	return !in_stack(thread, address) || !last ||
	       address >= last->sp + OUTERMOST_SIZE ||
	       address >= thread->registers.fs_base;
}

bool place_frames_is_storage(struct place_frames *frames, uint64_t address)
{
	size_t i = find_thread(frames, address);

	return i < frames->target->thread_count &&
	       is_storage(frames->target, &frames->target->threads[i],
			  frames_of(frames, i), address);
}

bool place_frames_describe(struct place_frames *frames, uint64_t address,
			   char *buffer, size_t size)
{
	size_t i = find_thread(frames, address);
	const struct thread_frames *unwound;
	const struct dump_thread *thread;
	uint64_t block;

	if (i == frames->target->thread_count)
		return false;
	thread = &frames->target->threads[i];
	unwound = frames_of(frames, i);
	block = thread->registers.fs_base;
	if (is_storage(frames->target, thread, unwound, address))
		snprintf(buffer, size, "thread %u thread storage fs%c%#" PRIx64,
			 thread->tid, address < block ? '-' : '+',
			 address < block ? block - address : address - block);
	else if (unwound->count)
		describe_frame(frames, thread->tid, unwound, address, buffer,
			       size);
	else
		snprintf(buffer, size, "thread %u stack sp+%#" PRIx64,
			 thread->tid, address - thread->registers.rsp);
	return true;
}
