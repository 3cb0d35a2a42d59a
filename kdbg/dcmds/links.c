/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/dcmds/links.h"

#include "kdbg/variables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct column links_columns[] = { { "ADDR", VALUE_ADDRESS } };

const struct table links_tables[1] = {
	{ "default", links_columns, 1, .no_header = true },
};

const struct option links_options[1] = {
	{ 'e', "embedded", OPTION_FLAG,
	  offsetof(struct links_options, embedded), NULL,
	  "links lead to the member itself, as those of list_head" },
};

/* "node.next" lies in node, which links lead to; a link alone in itself. */
static struct err *find_base(const struct dcmd_call *call, struct links *links)
{
	const char *link = links->links[0], *dot = strrchr(link, '.');
	char *parent = strndup(link, dot ? (size_t)(dot - link) : SIZE_MAX);
	struct type_place within;

	if (!parent)
		return err_new(ERR_NO_MEMORY, "out of memory");
	struct err *err =
		type_place_within(call->session, links->type, parent, &within);
	free(parent);
	if (!err)
		links->base = within.offset;
	return err;
}

struct err *links_of_words(const struct dcmd_call *call, int used, int count,
			   struct type *type, struct links *links)
{
	const struct links_options *options = call->options;

	links->call = call;
	links->type = type;
	if (used + count > call->argc)
		return err_new(ERR_USAGE, count == 1
						  ? "which member is the link?"
						  : "which members lead left "
						    "and right?");
	for (int i = 0; i < count; i++)
		links->links[i] = call->argv[used++];
	links->variable = used < call->argc ? call->argv[used++] : NULL;
	if (used < call->argc)
		return err_new(ERR_USAGE, "too many words");
	return options->embedded ? find_base(call, links) : NULL;
}

struct err *links_next(const struct links *links, int link, uint64_t node,
		       uint64_t *next)
{
	struct type_place place = { .type = links->type,
				    .address = node - links->base };
	struct session *session = links->call->session;
	struct err *err =
		type_place_follow(session, links->links[link], &place);

	return err ? err : type_place_number(session, &place, next);
}

struct err *links_yield(const struct links *links, uint64_t node)
{
	struct session *session = links->call->session;
	uint64_t element = node - links->base;
	struct err *err = NULL;

	if (links->variable)
		err = variables_set(session->variables, links->variable,
				    element);
	if (!err)
		SINK_ROW(links->out, ADDRESS(element));
	return err;
}

bool links_go_on(const struct links *links)
{
	return !links->out->failed &&
	       !session_interrupted(links->call->session);
}

struct err *links_follow(struct links *links, uint64_t node, uint64_t end)
{
	struct err *err = NULL;

	while (!err && node && node != end && links_go_on(links)) {
		if (!address_set_add(&links->met, node)) {
			sink_note(links->out,
				  "the list does not end: it comes back to "
				  "%" PRIx64,
				  node - links->base);
			break;
		}
		err = links_yield(links, node);
		if (!err)
			err = links_next(links, 0, node, &node);
	}
	return err;
}

struct err *links_step_through(const struct dcmd_call *call,
			       struct type_place *place)
{
	struct type *type = type_peel(place->type);
	struct err *err;

	if (type->kind != TYPE_POINTER)
		return NULL;
	err = type_place_number(call->session, place, &place->address);
	place->type = type_target(type);
	return err;
}
