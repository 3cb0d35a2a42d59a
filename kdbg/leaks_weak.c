/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mark once more without stacks and registers. What is lost then and was not
 * before hangs on them; of that the knots that no other of it holds are held by
 * words there alone, and those are counted. Thread storage lies in the same
 * memory and is certain: what it holds is not told.
 */
#include "kdbg/leaks_weak.h"

#include "kdbg/leaks_internal.h"
#include "kdbg/references.h"
#include "kdbg/session.h"

#include <stdlib.h>

enum { DOUBTFUL = 1 << ROOT_STACK | 1 << ROOT_REGISTERS };

struct holding {
	uint32_t words;
	bool certain;
	const struct root *root; /* of the first word */
	uint64_t address;
};

struct search {
	struct places *places;
	const struct leaks *leaks; /* without the doubtful */
	const struct reach *reach; /* with them */
	struct holding *holdings;  /* by knot */
};

static void count_word(struct search *search, const struct root *root,
		       uint64_t address, struct scan_buffer to)
{
	struct holding *holding;
	uint32_t node;

	if (!knots_node(search->leaks->knots, to, &node))
		return;
	holding = &search->holdings[search->leaks->knots->knot_of[node]];
	if (!root->words && places_is_storage(search->places, address))
		holding->certain = true;
	if (!holding->words++) {
		holding->root = root;
		holding->address = address;
	}
}

static bool count_words(void *context, const struct root_words *words)
{
	struct search *search = context;

	for (size_t i = 0;
	     DOUBTFUL >> words->root->kind & 1 && i < words->count; i++) {
		struct reference to;

		if (reference_get(search->reach,
				  scan_pointer(words->scan, words->words, i),
				  &to))
			count_word(search, words->root,
				   words->address +
					   scan_pointer_at(words->scan, i),
				   to.to);
	}
	return true;
}

/* The first of a group's holdings; NULL: some knot has more than one word, or
 * one that is certain. */
static const struct holding *single_of(const struct search *search,
				       size_t group)
{
	const struct leaks *leaks = search->leaks;
	size_t first = leaks->by_group_starts[group];

	for (size_t i = first; i < leaks->by_group_starts[group + 1]; i++) {
		const struct holding *holding =
			&search->holdings[leaks->by_group[i]];

		if (holding->words != 1 || holding->certain)
			return NULL;
	}
	return &search->holdings[leaks->by_group[first]];
}

static struct err *list_groups(const struct search *search,
			       struct weak_leaks *ret)
{
	const struct leak_group *groups;
	size_t count = leaks_groups(search->leaks, &groups);

	ret->list = calloc(count + 1, sizeof(*ret->list));
	if (!ret->list)
		return leaks_no_memory();
	for (size_t i = 0; i < count; i++) {
		const struct holding *holding = groups[i].class == LEAK_DEFINITE
							? single_of(search, i)
							: NULL;

		if (!holding)
			continue;
		ret->list[ret->count++] = (struct weak_leak){
			.group = groups[i],
			.place = holding->root->words
					 ? place_of_words(holding->root,
							  holding->address)
					 : places_at(search->places,
						     holding->address),
		};
	}
	return NULL;
}

struct err *weak_leaks_find(struct session *session, struct places *places,
			    struct weak_leaks *ret)
{
	struct reach_options narrow = session->reach_options;
	struct leaks_options options = session->leaks_options;
	struct search search = { .places = places };
	struct reach *reach;
	struct err *err = session_reach(session, &reach);

	*ret = (struct weak_leaks){ 0 };
	search.reach = reach;
	narrow.without |= DOUBTFUL;
	options.reached_by = reach;
	if (!err)
		err = reach_create(session, &narrow, &ret->reach);
	if (!err)
		err = leaks_create(session, ret->reach, &options, &ret->leaks);
	if (err)
		return err;
	search.leaks = ret->leaks;
	search.holdings = calloc(ret->leaks->knots->knot_count + 1,
				 sizeof(*search.holdings));
	if (!search.holdings)
		return leaks_no_memory();
	err = references_each_root(session, reach, count_words, &search);
	if (!err)
		err = list_groups(&search, ret);
	free(search.holdings);
	return err;
}

void weak_leaks_deinit(struct weak_leaks *weak)
{
	if (weak->leaks)
		leaks_destroy(weak->leaks);
	if (weak->reach)
		reach_destroy(weak->reach);
	free(weak->list);
	*weak = (struct weak_leaks){ 0 };
}
