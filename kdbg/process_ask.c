/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/process_ask.h"

#include "dumpfmt/ask.h"
#include "kdbg/process_roots.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	ROOTS_MAX = 16,
	TEXT_SIZE = 4096,
	POLL_NS = 1000 * 1000,
	POLLS_HEARD = 1000, /* of a second, to be heard */
	POLLS_PAUSE = 1000, /* once it is written */
};

/* --- can it be asked? --------------------------------------------------- */

static uint64_t status_number(const char *status, const char *key, int base)
{
	const char *at = strstr(status, key);

	return at ? strtoull(at + strlen(key), NULL, base) : 0;
}

/* Its user is ours, so that it may look into us; the signal has a handler. */
static bool has_handler(pid_t pid)
{
	char status[TEXT_SIZE];

	if (!procfs_read(pid, "status", status, sizeof(status)) ||
	    status_number(status, "\nUid:", 10) != geteuid())
		return false;
	return status_number(status, "\nSigCgt:", 16) >> (DUMP_ASK_SIGNAL - 1) &
	       1;
}

/* A number of ours must be the same number there. */
static bool shares_numbers(pid_t pid)
{
	char path[64], ours[64] = "", its[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	return readlink("/proc/self/ns/pid", ours, sizeof(ours) - 1) > 0 &&
	       readlink(path, its, sizeof(its) - 1) > 0 &&
	       strcmp(ours, its) == 0;
}

static bool listens(pid_t pid)
{
	const struct dump_live_plan plan = { .pid = pid, .shared_pagemap = -1 };
	struct dump_live *process = malloc(sizeof(*process));
	uint64_t roots[ROOTS_MAX];
	bool found = false;

	if (!process || dump_live_open(process, &plan) < 0) {
		free(process);
		return false;
	}
	size_t count = dump_live_roots(process, roots, 0, ROOTS_MAX);
	for (size_t i = 0; i < count && !found; i++)
		found = process_root_number(process, roots[i], "asks") ==
				DUMP_ASK_VERSION &&
			process_root_number(process, roots[i], "pid") ==
				(uint64_t)pid;
	dump_live_close(process);
	free(process);
	return found;
}

/* --- asking ------------------------------------------------------------- */

static bool send(pid_t pid, int file)
{
	siginfo_t info = { .si_signo = DUMP_ASK_SIGNAL, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr =
		(void *)(uintptr_t)(DUMP_ASK_WORD << 32 | (uint32_t)file);
	return syscall(SYS_rt_sigqueueinfo, pid, DUMP_ASK_SIGNAL, &info) == 0;
}

static void nap(void)
{
	const struct timespec pause = { 0, POLL_NS };

	nanosleep(&pause, NULL);
}

static struct dump_ask look(int file)
{
	struct dump_ask ask = { 0 };

	if (pread(file, &ask, sizeof(ask), 0) != sizeof(ask))
		ask.state = DUMP_ASK_CANCELLED;
	return ask;
}

/* It is told to forget it, in case it wakes up later. */
static void cancel(int file)
{
	const uint32_t state = DUMP_ASK_CANCELLED;

	(void)!pwrite(file, &state, sizeof(state),
		      offsetof(struct dump_ask, state));
}

static bool await_accepted(int file)
{
	for (int i = 0; i < POLLS_HEARD; i++) {
		if (look(file).state != DUMP_ASK_WAITS)
			return true;
		nap();
	}
	cancel(file);
	return false;
}

/* Who writes it is still there? */
static bool is_alive(const struct dump_ask *ask, pid_t pid)
{
	if (kill(ask->writer ? (pid_t)ask->writer : pid, 0) == 0)
		return true;
	return errno != ESRCH;
}

static struct err *await_written(int file, struct process_ask *ask)
{
	struct dump_ask answer = look(file);

	while (answer.state != DUMP_ASK_WRITTEN) {
		bool alive = is_alive(&answer, ask->pid);

		answer = look(file);
		if (!alive && answer.state != DUMP_ASK_WRITTEN)
			return err_new(ERR_IO,
				       "process %d ended before its dump was "
				       "written",
				       (int)ask->pid);
		nap();
	}
	for (int i = 0; i < POLLS_PAUSE && !answer.pause_ns; i++) {
		nap();
		answer = look(file);
	}
	ask->pause_ns = answer.pause_ns;
	if (answer.status == 0)
		return NULL;
	return err_new(ERR_IO, "process %d could not write its dump: %s",
		       (int)ask->pid, strerror(-answer.status));
}

struct err *process_ask(struct process_ask *ask)
{
	const struct dump_ask question = {
		.magic = DUMP_ASK_MAGIC,
		.version = DUMP_ASK_VERSION,
		.output = ask->output,
		.level = ask->level,
		.codec = ask->write.codec,
		.workers = ask->write.workers,
		.symbols = ask->symbols,
	};
	int file;

	ask->heard = false;
	ask->has_libkma = has_handler(ask->pid) && shares_numbers(ask->pid) &&
			  listens(ask->pid);
	if (!ask->has_libkma)
		return NULL;
	file = memfd_create("kdbg-ask", MFD_CLOEXEC); /* open until we end */
	if (file < 0 ||
	    pwrite(file, &question, sizeof(question), 0) != sizeof(question) ||
	    !send(ask->pid, file) || !await_accepted(file))
		return NULL;
	ask->heard = true;
	return await_written(file, ask);
}
