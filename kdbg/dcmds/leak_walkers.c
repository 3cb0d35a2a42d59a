/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The walkers leak and leakbuf: what ::findleaks found, by address. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/leaks.h"

#include <inttypes.h>

struct leak_walk {
	walk_fn *each;
	void *context;
	bool buffers; /* addresses of buffers, not of bufctls */
};

static uint64_t name_of(const struct leak_walk *walk, uint64_t bufctl,
			uint64_t user)
{
	return bufctl && !walk->buffers ? bufctl : user;
}

static bool walk_buffer(void *context, const struct heap_buffer *buffer)
{
	const struct leak_walk *walk = context;

	return walk->each(walk->context,
			  name_of(walk, buffer->bufctl, buffer->user));
}

static struct err *walk_leaks(struct session *session, bool has_address,
			      uint64_t address, struct leak_walk *walk)
{
	const struct leak_group *groups;
	struct leaks *leaks;
	size_t count, group;
	struct err *err = session_leaks(session, &leaks);

	if (err)
		return err;
	if (has_address && !leaks_group_at(leaks, address, &group))
		return err_new(ERR_NOT_FOUND, "%#" PRIx64 " is not leaked",
			       address);
	if (has_address)
		return leaks_each(leaks, group, walk_buffer, walk);
	count = leaks_groups(leaks, &groups);
	for (size_t i = 0; i < count; i++)
		if (groups[i].class != LEAK_POSSIBLE &&
		    !walk->each(walk->context, name_of(walk, groups[i].bufctl,
						       groups[i].address)))
			break;
	return NULL;
}

static struct err *walk_leak(struct session *session, bool has_address,
			     uint64_t address, walk_fn *each, void *context)
{
	struct leak_walk walk = { each, context, false };

	return walk_leaks(session, has_address, address, &walk);
}

static struct err *walk_leakbuf(struct session *session, bool has_address,
				uint64_t address, walk_fn *each, void *context)
{
	struct leak_walk walk = { each, context, true };

	return walk_leaks(session, has_address, address, &walk);
}

const struct walker walker_leak = {
	.name = "leak",
	.summary = "a bufctl of each leak, or all of its group",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "bufctl or buffer",
	.walk = walk_leak,
};

const struct walker walker_leakbuf = {
	.name = "leakbuf",
	.summary = "a buffer of each leak, or all of its group",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "bufctl or buffer",
	.walk = walk_leakbuf,
};
