/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that goes on is copied, and the copy writes. The program stands
 * still while memory's page tables are copied, and notices nothing else: the
 * copy has no exit signal, is seen by no wait(), and holds none of its files.
 */
#include "alloc/dump_impl.h"

#include "alloc/sys.h"
#include "dumpfmt/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STACK_SIZE = 128 << 10, NS_PER_S = 1000000000 };

/* On which a detached copy begins, and stays. */
static char copy_stack[STACK_SIZE] __attribute__((aligned(DUMP_PAGE_SIZE)));

uint64_t dump_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/*
 * A fork that nobody notices: no exit signal, no fork handlers, invisible to
 * wait(). 0 in the copy, -errno.
 */
static pid_t copy_process(void)
{
	return (pid_t)sys_call(SYS_clone, 0, 0, 0, 0, 0, 0);
}

struct copy {
	const struct dump_request *request;
	int shared_pagemap;
	const char *path;
	pid_t pid;
};

static void close_all_but(int *kept, size_t count)
{
	unsigned low = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t k = i + 1; k < count; k++)
			if (kept[k] < kept[i]) {
				int other = kept[i];

				kept[i] = kept[k];
				kept[k] = other;
			}
		if (kept[i] < 0)
			continue;
		if ((unsigned)kept[i] > low)
			close_range(low, (unsigned)kept[i] - 1, 0);
		low = (unsigned)kept[i] + 1;
	}
	close_range(low, ~0u, 0);
}

/* In the copy: the program's files are not ours to keep open. */
static __attribute__((noreturn)) void copy_main(const struct copy *copy)
{
	const struct dump_request *request = copy->request;
	struct dump_asked *asked = request->asked;
	int kept[] = { copy->shared_pagemap, request->detached ? 2 : -1,
		       asked ? asked->file : -1, asked ? asked->output : -1 };

	close_all_but(kept, sizeof(kept) / sizeof(kept[0]));
	int status =
		dump_contents_write(request, copy->path, copy->shared_pagemap);
	if (asked)
		dump_ask_written(asked, status);
	else if (status < 0 && request->detached)
		dump_tell("cannot write dump ", -status);
	for (;;)
		sys_call(SYS_exit_group, -status, 0, 0, 0, 0, 0);
}

static int wait_for_copy(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

/* A guest of our memory, so that the copy is nobody's child, and yet made by
 * copying once. */
static int leave_copy(void *argument)
{
	struct copy *copy = argument;

	copy->pid = copy_process();
	if (copy->pid == 0)
		copy_main(copy);
	return 0;
}

static void start_detached(struct copy *copy)
{
	int pid = clone(leave_copy, copy_stack + sizeof(copy_stack),
			CLONE_VM | CLONE_VFORK, copy);

	if (pid > 0)
		wait_for_copy(pid);
}

static void start_copy(struct copy *copy)
{
	copy->pid = -EAGAIN;
	if (copy->request->detached) {
		start_detached(copy);
		return;
	}
	copy->pid = copy_process();
	if (copy->pid == 0)
		copy_main(copy);
}

int dump_copy_write(const struct dump_request *request, const char *path,
		    uint64_t since)
{
	struct copy copy = { .request = request, .path = path };
	int status = 0;

	copy.shared_pagemap = procfs_open(0, "pagemap", O_RDONLY);
	start_copy(&copy);
	if (copy.pid < 0) /* no room for a copy: then the program waits */
		status = dump_contents_write(request, path, -1);
	dump_threads_go();
	if (request->asked)
		dump_ask_paused(request->asked, copy.pid > 0 ? copy.pid : 0,
				dump_now_ns() - since);
	if (request->asked && copy.pid < 0)
		dump_ask_written(request->asked, status);
	if (copy.pid > 0 && !request->detached)
		status = wait_for_copy(copy.pid);
	if (copy.shared_pagemap >= 0)
		close(copy.shared_pagemap);
	return status;
}
