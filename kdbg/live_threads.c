/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/live_threads.h"

#include "dumpfmt/stopped.h"
#include "kdbg/vector.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

enum {
	VECTORS_MAX = 64 << 10, /* of one thread's state: AMX needs 11 KiB */
	THREADS_MAX = 1 << 22,  /* the kernel's own limit of pids */
};

static struct err *no_memory(void)
{
	return err_new(ERR_NO_MEMORY, "out of memory");
}

/* Its registers of this kind, into buffer; how many bytes. */
static size_t read_registers(pid_t tid, int kind, void *buffer, size_t size)
{
	struct iovec part = { buffer, size };

	if (ptrace(PTRACE_GETREGSET, tid, (void *)(intptr_t)kind, &part) != 0)
		return 0;
	return part.iov_len;
}

static void keep_vectors(struct dump_thread *thread, const void *bytes,
			 size_t size, struct arena *arena)
{
	thread->fpregs = size ? arena_text(arena, bytes, size) : NULL;
	thread->fpregs_size = thread->fpregs ? size : 0;
}

static void read_name(pid_t pid, struct dump_thread *thread,
		      struct arena *arena)
{
	char name[64], file[64];

	snprintf(file, sizeof(file), "task/%" PRIu32 "/comm", thread->tid);
	procfs_read(pid, file, name, sizeof(name));
	name[strcspn(name, "\n")] = '\0';
	const char *copy = arena_text(arena, name, strlen(name));
	thread->name = copy ? copy : "";
}

static void read_stopped(pid_t pid, struct dump_thread *thread, void *buffer,
			 struct arena *arena)
{
	if (read_registers((pid_t)thread->tid, NT_PRSTATUS, &thread->registers,
			   sizeof(thread->registers)) ==
	    sizeof(thread->registers))
		thread->flags = DUMP_THREAD_REGISTERS;
	keep_vectors(thread, buffer,
		     read_registers((pid_t)thread->tid, NT_X86_XSTATE, buffer,
				    VECTORS_MAX),
		     arena);
	read_name(pid, thread, arena);
}

struct err *live_threads_stopped(const struct process_stop *stop,
				 struct arena *arena, struct live_threads *ret)
{
	void *buffer = malloc(VECTORS_MAX);

	ret->list = calloc(stop->count, sizeof(*ret->list));
	if (!ret->list || !buffer) {
		free(buffer);
		return no_memory();
	}
	for (size_t i = 0; i < stop->count; i++) {
		struct dump_thread *thread = &ret->list[ret->count++];
		thread->tid = (uint32_t)stop->threads[i].tid;
		read_stopped(stop->pid, thread, buffer, arena);
	}
	free(buffer);
	return NULL;
}

static struct err *add_told(struct dump_live *process,
			    const struct dump_stopped *told,
			    struct arena *arena, struct live_threads *ret)
{
	struct dump_thread *list =
		vector_grow(ret->list, ret->count, sizeof(*list));
	size_t size = told->fpregs && told->fpregs_size <= VECTORS_MAX
			      ? (size_t)told->fpregs_size
			      : 0;
	void *buffer = size ? malloc(size) : NULL;

	if (list)
		ret->list = list;
	if (!list || (size && !buffer)) {
		free(buffer);
		return no_memory();
	}
	struct dump_thread *thread = &list[ret->count++];
	*thread = (struct dump_thread){
		.tid = told->tid,
		.flags = told->flags,
		.registers = told->registers,
	};
	if (size && dump_live_read(process, told->fpregs, buffer, size) == size)
		keep_vectors(thread, buffer, size, arena);
	read_name(process->plan.pid, thread, arena);
	free(buffer);
	return NULL;
}

/* address of struct dump_stopped */
static struct err *add_at(struct dump_live *process, uint64_t address,
			  struct arena *arena, struct live_threads *ret)
{
	struct dump_stopped told;

	if (dump_live_read(process, address, &told, sizeof(told)) <
	    sizeof(told))
		return err_new(ERR_CORRUPT, "%#" PRIx64 ": no thread is noted",
			       address);
	return told.tid ? add_told(process, &told, arena, ret) : NULL;
}

struct err *live_threads_told(struct dump_live *process,
			      const struct roster_record *shown,
			      struct arena *arena, struct live_threads *ret)
{
	const struct roster_statement *statement = &shown->statement;
	struct err *err = add_at(process, statement->self, arena, ret);

	if (!err && statement->thread_count > THREADS_MAX)
		err = err_new(ERR_CORRUPT, "%" PRIu64 " threads",
			      statement->thread_count);
	for (uint64_t i = 0; !err && i < statement->thread_count; i++)
		err = add_at(process,
			     statement->threads +
				     i * sizeof(struct dump_stopped),
			     arena, ret);
	return err;
}

void live_threads_deinit(struct live_threads *threads)
{
	free(threads->list);
}
