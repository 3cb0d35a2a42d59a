/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/check_judge.h"

#include "kdbg/check_judge_internal.h"
#include "kdbg/check_merge.h"
#include "kdbg/heap.h"
#include "kdbg/heap_clients.h"
#include "kdbg/leaks.h"
#include "kdbg/reach.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 512 };

void *judge_alloc(struct judge *judge, size_t count, size_t size)
{
	void *memory =
		judge->err ? NULL : arena_array(judge->arena, count, size);

	if (!memory && !judge->err)
		judge->err = err_new(ERR_NO_MEMORY, "out of memory");
	return memory;
}

const char *judge_keep_text(struct judge *judge, const char *text)
{
	const char *copy =
		text ? arena_text(judge->arena, text, strlen(text)) : NULL;

	if (text && !copy && !judge->err)
		judge->err = err_new(ERR_NO_MEMORY, "out of memory");
	return copy;
}

/* Of the system, of the languages' own libraries, wherever those were compiled,
 * or a kernel's call, which libkma's headers make a call of its own. */
static bool is_library_source(const struct check_frame *frame)
{
	const char *rust = "/rustc/";

	return path_is_system(frame->file) ||
	       strncmp(frame->file, rust, strlen(rust)) == 0 ||
	       strncmp(frame->file, "/rust/deps/", 11) == 0 ||
	       strstr(frame->file, "/.cargo/registry/") ||
	       strstr(frame->file, "/include/kma/") ||
	       (*frame->file != '/' && frame->directory &&
		strncmp(frame->directory, rust, strlen(rust)) == 0);
}

/* The innermost frame at pc that is the program's own, not a library's of the
 * system nor out of its headers. False: none. */
static bool find_own_frame(struct judge *judge, uint64_t pc, uint64_t ticks,
			   struct check_frame *ret)
{
	const struct judged_pc *at;
	struct symbol symbol = { NULL };

	symbols_at_then(judge->symbols, pc - 1, ticks, &symbol);
	if (judge_is_allocator(judge, pc) || !symbol.module_path ||
	    path_is_system(symbol.module_path))
		return false;
	at = judge_frames_at(judge, pc, ticks);
	for (size_t i = 0; at && i < at->count; i++)
		if (!at->frames[i].file || !is_library_source(&at->frames[i])) {
			*ret = at->frames[i];
			return true;
		}
	return false;
}

/* Has found a line, in the module of a frame that has none? Then what has none
 * is a library that was linked in. */
static bool is_around(const struct check_frame *bare,
		      const struct check_frame *found)
{
	return found->file && bare->module && found->module &&
	       strcmp(bare->module, found->module) == 0;
}

/* Whom to blame: the program's innermost frame, else the allocator's caller. */
static struct check_frame make_caller(struct judge *judge,
				      const struct leak_group *group)
{
	const struct judged_pc *at = NULL;
	struct check_frame frame = { "an unknown place" };
	uint64_t ticks = group->leader_time;
	const uint64_t *pcs;
	size_t depth = heap_stack(judge->heap, group->instance, group->stack,
				  &pcs, NULL);
	uint64_t caller = heap_stack_caller_named(
		judge->heap, judge->symbols, group->instance, group->stack);

	if (caller)
		at = judge_frames_at(judge, caller, ticks);
	if (at && at->count)
		frame = at->frames[0];
	for (size_t i = 0, own = 0; i < depth; i++) {
		struct check_frame found;

		if (!find_own_frame(judge, pcs[i], ticks, &found) ||
		    (own && !is_around(&frame, &found)))
			continue;
		frame = found;
		if (frame.file)
			break;
		own = 1;
	}
	return frame;
}

/* What the program called the time of the group's oldest buffer. */
static const char *find_moment(struct judge *judge,
			       const struct leak_group *group)
{
	const struct heap_checkpoint *list;
	size_t count = heap_checkpoints(judge->heap, &list);

	for (size_t i = 0; i < count; i++)
		if (list[i].instance == group->instance &&
		    list[i].time <= group->leader_time)
			return judge_keep_text(judge, list[i].name);
	return NULL;
}

/* The type that the group's oldest buffer was allocated with, or NULL. */
static const char *find_type(struct judge *judge,
			     const struct leak_group *group)
{
	const struct heap_type *type = NULL;
	struct heap_buffer buffer;

	if (heap_buffer_at(judge->heap, group->address, &buffer))
		type = heap_type_of(judge->heap, &buffer);
	return type ? judge_keep_text(judge, type->name) : NULL;
}

static void make_leak(struct judge *judge, const struct leak_group *group,
		      struct check_leak *ret)
{
	const struct heap_cache *caches;
	size_t count = heap_caches(judge->heap, &caches);

	*ret = (struct check_leak){
		.class = leak_class_name(group->class),
		.cache = group->cache < count
				 ? judge_keep_text(judge,
						   caches[group->cache].name)
				 : "",
		.malloc_type = find_type(judge, group),
		.leaked = group->leaked,
		.bytes = group->bytes,
		.retained = group->retained,
		.address = group->address,
		.cycle = group->cycle,
		.moment = find_moment(judge, group),
		.caller = make_caller(judge, group),
		.stack = judge_stack(judge, group->instance, group->stack,
				     group->leader_time),
	};
}

/* The groups of one kind, made readable; how many there are. */
static size_t make_leaks(struct judge *judge, const struct leaks *leaks,
			 bool possible, const struct check_leak **ret)
{
	const struct leak_group *groups;
	size_t count = leaks_groups(leaks, &groups), used = 0;
	struct check_leak *list =
		count ? judge_alloc(judge, count, sizeof(*list)) : NULL;

	for (size_t i = 0; list && i < count; i++)
		if ((groups[i].class == LEAK_POSSIBLE) == possible)
			make_leak(judge, &groups[i], &list[used++]);
	used = check_merge(list, used);
	check_sort(list, used);
	*ret = list;
	return used;
}

/* Definite leaks with the indirect ones, which is what those hold. */
static void take_leaks(struct judge *judge, const struct leaks *leaks)
{
	const struct leaks_totals *totals = leaks_totals(leaks);
	struct check_process *process = judge->process;

	process->leak_count = make_leaks(judge, leaks, false, &process->leaks);
	process->leaked_buffers =
		totals->buffers[LEAK_DEFINITE] + totals->buffers[LEAK_INDIRECT];
	process->leaked_bytes =
		totals->bytes[LEAK_DEFINITE] + totals->bytes[LEAK_INDIRECT];
	process->possible_count =
		make_leaks(judge, leaks, true, &process->possible);
	process->possible_buffers = totals->buffers[LEAK_POSSIBLE];
	process->possible_bytes = totals->bytes[LEAK_POSSIBLE];
}

/* What a forked child inherited is its parent's; its time is one number for
 * all instances, whose clocks are the machine's. 0: it is no fork. */
static uint64_t fork_time(const struct judge *judge)
{
	const struct heap_instance *instances;
	size_t count = heap_instances(judge->heap, &instances);
	uint64_t latest = 0;

	for (size_t i = 0; i < count; i++)
		if (instances[i].fork_time > latest)
			latest = instances[i].fork_time;
	return latest;
}

static void judge_leaks(struct judge *judge)
{
	struct leaks_options options = { .since = fork_time(judge) };
	struct check_process *process = judge->process;
	struct reach *reach = NULL;
	struct leaks *leaks;
	char trust[TEXT_SIZE];

	judge->err = session_reach(&judge->session, &reach);
	if (judge->err)
		return;
	roots_describe(reach_roots(reach), trust, sizeof(trust));
	process->trust = judge_keep_text(judge, trust);
	process->buffers = reach_totals(reach)->buffers;
	process->buffer_bytes = reach_totals(reach)->bytes;
	if (!judge->err)
		judge->err =
			leaks_create(&judge->session, reach, &options, &leaks);
	if (judge->err)
		return;
	take_leaks(judge, leaks);
	leaks_destroy(leaks);
}

static void judge_errors(struct judge *judge)
{
	const struct heap_error *errors;
	size_t count = heap_errors(judge->heap, &errors);
	struct check_error *list =
		count ? judge_alloc(judge, count, sizeof(*list)) : NULL;

	judge->process->errors_reported = heap_error_count(judge->heap);
	for (size_t i = 0; list && i < count; i++) {
		const struct heap_error *e = &errors[i];
		list[i] = (struct check_error){
			.name = judge_keep_text(judge, e->name),
			.message = judge_keep_text(judge, e->message),
			.address = e->address,
			.buffer = e->buffer,
			.size = e->size,
			.expected = e->expected,
			.found = e->found,
			.reported = judge_stack_reported(judge, e->instance,
							 e->stack, e->time),
			.allocated = judge_stack(judge, e->instance,
						 e->alloc_stack, e->time),
			.freed = judge_stack(judge, e->instance, e->free_stack,
					     e->time),
		};
	}
	judge->process->errors = list;
	judge->process->error_count = list ? count : 0;
}

/* What the program says itself that is not to be reported. */
static void take_suppressions(struct judge *judge)
{
	const struct heap_instance *instances;
	size_t count = heap_instances(judge->heap, &instances);

	for (size_t i = 0; i < count && !judge->err; i++) {
		char *text = NULL;
		judge->err = heap_suppressions(judge->heap, i, &text);
		if (text)
			judge->process->suppressions =
				judge_keep_text(judge, text);
		free(text);
	}
}

static void judge_target(struct judge *judge)
{
	const struct target *target = judge->session.target;
	struct check_process *process = judge->process;

	/* What is missing can hide a leak or invent one. Only the warnings
	 * of the opening are about that. */
	if (target->warning_count)
		process->reason =
			arena_print(judge->arena, "its %s is not whole: %s",
				    target->ops->kind, target->warnings[0]);
	process->arguments = judge_keep_text(judge, target->process->arguments);
	if (!judge->err)
		judge->err = session_heap(&judge->session, &judge->heap);
	if (!judge->err)
		judge->err = session_symbols(&judge->session, &judge->symbols);
	if (!judge->err)
		judge_errors(judge);
	if (!judge->err)
		judge_crash(judge);
	if (!judge->err)
		take_suppressions(judge);
	if (!judge->err && !process->replaced)
		judge_leaks(judge);
	if (!judge->err && heap_slabs_refused(judge->heap))
		process->reason = arena_print(
			judge->arena,
			"its heap is damaged: %zu slabs make no sense",
			heap_slabs_refused(judge->heap));
}

struct err *check_judge(struct target *target, struct arena *arena,
			struct check_process *process)
{
	static const struct dcmd *const no_dcmds[] = { NULL };
	static const struct walker *const no_walkers[] = { NULL };
	struct judge judge = { .arena = arena, .process = process };
	struct err *err =
		session_init(&judge.session, target, no_dcmds, no_walkers);

	if (err) {
		target_close(target);
		return err;
	}
	judge_target(&judge);
	memo_deinit(&judge.pcs);
	session_deinit(&judge.session);
	return judge.err;
}
