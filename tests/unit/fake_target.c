/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/fake_target.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_SIZE = 4096 };

/* A growing array of one kind of part. */
struct parts {
	void *items;
	size_t count, size;
};

struct fake_target {
	struct parts memory, extents, maps, modules, threads, roots, auxv;
	struct dump_process process;
	struct target_options options;
	uint64_t damaged;
};

struct fake_memory {
	uint64_t start, end;
	unsigned char *bytes;
};

static void *add(struct parts *parts, const void *item, size_t size)
{
	assert(!parts->size || parts->size == size);
	parts->size = size;
	parts->items = realloc(parts->items, (parts->count + 1) * size);
	assert(parts->items);
	return memcpy((char *)parts->items + parts->count++ * size, item, size);
}

struct fake_target *fake_target_create(void)
{
	struct fake_target *fake = calloc(1, sizeof(*fake));

	assert(fake);
	fake->damaged = UINT64_MAX;
	fake->process = (struct dump_process){
		.pid = 1,
		.executable = "",
		.arguments = "",
		.directory = "/",
		.hostname = "fake",
		.kernel = "fake",
		.writer = "fake",
		.exit_status = UINT32_MAX,
	};
	return fake;
}

static int compare_memory(const void *a, const void *b)
{
	const struct fake_memory *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

void *fake_target_memory(struct fake_target *fake, uint64_t address,
			 const void *bytes, size_t size)
{
	struct fake_memory memory = { address, address + size, malloc(size) };

	assert(size && memory.bytes);
	memcpy(memory.bytes, bytes, size);
	add(&fake->memory, &memory, sizeof(memory));
	qsort(fake->memory.items, fake->memory.count, sizeof(memory),
	      compare_memory);
	return memory.bytes;
}

void fake_target_damage(struct fake_target *fake, uint64_t address)
{
	fake->damaged = address & ~(uint64_t)(PAGE_SIZE - 1);
}

void fake_target_map(struct fake_target *fake, uint64_t start, uint64_t end,
		     uint32_t flags, const char *path)
{
	const struct dump_map map = {
		.start = start, .end = end, .flags = flags, .path = path
	};

	add(&fake->maps, &map, sizeof(map));
}

void fake_target_module(struct fake_target *fake, uint64_t base, uint64_t end,
			const char *path, const void *build_id,
			size_t build_id_size)
{
	const struct dump_module module = { base, end, path, build_id,
					    build_id_size };

	add(&fake->modules, &module, sizeof(module));
}

void fake_target_thread(struct fake_target *fake, uint32_t tid,
			const char *name,
			const struct dump_registers *registers)
{
	struct dump_thread thread = { .tid = tid, .name = name };

	if (registers) {
		thread.registers = *registers;
		thread.flags = DUMP_THREAD_REGISTERS;
	}
	add(&fake->threads, &thread, sizeof(thread));
}

void fake_target_root(struct fake_target *fake, uint64_t address)
{
	add(&fake->roots, &address, sizeof(address));
}

void fake_target_auxv(struct fake_target *fake, uint64_t tag, uint64_t value)
{
	const uint64_t pair[2] = { tag, value };

	add(&fake->auxv, pair, sizeof(pair));
}

struct dump_process *fake_target_process(struct fake_target *fake)
{
	return &fake->process;
}

void fake_target_options(struct fake_target *fake, const char *executable,
			 const char *sysroot)
{
	fake->options = (struct target_options){ executable, sysroot };
}

static void fake_close(void *impl)
{
	struct fake_target *fake = impl;
	struct fake_memory *memory = fake->memory.items;

	for (size_t i = 0; i < fake->memory.count; i++)
		free(memory[i].bytes);
	free(fake->memory.items);
	free(fake->extents.items);
	free(fake->maps.items);
	free(fake->modules.items);
	free(fake->threads.items);
	free(fake->roots.items);
	free(fake->auxv.items);
	free(fake);
}

static struct err *fake_view(void *impl, uint64_t address, size_t size,
			     const void **ret)
{
	const struct fake_target *fake = impl;
	const struct fake_memory *memory = fake->memory.items;

	if (fake->damaged < address + size &&
	    fake->damaged + PAGE_SIZE > address)
		return err_new(ERR_CORRUPT,
			       "fake: block at %#" PRIx64 " is damaged",
			       fake->damaged);
	for (size_t i = 0; i < fake->memory.count; i++)
		if (address >= memory[i].start &&
		    address + size <= memory[i].end) {
			*ret = memory[i].bytes + (address - memory[i].start);
			return NULL;
		}
	return err_new(ERR_NOT_FOUND, "%#" PRIx64 ": not in one extent",
		       address);
}

static const struct target_ops fake_target_ops = {
	.kind = "dump",
	.close = fake_close,
	.view = fake_view,
};

struct target *fake_target_finish(struct fake_target *fake)
{
	const struct fake_memory *memory = fake->memory.items;
	struct target *target;
	struct err *err = target_create("fake", &fake->options,
					&fake_target_ops, fake, &target);

	assert(!err);
	for (size_t i = 0; i < fake->memory.count; i++) {
		struct dump_extent extent = { memory[i].start, memory[i].end };
		add(&fake->extents, &extent, sizeof(extent));
	}
	target->process = &fake->process;
	target->extents = fake->extents.items;
	target->extent_count = fake->extents.count;
	target->maps = fake->maps.items;
	target->map_count = fake->maps.count;
	target->modules = fake->modules.items;
	target->module_count = fake->modules.count;
	target->threads = fake->threads.items;
	target->thread_count = fake->threads.count;
	target->roots = fake->roots.items;
	target->root_count = fake->roots.count;
	target->auxv = fake->auxv.items;
	target->auxv_count = fake->auxv.count;
	err = target_finish(target);
	assert(!err);
	return target;
}
