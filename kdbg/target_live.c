/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Why copies. Views live as long as the target, and the heap's are spread over
 * everything the allocator owns. To map the memory of another process is not
 * possible, and to hold it still for as long as somebody sits at a prompt is
 * not acceptable. So each extent gets reserved addresses of ours, into which a
 * page is copied when it is first looked at: what nobody asks for costs
 * nothing, what was asked for stays consistent after the process goes on.
 *
 *	extent   |-----------------------------|	mappings, joined
 *	copy     |..##......####...............|	reserved, # copied
 *	bits      0011000000111100000			one for each page
 */
#include "kdbg/target_live.h"

#include "dumpfmt/layout.h"
#include "dumpfmt/live.h"
#include "kdbg/arena.h"
#include "kdbg/process_stop.h"
#include "kdbg/vector.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	PAGE_SIZE = DUMP_PAGE_SIZE,
	PAGES_PER_BYTE = 8,
	VECTORS_MAX = 64 << 10, /* of one thread's state: AMX needs 11 KiB */
	ROOTS_MAX = 64,
	STAT_SIZE = 1024,
	START_FIELD = 22, /* of /proc/PID/stat: ticks since boot */
};

struct copy {
	unsigned char *bytes; /* NULL: nothing was looked at yet */
	unsigned char *bits;
};

struct live {
	pid_t pid;
	uint64_t start; /* ticks: tells a process from a later one's */
	struct process_stop stop;
	bool opened; /* process is */
	struct dump_live process;
	struct procfs_facts facts;
	struct arena arena; /* of strings, build ids and vector state */

	struct dump_thread *threads;
	size_t thread_count;
	struct dump_map *maps;
	size_t map_count;
	struct dump_module *modules;
	size_t module_count;
	struct dump_extent *extents;
	struct copy *copies; /* one for each extent */
	size_t extent_count;
	uint64_t roots[ROOTS_MAX];
	size_t root_count;
};

/* --- memory ------------------------------------------------------------- */

static size_t extent_size(const struct live *live, size_t i)
{
	return (size_t)(live->extents[i].end - live->extents[i].start);
}

static size_t bits_size(const struct live *live, size_t i)
{
	return extent_size(live, i) / PAGE_SIZE / PAGES_PER_BYTE + 1;
}

static void *reserve(size_t size)
{
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return bytes == MAP_FAILED ? NULL : bytes;
}

static struct err *reserve_copy(struct live *live, size_t i)
{
	struct copy *copy = &live->copies[i];

	if (!copy->bits)
		copy->bits = reserve(bits_size(live, i));
	if (copy->bits && !copy->bytes)
		copy->bytes = reserve(extent_size(live, i));
	if (copy->bytes)
		return NULL;
	return err_new(ERR_NO_MEMORY, "no room for %zu bytes of memory",
		       extent_size(live, i));
}

static bool is_copied(const struct copy *copy, size_t page)
{
	return copy->bits[page / PAGES_PER_BYTE] >> page % PAGES_PER_BYTE & 1;
}

/* Copy [first, last) pages, none of which is there; stops at what cannot be
 * read. */
static struct err *copy_run(struct live *live, size_t i, size_t first,
			    size_t last)
{
	struct copy *copy = &live->copies[i];
	uint64_t address = live->extents[i].start + first * PAGE_SIZE;
	size_t size = (last - first) * PAGE_SIZE;
	size_t done = 0;

	if (!live->stop.count)
		return err_new(ERR_NOT_FOUND,
			       "%#" PRIx64
			       ": not copied before the process went on",
			       address);
	done = dump_live_read(&live->process, address,
			      copy->bytes + first * PAGE_SIZE, size);
	for (size_t page = first; page < first + done / PAGE_SIZE; page++)
		copy->bits[page / PAGES_PER_BYTE] |=
			(unsigned char)(1u << page % PAGES_PER_BYTE);
	if (done == size)
		return NULL;
	return err_new(ERR_NOT_FOUND, "%#" PRIx64 ": cannot be read",
		       address + done);
}

static struct err *copy_pages(struct live *live, size_t i, size_t first,
			      size_t last)
{
	const struct copy *copy = &live->copies[i];
	struct err *err = NULL;

	while (!err && first < last) {
		size_t end = first;

		while (end < last && !is_copied(copy, end))
			end++;
		if (end > first)
			err = copy_run(live, i, first, end);
		first = end > first ? end : first + 1;
	}
	return err;
}

/* The extent that holds address, or extent_count. */
static size_t extent_at(const struct live *live, uint64_t address)
{
	size_t low = 0, high = live->extent_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (live->extents[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < live->extent_count && live->extents[low].start <= address)
		return low;
	return live->extent_count;
}

static struct err *live_view(void *impl, uint64_t address, size_t size,
			     const void **ret)
{
	struct live *live = impl;
	size_t i = extent_at(live, address);

	if (i == live->extent_count || size > live->extents[i].end - address)
		return err_new(ERR_NOT_FOUND,
			       "%#" PRIx64 ": %zu bytes are not mapped",
			       address, size);
	struct err *err = reserve_copy(live, i);
	if (err)
		return err;
	uint64_t offset = address - live->extents[i].start;
	err = copy_pages(live, i, (size_t)(offset / PAGE_SIZE),
			 (size_t)((offset + size + PAGE_SIZE - 1) / PAGE_SIZE));
	if (!err)
		*ret = live->copies[i].bytes + offset;
	return err;
}

static bool is_anonymous(const struct dump_map *map)
{
	return !(map->flags & DUMP_MAP_SHARED) &&
	       (!*map->path || strcmp(map->path, "[heap]") == 0 ||
		strncmp(map->path, "[anon:", 6) == 0);
}

/* The first map that ends after address. */
static size_t map_from(const struct live *live, uint64_t address)
{
	size_t low = 0, high = live->map_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (live->maps[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool live_next_data(void *impl, uint64_t from, uint64_t upto,
			   struct dump_extent *ret)
{
	struct live *live = impl;

	for (size_t i = map_from(live, from); i < live->map_count; i++) {
		const struct dump_map *map = &live->maps[i];
		uint64_t start = map->start > from ? map->start : from;
		uint64_t end = map->end < upto ? map->end : upto;

		if (start >= upto)
			break;
		*ret = (struct dump_extent){ start, end };
		if (!is_anonymous(map) || !live->stop.count ||
		    dump_live_touched(&live->process, start, end, ret))
			return true;
	}
	return false;
}

/* --- facts -------------------------------------------------------------- */

static struct err *no_memory(const struct live *live)
{
	return err_new(ERR_NO_MEMORY, "process %d", (int)live->pid);
}

static const char *keep_text(struct live *live, const char *text)
{
	const char *copy = arena_text(&live->arena, text, strlen(text));

	return copy ? copy : "";
}

/* Reading a device may act on it; the kernel's own pages cannot be read. */
static bool is_readable(const struct dump_map *map)
{
	const char *path = map->path;

	if (!(map->flags & (DUMP_MAP_READ | DUMP_MAP_WRITE | DUMP_MAP_EXEC)))
		return false;
	if (strncmp(path, "[v", 2) == 0)
		return strcmp(path, "[vdso]") == 0;
	return strncmp(path, "/dev/", 5) != 0 ||
	       strncmp(path, "/dev/zero", 9) == 0 ||
	       strncmp(path, "/dev/shm/", 9) == 0;
}

static bool add_extent(struct live *live, const struct dump_map *map)
{
	struct dump_extent *last =
		live->extent_count ? &live->extents[live->extent_count - 1]
				   : NULL;
	struct dump_extent *extents = NULL;

	if (last && last->end == map->start) {
		last->end = map->end;
		return true;
	}
	extents = vector_grow(live->extents, live->extent_count,
			      sizeof(*extents));
	if (!extents)
		return false;
	live->extents = extents;
	extents[live->extent_count++] =
		(struct dump_extent){ map->start, map->end };
	return true;
}

static bool add_map(struct live *live, const struct dump_map *map)
{
	struct dump_map *maps =
		vector_grow(live->maps, live->map_count, sizeof(*maps));

	if (!maps)
		return false;
	live->maps = maps;
	maps[live->map_count] = *map;
	maps[live->map_count].path = keep_text(live, map->path);
	if (!is_readable(map)) {
		live->map_count++;
		return true;
	}
	maps[live->map_count++].flags |= DUMP_MAP_STORED;
	return add_extent(live, map);
}

static struct err *read_maps(struct live *live)
{
	struct dump_map map;

	while (procfs_maps_next(&live->process.maps, &map))
		if (!add_map(live, &map))
			return no_memory(live);
	procfs_maps_rewind(&live->process.maps);
	live->copies = calloc(live->extent_count + 1, sizeof(*live->copies));
	return live->copies ? NULL : no_memory(live);
}

static struct err *read_modules(struct live *live)
{
	struct dump_source source = { 0 };
	struct dump_module module;

	dump_live_source(&live->process, &source);
	while (source.next_module(source.context, &module)) {
		struct dump_module *modules = vector_grow(
			live->modules, live->module_count, sizeof(*modules));
		const void *id =
			arena_text(&live->arena, (const char *)module.build_id,
				   module.build_id_size);

		if (!modules)
			return no_memory(live);
		live->modules = modules;
		module.path = keep_text(live, module.path);
		module.build_id = id;
		if (!id)
			module.build_id_size = 0;
		modules[live->module_count++] = module;
	}
	return NULL;
}

/* Its registers of this kind, into buffer; how many bytes. */
static size_t read_registers(pid_t tid, int kind, void *buffer, size_t size)
{
	struct iovec part = { buffer, size };

	if (ptrace(PTRACE_GETREGSET, tid, (void *)(intptr_t)kind, &part) != 0)
		return 0;
	return part.iov_len;
}

static void read_vectors(struct live *live, struct dump_thread *thread,
			 void *buffer)
{
	size_t size = read_registers((pid_t)thread->tid, NT_X86_XSTATE, buffer,
				     VECTORS_MAX);

	thread->fpregs = size ? arena_text(&live->arena, buffer, size) : NULL;
	thread->fpregs_size = thread->fpregs ? size : 0;
}

static void read_name(struct live *live, struct dump_thread *thread)
{
	char name[64], file[64];

	snprintf(file, sizeof(file), "task/%" PRIu32 "/comm", thread->tid);
	procfs_read(live->pid, file, name, sizeof(name));
	name[strcspn(name, "\n")] = '\0';
	thread->name = keep_text(live, name);
}

static void find_stack(const struct live *live, struct dump_thread *thread)
{
	uint64_t sp = thread->registers.rsp;
	size_t i = map_from(live, sp);

	if (i == live->map_count || live->maps[i].start > sp)
		return;
	thread->stack_low = live->maps[i].start;
	thread->stack_high = live->maps[i].end;
}

static struct err *read_threads(struct live *live)
{
	void *buffer = malloc(VECTORS_MAX);

	live->threads = calloc(live->stop.count, sizeof(*live->threads));
	if (!live->threads || !buffer) {
		free(buffer);
		return no_memory(live);
	}
	for (size_t i = 0; i < live->stop.count; i++) {
		struct dump_thread *thread =
			&live->threads[live->thread_count++];

		thread->tid = (uint32_t)live->stop.threads[i].tid;
		if (read_registers((pid_t)thread->tid, NT_PRSTATUS,
				   &thread->registers,
				   sizeof(thread->registers)) ==
		    sizeof(thread->registers))
			thread->flags = DUMP_THREAD_REGISTERS;
		read_vectors(live, thread, buffer);
		read_name(live, thread);
		find_stack(live, thread);
	}
	free(buffer);
	return NULL;
}

static bool is_root(struct live *live, uint64_t address)
{
	struct kma_root_head head;

	return dump_live_read(&live->process, address, &head, sizeof(head)) ==
		       sizeof(head) &&
	       head.magic[0] == KMA_ROOT_MAGIC0 &&
	       head.magic[1] == KMA_ROOT_MAGIC1 && head.self == address;
}

/* kma_root lies on a page of its own in the data of a module. */
static void find_roots(struct live *live)
{
	for (size_t i = 0; i < live->map_count; i++) {
		const struct dump_map *map = &live->maps[i];

		if (!(map->flags & DUMP_MAP_WRITE) || *map->path != '/' ||
		    (map->flags & DUMP_MAP_SHARED))
			continue;
		for (uint64_t page = map->start;
		     page < map->end && live->root_count < ROOTS_MAX;
		     page += PAGE_SIZE)
			if (is_root(live, page))
				live->roots[live->root_count++] = page;
	}
}

static uint64_t start_ticks(pid_t pid)
{
	char stat[STAT_SIZE];

	procfs_read(pid, "stat", stat, sizeof(stat));
	const char *field = strrchr(stat, ')');
	for (int i = 3; field && i <= START_FIELD; i++)
		field = strchr(field + 1, ' ');
	return field ? strtoull(field, NULL, 10) : 0;
}

/* --- opening ------------------------------------------------------------ */

static struct err *open_process(struct live *live)
{
	const struct dump_live_plan plan = { .pid = live->pid,
					     .level = DUMP_FULL,
					     .shared_pagemap = -1 };
	int status = dump_live_open(&live->process, &plan);

	if (status < 0)
		return err_new(ERR_IO, "process %d: its mappings: %s",
			       (int)live->pid, strerror(-status));
	live->opened = true;
	procfs_facts_read(&live->facts, live->pid);
	live->facts.process.reason = DUMP_REASON_SNAPSHOT;
	live->facts.process.exit_status = DUMP_EXIT_STATUS_UNKNOWN;
	return NULL;
}

static struct err *live_read(struct live *live)
{
	live->start = start_ticks(live->pid);
	struct err *err = process_stop(live->pid, &live->stop);
	if (!err)
		err = open_process(live);
	if (!err)
		err = read_maps(live);
	if (!err)
		err = read_modules(live);
	if (!err)
		err = read_threads(live);
	if (!err)
		find_roots(live);
	return err;
}

static uint64_t live_release(void *impl)
{
	struct live *live = impl;

	return process_release(&live->stop);
}

static void live_close(void *impl)
{
	struct live *live = impl;

	live_release(live);
	if (live->opened)
		dump_live_close(&live->process);
	for (size_t i = 0; live->copies && i < live->extent_count; i++) {
		if (live->copies[i].bytes)
			munmap(live->copies[i].bytes, extent_size(live, i));
		if (live->copies[i].bits)
			munmap(live->copies[i].bits, bits_size(live, i));
	}
	free(live->copies);
	free(live->extents);
	free(live->modules);
	free(live->maps);
	free(live->threads);
	arena_deinit(&live->arena);
	free(live);
}

static struct err *live_reopen(void *impl, const struct target_options *options,
			       struct target **ret)
{
	const struct live *live = impl;
	uint64_t start = start_ticks(live->pid);

	if (start != live->start)
		return err_new(ERR_NOT_FOUND, "process %d has ended%s",
			       (int)live->pid,
			       start ? ", and another has its number" : "");
	return target_live_open(live->pid, options, ret);
}

static const struct target_ops live_target_ops = {
	.kind = "process",
	.close = live_close,
	.view = live_view,
	.next_data = live_next_data,
	.release = live_release,
	.reopen = live_reopen,
};

static void give(struct target *target, const struct live *live)
{
	target->process = &live->facts.process;
	target->threads = live->threads;
	target->thread_count = live->thread_count;
	target->maps = live->maps;
	target->map_count = live->map_count;
	target->modules = live->modules;
	target->module_count = live->module_count;
	target->extents = live->extents;
	target->extent_count = live->extent_count;
	target->roots = live->roots;
	target->root_count = live->root_count;
	target->auxv = live->facts.auxv;
	target->auxv_count = live->facts.auxv_count;
}

/* Does it see other files under the same names, as in a container? */
static bool has_own_files(pid_t pid)
{
	char path[64], ours[64] = "", its[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	return readlink("/proc/self/ns/mnt", ours, sizeof(ours) - 1) > 0 &&
	       readlink(path, its, sizeof(its) - 1) > 0 &&
	       strcmp(ours, its) != 0;
}

struct err *target_live_open(pid_t pid, const struct target_options *options,
			     struct target **ret)
{
	struct target_options own = { 0 };
	char name[64], root[64];
	struct live *live = calloc(1, sizeof(*live));
	struct target *target;

	if (!live)
		return err_new(ERR_NO_MEMORY, "process %d", (int)pid);
	live->pid = pid;
	struct err *err = live_read(live);
	if (err) {
		live_close(live);
		return err;
	}
	if (options)
		own = *options;
	snprintf(name, sizeof(name), "process %d", (int)pid);
	snprintf(root, sizeof(root), "/proc/%d/root", (int)pid);
	if (!own.sysroot && has_own_files(pid))
		own.sysroot = root;
	err = target_create(name, &own, &live_target_ops, live, &target);
	if (err)
		return err;
	give(target, live);
	err = target_finish(target);
	if (err)
		target_close(target);
	else
		*ret = target;
	return err;
}
