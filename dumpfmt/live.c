/* SPDX-License-Identifier: BSD-2-Clause */
#include "dumpfmt/live_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

int dump_live_open(struct dump_live *live, const struct dump_live_plan *plan)
{
	memset(live, 0, sizeof(*live));
	live->plan = *plan;
	live->reader_pid = plan->pid ? plan->pid : getpid();
	live->memory = procfs_open(plan->pid, "mem", O_RDONLY);
	live->pagemap = procfs_open(plan->pid, "pagemap", O_RDONLY);
	live->environ = plan->level == DUMP_META
				? -1
				: procfs_open(plan->pid, "environ", O_RDONLY);
	return procfs_maps_open(&live->maps, plan->pid);
}

void dump_live_close(struct dump_live *live)
{
	procfs_maps_close(&live->maps);
	if (live->memory >= 0)
		close(live->memory);
	if (live->pagemap >= 0)
		close(live->pagemap);
	if (live->environ >= 0)
		close(live->environ);
}

static size_t read_by_call(struct dump_live *live, uint64_t address,
			   void *buffer, size_t size)
{
	struct iovec local = { buffer, size };
	struct iovec remote = { (void *)(uintptr_t)address, size };
	ssize_t n =
		process_vm_readv(live->reader_pid, &local, 1, &remote, 1, 0);

	return n > 0 ? (size_t)n : 0;
}

/*
 * Through /proc/PID/mem; where that cannot be opened (a process that is not
 * dumpable), by process_vm_readv. Not the other way round: that one pins the
 * pages it reads, which makes the kernel copy each page that is still shared
 * with a parent or a child.
 */
static size_t read_once(struct dump_live *live, uint64_t address, void *buffer,
			size_t size)
{
	if (live->memory < 0)
		return read_by_call(live, address, buffer, size);
	ssize_t n = pread(live->memory, buffer, size, (off_t)address);
	return n > 0 ? (size_t)n : 0;
}

/* The kernel gives up a whole batch for one bad page: then go by pages. */
size_t dump_live_read(struct dump_live *live, uint64_t address, void *buffer,
		      size_t size)
{
	size_t done = read_once(live, address, buffer, size);

	while (done < size) {
		size_t piece =
			DUMP_PAGE_SIZE - (address + done) % DUMP_PAGE_SIZE;

		if (piece > size - done)
			piece = size - done;
		size_t n = read_once(live, address + done,
				     (char *)buffer + done, piece);
		done += n;
		if (n < piece)
			break;
	}
	return done;
}

static size_t read_memory(void *context, uint64_t address, void *buffer,
			  size_t size)
{
	return dump_live_read(context, address, buffer, size);
}

static size_t read_environment(void *context, uint64_t offset, void *buffer,
			       size_t size)
{
	struct dump_live *live = context;

	if (live->environ < 0)
		return 0;
	ssize_t n = pread(live->environ, buffer, size, (off_t)offset);
	return n > 0 ? (size_t)n : 0;
}

static bool next_map(void *context, struct dump_map *ret)
{
	struct dump_live *live = context;

	if (!procfs_maps_next(&live->maps, ret)) {
		procfs_maps_rewind(&live->maps);
		return false;
	}
	if (live_keep_of(live, ret) != KEEP_NOTHING)
		ret->flags |= DUMP_MAP_STORED;
	return true;
}

void dump_live_source(struct dump_live *live, struct dump_source *source)
{
	source->context = live;
	source->next_map = next_map;
	source->next_module = live_next_module;
	source->next_extent = live_next_extent;
	source->untouched = live_untouched;
	source->page_states = live_page_states;
	source->environment = read_environment;
	source->read = read_memory;
}
