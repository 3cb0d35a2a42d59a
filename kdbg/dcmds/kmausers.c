/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::kmausers - who has how much: live audited buffers by the stack that
 * allocated them and by the size they were requested with.
 */
#include "kdbg/dcmds/kmausers.h"

#include "kdbg/dcmds/age.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/distribution.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/heap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What goes below both is left out, unless -e asks for it. */
enum {
	BYTES_MIN = 8192,
	COUNT_MIN = 100,
	SLOTS_MIN = 1024,
};

struct kmausers_options {
	bool everyone, full, tree, sizes, ages;
};

static const struct option kmausers_options[] = {
	{ 'e', "everyone", OPTION_FLAG,
	  offsetof(struct kmausers_options, everyone), NULL,
	  "also users of less than 8 KiB and 100 buffers" },
	{ 'f', "full", OPTION_FLAG, offsetof(struct kmausers_options, full),
	  NULL, "list each allocation" },
	{ 't', "tree", OPTION_FLAG, offsetof(struct kmausers_options, tree),
	  NULL, "as one tree, from the outermost callers in" },
	{ 0, "sizes", OPTION_FLAG, offsetof(struct kmausers_options, sizes),
	  NULL, "instead how many buffers of which size were asked for" },
	{ 0, "ages", OPTION_FLAG, offsetof(struct kmausers_options, ages), NULL,
	  "instead how old the buffers are, in milliseconds" },
};

static const struct column user_columns[] = {
	{ "bytes", VALUE_SIZE },  { "count", VALUE_COUNT },
	{ "size", VALUE_SIZE },   { "caller", VALUE_TEXT },
	{ "STACK", VALUE_LINES },
};

static const struct column full_columns[] = {
	{ "addr", VALUE_ADDRESS },   { "size", VALUE_SIZE },
	{ "thread", VALUE_COUNT },   { "cache", VALUE_TEXT },
	{ "bufctl", VALUE_ADDRESS }, { "STACK", VALUE_LINES },
};

static const struct column tree_columns[] = {
	{ "bytes", VALUE_SIZE },    { "count", VALUE_COUNT },
	{ "%", VALUE_REAL },        { "depth", VALUE_COUNT },
	{ "function", VALUE_TEXT },
};

const struct table kmausers_tables[] = {
	[USERS_DEFAULT] = { "default", user_columns,
			    sizeof(user_columns) / sizeof(user_columns[0]),
			    .no_header = true },
	[USERS_FULL] = { "-f", full_columns,
			 sizeof(full_columns) / sizeof(full_columns[0]),
			 .no_header = true },
	[USERS_TREE] = { "-t", tree_columns,
			 sizeof(tree_columns) / sizeof(tree_columns[0]),
			 .no_header = true },
	[USERS_BINS] = { "--sizes, --ages", distribution_columns,
			 DISTRIBUTION_COLUMNS, .no_header = true },
};

struct users { /* open addressing; capacity is a power of two */
	struct user *slots;
	size_t count, capacity;
	size_t samples;           /* users whose count is an estimate */
	struct distribution bins; /* --sizes, --ages */
	size_t ageless;
};

static size_t slot_of(const struct users *users, const struct heap_event *event,
		      uint64_t size)
{
	uint64_t key =
		(event->stack + (uint64_t)event->instance * 7919) ^ size << 32;
	size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 24);

	for (;; i++) {
		const struct user *user =
			&users->slots[i & (users->capacity - 1)];

		if (user->count == 0 ||
		    (user->event.stack == event->stack &&
		     user->event.instance == event->instance &&
		     user->size == size))
			return i & (users->capacity - 1);
	}
}

static bool grow(struct users *users)
{
	struct users larger = {
		.count = users->count,
		.capacity = users->capacity ? users->capacity * 2 : SLOTS_MIN,
	};

	larger.slots = calloc(larger.capacity, sizeof(larger.slots[0]));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < users->capacity; i++) {
		const struct user *user = &users->slots[i];

		if (user->count)
			larger.slots[slot_of(&larger, &user->event,
					     user->size)] = *user;
	}
	free(users->slots);
	*users = larger;
	return true;
}

static bool add_user(struct users *users, const struct heap_buffer *buffer,
		     double weight)
{
	struct user *user;

	if (users->count * 4 >= users->capacity * 3 && !grow(users))
		return false;
	user = &users->slots[slot_of(users, &buffer->alloc, buffer->size)];
	if (user->count++ == 0) {
		user->event = buffer->alloc;
		user->size = buffer->size;
		users->count++;
	}
	user->estimate += weight;
	return true;
}

/* What was sampled is told as what it stands for. */
static void settle_estimates(struct users *users)
{
	for (size_t i = 0; i < users->count; i++) {
		struct user *user = &users->slots[i];

		users->samples += user->estimate > (double)user->count * 1.001;
		user->count = (uint64_t)(user->estimate + 0.5);
	}
}

/* Most bytes first; then by what does not change from run to run. */
static int by_bytes(const void *a, const void *b)
{
	const struct user *x = a, *y = b;
	uint64_t xb = x->count * x->size, yb = y->count * y->size;

	if (xb != yb)
		return xb > yb ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	if (x->event.instance != y->event.instance)
		return x->event.instance < y->event.instance ? -1 : 1;
	return x->event.stack < y->event.stack    ? -1
	       : x->event.stack == y->event.stack ? 0
						  : 1;
}

static bool is_argument(const struct dcmd_call *call, const char *cache)
{
	for (int i = 0; i < call->argc; i++)
		if (strcmp(call->argv[i], cache) == 0)
			return true;
	return call->argc == 0;
}

static void add_to_bins(const struct dcmd_call *call, struct users *users,
			const struct heap_buffer *buffer)
{
	const struct kmausers_options *options = call->options;
	uint64_t value = options->sizes ? buffer->size
			 : buffer->alloc.time
				 ? age_ms(call->session, buffer->alloc.time_ns)
				 : UINT64_MAX;

	if (options->sizes || value != UINT64_MAX)
		distribution_add(&users->bins, value);
	else
		users->ageless++;
}

static void emit_allocation(const struct dcmd_call *call, struct heap *heap,
			    const struct heap_buffer *buffer, const char *cache,
			    struct sink *out)
{
	struct stack_lines lines = { 0 };
	char text[256];

	snprintf(text, sizeof(text),
		 "size %" PRIu64 ", addr %" PRIx64 ", thread %" PRIu32
		 ", cache %s",
		 buffer->size, buffer->user, buffer->alloc.thread, cache);
	stack_lines_add(&lines, call->session, heap, &buffer->alloc);
	sink_table(out, &kmausers_tables[USERS_FULL]);
	SINK_ROW_AS(out, text, ADDRESS(buffer->user), SIZE(buffer->size),
		    COUNT(buffer->alloc.thread), TEXT(cache),
		    ADDRESS(buffer->bufctl), LINES(lines.lines));
	stack_lines_deinit(&lines);
}

static uint64_t count_live(struct heap *heap, size_t number, uint32_t buffers)
{
	struct heap_buffer buffer;
	uint64_t count = 0;

	for (uint32_t i = 0; i < buffers; i++)
		count += heap_buffer_get(heap, number, i, &buffer) &&
			 heap_buffer_live(&buffer);
	return count;
}

/* The live audited buffers of a slab, into users. False: no memory. */
static bool visit_slab(const struct dcmd_call *call, struct heap *heap,
		       size_t number, const char *cache, struct users *users,
		       struct sink *out)
{
	const struct kmausers_options *options = call->options;
	const struct heap_slab *slabs;
	struct heap_buffer buffer;

	heap_slabs(heap, &slabs);
	for (uint32_t i = 0; i < slabs[number].buffers; i++) {
		if (!heap_buffer_get(heap, number, i, &buffer))
			break;
		if (!heap_buffer_live(&buffer) || !buffer.bufctl)
			continue;
		if (call->has_address &&
		    (call->address < buffer.user ||
		     call->address - buffer.user >= buffer.size))
			continue;
		if (options->sizes || options->ages)
			add_to_bins(call, users, &buffer);
		else if (!add_user(users, &buffer,
				   heap_sample_weight(heap, &buffer)))
			return false;
		if (options->full)
			emit_allocation(call, heap, &buffer, cache, out);
	}
	return true;
}

static void emit_user(const struct dcmd_call *call, struct heap *heap,
		      const struct user *user, struct sink *out)
{
	struct stack_lines lines = { 0 };
	uint64_t bytes = user->count * user->size;
	char text[128], caller[256];

	snprintf(text, sizeof(text),
		 "%" PRIu64 " bytes for %" PRIu64
		 " allocations with data size %" PRIu64 ":",
		 bytes, user->count, user->size);
	stack_caller(call->session, heap, &user->event, caller, sizeof(caller));
	stack_lines_add(&lines, call->session, heap, &user->event);
	SINK_ROW_AS(out, text, SIZE(bytes), COUNT(user->count),
		    SIZE(user->size), TEXT(caller), LINES(lines.lines));
	stack_lines_deinit(&lines);
}

/* The slots that are taken, to the front, in order. */
static void sort(struct users *users)
{
	size_t count = 0;

	for (size_t i = 0; i < users->capacity; i++)
		if (users->slots[i].count)
			users->slots[count++] = users->slots[i];
	settle_estimates(users);
	if (count)
		qsort(users->slots, count, sizeof(users->slots[0]), by_bytes);
}

static struct err *collect(const struct dcmd_call *call, struct heap *heap,
			   struct users *users, struct sink *out)
{
	const struct heap_slab *slabs;
	size_t count = heap_slabs(heap, &slabs);
	uint64_t unaudited = 0;

	for (size_t i = 0; i < count; i++) {
		const char *cache = heap_cache_of(heap, i)->name;

		if (session_interrupted(call->session) || out->failed)
			return NULL;
		if (!is_argument(call, cache))
			continue;
		if (!slabs[i].bufctls)
			unaudited += count_live(heap, i, slabs[i].buffers);
		else if (!visit_slab(call, heap, i, cache, users, out))
			return err_new(ERR_NO_MEMORY, "kmausers");
	}
	if (unaudited)
		sink_note(out,
			  "%" PRIu64
			  " buffers are not audited: who has them is "
			  "not known",
			  unaudited);
	return NULL;
}

static struct err *check_arguments(const struct dcmd_call *call,
				   struct heap *heap)
{
	for (int i = 0; i < call->argc; i++)
		if (!heap_cache_named(heap, call->argv[i]))
			return err_new(ERR_NOT_FOUND, "no cache is named %s",
				       call->argv[i]);
	return NULL;
}

static void emit_users(const struct dcmd_call *call, struct heap *heap,
		       const struct users *users, struct sink *out)
{
	const struct kmausers_options *options = call->options;

	sink_table(out, &kmausers_tables[USERS_DEFAULT]);
	for (size_t i = 0; i < users->count; i++) {
		const struct user *user = &users->slots[i];

		if (options->everyone || call->has_address ||
		    user->count * user->size >= BYTES_MIN ||
		    user->count >= COUNT_MIN)
			emit_user(call, heap, user, out);
	}
}

static struct err *emit_bins(struct users *users, struct sink *out)
{
	const struct distribution_options bins = { .geometric = true };

	if (users->ageless)
		sink_note(out, "the age of %zu buffers is not known",
			  users->ageless);
	if (!users->bins.count && !users->bins.failed)
		return NULL;
	return distribution_emit(&users->bins, &bins, NULL, out);
}

static struct err *emit_result(const struct dcmd_call *call, struct heap *heap,
			       struct users *users, struct sink *out)
{
	const struct kmausers_options *options = call->options;

	if (options->sizes || options->ages)
		return emit_bins(users, out);
	if (options->tree)
		return kmausers_tree(call, heap, users->slots, users->count,
				     options->everyone, out);
	if (!options->full)
		emit_users(call, heap, users, out);
	return NULL;
}

static struct err *kmausers_run(const struct dcmd_call *call, struct sink *out)
{
	const struct kmausers_options *options = call->options;
	struct users users = { 0 };
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (!err &&
	    options->tree + options->sizes + options->ages + options->full > 1)
		err = err_new(ERR_USAGE, "one of -f, -t, --sizes and --ages");
	if (!err)
		err = check_arguments(call, heap);
	if (!err)
		err = collect(call, heap, &users, out);
	sort(&users);
	if (!err)
		err = emit_result(call, heap, &users, out);
	if (users.samples)
		sink_note(out, "counts and bytes are estimates from samples");
	free(users.slots);
	distribution_deinit(&users.bins);
	if (!err)
		heap_notes(heap, out);
	return err;
}

const struct dcmd dcmd_kmausers = {
	.name = "kmausers",
	.aliases = (const char *const[]){ "umausers", NULL },
	.summary = "who has how much memory, by allocation stack",
	.help = "Live audited buffers, grouped by the stack that allocated "
		"them and the size that was asked for, most bytes first. Users "
		"of less than 8 KiB and 100 buffers are left out unless -e is "
		"given. With -t all stacks make one tree, callers above what "
		"they call, indented where the way forks; what has less than "
		"1 % of the bytes is left out unless -e is given. --sizes and "
		"--ages count buffers, by the bytes asked for and by how long "
		"before the dump they were allocated. Names of caches limit it "
		"to them; an address, to the buffer that holds it.",
	.example = "::kmausers -e",
	.arguments = "[cache ...]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "address in a buffer",
	.options = kmausers_options,
	.option_count = sizeof(kmausers_options) / sizeof(kmausers_options[0]),
	.options_size = sizeof(struct kmausers_options),
	.tables = kmausers_tables,
	.table_count = sizeof(kmausers_tables) / sizeof(kmausers_tables[0]),
	.run = kmausers_run,
};
