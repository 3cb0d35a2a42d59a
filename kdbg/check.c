/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verdict of a check.
 *
 *	supervise --> accounts --> settle each --> result --> reports
 *	    \_____ judge in place, as each ends ____/
 *
 * Every account of the supervisor becomes a process of the result: checked, or
 * unchecked with a reason. Only when nothing is unchecked, and something is
 * checked, is the command's own status passed on: green means that all was
 * looked at and found clean.
 */
#include "kdbg/check.h"

#include "kdbg/baseline.h"
#include "kdbg/check_examine.h"
#include "kdbg/check_options.h"
#include "kdbg/check_reports.h"
#include "kdbg/check_settle.h"
#include "kdbg/supervise.h"
#include "kdbg/supervise_environment.h"
#include "kdbg/suppressions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Seconds that what the command leaves behind is waited for. */
enum { CHECK_GRACE = 10 };

struct check {
	struct check_options options;
	char *directory; /* private: the roster */
	char *dumps;     /* where the processes write */
	struct check_reports reports;
	struct supervised supervised;
	struct check_examiner examiner;
	struct suppressions suppressions;
	struct baseline *baseline;
	struct check_result result;
};

static void add_up(struct check_result *result,
		   const struct check_process *process)
{
	struct check_totals *totals =
		process->system ? &result->system : &result->own;

	if (process->verdict == CHECK_IGNORED)
		return;
	result->checked +=
		process->verdict == CHECK_CHECKED && !process->replaced;
	result->unchecked += process->verdict == CHECK_UNCHECKED;
	result->allowed += process->verdict == CHECK_ALLOWED;
	result->buffers += process->buffers;
	result->known += process->known_count;
	result->crashed |= check_has_crashed(process);
	totals->groups += process->leak_count;
	totals->possible += process->possible_count;
	totals->errors += process->errors_reported;
	totals->leaked_buffers += process->leaked_buffers;
	totals->leaked_bytes += process->leaked_bytes;
}

/* Delete the dumps that are not wanted. */
static void sort_dumps(struct check *check)
{
	enum check_keep keep = check->options.keep;

	for (size_t i = 0; i < check->result.count; i++) {
		struct check_process *process = &check->result.processes[i];
		bool interesting =
			check_has_findings(&check->result, process) ||
			process->verdict == CHECK_UNCHECKED;

		if (!process->file)
			continue;
		if (keep == KEEP_ALWAYS ||
		    (keep == KEEP_FINDINGS && interesting))
			process->dump = process->file;
		else
			unlink(process->file);
	}
}

static struct err *settle_all(struct check *check)
{
	struct check_result *result = &check->result;
	const struct check_settler settler = {
		.options = &check->options,
		.accounts = check->supervised.accounts,
		.examiner = &check->examiner,
		.suppressions = &check->suppressions,
		.dumps = check->dumps,
		.arena = &result->arena,
	};
	const struct account *list;

	result->count = accounts_list(check->supervised.accounts, &list);
	result->lost = accounts_lost(check->supervised.accounts);
	result->timed_out = check->supervised.timed_out;
	result->timeout = check->options.timeout;
	result->possible_fails = check->options.possible_fails;
	result->processes = arena_array(&result->arena, result->count,
					sizeof(*result->processes));
	if (result->count && !result->processes)
		return err_new(ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < result->count; i++) {
		check_settle(&settler, &list[i], &result->processes[i]);
		struct err *err = baseline_apply(
			check->baseline, &result->arena, &result->processes[i]);
		if (err)
			return err;
		add_up(result, &result->processes[i]);
	}
	sort_dumps(check);
	return baseline_list_gone(check->baseline, result);
}

/* Findings of the system's programs are told, and no failure. */
static bool has_failed(const struct check *check)
{
	const struct check_totals *own = &check->result.own;

	return own->groups || own->errors ||
	       (check->result.possible_fails && own->possible);
}

static bool is_incomplete(const struct check_result *result)
{
	return result->unchecked || result->lost || result->timed_out ||
	       !result->checked;
}

static int verdict(const struct check *check)
{
	if (has_failed(check) && check->options.findings_status)
		return check->options.findings_status;
	if (is_incomplete(&check->result))
		return CHECK_INCOMPLETE;
	return supervised_status(&check->supervised);
}

/* A folder that every process finds, wherever it has gone. */
static struct err *choose_dumps(struct check *check)
{
	const char *folder = check->options.dump_dir;

	if (check->options.keep == KEEP_NEVER) {
		if (asprintf(&check->dumps, "%s/dumps", check->directory) < 0)
			return err_new(ERR_NO_MEMORY, "out of memory");
		return NULL;
	}
	if (mkdir(folder, 0777) && errno != EEXIST)
		return err_new(ERR_IO, "%s: %s", folder, strerror(errno));
	check->dumps = realpath(folder, NULL);
	if (!check->dumps)
		return err_new(ERR_IO, "%s: %s", folder, strerror(errno));
	return NULL;
}

static struct err *run_command(struct check *check)
{
	const struct check_options *options = &check->options;
	struct supervise_options supervise = {
		.argv = options->argv,
		.tier = options->tier,
		.skip = options->skip,
		.skip_count = options->skip_count,
		.no_children = options->no_children,
		.keep_going = options->keep_going,
		.timeout = options->timeout,
		.grace = CHECK_GRACE,
		.examine = check_examine,
		.examine_context = &check->examiner,
	};
	char *base = NULL, *dump = NULL;
	struct err *err = NULL;

	if (asprintf(&base, "%s/dump", check->dumps) < 0)
		return err_new(ERR_NO_MEMORY, "out of memory");
	/* One pid can leave several: by exec, or by living twice. */
	err = supervise_dump_option(base, "%e.%p.%m", "full", &dump);
	supervise.dump = dump;
	if (!err)
		err = supervise_run(&supervise, check->directory,
				    &check->supervised);
	if (!err)
		err = check_examiner_finish(&check->examiner);
	free(dump);
	free(base);
	return err;
}

static void tell(struct check *check, int status)
{
	check->result.status = status;
	check->result.argv = check->options.argv;
	check->result.suppressions = check->suppressions.first;
	check->result.gen_suppressions = check->options.gen_suppressions;
	check->result.baseline = check->options.baseline;
	check->result.baseline_updated = check->options.update_baseline;
	check_reports_write(&check->reports, &check->result,
			    !has_failed(check) && !check->result.crashed &&
				    !is_incomplete(&check->result));
}

/* There was no process. The reports say so, as who reads them expects to find
 * something to read; on stderr the error is all there is to say. */
static struct err *tell_not_started(struct check *check, int status)
{
	const char *why = strerror(check->supervised.exec_error);
	struct check_result *result = &check->result;

	result->processes =
		arena_array(&result->arena, 1, sizeof(*result->processes));
	if (result->processes) {
		result->processes[0] = (struct check_process){
			.path = check->options.argv[0],
			.command = true,
			.verdict = CHECK_UNCHECKED,
			.reason = why,
		};
		result->count = result->unchecked = 1;
	}
	result->status = status;
	result->argv = check->options.argv;
	check_reports_write(&check->reports, result, true);
	return err_new(ERR_NOT_FOUND, "%s: %s", check->options.argv[0], why);
}

static struct err *check_command(struct check *check, int *status)
{
	struct timespec start, end;

	check->result.started = time(NULL);
	clock_gettime(CLOCK_MONOTONIC, &start);
	struct err *err = run_command(check);
	if (err)
		return err;
	clock_gettime(CLOCK_MONOTONIC, &end);
	check->result.seconds = (double)(end.tv_sec - start.tv_sec) +
				(double)(end.tv_nsec - start.tv_nsec) / 1e9;
	*status = supervised_status(&check->supervised);
	if (check->supervised.exec_error) {
		err = tell_not_started(check, *status);
	} else {
		err = settle_all(check);
		if (err)
			*status = CHECK_INCOMPLETE;
		else
			*status = verdict(check);
	}
	if (!err)
		tell(check, *status);
	if (!err)
		err = baseline_save(check->baseline);
	supervised_deinit(&check->supervised);
	return err;
}

static struct err *read_suppressions(struct check *check)
{
	const struct check_options *options = &check->options;
	struct err *err = NULL;

	check->suppressions.arena = &check->result.arena;
	for (size_t i = 0; !err && i < options->suppression_count; i++)
		err = suppressions_read(&check->suppressions,
					options->suppressions[i]);
	return err;
}

static struct err *check_run(struct check *check, int *status)
{
	struct err *err = check_reports_open(&check->options, &check->reports);
	struct err *unwritten;

	*status = CHECK_INCOMPLETE;
	check_examiner_init(&check->examiner, &check->options);
	if (!err)
		err = source_root_find(check->options.src_root,
				       &check->result.src_root);
	if (!err)
		err = read_suppressions(check);
	if (!err)
		err = baseline_open(check->options.baseline,
				    check->options.update_baseline,
				    &check->baseline);
	if (!err)
		err = supervise_directory(&check->directory);
	if (!err)
		err = choose_dumps(check);
	if (!err)
		err = check_command(check, status);
	unwritten = check_reports_close(&check->reports);
	if (unwritten && !has_failed(check))
		*status = CHECK_INCOMPLETE;
	if (err)
		err_free(unwritten);
	else
		err = unwritten;
	if (check->directory)
		supervise_remove_directory(check->directory);
	baseline_close(check->baseline);
	check_examiner_deinit(&check->examiner);
	suppressions_deinit(&check->suppressions);
	arena_deinit(&check->result.arena);
	source_root_deinit(&check->result.src_root);
	free(check->dumps);
	free(check->directory);
	return err;
}

int check_main(int argc, char **argv)
{
	struct check check = { .directory = NULL };
	char text[512];
	int status;

	if (!check_options_parse(argc, argv, &check.options, &status))
		return status;
	struct err *err = check_run(&check, &status);
	check_options_deinit(&check.options);
	if (!err)
		return status;
	err_describe(err, text, sizeof(text));
	fprintf(stderr, "kdbg check: %s\n", text);
	err_free(err);
	return status;
}
