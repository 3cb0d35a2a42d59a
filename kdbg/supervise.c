/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/supervise.h"

#include "kdbg/check_program.h"
#include "kdbg/supervise_descendants.h"
#include "kdbg/supervise_environment.h"
#include "kdbg/supervise_roster.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	POLL_MS = 100,  /* between looks at the roster's room */
	KILL_MS = 2000, /* from SIGTERM to SIGKILL, and to giving up */
};
#define NEVER_MS INT64_MAX

/* Where the supervisor is, and what its deadline is for. */
enum stage {
	STAGE_RUN,   /* the command runs; then the time limit */
	STAGE_TERM,  /* all were asked to end; then they are killed */
	STAGE_KILL,  /* all were killed; then we give up */
	STAGE_GRACE, /* the command has ended; then the rest is named */
};

/* What our signals were before: the command has them so. */
struct signal_state {
	sigset_t mask;
	struct sigaction child;
	sigset_t waited; /* what we take with sigtimedwait */
};

struct reaped {
	pid_t pid;
	int wait_status;
};

struct supervisor {
	const struct supervise_options *options;
	struct roster_file roster;
	struct supervise_environment environment;
	struct signal_state signals;
	pid_t command;
	char command_path[PATH_MAX];
	int exec_error, command_status;
	bool command_ended, none_left, timed_out;
	enum stage stage;
	int64_t deadline; /* of the stage, milliseconds */
	struct reaped *reaped;
	size_t reaped_count, reaped_capacity;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Signals that are ours alone: faults, job control, SIGPIPE of our output. That
 * a file of ours grows too large is an error, told by errno. */
static void take_signals(struct signal_state *signals)
{
	static const int left_alone[] = {
		SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN,   SIGTTOU, SIGPIPE,
		SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,    SIGTRAP, SIGABRT,
		SIGSYS,  SIGXCPU, SIGPROF, SIGVTALRM,
	};
	struct sigaction by_default = { .sa_handler = SIG_DFL };

	sigfillset(&signals->waited);
	for (size_t i = 0; i < sizeof(left_alone) / sizeof(left_alone[0]); i++)
		sigdelset(&signals->waited, left_alone[i]);
	/* An ignored SIGCHLD would have the kernel reap for us. */
	sigaction(SIGCHLD, &by_default, &signals->child);
	sigprocmask(SIG_BLOCK, &signals->waited, &signals->mask);
}

static void give_back_signals(const struct signal_state *signals)
{
	const struct timespec now = { 0, 0 };
	sigset_t told;

	/* errno has told it already. */
	sigemptyset(&told);
	sigaddset(&told, SIGXFSZ);
	while (sigtimedwait(&told, NULL, &now) > 0)
		;
	sigaction(SIGCHLD, &signals->child, NULL);
	sigprocmask(SIG_SETMASK, &signals->mask, NULL);
}

/* In the child: become the command, or tell errno through the pipe. */
static _Noreturn void become_command(const struct supervisor *supervisor,
				     int pipe_end)
{
	char *const *argv = supervisor->options->argv;
	int error = ENOMEM;

	give_back_signals(&supervisor->signals);
	roster_file_set_command(&supervisor->roster, (uint32_t)getpid());
	/* Better unchecked, which will be told, than refused by its runtime. */
	if (check_program_refuses(argv[0]) ||
	    supervise_environment_apply(&supervisor->environment)) {
		execvp(argv[0], argv);
		error = errno;
	}
	if (write(pipe_end, &error, sizeof(error)) < 0)
		_exit(SUPERVISE_NOT_EXECUTABLE);
	_exit(SUPERVISE_NOT_FOUND);
}

static struct err *start_command(struct supervisor *supervisor)
{
	int ends[2], error = 0;

	if (pipe2(ends, O_CLOEXEC))
		return err_new(ERR_IO, "pipe: %s", strerror(errno));
	supervisor->command = fork();
	if (supervisor->command < 0) {
		error = errno;
		close(ends[0]);
		close(ends[1]);
		return err_new(ERR_IO, "fork: %s", strerror(error));
	}
	if (supervisor->command == 0)
		become_command(supervisor, ends[1]);
	close(ends[1]);
	if (read(ends[0], &error, sizeof(error)) == (ssize_t)sizeof(error))
		supervisor->exec_error = error;
	close(ends[0]);
	/* Gone already if it was quick: then its name must do. */
	descendant_path(supervisor->command, supervisor->command_path,
			sizeof(supervisor->command_path));
	if (!supervisor->command_path[0])
		snprintf(supervisor->command_path,
			 sizeof(supervisor->command_path), "%s",
			 supervisor->options->argv[0]);
	return NULL;
}

static struct err *keep_status(struct supervisor *supervisor, pid_t pid,
			       int wait_status)
{
	if (supervisor->reaped_count == supervisor->reaped_capacity) {
		size_t capacity = supervisor->reaped_capacity * 2 + 16;
		struct reaped *grown = reallocarray(supervisor->reaped,
						    capacity, sizeof(*grown));
		if (!grown)
			return err_new(ERR_NO_MEMORY, "out of memory");
		supervisor->reaped = grown;
		supervisor->reaped_capacity = capacity;
	}
	supervisor->reaped[supervisor->reaped_count++] =
		(struct reaped){ pid, wait_status };
	return NULL;
}

/* Take in every child that has ended: the command, and its orphans. */
static struct err *reap_children(struct supervisor *supervisor)
{
	struct err *err = NULL;
	int status;
	pid_t pid;

	while (!err && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		err = keep_status(supervisor, pid, status);
		if (pid != supervisor->command)
			continue;
		supervisor->command_ended = true;
		supervisor->command_status = status;
		if (supervisor->stage != STAGE_RUN)
			continue;
		int64_t grace =
			now_ms() + (int64_t)supervisor->options->grace * 1000;
		supervisor->stage = STAGE_GRACE;
		if (grace < supervisor->deadline)
			supervisor->deadline = grace;
	}
	if (!err && pid < 0 && errno == ECHILD)
		supervisor->none_left = true;
	return err;
}

/*
 * The terminal's signals (si_code above 0) went to the command as well, by its
 * process group; so did what the command sent to that group itself.
 */
static void pass_on(struct supervisor *supervisor, const siginfo_t *info)
{
	int signal = info->si_signo;
	bool reached_it = info->si_code > 0 && signal != SIGALRM;

	if (supervisor->command_ended) {
		/* Who wants us gone does not want us to wait. */
		if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP)
			supervisor->deadline = 0;
		return;
	}
	if (reached_it || signal == SIGXFSZ ||
	    info->si_pid == supervisor->command)
		return;
	if (info->si_code == SI_QUEUE)
		sigqueue(supervisor->command, signal, info->si_value);
	else
		kill(supervisor->command, signal);
}

static struct err *signal_all(int signal)
{
	pid_t *pids;
	size_t count;
	struct err *err = descendants_find(&pids, &count);

	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		kill(pids[i], signal);
	free(pids);
	return NULL;
}

/* The deadline has passed. *done: there is nothing more to wait for. */
static struct err *advance(struct supervisor *supervisor, bool *done)
{
	enum stage stage = supervisor->stage;

	*done = stage == STAGE_GRACE || stage == STAGE_KILL;
	if (*done)
		return NULL;
	supervisor->timed_out = true;
	supervisor->stage = stage == STAGE_RUN ? STAGE_TERM : STAGE_KILL;
	supervisor->deadline = now_ms() + KILL_MS;
	return signal_all(stage == STAGE_RUN ? SIGTERM : SIGKILL);
}

static void wait_a_little(struct supervisor *supervisor)
{
	int64_t left = supervisor->deadline - now_ms();
	int64_t ms = left < 0 ? 0 : left < POLL_MS ? left : POLL_MS;
	struct timespec time = { .tv_sec = 0, .tv_nsec = ms * 1000000 };
	siginfo_t info;

	if (sigtimedwait(&supervisor->signals.waited, &info, &time) > 0 &&
	    info.si_signo != SIGCHLD)
		pass_on(supervisor, &info);
}

static struct err *watch(struct supervisor *supervisor)
{
	struct err *err = NULL;
	bool done = false;

	while (!err && !done) {
		roster_file_grow(&supervisor->roster);
		roster_file_beat(&supervisor->roster);
		err = reap_children(supervisor);
		if (err || supervisor->none_left)
			break;
		if (now_ms() >= supervisor->deadline)
			err = advance(supervisor, &done);
		else
			wait_a_little(supervisor);
	}
	return err;
}

/* The threads come after the fork that made the command. */
static struct err *watch_and_examine(struct supervisor *supervisor)
{
	const struct supervise_options *options = supervisor->options;
	struct examiners *examiners = NULL;
	struct err *err = NULL;

	if (options->examine)
		err = examiners_start(&supervisor->roster, options->examine,
				      options->examine_context, &examiners);
	if (!err)
		err = watch(supervisor);
	examiners_stop(examiners);
	return err;
}

static struct err *name_running(struct accounts *accounts)
{
	pid_t *pids;
	size_t count;
	struct err *err = descendants_find(&pids, &count);

	if (err)
		return err;
	for (size_t i = 0; i < count && !err; i++) {
		char path[PATH_MAX];
		descendant_path(pids[i], path, sizeof(path));
		err = accounts_running(accounts, (uint32_t)pids[i], path);
	}
	free(pids);
	return err;
}

static struct err *close_accounts(const struct supervisor *supervisor,
				  struct accounts *accounts)
{
	struct err *err =
		accounts_command(accounts, (uint32_t)supervisor->command,
				 supervisor->command_path);

	if (!err)
		err = roster_file_read(&supervisor->roster, accounts);
	for (size_t i = 0; i < supervisor->reaped_count && !err; i++)
		accounts_reaped(accounts, (uint32_t)supervisor->reaped[i].pid,
				supervisor->reaped[i].wait_status);
	if (!err && !supervisor->none_left)
		err = name_running(accounts);
	return err;
}

static struct err *run_command(struct supervisor *supervisor,
			       struct supervised *ret)
{
	struct accounts *accounts;
	struct err *err = accounts_create(&accounts);

	if (err)
		return err;
	if (supervisor->options->timeout)
		supervisor->deadline =
			now_ms() + (int64_t)supervisor->options->timeout * 1000;
	err = start_command(supervisor);
	if (!err)
		err = watch_and_examine(supervisor);
	if (!err && !supervisor->exec_error)
		err = close_accounts(supervisor, accounts);
	if (err) {
		accounts_destroy(accounts);
		return err;
	}
	*ret = (struct supervised){
		.exec_error = supervisor->exec_error,
		.wait_status = supervisor->command_status,
		.command = supervisor->command,
		.timed_out = supervisor->timed_out,
		.accounts = accounts,
	};
	return NULL;
}

/* With the roster made: the environment, the subreaper, the command. */
static struct err *run_with_roster(struct supervisor *supervisor,
				   struct supervised *ret)
{
	const struct supervise_options *options = supervisor->options;
	struct err *err = supervise_environment_init(
		&supervisor->environment, options->tier, options->keep_going,
		options->dump, supervisor->roster.path);

	if (err)
		return err;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		err = err_new(ERR_UNSUPPORTED,
			      "this kernel has no subreapers: %s",
			      strerror(errno));
	else
		err = run_command(supervisor, ret);
	supervise_environment_deinit(&supervisor->environment);
	return err;
}

struct err *supervise_run(const struct supervise_options *options,
			  const char *directory, struct supervised *ret)
{
	struct supervisor supervisor = { .options = options,
					 .deadline = NEVER_MS };

	take_signals(&supervisor.signals);
	struct err *err = roster_file_create(
		directory, options->skip, options->skip_count,
		(options->no_children ? ROSTER_CHILDREN_NONE : 0) |
			(options->examine ? ROSTER_IN_PLACE : 0),
		&supervisor.roster);
	if (!err) {
		err = run_with_roster(&supervisor, ret);
		roster_file_close(&supervisor.roster);
	}
	give_back_signals(&supervisor.signals);
	free(supervisor.reaped);
	return err;
}

void supervised_deinit(struct supervised *supervised)
{
	accounts_destroy(supervised->accounts);
}

int supervised_status(const struct supervised *supervised)
{
	if (supervised->exec_error)
		return supervised->exec_error == ENOENT ||
				       supervised->exec_error == ENOTDIR
			       ? SUPERVISE_NOT_FOUND
			       : SUPERVISE_NOT_EXECUTABLE;
	if (WIFSIGNALED(supervised->wait_status))
		return SUPERVISE_BY_SIGNAL + WTERMSIG(supervised->wait_status);
	return WEXITSTATUS(supervised->wait_status);
}
