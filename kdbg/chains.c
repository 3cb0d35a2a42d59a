/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A search in breadth from all roots at once. Each buffer is remembered with
 * the buffer it was first come to from, so that a way back to the root is at
 * hand; the buffer asked about is never gone on from, so no chain leads through
 * it. Where a reference lies in its holder is not remembered but found again.
 *
 * 12 bytes and a bit for each buffer visited; it ends as soon as there are as
 * many chains as were wanted.
 */
#include "kdbg/chains.h"

#include "kdbg/references.h"
#include "kdbg/vector.h"

#include <inttypes.h>
#include <stdlib.h>

enum { STEPS_PER_LOOK = 65536 };

#define FROM_ROOT (UINT32_C(1) << 31)

struct visit {
	struct scan_buffer buffer;
	uint32_t from; /* index of a visit; FROM_ROOT: of a root word */
};

struct root_word {
	const struct root *root;
	uint64_t address; /* of registers: offset */
	uint64_t word;
};

struct last_link {
	uint32_t from;   /* as visit.from */
	uint64_t offset; /* of the word in the holder */
	uint64_t word;
};

struct search {
	struct session *session;
	struct reach *reach;
	struct scan *scan;
	struct places *places;
	uint64_t wanted; /* number of the buffer asked about */
	bool all;        /* follow inner references too */
	size_t max;
	uint64_t *seen; /* one bit for each buffer */
	struct visit *visits;
	size_t visit_count;
	struct root_word *roots;
	size_t root_count;
	struct last_link *found;
	size_t found_count;
	bool no_memory;
};

static struct err *no_memory(void)
{
	return err_new(ERR_NO_MEMORY, "no memory to follow references");
}

static bool is_enough(const struct search *search)
{
	return search->no_memory || search->found_count >= search->max;
}

static bool see(struct search *search, uint64_t number)
{
	uint64_t *word = &search->seen[number / 64];
	uint64_t bit = UINT64_C(1) << number % 64;
	bool first = !(*word & bit);

	*word |= bit;
	return first;
}

static void add_visit(struct search *search, struct scan_buffer buffer,
		      uint32_t from)
{
	struct visit *grown = vector_grow(search->visits, search->visit_count,
					  sizeof(*grown));

	if (!grown || search->visit_count >= FROM_ROOT) {
		search->no_memory = true;
		return;
	}
	search->visits = grown;
	grown[search->visit_count++] = (struct visit){ buffer, from };
}

static void add_found(struct search *search, uint32_t from, uint64_t offset,
		      uint64_t word)
{
	struct last_link *grown =
		vector_grow(search->found, search->found_count, sizeof(*grown));

	if (!grown) {
		search->no_memory = true;
		return;
	}
	search->found = grown;
	grown[search->found_count++] = (struct last_link){ from, offset, word };
}

/* The index of a root's word that led somewhere new. */
static uint32_t add_root(struct search *search, const struct root *root,
			 uint64_t address, uint64_t word)
{
	struct root_word *grown =
		vector_grow(search->roots, search->root_count, sizeof(*grown));

	if (!grown || search->root_count >= FROM_ROOT) {
		search->no_memory = true;
		return FROM_ROOT;
	}
	search->roots = grown;
	grown[search->root_count] = (struct root_word){ root, address, word };
	return (uint32_t)search->root_count++ | FROM_ROOT;
}

static bool enter_root(void *context, const struct root_words *words)
{
	struct search *search = context;

	for (size_t i = 0; i < words->count && !is_enough(search); i++) {
		uint64_t word = scan_pointer(words->scan, words->words, i);
		uint64_t address =
			words->address + scan_pointer_at(words->scan, i);
		struct reference to;

		if (!reference_get(search->reach, word, &to))
			continue;
		if (!to.plain && !search->all && !words->root->inner_is_plain)
			continue;
		if (to.number == search->wanted)
			add_found(search,
				  add_root(search, words->root, address, word),
				  0, word);
		else if (see(search, to.number))
			add_visit(search, to.to,
				  add_root(search, words->root, address, word));
	}
	return !is_enough(search);
}

/* Go on from a buffer. */
static void follow(struct search *search, uint32_t at)
{
	struct scan_buffer buffer = search->visits[at].buffer;
	size_t count;
	const char *words = scan_words(search->scan, buffer, &count);

	for (size_t i = 0; words && i < count && !is_enough(search); i++) {
		uint64_t word = scan_pointer(search->scan, words, i);
		struct reference to;

		if (!reference_get(search->reach, word, &to) ||
		    (!to.plain && !search->all))
			continue;
		if (to.number == search->wanted)
			add_found(search, at, scan_pointer_at(search->scan, i),
				  word);
		else if (see(search, to.number))
			add_visit(search, to.to, at);
	}
}

static struct err *run_search(struct search *search)
{
	struct err *err = references_each_root(search->session, search->reach,
					       enter_root, search);

	for (size_t i = 0;
	     !err && !is_enough(search) && i < search->visit_count; i++) {
		follow(search, (uint32_t)i);
		if (i % STEPS_PER_LOOK)
			continue;
		if (session_interrupted(search->session))
			err = err_new(ERR_IO,
				      "interrupted while following references");
		session_progress(search->session, "following", i,
				 reach_totals(search->reach)->buffers);
	}
	return !err && search->no_memory ? no_memory() : err;
}

/* The word of a visited buffer, offset bytes from its first. */
static struct chain_link link_at(struct search *search, uint32_t at,
				 uint64_t offset, uint64_t word)
{
	struct scan_extent extent =
		scan_extent(search->scan, search->visits[at].buffer);
	uint64_t first = (extent.user + 7) & ~(uint64_t)7;

	return (struct chain_link){
		.place = places_at(search->places, first + offset),
		.word = word,
	};
}

/* Where does a visited buffer refer to the next one of the chain? */
static struct chain_link link_to(struct search *search, uint32_t at,
				 uint64_t number)
{
	size_t count;
	const char *words =
		scan_words(search->scan, search->visits[at].buffer, &count);

	for (size_t i = 0; words && i < count; i++) {
		uint64_t word = scan_pointer(search->scan, words, i);
		struct reference to;

		if (reference_get(search->reach, word, &to) &&
		    to.number == number && (to.plain || search->all))
			return link_at(search, at,
				       scan_pointer_at(search->scan, i), word);
	}
	return (struct chain_link){ 0 };
}

static struct chain_link root_link(struct search *search, uint32_t from)
{
	const struct root_word *root = &search->roots[from & ~FROM_ROOT];
	struct chain_link link = { .word = root->word };

	if (root->root->words)
		link.place = place_of_words(root->root, root->address);
	else
		link.place = places_at(search->places, root->address);
	return link;
}

static size_t length_of(const struct search *search, uint32_t from)
{
	size_t length = 1;

	for (; !(from & FROM_ROOT); from = search->visits[from].from)
		length++;
	return length;
}

/* Fill in the chain from its end. */
static bool build_chain(struct search *search, const struct last_link *last,
			struct chain *chain)
{
	uint32_t from = last->from;
	size_t i = length_of(search, from), end = i;
	uint64_t number = 0;

	chain->links = calloc(i, sizeof(*chain->links));
	if (!chain->links)
		return false;
	chain->count = i;
	for (; !(from & FROM_ROOT); from = search->visits[from].from) {
		i--;
		chain->links[i] = i + 1 == end
					  ? link_at(search, from, last->offset,
						    last->word)
					  : link_to(search, from, number);
		number = scan_number(search->scan, search->visits[from].buffer);
	}
	chain->links[0] = root_link(search, from);
	return true;
}

static struct err *build_chains(struct search *search, struct chains *ret)
{
	ret->list = calloc(search->found_count + 1, sizeof(*ret->list));
	if (!ret->list)
		return no_memory();
	for (size_t i = 0; i < search->found_count; i++, ret->count++)
		if (!build_chain(search, &search->found[i], &ret->list[i])) {
			chains_deinit(ret);
			return no_memory();
		}
	return NULL;
}

static struct err *find_wanted(struct search *search, uint64_t address)
{
	struct heap_buffer buffer;
	const struct heap_slab *slabs;
	struct heap *heap;
	struct err *err = session_heap(search->session, &heap);

	if (err)
		return err;
	if (!heap_buffer_at(heap, address, &buffer))
		return err_new(ERR_NOT_FOUND, "%#" PRIx64 " is in no buffer",
			       address);
	heap_slabs(heap, &slabs);
	search->wanted = slabs[buffer.slab].first_buffer + buffer.index;
	search->all =
		reach_class_of(search->reach, search->wanted) == REACH_POSSIBLE;
	return NULL;
}

static bool is_held(const struct search *search)
{
	enum reach_class class = reach_class_of(search->reach, search->wanted);

	return class == REACH_PLAIN || class == REACH_POSSIBLE;
}

struct err *chains_find(struct session *session, struct places *places,
			uint64_t address, size_t max, struct chains *ret)
{
	struct search search = { .session = session,
				 .places = places,
				 .max = max };
	struct err *err = session_reach(session, &search.reach);

	*ret = (struct chains){ 0 };
	if (!err)
		err = find_wanted(&search, address);
	if (err || !is_held(&search))
		return err;
	search.scan = reach_scan(search.reach);
	search.seen =
		calloc(search.scan->buffer_count / 64 + 1, sizeof(uint64_t));
	if (!search.seen)
		return no_memory();
	err = run_search(&search);
	if (!err)
		err = build_chains(&search, ret);
	scan_forget(search.scan);
	free(search.seen);
	free(search.visits);
	free(search.roots);
	free(search.found);
	return err;
}

void chains_deinit(struct chains *chains)
{
	for (size_t i = 0; i < chains->count; i++)
		free(chains->list[i].links);
	free(chains->list);
	*chains = (struct chains){ 0 };
}
