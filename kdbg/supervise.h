/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Running a program under libkma and accounting for all it starts.
 *
 * The program is a child of ours in our own process group, with our stdin,
 * terminal, directory and signal dispositions: it behaves as it would without
 * us. Signals sent to us are passed on to it; those of the terminal reach it by
 * themselves. We are the subreaper of its descendants, so having no child left
 * means that every descendant has ended, and what each of them was stands in
 * the roster (dumpfmt/roster.h). We never wait for ever: not for the command
 * beyond the time limit, not for what it leaves behind beyond the grace.
 */
#ifndef KDBG_SUPERVISE_H
#define KDBG_SUPERVISE_H

#include "dumpfmt/err.h"
#include "kdbg/supervise_accounts.h"
#include "kdbg/supervise_examine.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	SUPERVISE_NOT_EXECUTABLE = 126, /* exit statuses, as a shell's */
	SUPERVISE_NOT_FOUND = 127,
	SUPERVISE_BY_SIGNAL = 128,
};

struct supervise_options {
	char *const *argv;       /* of the command, NULL-terminated */
	const char *tier;        /* NULL: the environment's, else audit */
	const char *dump;        /* KMA_DUMP of all processes */
	const char *const *skip; /* patterns of programs not to audit */
	size_t skip_count;
	bool no_children; /* audit the command alone */
	bool keep_going;  /* do not stop at a misuse */
	unsigned timeout; /* seconds for the command; 0: no limit */
	unsigned grace;   /* seconds for what it leaves behind */
	/* How to look at a process that ends; NULL: it leaves a dump. */
	examine_function *examine;
	void *examine_context;
};

struct supervised {
	int exec_error;  /* errno of a command that could not be run, or 0 */
	int wait_status; /* of the command, as waitpid gives it */
	pid_t command;
	bool timed_out;
	struct accounts *accounts;
};

/*
 * A private directory for the roster and dumps, in the first of $TMPDIR, /tmp
 * and /dev/shm that has room. Dumps go to the folder "dumps" in it.
 */
struct err *supervise_directory(char **ret) MUST_USE;
/* Remove it and all in it. */
void supervise_remove_directory(const char *directory);

/* Run the command until nothing of it is left. directory holds the roster. */
struct err *supervise_run(const struct supervise_options *options,
			  const char *directory,
			  struct supervised *ret) MUST_USE;
void supervised_deinit(struct supervised *supervised);

/* The command's exit status as a shell would tell it. */
int supervised_status(const struct supervised *supervised);

#endif
