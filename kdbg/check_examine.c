/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/check_examine.h"

#include "kdbg/check_judge.h"
#include "kdbg/target_live.h"

#include <stdlib.h>

void check_examiner_init(struct check_examiner *examiner,
			 const struct check_options *options)
{
	*examiner = (struct check_examiner){
		.keep = options->keep,
		.possible_fails = options->possible_fails,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
}

static void free_examined(struct examined *examined)
{
	arena_deinit(&examined->arena);
	free(examined);
}

void check_examiner_deinit(struct check_examiner *examiner)
{
	while (examiner->first) {
		struct examined *next = examiner->first->next;
		free_examined(examiner->first);
		examiner->first = next;
	}
	free(examiner->sorted);
}

static struct err *judge(pid_t pid, const struct roster_record *record,
			 struct examined *examined)
{
	const struct target_options options = { NULL };
	struct target *target;
	struct err *err =
		target_live_open_shown(pid, record, &options, &target);

	if (err)
		return err;
	if (record->statement.unrecorded)
		target_warn(target, "not all of its threads could be stopped");
	examined->process.replaced = (record->flags & ROSTER_REPLACED) != 0;
	err = check_judge(target, &examined->arena, &examined->process);
	/* Killed meanwhile: what was read of it last is nothing. */
	if (!err && !examine_is_shown_by(pid, record))
		err = err_new(ERR_NOT_FOUND, "process %d has ended", (int)pid);
	return err;
}

static void keep(struct check_examiner *examiner, struct examined *examined)
{
	pthread_mutex_lock(&examiner->lock);
	examined->next = examiner->first;
	examiner->first = examined;
	examiner->count++;
	pthread_mutex_unlock(&examiner->lock);
}

static bool is_dump_wanted(const struct check_examiner *examiner,
			   const struct check_process *process)
{
	return examiner->keep == KEEP_FINDINGS &&
	       (process->leak_count || process->errors_reported ||
		process->reason ||
		(examiner->possible_fails && process->possible_count));
}

enum roster_reply check_examine(void *context, pid_t pid,
				const struct roster_record *record,
				uint64_t index)
{
	struct check_examiner *examiner = context;
	/* A dump that is kept anyway serves as well. */
	struct examined *examined = examiner->keep == KEEP_ALWAYS
					    ? NULL
					    : calloc(1, sizeof(*examined));

	if (!examined)
		return ROSTER_REPLY_DUMP;
	struct err *err = judge(pid, record, examined);
	if (err) {
		/* It shall write a dump itself: that tells why, if it fails. */
		err_free(err);
		free_examined(examined);
		return ROSTER_REPLY_DUMP;
	}
	examined->index = index;
	bool wanted = is_dump_wanted(examiner, &examined->process);
	keep(examiner, examined);
	return wanted ? ROSTER_REPLY_DUMP : ROSTER_REPLY_DONE;
}

static int by_index(const void *a, const void *b)
{
	const struct examined *x = *(struct examined *const *)a;
	const struct examined *y = *(struct examined *const *)b;

	return (x->index > y->index) - (x->index < y->index);
}

struct err *check_examiner_finish(struct check_examiner *examiner)
{
	size_t i = 0;

	if (!examiner->count)
		return NULL;
	examiner->sorted = calloc(examiner->count, sizeof(struct examined *));
	if (!examiner->sorted)
		return err_new(ERR_NO_MEMORY, "out of memory");
	for (struct examined *e = examiner->first; e; e = e->next)
		examiner->sorted[i++] = e;
	qsort(examiner->sorted, examiner->count, sizeof(struct examined *),
	      by_index);
	return NULL;
}

const struct examined *check_examined(const struct check_examiner *examiner,
				      uint64_t index)
{
	const struct examined key = { .index = index };
	const struct examined *wanted = &key;
	struct examined **found =
		examiner->sorted
			? bsearch(&wanted, examiner->sorted, examiner->count,
				  sizeof(struct examined *), by_index)
			: NULL;

	return found ? *found : NULL;
}
