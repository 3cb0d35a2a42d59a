/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::walk - run a walker. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/heap.h"
#include "kdbg/usage.h"
#include "kdbg/variables.h"

#include <stdio.h>
#include <string.h>

static const struct column walk_columns[] = { { "ADDR", VALUE_ADDRESS } };

static const struct table walk_tables[] = {
	{ "default", walk_columns, 1, .no_header = true },
};

struct walk {
	const struct dcmd_call *call;
	const char *variable; /* or NULL */
	struct sink *out;
	struct err *err;
};

static bool each(void *context, uint64_t value)
{
	struct walk *walk = context;
	struct session *session = walk->call->session;

	if (walk->variable)
		walk->err = variables_set(session->variables, walk->variable,
					  value);
	if (!walk->err)
		SINK_ROW(walk->out, ADDRESS(value));
	return !walk->err && !walk->out->failed &&
	       !session_interrupted(session);
}

static struct err *unknown_walker(const struct session *session,
				  const char *name)
{
	const char *like = usage_nearest_walker(session, name);

	if (like)
		return err_new(ERR_NOT_FOUND,
			       "unknown walker %s (did you mean %s?)", name,
			       like);
	return err_new(ERR_NOT_FOUND, "unknown walker %s; ::walkers lists them",
		       name);
}

static struct err *check_address(const struct walker *walker,
				 const struct dcmd_call *call)
{
	if (walker->address_use == ADDRESS_REQUIRED && !call->has_address)
		return err_new(ERR_USAGE,
			       "walker %s needs the address of a %s before ::",
			       walker->name, walker->address_is);
	if (walker->address_use == ADDRESS_NONE && call->has_address &&
	    !call->piped)
		return err_new(ERR_USAGE, "walker %s takes no address",
			       walker->name);
	return NULL;
}

/* "umem_ptc_64": what threads keep of the buffers of that size. */
static const struct heap_cache *cache_of_size(struct heap *heap,
					      const char *name)
{
	static const char *const prefixes[] = { "umem_ptc_", "kmem_ptc_" };
	char cache[64];

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t length = strlen(prefixes[i]);

		if (strncmp(name, prefixes[i], length) != 0)
			continue;
		snprintf(cache, sizeof(cache), "kmem_alloc_%s", name + length);
		return heap_cache_named(heap, cache);
	}
	return NULL;
}

/* A cache's name walks its buffers: ::walk kmem_alloc_64. */
static const struct walker *cache_walker(const struct dcmd_call *call,
					 uint64_t *address)
{
	const struct heap_cache *cache, *kept;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err) {
		err_free(err);
		return NULL;
	}
	cache = heap_cache_named(heap, call->argv[0]);
	kept = cache ? NULL : cache_of_size(heap, call->argv[0]);
	if (!cache && !kept)
		return NULL;
	*address = cache ? cache->address : kept->address;
	return cache ? &walker_kmem : &walker_freemem_constructed;
}

static struct err *walk_run(const struct dcmd_call *call, struct sink *out)
{
	struct walk walk = { .call = call, .out = out };
	bool has_address = call->has_address;
	uint64_t address = call->address;

	if (call->argc < 1 || call->argc > 2)
		return err_new(ERR_USAGE, "which walker? ::walkers lists them");
	const struct walker *walker =
		session_walker(call->session, call->argv[0]);
	if (!walker && (walker = cache_walker(call, &address)))
		has_address = true;
	if (!walker)
		return unknown_walker(call->session, call->argv[0]);
	struct err *err = check_address(walker, call);
	if (err)
		return err;
	walk.variable = call->argc > 1 ? call->argv[1] : NULL;
	err = session_walk(call->session, walker, has_address, address, each,
			   &walk);
	if (!err)
		return walk.err;
	err_free(walk.err);
	return err_wrap(err, "walker %s", walker->name);
}

const struct dcmd dcmd_walk = {
	.name = "walk",
	.summary = "run a walker: list addresses, or feed them to a pipe",
	.help = "A walker yields the addresses of all things of a kind; "
		"::walkers lists them. Some start at an address: those of a "
		"cache's buffers, for example. A cache's name walks its "
		"buffers in use, umem_ptc_SIZE what threads keep free of that "
		"size.\n\n"
		"With a variable, each address is also its value while the "
		"rest of the pipeline runs, so that nested walks can refer to "
		"the outer one.",
	.example = "::walk kmem_cache | ::walk freemem | ::head 5",
	.arguments = "walker [variable]",
	.address_use = ADDRESS_OPTIONAL,
	.tables = walk_tables,
	.table_count = 1,
	.run = walk_run,
};
