/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verdict of a check.
 *
 *	supervise --> accounts --> judge each dump --> result --> reports
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
#include "kdbg/check_judge.h"
#include "kdbg/check_merge.h"
#include "kdbg/check_options.h"
#include "kdbg/check_program.h"
#include "kdbg/check_reports.h"
#include "kdbg/supervise.h"
#include "kdbg/supervise_environment.h"
#include "kdbg/suppressions.h"
#include "kdbg/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static bool matches_any(const char *const *patterns, size_t count,
			const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (roster_match(patterns[i], path))
			return true;
	return false;
}

static void set_reason(struct check *check, struct check_process *process,
		       const char *reason)
{
	process->verdict = CHECK_UNCHECKED;
	process->reason = reason ? reason : "out of memory";
	if (matches_any(check->options.allow, check->options.allow_count,
			process->path))
		process->verdict = CHECK_ALLOWED;
}

static const char filtered_reason[] =
	"its filter of system calls (seccomp) leaves none for a check";

/* Why an image said nothing. */
static const char *explain_silence(struct check *check,
				   const struct account *account)
{
	const struct account *list;

	accounts_list(check->supervised.accounts, &list);
	if (account->running)
		return "still running when the check ended";
	/* Filters stay for what is exec'ed under them. */
	if (account->origin != ACCOUNT_NONE && list[account->origin].filtered)
		return filtered_reason;
	return check_program_silence(account->path);
}

/* Why there is no dump of an image that said hello. */
static const char *explain_silent_end(struct check *check,
				      const struct account *account)
{
	if (account->running)
		return "still running when the check ended";
	if (account->filtered)
		return filtered_reason;
	if (account->failure)
		return arena_print(&check->result.arena,
				   "its dump could not be written: %s",
				   strerror((int)account->failure));
	if (account->reaped && WIFSIGNALED(account->wait_status))
		return arena_print(
			&check->result.arena,
			"killed by signal %d (%s) before it could be checked",
			WTERMSIG(account->wait_status),
			strsignal(WTERMSIG(account->wait_status)));
	return "ended without leaving a dump (killed?)";
}

/* The path of an account's dump; NULL: none, or a name that is not one. */
static char *dump_path(struct check *check, const struct account *account)
{
	const char *name = account->dump;

	if (!name || strchr(name, '/') || name[0] == '.')
		return NULL;
	return arena_print(&check->result.arena, "%s/%s", check->dumps, name);
}

/* A reason why it could not be done goes to the process. */
static void suppress(struct check *check, struct check_process *process)
{
	struct err *err = NULL;
	char text[512];

	if (process->suppressions)
		err = suppressions_read_program(&check->suppressions,
						process->path,
						process->suppressions);
	if (!err)
		err = suppressions_apply(&check->suppressions, process);
	if (!err && !check_merge_caches(&check->result.arena, process))
		err = err_new(ERR_NO_MEMORY, "out of memory");
	if (!err)
		return;
	err_describe(err, text, sizeof(text));
	err_free(err);
	process->reason = arena_print(&check->result.arena, "%s", text);
}

/* What was found in place, under the names of its account. */
static void take_examined(const struct examined *examined,
			  const struct account *account,
			  struct check_process *process)
{
	struct check_process named = *process;

	*process = examined->process;
	process->pid = named.pid;
	process->ppid = named.ppid;
	process->path = named.path;
	process->command = named.command;
	process->forked = named.forked;
	process->system = named.system;
	process->file = named.file;
	if (account->failure)
		process->dump_failure = strerror((int)account->failure);
}

static void judge_dump(struct check *check, struct check_process *process)
{
	const struct target_options options = { NULL };
	struct target *target;
	struct err *err = target_open(process->file, &options, &target);

	if (!err)
		err = check_judge(target, &check->result.arena, process);
	if (err) {
		char text[512];
		err_describe(err, text, sizeof(text));
		err_free(err);
		process->reason =
			arena_print(&check->result.arena,
				    "its dump cannot be read: %s", text);
	}
}

static void judge(struct check *check, const struct account *account,
		  struct check_process *process)
{
	const struct examined *examined =
		account->shown
			? check_examined(&check->examiner, account->show_index)
			: NULL;

	process->file = dump_path(check, account);
	if (examined)
		take_examined(examined, account, process);
	else if (process->file)
		judge_dump(check, process);
	else
		process->reason = explain_silent_end(check, account);
	suppress(check, process);
	if (process->reason)
		set_reason(check, process, process->reason);
}

/* An image that an exec ended: its leaks went with it, its errors did not. */
static void settle_replaced(struct check *check, const struct account *account,
			    struct check_process *process)
{
	process->replaced = true;
	process->errors_reported = account->errors;
	if (account->unseen_exec)
		set_reason(check, process,
			   "replaced by an exec that libkma did not see");
	else if (account->errors && (account->dump || account->shown))
		judge(check, account, process);
}

static bool is_ignored(const struct check *check, const struct account *account)
{
	const struct check_options *options = &check->options;

	return account->skipped || account->handed_over ||
	       (options->no_children && !account->command) ||
	       (!account->hello &&
		matches_any(options->skip, options->skip_count, account->path));
}

static void settle(struct check *check, const struct account *account,
		   struct check_process *process)
{
	process->pid = account->pid;
	process->ppid = account->ppid;
	process->path = account->path;
	process->command = account->command;
	process->forked = account->forked;
	process->system =
		!check->options.strict_children &&
		account_is_system(check->supervised.accounts, account);
	if (is_ignored(check, account))
		process->verdict = CHECK_IGNORED;
	else if (!account->hello)
		set_reason(check, process, explain_silence(check, account));
	else if (account->foreign)
		set_reason(check, process,
			   "it has a malloc of its own, or runs under a tool "
			   "that has");
	else if (account->replaced)
		settle_replaced(check, account, process);
	else
		judge(check, account, process);
}

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
		settle(check, &list[i], &result->processes[i]);
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
