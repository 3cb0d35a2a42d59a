/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/supervise_examine.h"

#include "dumpfmt/procfs.h"
#include "kdbg/supervise_descendants.h"
#include "kdbg/vector.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	EXAMINERS_MAX = 4,
	/* Records that a killed process left half-written are looked at again
	 * and again; beyond this many, the oldest no more. */
	HALF_MAX = 1024,
};

struct examiners {
	const struct roster_file *file;
	examine_function *examine;
	void *context;
	pthread_t threads[EXAMINERS_MAX];
	int thread_count;
	pthread_mutex_t lock; /* of what follows */
	bool closing;
	uint64_t next;  /* record that nobody has looked at */
	uint64_t *half; /* records that were not whole then */
	size_t half_count;
};

static bool is_new_show(const struct roster_record *record)
{
	return record->state == ROSTER_WHOLE && record->kind == ROSTER_SHOW &&
	       record->reply == ROSTER_REPLY_NONE;
}

static void add_half(struct examiners *examiners, uint64_t index)
{
	uint64_t *half;

	if (examiners->half_count == HALF_MAX)
		memmove(examiners->half, examiners->half + 1,
			--examiners->half_count * sizeof(*half));
	half = vector_grow(examiners->half, examiners->half_count,
			   sizeof(*half));
	if (!half)
		return;
	examiners->half = half;
	half[examiners->half_count++] = index;
}

static bool next_half(struct examiners *examiners, struct roster_record *record,
		      uint64_t *index)
{
	for (size_t i = 0; i < examiners->half_count; i++) {
		*index = examiners->half[i];
		if (!roster_file_record(examiners->file, *index, record) ||
		    record->state == ROSTER_EMPTY)
			continue;
		examiners->half[i--] = examiners->half[--examiners->half_count];
		if (is_new_show(record))
			return true;
	}
	return false;
}

/* A process that shows itself and that nobody has taken. False: none now. */
static bool take_next(struct examiners *examiners, struct roster_record *record,
		      uint64_t *index)
{
	const struct roster_file *file = examiners->file;
	uint64_t end = roster_file_taken(file);

	if (next_half(examiners, record, index))
		return true;
	if (end > file->capacity)
		end = file->capacity;
	while (examiners->next < end) {
		*index = examiners->next++;
		if (!roster_file_record(file, *index, record))
			return false;
		if (is_new_show(record))
			return true;
		if (record->state == ROSTER_EMPTY)
			add_half(examiners, *index);
	}
	return false;
}

bool examine_is_shown_by(pid_t pid, const struct roster_record *record)
{
	int memory = procfs_open(pid, "mem", O_RDONLY);
	uint64_t token = 0;

	if (memory < 0)
		return false;
	bool whole = pread(memory, &token, sizeof(token),
			   (off_t)record->statement.token) == sizeof(token);
	close(memory);
	return whole && token == record->time;
}

/* In another pid namespace it has another pid for us. 0: not found. */
static pid_t find_process(const struct roster_record *record)
{
	pid_t *pids, found = 0;
	size_t count;

	if (examine_is_shown_by((pid_t)record->pid, record))
		return (pid_t)record->pid;
	struct err *err = descendants_find(&pids, &count);
	if (err) {
		err_free(err);
		return 0;
	}
	for (size_t i = 0; i < count && !found; i++)
		if (descendant_inner_pid(pids[i]) == (pid_t)record->pid &&
		    examine_is_shown_by(pids[i], record))
			found = pids[i];
	free(pids);
	return found;
}

/* A thread is a folder in /proc/PID/task: a link more. */
static bool has_other_threads(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	return stat(path, &st) == 0 && st.st_nlink > 3;
}

/* Have it stop its threads; false: it is gone. The record says where they are.
 */
static bool stop_threads(const struct examiners *examiners, pid_t pid,
			 uint64_t index, struct roster_record *record)
{
	const struct roster_file *file = examiners->file;

	roster_file_reply(file, index, ROSTER_REPLY_STOP);
	for (;;) {
		uint32_t bell = roster_file_bell(file);
		if (!examine_is_shown_by(pid, record) ||
		    !roster_file_record(file, index, record))
			return false;
		if (record->reply == ROSTER_REPLY_STOPPED)
			return true;
		roster_file_wait(file, bell);
	}
}

static void look_at(const struct examiners *examiners,
		    struct roster_record *record, uint64_t index)
{
	enum roster_reply reply = ROSTER_REPLY_DUMP;
	pid_t pid = find_process(record);

	if (pid && has_other_threads(pid) &&
	    !stop_threads(examiners, pid, index, record))
		return;
	if (pid)
		reply = examiners->examine(examiners->context, pid, record,
					   index);
	roster_file_reply(examiners->file, index, reply);
}

static void *work(void *argument)
{
	struct examiners *examiners = argument;
	bool closing = false;

	while (!closing) {
		uint32_t bell = roster_file_bell(examiners->file);
		struct roster_record record;
		uint64_t index;

		pthread_mutex_lock(&examiners->lock);
		closing = examiners->closing;
		bool found = !closing && take_next(examiners, &record, &index);
		pthread_mutex_unlock(&examiners->lock);
		if (found)
			look_at(examiners, &record, index);
		else if (!closing)
			roster_file_wait(examiners->file, bell);
	}
	return NULL;
}

static int choose_count(void)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	return online < 1               ? 1
	       : online > EXAMINERS_MAX ? EXAMINERS_MAX
					: (int)online;
}

struct err *examiners_start(const struct roster_file *file,
			    examine_function *examine, void *context,
			    struct examiners **ret)
{
	struct examiners *examiners = calloc(1, sizeof(*examiners));
	int wanted = choose_count(), error = 0;

	if (!examiners)
		return err_new(ERR_NO_MEMORY, "out of memory");
	*examiners = (struct examiners){
		.file = file,
		.examine = examine,
		.context = context,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	while (!error && examiners->thread_count < wanted) {
		error = pthread_create(
			&examiners->threads[examiners->thread_count], NULL,
			work, examiners);
		examiners->thread_count += !error;
	}
	if (examiners->thread_count) {
		*ret = examiners;
		return NULL;
	}
	free(examiners);
	return err_new(ERR_NO_MEMORY, "no thread: %s", strerror(error));
}

void examiners_stop(struct examiners *examiners)
{
	if (!examiners)
		return;
	pthread_mutex_lock(&examiners->lock);
	examiners->closing = true;
	pthread_mutex_unlock(&examiners->lock);
	roster_file_ring(examiners->file);
	for (int i = 0; i < examiners->thread_count; i++)
		pthread_join(examiners->threads[i], NULL);
	roster_file_close_shows(examiners->file);
	free(examiners->half);
	free(examiners);
}
