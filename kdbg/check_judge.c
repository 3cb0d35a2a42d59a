/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/check_judge.h"

#include "kdbg/check_merge.h"
#include "kdbg/heap.h"
#include "kdbg/leaks.h"
#include "kdbg/memo.h"
#include "kdbg/reach.h"
#include "kdbg/session.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"

#include <stdlib.h>
#include <string.h>

enum { INLINE_MAX = 16, TEXT_SIZE = 512 };

/* The frames of a return address. */
struct judged_pc {
	const struct dump_module *module;
	const struct check_frame *frames;
	size_t count;
};

/* One process being judged. */
struct judge {
	struct session session;
	struct heap *heap;
	struct symbols *symbols;
	struct arena *arena;
	struct check_process *process;
	struct memo pcs; /* to struct judged_pc */
	struct err *err; /* the first failure: what follows does nothing */
};

static void *judge_alloc(struct judge *judge, size_t count, size_t size)
{
	void *memory =
		judge->err ? NULL : arena_array(judge->arena, count, size);

	if (!memory && !judge->err)
		judge->err = err_new(ERR_NO_MEMORY, "out of memory");
	return memory;
}

static const char *keep_text(struct judge *judge, const char *text)
{
	const char *copy =
		text ? arena_text(judge->arena, text, strlen(text)) : NULL;

	if (text && !copy && !judge->err)
		judge->err = err_new(ERR_NO_MEMORY, "out of memory");
	return copy;
}

/* The allocator's own code. */
static bool is_allocator(const struct judge *judge, uint64_t pc)
{
	const struct heap_instance *instances;
	size_t count = heap_instances(judge->heap, &instances);

	for (size_t i = 0; i < count; i++)
		if (pc >= instances[i].text_base && pc < instances[i].text_end)
			return true;
	return false;
}

/*
 * Code that nobody looks into for a leak: the allocator's, libc's. The name of
 * the function does, which is the same with and without libc's debug
 * information; to read that would take longer than all the rest.
 */
static bool is_known_code(const struct judge *judge, uint64_t pc,
			  const struct symbol *symbol)
{
	return is_allocator(judge, pc) ||
	       (symbol->module && strncmp(symbol->module, "libc.so", 7) == 0);
}

/* The source frames of a return address in a stack of that time; at least 1. */
static size_t find_frames(struct judge *judge, uint64_t pc, uint64_t ticks,
			  const struct symbol *symbol,
			  struct symbol_frame *found)
{
	size_t count = 0;

	if (!is_known_code(judge, pc, symbol))
		count = symbols_frames_then(judge->symbols, pc - 1, ticks,
					    found, INLINE_MAX);
	if (!count)
		found[0] = (struct symbol_frame){ .function = symbol->name,
						  .linkage = symbol->linkage };
	return count ? count : 1;
}

static void make_frames(struct judge *judge, uint64_t pc, uint64_t ticks,
			const struct symbol *symbol, struct judged_pc *ret)
{
	struct symbol_frame found[INLINE_MAX];
	const char *module = keep_text(judge, symbol->module_path);
	struct check_frame *frames;

	ret->count = find_frames(judge, pc, ticks, symbol, found);
	frames = judge_alloc(judge, ret->count, sizeof(*frames));
	if (!frames)
		ret->count = 0;
	ret->frames = frames;
	for (size_t i = 0; i < ret->count; i++) {
		const char *name = found[i].function ? found[i].function
						     : found[i].linkage;
		char text[TEXT_SIZE];
		/* operator new is _Znwm to who wrote it in C. */
		if (name && strncmp(name, "_Z", 2) == 0 && symbol->name)
			name = symbol->name;
		if (!name) {
			symbols_format(judge->symbols, pc, text, sizeof(text));
			name = text;
		}
		frames[i].function = keep_text(judge, name);
		frames[i].file = keep_text(judge, found[i].file);
		frames[i].directory = keep_text(judge, found[i].directory);
		frames[i].line = found[i].line;
		frames[i].linkage = keep_text(judge, found[i].linkage);
		frames[i].module = module;
		frames[i].pc = pc;
	}
}

/* Leaks share most of their stacks, and each is asked for more than once. NULL:
 * no memory. */
static const struct judged_pc *frames_at(struct judge *judge, uint64_t pc,
					 uint64_t ticks)
{
	const struct judged_pc *known = memo_get(&judge->pcs, pc);
	struct symbol symbol = { NULL };
	struct judged_pc *new;

	symbols_at_then(judge->symbols, pc - 1, ticks, &symbol);
	/* At another time another library may have been there. */
	if (known && known->module == symbol.facts)
		return known;
	new = judge_alloc(judge, 1, sizeof(*new));
	if (!new)
		return NULL;
	new->module = symbol.facts;
	make_frames(judge, pc, ticks, &symbol, new);
	if (!known)
		memo_put(&judge->pcs, pc, new);
	return new;
}

static struct check_stack make_stack(struct judge *judge, size_t instance,
				     uint32_t id, uint64_t ticks)
{
	const uint64_t *pcs;
	size_t depth = heap_stack(judge->heap, instance, id, &pcs, NULL);
	const struct judged_pc **all =
		depth ? judge_alloc(judge, depth, sizeof(*all)) : NULL;
	struct check_stack stack = { NULL, 0 };

	for (size_t i = 0; all && i < depth; i++) {
		all[i] = frames_at(judge, pcs[i], ticks);
		stack.count += all[i] ? all[i]->count : 0;
	}
	struct check_frame *frames =
		stack.count ? judge_alloc(judge, stack.count, sizeof(*frames))
			    : NULL;
	if (!frames)
		return (struct check_stack){ NULL, 0 };
	stack.frames = frames;
	for (size_t i = 0; i < depth; i++) {
		size_t count = all[i] ? all[i]->count : 0;

		if (count)
			memcpy(frames, all[i]->frames, count * sizeof(*frames));
		frames += count;
	}
	return stack;
}

/* Of the system, or of the languages' own libraries, wherever those were
 * compiled. */
static bool is_library_source(const struct check_frame *frame)
{
	const char *rust = "/rustc/";

	return path_is_system(frame->file) ||
	       strncmp(frame->file, rust, strlen(rust)) == 0 ||
	       strncmp(frame->file, "/rust/deps/", 11) == 0 ||
	       strstr(frame->file, "/.cargo/registry/") ||
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
	if (is_allocator(judge, pc) || !symbol.module_path ||
	    path_is_system(symbol.module_path))
		return false;
	at = frames_at(judge, pc, ticks);
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
		at = frames_at(judge, caller, ticks);
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

/* "definite" before "indirect", then what holds most. */
static int by_weight(const void *a, const void *b)
{
	const struct check_leak *x = a, *y = b;
	int class = strcmp(x->class, y->class);

	if (class)
		return class;
	if (x->retained != y->retained)
		return x->retained > y->retained ? -1 : 1;
	return (x->address > y->address) - (x->address < y->address);
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
			return keep_text(judge, list[i].name);
	return NULL;
}

static void make_leak(struct judge *judge, const struct leak_group *group,
		      struct check_leak *ret)
{
	const struct heap_cache *caches;
	size_t count = heap_caches(judge->heap, &caches);

	*ret = (struct check_leak){
		.class = leak_class_name(group->class),
		.cache = group->cache < count
				 ? keep_text(judge, caches[group->cache].name)
				 : "",
		.leaked = group->leaked,
		.bytes = group->bytes,
		.retained = group->retained,
		.address = group->address,
		.cycle = group->cycle,
		.moment = find_moment(judge, group),
		.caller = make_caller(judge, group),
		.stack = make_stack(judge, group->instance, group->stack,
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
	if (list && used)
		qsort(list, used, sizeof(*list), by_weight);
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
	process->trust = keep_text(judge, trust);
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
			.name = keep_text(judge, e->name),
			.message = keep_text(judge, e->message),
			.address = e->address,
			.buffer = e->buffer,
			.size = e->size,
			.reported = make_stack(judge, e->instance, e->stack,
					       e->time),
			.allocated = make_stack(judge, e->instance,
						e->alloc_stack, e->time),
			.freed = make_stack(judge, e->instance, e->free_stack,
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
			judge->process->suppressions = keep_text(judge, text);
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
	process->arguments = keep_text(judge, target->process->arguments);
	if (!judge->err)
		judge->err = session_heap(&judge->session, &judge->heap);
	if (!judge->err)
		judge->err = session_symbols(&judge->session, &judge->symbols);
	if (!judge->err)
		judge_errors(judge);
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
