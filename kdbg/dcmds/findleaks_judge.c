/* SPDX-License-Identifier: GPL-3.0-or-later */
/* By what ::findleaks judges: its options, as the session is to keep them. */
#include "kdbg/dcmds/findleaks.h"

#include <string.h>

/* The last checkpoint of that name, over all instances. */
static struct err *find_checkpoint(struct heap *heap, const char *name,
				   uint64_t *ret)
{
	const struct heap_checkpoint *checkpoints;
	size_t count = heap_checkpoints(heap, &checkpoints);

	*ret = 0;
	for (size_t i = 0; i < count; i++)
		if (strcmp(checkpoints[i].name, name) == 0 &&
		    checkpoints[i].time > *ret)
			*ret = checkpoints[i].time;
	if (*ret)
		return NULL;
	return err_new(ERR_NOT_FOUND,
		       "no checkpoint %s among %zu: the program makes one by "
		       "kma_checkpoint(\"%s\")",
		       name, count, name);
}

static struct err *evaluate(void *context, const char *text, uint64_t *ret)
{
	return session_evaluate(context, text, ret);
}

struct err *findleaks_judge(struct session *session, struct heap *heap,
			    const struct findleaks_options *options)
{
	struct reach_options reach = {
		.forms = { .unaligned = options->unaligned,
			   .mask = options->mask },
	};
	struct leaks_options leaks = { 0 };
	struct err *err = NULL;

	if (options->decode)
		err = pointer_forms_parse(options->decode, evaluate, session,
					  &reach.forms);
	if (!err && options->since)
		err = find_checkpoint(heap, options->since, &leaks.since);
	if (!err)
		session_judge(session, &reach, &leaks);
	return err;
}
