/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/check_settle.h"

#include "kdbg/check_judge.h"
#include "kdbg/check_merge.h"
#include "kdbg/check_program.h"
#include "kdbg/suppressions.h"
#include "kdbg/target.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static bool matches_any(const char *const *patterns, size_t count,
			const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (roster_match(patterns[i], path))
			return true;
	return false;
}

static void set_reason(const struct check_settler *settler,
		       struct check_process *process, const char *reason)
{
	process->verdict = CHECK_UNCHECKED;
	process->reason = reason ? reason : "out of memory";
	if (matches_any(settler->options->allow, settler->options->allow_count,
			process->path))
		process->verdict = CHECK_ALLOWED;
}

static const char filtered_reason[] =
	"its filter of system calls (seccomp) leaves none for a check";

/* Why an image said nothing. */
static const char *explain_silence(const struct check_settler *settler,
				   const struct account *account)
{
	const struct account *list;

	accounts_list(settler->accounts, &list);
	if (account->running)
		return "still running when the check ended";
	/* Filters stay for what is exec'ed under them. */
	if (account->origin != ACCOUNT_NONE && list[account->origin].filtered)
		return filtered_reason;
	return check_program_silence(account->path);
}

/* Why there is no dump of an image that said hello. */
static const char *explain_silent_end(const struct check_settler *settler,
				      const struct account *account)
{
	if (account->running)
		return "still running when the check ended";
	if (account->filtered)
		return filtered_reason;
	if (account->failure)
		return arena_print(settler->arena,
				   "its dump could not be written: %s",
				   strerror((int)account->failure));
	if (account->reaped && WIFSIGNALED(account->wait_status))
		return arena_print(
			settler->arena,
			"killed by signal %d (%s) before it could be checked",
			WTERMSIG(account->wait_status),
			strsignal(WTERMSIG(account->wait_status)));
	return "ended without leaving a dump (killed?)";
}

/* The path of an account's dump; NULL: none, or a name that is not one. */
static char *dump_path(const struct check_settler *settler,
		       const struct account *account)
{
	const char *name = account->dump;

	if (!name || strchr(name, '/') || name[0] == '.')
		return NULL;
	return arena_print(settler->arena, "%s/%s", settler->dumps, name);
}

/* A reason why it could not be done goes to the process. */
static void suppress(const struct check_settler *settler,
		     struct check_process *process)
{
	struct err *err = NULL;
	char text[512];

	if (process->suppressions)
		err = suppressions_read_program(settler->suppressions,
						process->path,
						process->suppressions);
	if (!err)
		err = suppressions_apply(settler->suppressions, process);
	if (!err && !check_merge_caches(settler->arena, process))
		err = err_new(ERR_NO_MEMORY, "out of memory");
	if (!err)
		return;
	err_describe(err, text, sizeof(text));
	err_free(err);
	process->reason = arena_print(settler->arena, "%s", text);
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

static void judge_dump(const struct check_settler *settler,
		       struct check_process *process)
{
	const struct target_options options = { NULL };
	struct target *target;
	struct err *err = target_open(process->file, &options, &target);

	if (!err)
		err = check_judge(target, settler->arena, process);
	if (err) {
		char text[512];
		err_describe(err, text, sizeof(text));
		err_free(err);
		process->reason = arena_print(
			settler->arena, "its dump cannot be read: %s", text);
	}
}

static void judge(const struct check_settler *settler,
		  const struct account *account, struct check_process *process)
{
	const struct examined *examined =
		account->shown
			? check_examined(settler->examiner, account->show_index)
			: NULL;

	process->file = dump_path(settler, account);
	if (examined)
		take_examined(examined, account, process);
	else if (process->file)
		judge_dump(settler, process);
	else
		process->reason = explain_silent_end(settler, account);
	suppress(settler, process);
	if (process->reason)
		set_reason(settler, process, process->reason);
}

/* An image that an exec ended: its leaks went with it, its errors did not. */
static void settle_replaced(const struct check_settler *settler,
			    const struct account *account,
			    struct check_process *process)
{
	process->replaced = true;
	process->errors_reported = account->errors;
	if (account->unseen_exec)
		set_reason(settler, process,
			   "replaced by an exec that libkma did not see");
	else if (account->errors && (account->dump || account->shown))
		judge(settler, account, process);
}

/* What the tool keeps of the program, values of long ago among it, lies in the
 * process's memory and would hold leaks. Misuses are what they are. */
static void settle_simulated(const struct check_settler *settler,
			     const struct account *account,
			     struct check_process *process)
{
	process->errors_reported = account->errors;
	set_reason(settler, process,
		   "it runs under valgrind, whose own memory would hold leaks");
}

static bool is_ignored(const struct check_settler *settler,
		       const struct account *account)
{
	const struct check_options *options = settler->options;

	return account->skipped || account->handed_over ||
	       (options->no_children && !account->command) ||
	       (!account->hello &&
		matches_any(options->skip, options->skip_count, account->path));
}

/*
 * Nothing of a program of the system would fail the check, and libkma was in it
 * to its end, so that what it started is on accounts of its own: a test that
 * kills the sleep or the shell it started is checked all the same.
 */
static bool does_no_harm(const struct account *account,
			 const struct check_process *process)
{
	return process->system && account->hello && !account->running &&
	       !account->unseen_exec;
}

void check_settle(const struct check_settler *settler,
		  const struct account *account, struct check_process *process)
{
	process->pid = account->pid;
	process->ppid = account->ppid;
	process->path = account->path;
	process->command = account->command;
	process->forked = account->forked;
	process->system = !settler->options->strict_children &&
			  account_is_system(settler->accounts, account);
	if (is_ignored(settler, account))
		process->verdict = CHECK_IGNORED;
	else if (!account->hello)
		set_reason(settler, process, explain_silence(settler, account));
	else if (account->foreign)
		set_reason(settler, process,
			   "it has a malloc of its own, or runs under a tool "
			   "that has");
	else if (account->simulated)
		settle_simulated(settler, account, process);
	else if (account->replaced)
		settle_replaced(settler, account, process);
	else
		judge(settler, account, process);
	if (process->verdict == CHECK_UNCHECKED &&
	    does_no_harm(account, process))
		process->verdict = CHECK_ALLOWED;
}
