/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A thread that still runs may start another while we go through the list, so
 * the list is read again until it has nobody new: then all are stopped, and
 * there is nobody left to start one.
 */
#include "kdbg/process_stop.h"

#include "kdbg/address_set.h"
#include "kdbg/process_refusal.h"
#include "kdbg/vector.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

enum {
	NS_PER_S = 1000000000,
	STOP_SECONDS = 5, /* a thread may be in the middle of a read */
	POLL_NS = 50 * 1000,
	ROUNDS_MAX = 1000, /* a program that only starts threads */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* *added: it is ours now, and will stop. A thread that has ended is none. */
static struct err *seize(struct process_stop *stop, pid_t tid, bool *added)
{
	struct stopped_thread *threads =
		vector_grow(stop->threads, stop->count, sizeof(*threads));

	if (!threads)
		return err_new(ERR_NO_MEMORY, "threads of process %d",
			       (int)stop->pid);
	stop->threads = threads;
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0) {
		if (errno == ESRCH || process_thread_ended(stop->pid, tid))
			return NULL;
		return process_refusal(stop->pid, errno);
	}
	threads[stop->count++] = (struct stopped_thread){ .tid = tid };
	*added = true;
	/* ESRCH: it ended meanwhile; waiting for it will tell. */
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0 && errno != ESRCH)
		return err_new(ERR_IO, "thread %d: %s", (int)tid,
			       strerror(errno));
	return NULL;
}

static struct err *seize_new(struct process_stop *stop,
			     struct address_set *seen, bool *added)
{
	char path[64];
	struct err *err = NULL;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)stop->pid);
	DIR *folder = opendir(path);
	if (!folder)
		return process_refusal(stop->pid, errno);
	for (struct dirent *entry; !err && (entry = readdir(folder));) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0 && address_set_add(seen, (uint64_t)tid))
			err = seize(stop, tid, added);
	}
	closedir(folder);
	return err;
}

/* Where it stopped: by our doing, or because a signal came first. */
static int signal_of(int status)
{
	return status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
}

/* *ended: there is nothing to hold any more. */
static struct err *await(struct stopped_thread *thread, uint64_t deadline,
			 bool *ended)
{
	const struct timespec pause = { 0, POLL_NS };
	int status;

	*ended = false;
	for (;;) {
		pid_t pid = waitpid(thread->tid, &status, __WALL | WNOHANG);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0 || (pid > 0 && !WIFSTOPPED(status))) {
			*ended = true;
			return NULL;
		}
		if (pid > 0) {
			thread->signal = signal_of(status);
			return NULL;
		}
		if (now_ns() > deadline)
			return err_new(ERR_IO,
				       "thread %d does not stop: it waits in "
				       "the kernel, where nothing interrupts "
				       "it; try again",
				       (int)thread->tid);
		nanosleep(&pause, NULL);
	}
}

/* Those from index first on. */
static struct err *await_all(struct process_stop *stop, size_t first)
{
	uint64_t deadline = now_ns() + (uint64_t)STOP_SECONDS * NS_PER_S;
	size_t kept = first;
	struct err *err = NULL;

	for (size_t i = first; i < stop->count; i++) {
		struct stopped_thread thread = stop->threads[i];
		bool ended = false;

		if (!err)
			err = await(&thread, deadline, &ended);
		if (ended)
			continue;
		if (!stop->since_ns)
			stop->since_ns = now_ns();
		stop->threads[kept++] = thread;
	}
	stop->count = kept;
	return err;
}

static struct err *stop_all(struct process_stop *stop, struct address_set *seen)
{
	bool added = true;
	struct err *err = NULL;

	for (int round = 0; added && !err; round++) {
		size_t first = stop->count;

		added = false;
		if (round == ROUNDS_MAX)
			return err_new(ERR_IO,
				       "process %d starts threads faster than "
				       "they can be stopped",
				       (int)stop->pid);
		err = seize_new(stop, seen, &added);
		struct err *late = await_all(stop, first);
		if (err)
			err_free(late);
		else
			err = late;
	}
	if (!err && !stop->count)
		err = process_refusal(stop->pid, ESRCH);
	return err;
}

struct err *process_stop(pid_t pid, struct process_stop *ret)
{
	struct address_set seen = { 0 };

	*ret = (struct process_stop){ .pid = pid };
	struct err *err = process_check(pid);
	if (!err)
		err = stop_all(ret, &seen);
	address_set_deinit(&seen);
	if (err)
		process_release(ret);
	return err;
}

static bool detach(const struct stopped_thread *thread)
{
	return ptrace(PTRACE_DETACH, thread->tid, NULL,
		      (void *)(intptr_t)thread->signal) == 0;
}

/*
 * A thread that was killed meanwhile cannot be detached: it ends as ours, and
 * the process would stay a zombie until we have taken note. Others before the
 * first thread, whose end is told when they are gone.
 */
static void reap(const struct process_stop *stop)
{
	uint64_t deadline = now_ns() + NS_PER_S;
	bool ended;

	for (size_t i = stop->count; i-- > 0;) {
		struct stopped_thread thread = stop->threads[i];

		if (!thread.tid)
			continue;
		struct err *err = await(&thread, deadline, &ended);
		if (!err && !ended) /* it stopped late */
			detach(&thread);
		err_free(err);
	}
}

uint64_t process_release(struct process_stop *stop)
{
	uint64_t since = stop->since_ns;

	for (size_t i = 0; i < stop->count; i++)
		if (detach(&stop->threads[i]))
			stop->threads[i].tid = 0;
	reap(stop);
	free(stop->threads);
	*stop = (struct process_stop){ 0 };
	return since ? now_ns() - since : 0;
}
