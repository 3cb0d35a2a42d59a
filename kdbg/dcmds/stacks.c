/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::stacks - the stacks there are, and how many threads have each. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/thread_choice.h"
#include "kdbg/symbols.h"
#include "kdbg/unwind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES_MAX = 256, TEXT_SIZE = 512, FRAMES_OF_WAIT = 6 };

struct stacks_options {
	bool all, again, active, verbose;
	const char *with, *without; /* functions */
	const char *in_module, *not_in_module;
	const char *waits_for, *waits_not_for;
	const char *state, *other_state;
};

#define AT(member) offsetof(struct stacks_options, member)

static const struct option stacks_options[] = {
	{ 'a', "all", OPTION_FLAG, AT(all), NULL,
	  "every thread of a stack, not the first and a count" },
	{ 'f', NULL, OPTION_FLAG, AT(again), NULL,
	  "look again: nothing is kept, so that is always done" },
	{ 'i', NULL, OPTION_FLAG, AT(active), NULL,
	  "without threads that wait for a condition variable" },
	{ 'v', "verbose", OPTION_FLAG, AT(verbose), NULL,
	  "stack pointers, and what could not be read" },
	{ 'c', NULL, OPTION_TEXT, AT(with), "function",
	  "stacks that have this function, or function+offset" },
	{ 'C', NULL, OPTION_TEXT, AT(without), "function",
	  "stacks that do not" },
	{ 'm', NULL, OPTION_TEXT, AT(in_module), "module",
	  "stacks that have a function of this module" },
	{ 'M', NULL, OPTION_TEXT, AT(not_in_module), "module",
	  "stacks that do not" },
	{ 's', NULL, OPTION_TEXT, AT(waits_for), "object",
	  "threads that wait for cv, mutex, rwlock, sema, join or io" },
	{ 'S', NULL, OPTION_TEXT, AT(waits_not_for), "object",
	  "threads that do not" },
	{ 't', NULL, OPTION_TEXT, AT(state), "state",
	  "threads in this state, as ::threads shows it" },
	{ 'T', NULL, OPTION_TEXT, AT(other_state), "state",
	  "threads in another" },
};

static const struct column stacks_columns[] = {
	{ "THREAD", VALUE_COUNT, .width = 8, .piped = true },
	{ "STATE", VALUE_TEXT, .width = 10 },
	{ "SOBJ", VALUE_TEXT, .width = 8 },
	{ "COUNT", VALUE_COUNT, .width = 8 },
	{ "STACK", VALUE_LINES },
};

static const struct table stacks_tables[] = {
	{ "default", stacks_columns, 5 },
};

struct thread_stack {
	const struct dump_thread *thread;
	const char *state, *object; /* it waits for; or NULL */
	uint64_t *pcs;
	size_t depth;
	bool exact;   /* the first pc is no return address */
	size_t count; /* of threads that have it; 0: another has it, too */
};

struct stacks {
	const struct dcmd_call *call;
	const struct stacks_options *options;
	struct sink *out;
	struct symbols *symbols;
	struct thread_stack *stacks;
	size_t count, unreadable;
};

/* --- one thread ----------------------------------------------------------- */

static bool each_frame(void *context, const struct unwind_frame *frame)
{
	struct thread_stack *stack = context;

	if (stack->depth == 0)
		stack->exact = frame->exact;
	stack->pcs[stack->depth++] = frame->pc;
	return stack->depth < FRAMES_MAX;
}

static uint64_t looked_up(const struct thread_stack *stack, size_t i)
{
	return stack->pcs[i] - !(i == 0 && stack->exact);
}

/* What the C library's functions that wait are called. */
static const char *object_of(const char *function)
{
	static const struct {
		const char *part, *object;
	} waits[] = {
		{ "cond_wait", "cv" },
		{ "cond_timedwait", "cv" },
		{ "cond_clockwait", "cv" },
		{ "mutex_lock", "mutex" },
		{ "lll_lock_wait", "mutex" },
		{ "rwlock_", "rwlock" },
		{ "sem_wait", "sema" },
		{ "sem_timedwait", "sema" },
		{ "new_sem_wait", "sema" },
		{ "pthread_join", "join" },
		{ "clockjoin", "join" },
		{ "epoll_", "io" },
		{ "poll", "io" },
		{ "select", "io" },
		{ "accept", "io" },
		{ "recv", "io" },
		{ "read", "io" },
		{ "write", "io" },
	};

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		if (strstr(function, waits[i].part))
			return waits[i].object;
	return NULL;
}

/* By the innermost functions, those of the C library alone. */
static const char *find_object(struct stacks *all, struct thread_stack *stack)
{
	const char *object = NULL;

	for (size_t i = 0; i < stack->depth && i < FRAMES_OF_WAIT; i++) {
		struct symbol symbol;

		if (!symbols_at(all->symbols, looked_up(stack, i), &symbol) ||
		    !symbol.module || strncmp(symbol.module, "libc.so", 7) != 0)
			break;
		const char *found = object_of(symbol.name);
		if (found)
			object = found;
	}
	return object;
}

static struct err *add_thread(struct stacks *all,
			      const struct dump_thread *thread)
{
	struct target *target = all->call->session->target;
	struct thread_stack *stack = &all->stacks[all->count];
	char text[TEXT_SIZE];

	*stack = (struct thread_stack){
		.thread = thread,
		.state = thread_state(target->process, thread),
		.pcs = calloc(FRAMES_MAX, sizeof(*stack->pcs)),
	};
	if (!stack->pcs)
		return err_new(ERR_NO_MEMORY, "stacks");
	all->count++;
	struct err *err = unwind_thread(target, thread, each_frame, stack);
	stack->object = find_object(all, stack);
	if (!err)
		return NULL;
	all->unreadable++;
	err_describe(err, text, sizeof(text));
	err_free(err);
	if (all->options->verbose)
		sink_note(all->out, "thread %" PRIu32 ": %s", thread->tid,
			  text);
	return NULL;
}

/* --- which are shown ------------------------------------------------------ */

static bool has_function(struct stacks *all, const struct thread_stack *stack,
			 const char *wanted)
{
	const char *plus = strrchr(wanted, '+');
	size_t length = plus ? (size_t)(plus - wanted) : strlen(wanted);
	uint64_t offset = plus ? strtoull(plus + 1, NULL, 0) : 0;

	for (size_t i = 0; i < stack->depth; i++) {
		struct symbol symbol;

		if (symbols_at(all->symbols, looked_up(stack, i), &symbol) &&
		    strlen(symbol.name) == length &&
		    memcmp(symbol.name, wanted, length) == 0 &&
		    (!plus || stack->pcs[i] - symbol.value == offset))
			return true;
	}
	return false;
}

/* "libc" is libc.so.6. */
static bool has_module(struct stacks *all, const struct thread_stack *stack,
		       const char *wanted)
{
	size_t length = strlen(wanted);

	for (size_t i = 0; i < stack->depth; i++) {
		struct symbol symbol;

		symbols_at(all->symbols, looked_up(stack, i), &symbol);
		if (symbol.module &&
		    strncmp(symbol.module, wanted, length) == 0 &&
		    (!symbol.module[length] ||
		     strncmp(symbol.module + length, ".so", 3) == 0))
			return true;
	}
	return false;
}

static bool is(const char *text, const char *wanted)
{
	return strcmp(text ? text : "-", wanted) == 0;
}

static bool is_wanted(struct stacks *all, const struct thread_stack *stack)
{
	const struct stacks_options *o = all->options;

	return (!o->with || has_function(all, stack, o->with)) &&
	       (!o->without || !has_function(all, stack, o->without)) &&
	       (!o->in_module || has_module(all, stack, o->in_module)) &&
	       (!o->not_in_module ||
		!has_module(all, stack, o->not_in_module)) &&
	       (!o->active || !is(stack->object, "cv")) &&
	       (!o->waits_for || is(stack->object, o->waits_for)) &&
	       (!o->waits_not_for || !is(stack->object, o->waits_not_for)) &&
	       (!o->state || is(stack->state, o->state)) &&
	       (!o->other_state || !is(stack->state, o->other_state));
}

/* --- the same stacks ------------------------------------------------------ */

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_stacks(const struct thread_stack *a,
			  const struct thread_stack *b)
{
	int order = compare_text(a->state, b->state);

	if (!order)
		order = compare_text(a->object, b->object);
	if (!order)
		order = (a->depth > b->depth) - (a->depth < b->depth);
	return order ? order
		     : memcmp(a->pcs, b->pcs, a->depth * sizeof(*a->pcs));
}

/* Of those that are alike, by thread. */
static int by_stack(const void *a, const void *b)
{
	const struct thread_stack *x = a, *y = b;
	int order = compare_stacks(x, y);

	return order ? order
		     : (x->thread->tid > y->thread->tid) -
			       (x->thread->tid < y->thread->tid);
}

static int by_count(const void *a, const void *b)
{
	const struct thread_stack *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x->thread->tid > y->thread->tid) -
	       (x->thread->tid < y->thread->tid);
}

/* The first of each has the count; those of most threads come first. */
static void group(struct stacks *all)
{
	struct thread_stack *first = NULL;

	qsort(all->stacks, all->count, sizeof(*all->stacks), by_stack);
	for (size_t i = 0; i < all->count; i++) {
		struct thread_stack *stack = &all->stacks[i];

		if (all->options->all || !first ||
		    compare_stacks(first, stack) != 0)
			first = stack;
		first->count++;
	}
	if (!all->options->all)
		qsort(all->stacks, all->count, sizeof(*all->stacks), by_count);
}

static void emit(struct stacks *all, const struct thread_stack *stack,
		 struct sink *out)
{
	char(*texts)[TEXT_SIZE] = calloc(stack->depth + 1, sizeof(*texts));
	const char **lines = calloc(stack->depth + 1, sizeof(*lines));

	for (size_t i = 0; texts && lines && i < stack->depth; i++) {
		lines[i] = texts[i];
		if (i == 0 && stack->exact)
			symbols_format_pc(all->symbols, stack->pcs[i], texts[i],
					  TEXT_SIZE);
		else
			symbols_format_return(all->symbols, stack->pcs[i],
					      texts[i], TEXT_SIZE);
	}
	if (lines)
		SINK_ROW(out, COUNT(stack->thread->tid), TEXT(stack->state),
			 TEXT(stack->object), COUNT(stack->count),
			 LINES(lines));
	free(texts);
	free(lines);
}

/* --- the command ---------------------------------------------------------- */

/* From a pipe come ids of threads; else all are meant. */
static struct err *add_listed(struct stacks *all)
{
	const struct dcmd_call *call = all->call;
	struct err *err = NULL;

	for (size_t i = 0; i < call->list_count && !err; i++) {
		const struct dump_thread *thread;

		err = thread_find(call->session->target, call->list[i],
				  &thread);
		if (!err)
			err = add_thread(all, thread);
	}
	return err;
}

static struct err *gather(struct stacks *all)
{
	const struct dcmd_call *call = all->call;
	const struct target *target = call->session->target;
	size_t most = call->list_count > target->thread_count
			      ? call->list_count
			      : target->thread_count;
	struct err *err = NULL;

	all->stacks = calloc(most + 1, sizeof(*all->stacks));
	if (!all->stacks)
		return err_new(ERR_NO_MEMORY, "stacks");
	if (call->has_address || call->list_count)
		return add_listed(all);
	for (size_t i = 0; i < target->thread_count && !err; i++)
		if (!session_interrupted(call->session))
			err = add_thread(all, &target->threads[i]);
	return err;
}

static struct err *stacks_run(const struct dcmd_call *call, struct sink *out)
{
	struct stacks all = { .call = call,
			      .options = call->options,
			      .out = out };
	struct err *err = session_symbols(call->session, &all.symbols);

	if (!err)
		err = gather(&all);
	if (!err)
		group(&all);
	for (size_t i = 0; i < all.count && !err && !out->failed; i++)
		if (all.stacks[i].count && is_wanted(&all, &all.stacks[i]))
			emit(&all, &all.stacks[i], out);
	if (all.unreadable)
		sink_note(out,
			  "%zu stacks end before their end: ::stack tells "
			  "why",
			  all.unreadable);
	for (size_t i = 0; i < all.count; i++)
		free(all.stacks[i].pcs);
	free(all.stacks);
	return err;
}

const struct dcmd dcmd_stacks = {
	.name = "stacks",
	.summary = "the stacks there are, and how many threads have each",
	.help = "Threads that are in the same state, wait for the same kind of "
		"object and have the same calls on their stack are one row; "
		"those of most threads come first. SOBJ is what a thread waits "
		"for in the C library: cv (a condition variable), mutex, "
		"rwlock, sema, join, io; none where it runs, or waits in the "
		"kernel otherwise.\n"
		"In a pipe, the values are ids of threads, as ::walk thread "
		"gives them.",
	.example = "::stacks -m libc -S cv",
	.options = stacks_options,
	.option_count = sizeof(stacks_options) / sizeof(stacks_options[0]),
	.options_size = sizeof(struct stacks_options),
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "thread id",
	.tables = stacks_tables,
	.table_count = 1,
	.takes_list = true,
	.run = stacks_run,
};
