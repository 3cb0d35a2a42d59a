/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A user retains a buffer when every way from a root to it begins with that
 * user. That is found without a dominator tree: each buffer has an owner, none
 * at first, then the one user it was come to from, then SHARED when another
 * came. An owner changes twice at most, and each change is passed on along the
 * buffer's references, so the whole costs at most two visits of each buffer.
 *
 * What a user leads to is counted by following its words, one user after the
 * other, with one table of stamps for all. Where a thousand users lead to the
 * same million buffers that would take for ever: there is a budget, spent on
 * those that retain most first.
 */
#include "kdbg/root_users.h"

#include "kdbg/references.h"
#include "kdbg/target.h"
#include "kdbg/vector.h"

#include <stdlib.h>

#define NO_OWNER UINT32_MAX
#define SHARED   (UINT32_MAX - 1)

enum {
	STEPS_PER_LOOK = 65536,
	BUDGET_PER_BUFFER = 16, /* visits to count what users lead to */
};

struct start { /* a root's word that refers to a buffer */
	uint32_t user;
	struct scan_buffer to;
};

struct search {
	struct session *session;
	struct places *places;
	struct reach *reach;
	struct scan *scan;
	struct root_user *users;
	size_t user_count;
	uint32_t *of_thread; /* user of each thread of the target, from 1; the
			      * last is that of ended ones */
	uint32_t last;       /* user of the word before */
	struct start *starts;
	size_t start_count;
	size_t *order; /* starts by user: of u from order_of[u] on */
	size_t *order_of;
	uint32_t *owners; /* by number of buffer; then stamps */
	struct scan_buffer *stack;
	size_t stack_count;
	uint64_t steps, budget;
	struct err *err;
};

static void no_memory(struct search *search)
{
	if (!search->err)
		search->err = err_new(ERR_NO_MEMORY,
				      "no memory to follow references");
}

static bool go_on(struct search *search)
{
	if (++search->steps % STEPS_PER_LOOK == 0 && !search->err) {
		session_progress(search->session, "following",
				 search->steps % search->budget,
				 search->budget);
		if (session_interrupted(search->session))
			search->err =
				err_new(ERR_IO, "interrupted while following "
						"references");
	}
	return !search->err;
}

static void push(struct search *search, struct scan_buffer buffer)
{
	struct scan_buffer *grown =
		vector_grow(search->stack, search->stack_count, sizeof(*grown));

	if (!grown) {
		no_memory(search);
		return;
	}
	search->stack = grown;
	grown[search->stack_count++] = buffer;
}

static uint32_t add_user(struct search *search,
			 const struct root_holder *holder)
{
	struct root_user *grown =
		vector_grow(search->users, search->user_count, sizeof(*grown));

	if (!grown || search->user_count >= SHARED) {
		no_memory(search);
		return NO_OWNER;
	}
	search->users = grown;
	grown[search->user_count] = (struct root_user){ .holder = *holder };
	return (uint32_t)search->user_count++;
}

/* Its stack, its registers and its storage come as different roots. */
static uint32_t *thread_slot(struct search *search, uint32_t tid)
{
	const struct target *target = search->session->target;
	const struct dump_thread *thread = target_thread(target, tid);

	return &search->of_thread[thread ? (size_t)(thread - target->threads)
					 : target->thread_count];
}

static bool is_user(const struct search *search, uint32_t user,
		    const struct root_holder *holder)
{
	const struct root_holder *known;

	if (user == NO_OWNER)
		return false;
	known = &search->users[user].holder;
	return known->kind == holder->kind && known->start == holder->start &&
	       known->tid == holder->tid;
}

/* Words come by address within a kind of root, so that a variable's or a
 * mapping's user is the last of its kind. */
static uint32_t user_of(struct search *search, const struct root *root,
			uint64_t address)
{
	struct root_holder holder =
		places_holder(search->places, root, address);
	uint32_t *slot;

	if (holder.kind == PLACE_STACK) {
		slot = thread_slot(search, holder.tid);
		if (!*slot)
			*slot = add_user(search, &holder) + 1;
		return *slot - 1;
	}
	if (!is_user(search, search->last, &holder))
		search->last = add_user(search, &holder);
	return search->last;
}

static void add_start(struct search *search, uint32_t user,
		      struct scan_buffer to)
{
	struct start *grown = vector_grow(search->starts, search->start_count,
					  sizeof(*grown));

	if (!grown || user == NO_OWNER) {
		no_memory(search);
		return;
	}
	search->starts = grown;
	grown[search->start_count++] = (struct start){ user, to };
	search->users[user].words++;
}

static bool enter_root(void *context, const struct root_words *words)
{
	struct search *search = context;

	for (size_t i = 0; i < words->count && !search->err; i++) {
		struct reference to;

		if (reference_get(search->reach,
				  scan_pointer(words->scan, words->words, i),
				  &to))
			add_start(search,
				  user_of(search, words->root,
					  words->address +
						  scan_pointer_at(words->scan,
								  i)),
				  to.to);
	}
	return go_on(search);
}

/* A buffer was come to from an owner. */
static void give(struct search *search, struct scan_buffer to, uint32_t owner)
{
	uint32_t *now = &search->owners[scan_number(search->scan, to)];

	if (*now == owner || *now == SHARED)
		return;
	*now = *now == NO_OWNER ? owner : SHARED;
	push(search, to);
}

static void pass_on_owners(struct search *search)
{
	while (search->stack_count && go_on(search)) {
		struct scan_buffer from = search->stack[--search->stack_count];
		uint32_t owner =
			search->owners[scan_number(search->scan, from)];
		size_t count;
		const char *words = scan_words(search->scan, from, &count);

		for (size_t i = 0; words && i < count; i++) {
			struct reference to;

			if (reference_get(search->reach,
					  scan_pointer(search->scan, words, i),
					  &to))
				give(search, to.to, owner);
		}
	}
}

static void find_owners(struct search *search)
{
	for (size_t i = 0; i < search->start_count && !search->err; i++) {
		give(search, search->starts[i].to, search->starts[i].user);
		pass_on_owners(search);
	}
}

static void add_up(struct search *search, struct root_users *ret)
{
	struct scan *scan = search->scan;

	for (uint32_t slab = 0; slab < scan->slab_count; slab++)
		for (uint32_t i = 0; i < scan->slabs[slab].buffers; i++) {
			struct scan_buffer buffer = { slab, i };
			uint32_t owner =
				search->owners[scan_number(scan, buffer)];
			uint64_t size;

			if (owner == NO_OWNER)
				continue;
			size = scan_extent(scan, buffer).size;
			if (owner == SHARED) {
				ret->shared_buffers++;
				ret->shared_bytes += size;
				continue;
			}
			search->users[owner].retained_buffers++;
			search->users[owner].retained_bytes += size;
		}
}

/* Come to a buffer once for each stamp. */
static void stamp(struct search *search, struct root_user *user,
		  uint32_t number, struct scan_buffer to)
{
	uint32_t *now = &search->owners[scan_number(search->scan, to)];

	if (*now == number)
		return;
	*now = number;
	user->reach_buffers++;
	user->reach_bytes += scan_extent(search->scan, to).size;
	push(search, to);
}

static void count_reach(struct search *search, uint32_t number)
{
	struct root_user *user = &search->users[number];

	for (size_t i = search->order_of[number];
	     i < search->order_of[number + 1]; i++)
		stamp(search, user, number,
		      search->starts[search->order[i]].to);
	while (search->stack_count && search->budget && go_on(search)) {
		struct scan_buffer from = search->stack[--search->stack_count];
		size_t count;
		const char *words = scan_words(search->scan, from, &count);

		search->budget--;
		for (size_t i = 0; words && i < count; i++) {
			struct reference to;

			if (reference_get(search->reach,
					  scan_pointer(search->scan, words, i),
					  &to))
				stamp(search, user, number, to.to);
		}
	}
	user->reach_known = !search->stack_count;
	search->stack_count = 0;
}

/* The starts of each user, by a counting sort. */
static bool sort_starts(struct search *search)
{
	size_t *of = calloc(search->user_count + 2, sizeof(*of));

	search->order = calloc(search->start_count + 1, sizeof(size_t));
	search->order_of = of;
	if (!search->order || !of)
		return false;
	for (size_t i = 0; i < search->start_count; i++)
		of[search->starts[i].user + 1]++;
	for (size_t i = 1; i <= search->user_count; i++)
		of[i] += of[i - 1];
	for (size_t i = search->start_count; i-- > 0;)
		search->order[--of[search->starts[i].user + 1]] = i;
	for (size_t i = 0; i < search->user_count; i++)
		of[i] = of[i + 1];
	of[search->user_count] = search->start_count;
	return true;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_retained(const void *a, const void *b)
{
	const struct root_user *x = a, *y = b;

	if (x->retained_bytes != y->retained_bytes)
		return compare(y->retained_bytes, x->retained_bytes);
	if (x->reach_bytes != y->reach_bytes)
		return compare(y->reach_bytes, x->reach_bytes);
	if (x->holder.start != y->holder.start)
		return compare(x->holder.start, y->holder.start);
	return compare(x->holder.tid, y->holder.tid);
}

struct rank {
	uint64_t bytes;
	uint32_t user;
};

static int by_bytes(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->bytes != y->bytes)
		return compare(y->bytes, x->bytes);
	return compare(x->user, y->user);
}

/* Those that retain most come first, for the budget's sake. */
static void find_reach(struct search *search)
{
	struct rank *ranks = calloc(search->user_count + 1, sizeof(*ranks));

	if (!ranks || !sort_starts(search)) {
		no_memory(search);
		free(ranks);
		return;
	}
	for (size_t i = 0; i < search->user_count; i++)
		ranks[i] = (struct rank){ search->users[i].retained_bytes,
					  (uint32_t)i };
	qsort(ranks, search->user_count, sizeof(*ranks), by_bytes);
	for (uint64_t i = 0; i < search->scan->buffer_count; i++)
		search->owners[i] = NO_OWNER;
	for (size_t i = 0; i < search->user_count && !search->err; i++)
		count_reach(search, ranks[i].user);
	free(ranks);
}

static void find(struct search *search, struct root_users *ret)
{
	uint64_t count = search->scan->buffer_count;
	struct err *err;

	search->of_thread = calloc(search->session->target->thread_count + 1,
				   sizeof(uint32_t));
	search->owners = malloc((count + 1) * sizeof(uint32_t));
	if (!search->of_thread || !search->owners) {
		no_memory(search);
		return;
	}
	for (uint64_t i = 0; i < count; i++)
		search->owners[i] = NO_OWNER;
	search->budget =
		BUDGET_PER_BUFFER * (reach_totals(search->reach)->buffers + 1);
	err = references_each_root(search->session, search->reach, enter_root,
				   search);
	if (search->err)
		err_free(err);
	else
		search->err = err;
	if (!search->err)
		find_owners(search);
	if (!search->err)
		add_up(search, ret);
	if (!search->err)
		find_reach(search);
}

struct err *root_users_find(struct session *session, struct places *places,
			    struct root_users *ret)
{
	struct search search = { .session = session,
				 .places = places,
				 .last = NO_OWNER };
	struct err *err = session_reach(session, &search.reach);

	*ret = (struct root_users){ 0 };
	if (err)
		return err;
	search.scan = reach_scan(search.reach);
	find(&search, ret);
	scan_forget(search.scan);
	free(search.of_thread);
	free(search.owners);
	free(search.order);
	free(search.order_of);
	free(search.starts);
	free(search.stack);
	ret->list = search.users;
	ret->count = search.user_count;
	if (search.err) {
		root_users_deinit(ret);
		return search.err;
	}
	if (ret->count)
		qsort(ret->list, ret->count, sizeof(*ret->list), by_retained);
	return NULL;
}

void root_users_deinit(struct root_users *users)
{
	free(users->list);
	*users = (struct root_users){ 0 };
}
