/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/self_target.h"

#include <assert.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { PARTS_MAX = 512, NOTE_ALIGN = 4, PATH_SIZE = 1024 };

struct self_target {
	struct dump_module modules[PARTS_MAX];
	struct dump_map maps[PARTS_MAX];
	struct dump_extent extents[PARTS_MAX];
	size_t module_count, map_count, extent_count;
	char program[PATH_SIZE];
	struct dump_thread thread;
	uint64_t auxv[2];
};

static void close_self(void *impl)
{
	struct self_target *self = impl;

	for (size_t i = 0; i < self->module_count; i++)
		free((char *)self->modules[i].path);
	free(self);
}

static struct err *view_self(void *impl, uint64_t address, size_t size,
			     const void **ret)
{
	(void)impl;
	(void)size;
	*ret = (const void *)(uintptr_t)address;
	return NULL;
}

static const struct target_ops self_ops = {
	.kind = "process",
	.close = close_self,
	.view = view_self,
};

static void find_build_id(const char *notes, size_t size,
			  struct dump_module *module)
{
	for (size_t at = 0; at + sizeof(ElfW(Nhdr)) <= size;) {
		const ElfW(Nhdr) *note = (const void *)(notes + at);
		size_t name = at + sizeof(*note);
		size_t text = name + ((note->n_namesz + NOTE_ALIGN - 1) &
				      ~(size_t)(NOTE_ALIGN - 1));

		if (note->n_type == NT_GNU_BUILD_ID &&
		    strcmp(notes + name, "GNU") == 0) {
			module->build_id = (const void *)(notes + text);
			module->build_id_size = note->n_descsz;
		}
		at = text + ((note->n_descsz + NOTE_ALIGN - 1) &
			     ~(size_t)(NOTE_ALIGN - 1));
	}
}

static int add_module(struct dl_phdr_info *info, size_t size, void *context)
{
	struct self_target *self = context;
	struct dump_module *module = &self->modules[self->module_count++];

	(void)size;
	assert(self->module_count < PARTS_MAX);
	module->base = UINT64_MAX;
	module->path =
		strdup(*info->dlpi_name ? info->dlpi_name : self->program);
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + header->p_vaddr;

		if (header->p_type == PT_NOTE)
			find_build_id((const char *)start, header->p_memsz,
				      module);
		if (header->p_type != PT_LOAD)
			continue;
		if (start < module->base)
			module->base = start & ~(uint64_t)4095;
		if (start + header->p_memsz > module->end)
			module->end = (start + header->p_memsz + 4095) &
				      ~(uint64_t)4095;
	}
	return 0;
}

static void read_maps(struct self_target *self)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[PATH_SIZE], mode[5];
	unsigned long start, end;

	assert(file);
	while (fgets(line, sizeof(line), file) && self->map_count < PARTS_MAX) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, mode) != 3)
			continue;
		struct dump_map *map = &self->maps[self->map_count++];
		*map = (struct dump_map){ .start = start,
					  .end = end,
					  .path = "" };
		map->flags = (mode[0] == 'r' ? DUMP_MAP_READ : 0u) |
			     (mode[1] == 'w' ? DUMP_MAP_WRITE : 0u) |
			     (mode[2] == 'x' ? DUMP_MAP_EXEC : 0u);
		if (mode[1] == 'w' || strstr(line, "[vdso]"))
			self->extents[self->extent_count++] =
				(struct dump_extent){ start, end };
	}
	fclose(file);
}

static void take_registers(struct self_target *self, const ucontext_t *context)
{
	const greg_t *g = context->uc_mcontext.gregs;
	struct dump_registers *r = &self->thread.registers;

	self->thread.tid = SELF_TARGET_THREAD;
	self->thread.name = "self";
	self->thread.flags = DUMP_THREAD_REGISTERS | DUMP_THREAD_CRASHED;
	*r = (struct dump_registers){
		.r15 = (uint64_t)g[REG_R15],
		.r14 = (uint64_t)g[REG_R14],
		.r13 = (uint64_t)g[REG_R13],
		.r12 = (uint64_t)g[REG_R12],
		.rbp = (uint64_t)g[REG_RBP],
		.rbx = (uint64_t)g[REG_RBX],
		.rip = (uint64_t)g[REG_RIP],
		.rsp = (uint64_t)g[REG_RSP],
		.rdi = (uint64_t)g[REG_RDI],
		.rsi = (uint64_t)g[REG_RSI],
		.rdx = (uint64_t)g[REG_RDX],
		.rcx = (uint64_t)g[REG_RCX],
		.r8 = (uint64_t)g[REG_R8],
		.r9 = (uint64_t)g[REG_R9],
	};
}

struct target *self_target_create(const ucontext_t *context)
{
	struct self_target *self = calloc(1, sizeof(*self));
	struct target *target;

	assert(self);
	assert(readlink("/proc/self/exe", self->program, PATH_SIZE - 1) > 0);
	dl_iterate_phdr(add_module, self);
	read_maps(self);
	self->auxv[0] = AT_SYSINFO_EHDR;
	self->auxv[1] = getauxval(AT_SYSINFO_EHDR);
	struct err *err = target_create("self", NULL, &self_ops, self, &target);
	assert(!err);
	target->modules = self->modules;
	target->module_count = self->module_count;
	target->maps = self->maps;
	target->map_count = self->map_count;
	target->extents = self->extents;
	target->extent_count = self->extent_count;
	target->auxv = self->auxv;
	target->auxv_count = 1;
	if (context) {
		take_registers(self, context);
		target->threads = &self->thread;
		target->thread_count = 1;
	}
	err = target_finish(target);
	assert(!err);
	return target;
}
