/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that help to write. They are forks of the writer: a thread would
 * need a libc that works, and a process that is dying may not have one.
 *
 *	caller   fills a stretch, gives it out, fills the next ...
 *	   |     and writes one itself where it would have to wait
 *	queue    shared memory: stretches, and where the file ends
 *	   |
 *	workers  take a stretch, read it, compress it, claim room in the file,
 *		 write there, and leave the blocks' places in the stretch
 *
 * A stretch goes FREE, READY, taken, DONE, and when the caller has entered its
 * blocks in the index, FREE. A worker that is killed leaves its stretch taken:
 * the caller finds out, and writes it anew. What the dead one wrote is in no
 * index.
 */
#include "dumpfmt/writer_impl.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	QUEUE_SIZE = 32,
	PATIENCE_NS = 100 * 1000000, /* then see whether the other still is */
};

enum stretch_state {
	STRETCH_FREE = 0,
	STRETCH_READY,
	STRETCH_DONE,
	STRETCH_TAKEN, /* by the caller; + 1 + i: by worker i */
};

struct writer_queue {
	uint64_t end; /* of the file */
	uint32_t
		posted; /* changes when there is work, or will be none; futex */
	uint32_t closed;
	uint32_t next; /* that the caller fills */
	uint32_t worker_count;
	pid_t caller;
	pid_t workers[DUMP_WORKERS_MAX]; /* 0: it has ended */
	struct writer_stretch stretches[QUEUE_SIZE];
};

uint64_t *writer_queue_end(struct writer_queue *queue)
{
	return &queue->end;
}

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static bool change(uint32_t *word, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(word, &from, to, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Of processes, so not private. */
static void wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* False: for a while nothing happened. */
static bool await(uint32_t *word, uint32_t value)
{
	const struct timespec limit = { 0, PATIENCE_NS };

	return syscall(SYS_futex, word, FUTEX_WAIT, value, &limit, NULL, 0) ==
		       0 ||
	       errno != ETIMEDOUT;
}

static void write_taken(struct writer *w, struct writer_stretch *stretch)
{
	writer_stretch_write(w, stretch);
	__atomic_store_n(&stretch->state, STRETCH_DONE, __ATOMIC_RELEASE);
	wake(&stretch->state);
}

/* Write a stretch that nobody has taken; false: there is none. */
static bool write_one(struct writer *w, uint32_t taken)
{
	struct writer_queue *queue = w->queue;

	for (size_t i = 0; i < QUEUE_SIZE; i++) {
		struct writer_stretch *stretch = &queue->stretches[i];

		if (load(&stretch->state) == STRETCH_READY &&
		    change(&stretch->state, STRETCH_READY, taken)) {
			write_taken(w, stretch);
			return true;
		}
	}
	return false;
}

/* --- a worker --------------------------------------------------------------
 */

static __attribute__((noreturn)) void work(struct writer *w, uint32_t taken)
{
	struct writer_queue *queue = w->queue;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == queue->caller) {
		uint32_t posted = load(&queue->posted);

		while (write_one(w, taken))
			;
		if (load(&queue->closed))
			break;
		await(&queue->posted, posted);
	}
	for (;;)
		syscall(SYS_exit_group, 0);
}

/* --- the caller ------------------------------------------------------------
 */

static bool is_regular(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

void writer_workers_start(struct writer *w, unsigned workers)
{
	struct writer_queue *queue;

	if (workers < 2 || w->error || !is_regular(w->fd))
		return;
	queue = mmap(NULL, sizeof(*queue), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (queue == MAP_FAILED)
		return;
	queue->end = w->offset;
	queue->caller = getpid();
	w->queue = queue;
	if (workers > DUMP_WORKERS_MAX)
		workers = DUMP_WORKERS_MAX;
	/* No exit signal, no handlers: nobody's wait() sees them. One that
	 * cannot be made is done without. */
	for (uint32_t i = 0; i + 1 < workers; i++) {
		pid_t pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);

		if (pid == 0)
			work(w, STRETCH_TAKEN + 1 + i);
		queue->workers[queue->worker_count++] = pid > 0 ? pid : 0;
	}
}

/* What workers had taken who are no more is to be done again. */
static void look_after_workers(struct writer_queue *queue)
{
	for (uint32_t i = 0; i < queue->worker_count; i++) {
		if (queue->workers[i] == 0 ||
		    waitpid(queue->workers[i], NULL, __WALL | WNOHANG) == 0)
			continue;
		queue->workers[i] = 0;
		for (size_t k = 0; k < QUEUE_SIZE; k++)
			change(&queue->stretches[k].state,
			       STRETCH_TAKEN + 1 + i, STRETCH_READY);
	}
}

/* Until this one is written; meanwhile others are, by us. */
static void await_stretch(struct writer *w, struct writer_stretch *stretch)
{
	for (;;) {
		uint32_t state = load(&stretch->state);

		if (state == STRETCH_FREE || state == STRETCH_DONE)
			return;
		if (state == STRETCH_READY) {
			if (change(&stretch->state, state, STRETCH_TAKEN))
				write_taken(w, stretch);
		} else if (!write_one(w, STRETCH_TAKEN) &&
			   !await(&stretch->state, state)) {
			look_after_workers(w->queue);
		}
	}
}

/* Wait for it, enter it, have it back. */
static void collect(struct writer *w, struct writer_stretch *stretch)
{
	await_stretch(w, stretch);
	if (load(&stretch->state) == STRETCH_DONE)
		writer_enter(w, stretch);
	stretch->state = STRETCH_FREE;
}

struct writer_stretch *writer_stretch_take(struct writer *w)
{
	struct writer_queue *queue = w->queue;

	if (!queue)
		return &w->stretch;
	struct writer_stretch *stretch =
		&queue->stretches[queue->next++ % QUEUE_SIZE];
	collect(w, stretch);
	return stretch;
}

void writer_stretch_give(struct writer *w, struct writer_stretch *stretch)
{
	struct writer_queue *queue = w->queue;

	if (!queue) {
		writer_stretch_write(w, stretch);
		writer_enter(w, stretch);
		return;
	}
	__atomic_store_n(&stretch->state, STRETCH_READY, __ATOMIC_RELEASE);
	__atomic_fetch_add(&queue->posted, 1, __ATOMIC_RELEASE);
	wake(&queue->posted);
}

void writer_workers_finish(struct writer *w)
{
	struct writer_queue *queue = w->queue;

	if (!queue)
		return;
	__atomic_store_n(&queue->closed, 1, __ATOMIC_RELEASE);
	__atomic_fetch_add(&queue->posted, 1, __ATOMIC_RELEASE);
	wake(&queue->posted);
	for (size_t i = 0; i < QUEUE_SIZE; i++)
		collect(w, &queue->stretches[i]);
	for (uint32_t i = 0; i < queue->worker_count; i++)
		while (queue->workers[i] &&
		       waitpid(queue->workers[i], NULL, __WALL) < 0 &&
		       errno == EINTR)
			;
	w->offset = queue->end;
	w->queue = NULL;
	munmap(queue, sizeof(*queue));
	if (lseek(w->fd, (off_t)w->offset, SEEK_SET) < 0 && !w->error)
		w->error = -errno;
}
