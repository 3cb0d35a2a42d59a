/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/target_live.h"

#include "dumpfmt/live_roots.h"
#include "kdbg/arena.h"
#include "kdbg/live_memory.h"
#include "kdbg/live_threads.h"
#include "kdbg/process_stop.h"
#include "kdbg/vector.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PAGE_SIZE = DUMP_PAGE_SIZE,
	OVERFLOW_MAX = 1 << 20, /* of a stack: a guard and a large frame */
	ROOTS_MAX = 64,
	STAT_SIZE = 1024,
	START_FIELD = 22, /* of /proc/PID/stat: ticks since boot */
};

struct live {
	pid_t pid;
	uint64_t start; /* ticks: tells a process from a later one's */
	struct process_stop stop;
	const struct roster_record *shown; /* NULL: we stop it */
	bool opened;                       /* process is */
	struct dump_live process;
	struct live_memory memory;
	struct procfs_facts facts;
	struct arena arena; /* of strings, build ids and vector state */

	struct live_threads threads;
	struct dump_map *maps;
	size_t map_count;
	struct dump_module *modules;
	size_t module_count;
	uint64_t roots[ROOTS_MAX];
	size_t root_count;
};

/* --- memory ------------------------------------------------------------- */

static struct err *live_view(void *impl, uint64_t address, size_t size,
			     const void **ret)
{
	struct live *live = impl;

	return live_memory_view(&live->memory, address, size, ret);
}

static size_t live_read_once(void *impl, uint64_t address, void *buffer,
			     size_t size)
{
	struct live *live = impl;

	return live->memory.still
		       ? dump_live_read(&live->process, address, buffer, size)
		       : 0;
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
		if (!is_anonymous(map) || !live->memory.still ||
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
	return live_memory_add(&live->memory, map->start, map->end);
}

static struct err *read_maps(struct live *live)
{
	struct dump_map map;

	while (procfs_maps_next(&live->process.maps, &map))
		if (!add_map(live, &map))
			return no_memory(live);
	procfs_maps_rewind(&live->process.maps);
	return live_memory_finish(&live->memory);
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

/*
 * The mapping that a thread's stack pointer lies in; where the stack has
 * overflowed, into its guard or below it, the one above.
 */
static void find_stack(const struct live *live, struct dump_thread *thread)
{
	uint64_t sp = thread->registers.rsp;
	size_t i = map_from(live, sp);

	while (i < live->map_count && !(live->maps[i].flags & DUMP_MAP_READ))
		i++;
	if (i == live->map_count ||
	    !(thread->flags & (DUMP_THREAD_REGISTERS | DUMP_THREAD_SP_PC)) ||
	    (live->maps[i].start > sp &&
	     live->maps[i].start - sp > OVERFLOW_MAX))
		return;
	thread->stack_low = live->maps[i].start;
	thread->stack_high = live->maps[i].end;
}

static struct err *read_threads(struct live *live)
{
	struct err *err =
		live->shown ? live_threads_told(&live->process, live->shown,
						&live->arena, &live->threads)
			    : live_threads_stopped(&live->stop, &live->arena,
						   &live->threads);

	for (size_t i = 0; !err && i < live->threads.count; i++)
		find_stack(live, &live->threads.list[i]);
	/* Who shows the process notes itself down first. */
	if (!err && live->shown && live->threads.count)
		live->facts.process.crashed_thread = live->threads.list[0].tid;
	return err;
}

/* The root of the copy of the library that shows the process comes first;
 * others are looked for. */
static void take_roots(struct live *live)
{
	uint64_t address = live->shown ? live->shown->statement.root : 0;
	struct kma_root_head head;

	if (address && dump_live_root_head(&live->process, address, &head))
		live->roots[live->root_count++] = address;
	live->root_count = dump_live_roots(&live->process, live->roots,
					   live->root_count, ROOTS_MAX);
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

/* What a process that shows itself tells of its end. */
static void take_ending(struct dump_process *process,
			const struct roster_record *shown)
{
	process->reason = shown->reason;
	process->exit_status = shown->statement.exit_status;
	if (shown->reason != DUMP_REASON_SIGNAL)
		return;
	process->signal = (uint32_t)shown->status;
	process->signal_code = shown->statement.signal_code;
	process->fault_address = shown->statement.fault_address;
}

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
	if (live->shown)
		take_ending(&live->facts.process, live->shown);
	return NULL;
}

static struct err *live_read(struct live *live)
{
	struct err *err = NULL;

	live->start = start_ticks(live->pid);
	if (!live->shown)
		err = process_stop(live->pid, &live->stop);
	live->memory.still = !err;
	live->memory.process = &live->process;
	if (!err)
		err = open_process(live);
	if (!err)
		err = read_maps(live);
	if (!err)
		err = read_modules(live);
	if (!err)
		err = read_threads(live);
	if (!err)
		take_roots(live);
	return err;
}

static uint64_t live_release(void *impl)
{
	struct live *live = impl;

	live->memory.still = false;
	return process_release(&live->stop);
}

static void live_close(void *impl)
{
	struct live *live = impl;

	live_release(live);
	if (live->opened)
		dump_live_close(&live->process);
	live_memory_deinit(&live->memory);
	free(live->modules);
	free(live->maps);
	live_threads_deinit(&live->threads);
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
	.read_once = live_read_once,
	.next_data = live_next_data,
	.release = live_release,
	.reopen = live_reopen,
};

static void give(struct target *target, const struct live *live)
{
	target->process = &live->facts.process;
	target->threads = live->threads.list;
	target->thread_count = live->threads.count;
	target->maps = live->maps;
	target->map_count = live->map_count;
	target->modules = live->modules;
	target->module_count = live->module_count;
	target->extents = live->memory.extents;
	target->extent_count = live->memory.extent_count;
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

static struct err *open_live(pid_t pid, const struct roster_record *shown,
			     const struct target_options *options,
			     struct target **ret)
{
	struct target_options own = { 0 };
	char name[64], root[64];
	struct live *live = calloc(1, sizeof(*live));
	struct target *target;

	if (!live)
		return err_new(ERR_NO_MEMORY, "process %d", (int)pid);
	live->pid = pid;
	live->shown = shown;
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

struct err *target_live_open(pid_t pid, const struct target_options *options,
			     struct target **ret)
{
	return open_live(pid, NULL, options, ret);
}

struct err *target_live_open_shown(pid_t pid, const struct roster_record *shown,
				   const struct target_options *options,
				   struct target **ret)
{
	return open_live(pid, shown, options, ret);
}
