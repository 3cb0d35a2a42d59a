/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * In the kernel's order: the thread that crashed, with what is told of the
 * process after its NT_PRSTATUS, then the other threads. A thread's vector
 * state follows its NT_PRSTATUS.
 */
#include "kdbg/core_notes.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>

enum {
	NAME_SIZE = 8,     /* "CORE" or "LINUX", padded */
	LEGACY_SIZE = 512, /* of FXSAVE's area, with which XSAVE's begins */
	SIGINFO_SIZE = 128,
	SIGINFO_CODE = 8,
	SIGINFO_ADDRESS = 16,
	SOFTWARE = 464,            /* bytes of the area left to software */
	SIGNAL_MAGIC = 0x46505853, /* a signal frame's: FP_XSTATE_MAGIC1 */
	SIGNAL_FEATURES = 472,
	SIGNAL_SIZE = 480,
};

struct notes {
	FILE *stream;
	const struct target *target;
};

static void add(const struct notes *notes, const char *owner, uint32_t type,
		const void *bytes, size_t size)
{
	static const char zeros[4];
	const Elf64_Nhdr header = { .n_namesz = (Elf64_Word)strlen(owner) + 1,
				    .n_descsz = (Elf64_Word)size,
				    .n_type = type };
	char name[NAME_SIZE] = { 0 };

	memcpy(name, owner, strlen(owner));
	fwrite(&header, sizeof(header), 1, notes->stream);
	fwrite(name, sizeof(name), 1, notes->stream);
	if (size) /* else bytes may be NULL */
		fwrite(bytes, 1, size, notes->stream);
	fwrite(zeros, 1, -size % sizeof(zeros), notes->stream);
}

static void add_status(const struct notes *notes,
		       const struct dump_thread *thread)
{
	const struct dump_process *process = notes->target->process;
	struct elf_prstatus status = { 0 };

	if (thread->flags & DUMP_THREAD_CRASHED) {
		status.pr_cursig = (short)process->signal;
		status.pr_info.si_signo = (int)process->signal;
		status.pr_info.si_code = process->signal_code;
	}
	status.pr_pid = (pid_t)thread->tid;
	status.pr_ppid = (pid_t)process->ppid;
	status.pr_pgrp = (pid_t)process->pid;
	status.pr_sid = (pid_t)process->pid;
	static_assert(sizeof(status.pr_reg) == sizeof(thread->registers),
		      "both are the kernel's user_regs_struct");
	memcpy(status.pr_reg, &thread->registers, sizeof(status.pr_reg));
	status.pr_fpvalid = thread->fpregs_size >= LEGACY_SIZE;
	add(notes, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

static uint32_t u32_at(const unsigned char *bytes, size_t offset)
{
	uint32_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

/*
 * The vector state. In a core the bytes left to software begin with the mask
 * of features; a signal frame, where libkma took it from, has it elsewhere.
 */
static void add_vectors(const struct notes *notes,
			const struct dump_thread *thread)
{
	size_t size = thread->fpregs_size;
	unsigned char *state = size < LEGACY_SIZE ? NULL : malloc(size);

	if (!state)
		return;
	memcpy(state, thread->fpregs, size);
	if (u32_at(state, SOFTWARE) == SIGNAL_MAGIC) {
		uint32_t own = u32_at(state, SIGNAL_SIZE);

		if (own >= LEGACY_SIZE && own < size)
			size = own;
		memcpy(state + SOFTWARE, state + SIGNAL_FEATURES,
		       sizeof(uint64_t));
		memset(state + SIGNAL_FEATURES, 0,
		       LEGACY_SIZE - SIGNAL_FEATURES);
	}
	add(notes, "CORE", NT_FPREGSET, state, LEGACY_SIZE);
	if (size > LEGACY_SIZE)
		add(notes, "LINUX", NT_X86_XSTATE, state, size);
	free(state);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_process(const struct notes *notes)
{
	const struct dump_process *process = notes->target->process;
	struct elf_prpsinfo info = { 0 };

	info.pr_sname = 'R';
	info.pr_uid = process->uid;
	info.pr_gid = process->gid;
	info.pr_pid = (int)process->pid;
	info.pr_ppid = (int)process->ppid;
	info.pr_pgrp = info.pr_pid;
	info.pr_sid = info.pr_pid;
	if (process->executable)
		snprintf(info.pr_fname, sizeof(info.pr_fname), "%s",
			 base_name(process->executable));
	if (process->arguments)
		snprintf(info.pr_psargs, sizeof(info.pr_psargs), "%s",
			 process->arguments);
	add(notes, "CORE", NT_PRPSINFO, &info, sizeof(info));
}

static void add_signal(const struct notes *notes)
{
	const struct dump_process *process = notes->target->process;
	unsigned char info[SIGINFO_SIZE] = { 0 };

	if (!process->signal)
		return;
	memcpy(info, &process->signal, sizeof(process->signal));
	memcpy(info + SIGINFO_CODE, &process->signal_code,
	       sizeof(process->signal_code));
	memcpy(info + SIGINFO_ADDRESS, &process->fault_address,
	       sizeof(process->fault_address));
	add(notes, "CORE", NT_SIGINFO, info, sizeof(info));
}

/* Count, page size, then start, end and offset in pages of each, then names. */
static void add_files(const struct notes *notes)
{
	const struct target *target = notes->target;
	char *bytes = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&bytes, &size);
	uint64_t head[2] = { 0, DUMP_PAGE_SIZE };

	if (!stream)
		return;
	for (size_t i = 0; i < target->map_count; i++)
		head[0] += target->maps[i].path[0] == '/';
	fwrite(head, sizeof(head), 1, stream);
	for (size_t i = 0; i < target->map_count; i++) {
		const struct dump_map *map = &target->maps[i];
		const uint64_t entry[3] = { map->start, map->end,
					    map->offset / DUMP_PAGE_SIZE };

		if (map->path[0] == '/')
			fwrite(entry, sizeof(entry), 1, stream);
	}
	for (size_t i = 0; i < target->map_count; i++)
		if (target->maps[i].path[0] == '/')
			fwrite(target->maps[i].path, 1,
			       strlen(target->maps[i].path) + 1, stream);
	if (fclose(stream) == 0 && head[0])
		add(notes, "CORE", NT_FILE, bytes, size);
	free(bytes);
}

static void add_thread(const struct notes *notes,
		       const struct dump_thread *thread, bool first)
{
	add_status(notes, thread);
	if (first) {
		add_process(notes);
		add_signal(notes);
		add(notes, "CORE", NT_AUXV, notes->target->auxv,
		    notes->target->auxv_count * 2 * sizeof(uint64_t));
		add_files(notes);
	}
	add_vectors(notes, thread);
}

static void add_threads(const struct notes *notes)
{
	const struct target *target = notes->target;
	const struct dump_thread *first = target_first_thread(target);
	const struct dump_thread none = { .tid = target->process->pid };

	add_thread(notes, first ? first : &none, true);
	for (size_t i = 0; i < target->thread_count; i++)
		if (&target->threads[i] != first)
			add_thread(notes, &target->threads[i], false);
}

struct err *core_notes(const struct target *target, unsigned char **ret,
		       size_t *size)
{
	char *bytes = NULL;
	struct notes notes = { .target = target };

	notes.stream = open_memstream(&bytes, size);
	if (!notes.stream)
		return err_new(ERR_NO_MEMORY, "notes");
	add_threads(&notes);
	bool failed = ferror(notes.stream);
	if (fclose(notes.stream) != 0 || failed) {
		free(bytes);
		return err_new(ERR_NO_MEMORY, "notes");
	}
	*ret = (unsigned char *)bytes;
	return NULL;
}
