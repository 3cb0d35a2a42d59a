/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The notes of a core. A thread is an NT_PRSTATUS and the register notes after
 * it, up to the next one; the kernel writes the thread that took the signal
 * first. Layouts are those of the kernel's x86-64 structures, which cannot
 * change; a note that is shorter than what is read from it is ignored.
 */
#include "kdbg/target_core_impl.h"

#include "kdbg/vector.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
	NOTE_ALIGN = 4,

	PRSTATUS_SIGNAL = 12,
	PRSTATUS_PID = 32,
	PRSTATUS_REGISTERS = 112,
	PRSTATUS_SIZE = PRSTATUS_REGISTERS + sizeof(struct dump_registers),

	PRPSINFO_UID = 16,
	PRPSINFO_GID = 20,
	PRPSINFO_PID = 24,
	PRPSINFO_PPID = 28,
	PRPSINFO_NAME = 40,
	PRPSINFO_NAME_SIZE = 16,
	PRPSINFO_ARGUMENTS = 56,
	PRPSINFO_ARGUMENTS_SIZE = 80,
	PRPSINFO_SIZE = PRPSINFO_ARGUMENTS + PRPSINFO_ARGUMENTS_SIZE,

	SIGINFO_SIGNAL = 0,
	SIGINFO_CODE = 8,
	SIGINFO_ADDRESS = 16,
	SIGINFO_SIZE = 24,
};

struct note {
	const char *owner;
	uint32_t type;
	const unsigned char *bytes;
	size_t size;
};

static uint32_t u32_at(const struct note *note, size_t offset)
{
	uint32_t value;

	memcpy(&value, note->bytes + offset, sizeof(value));
	return value;
}

static uint64_t u64_at(const struct note *note, size_t offset)
{
	uint64_t value;

	memcpy(&value, note->bytes + offset, sizeof(value));
	return value;
}

static const char *text_at(struct core *core, const struct note *note,
			   size_t offset, size_t max)
{
	const char *text = (const char *)note->bytes + offset;
	const char *copy = arena_text(&core->arena, text, strnlen(text, max));

	return copy ? copy : "";
}

static void take_prstatus(struct core *core, const struct note *note)
{
	struct dump_thread *threads;

	if (note->size < PRSTATUS_SIZE)
		return;
	threads = vector_grow(core->threads, core->thread_count,
			      sizeof(*threads));
	if (!threads)
		return;
	core->threads = threads;
	struct dump_thread *thread = &threads[core->thread_count++];
	*thread = (struct dump_thread){
		.tid = u32_at(note, PRSTATUS_PID),
		.flags = DUMP_THREAD_REGISTERS,
		.name = "",
	};
	memcpy(&thread->registers, note->bytes + PRSTATUS_REGISTERS,
	       sizeof(thread->registers));
	if (core->thread_count > 1)
		return;
	core->process.crashed_thread = thread->tid;
	core->process.signal = u32_at(note, PRSTATUS_SIGNAL) & 0xffff;
}

static void take_prpsinfo(struct core *core, const struct note *note)
{
	struct dump_process *process = &core->process;

	if (note->size < PRPSINFO_SIZE)
		return;
	process->uid = u32_at(note, PRPSINFO_UID);
	process->gid = u32_at(note, PRPSINFO_GID);
	process->pid = u32_at(note, PRPSINFO_PID);
	process->ppid = u32_at(note, PRPSINFO_PPID);
	process->arguments = text_at(core, note, PRPSINFO_ARGUMENTS,
				     PRPSINFO_ARGUMENTS_SIZE);
	process->executable =
		text_at(core, note, PRPSINFO_NAME, PRPSINFO_NAME_SIZE);
}

static void take_siginfo(struct core *core, const struct note *note)
{
	if (note->size < SIGINFO_SIZE)
		return;
	core->process.signal = u32_at(note, SIGINFO_SIGNAL);
	core->process.signal_code = (int32_t)u32_at(note, SIGINFO_CODE);
	core->process.fault_address = u64_at(note, SIGINFO_ADDRESS);
}

/* count, page size, count x (start, end, offset in pages), count names. */
static void take_files(struct core *core, const struct note *note)
{
	enum { HEAD = 16, ENTRY = 24 };

	if (note->size < HEAD)
		return;
	uint64_t count = u64_at(note, 0), page = u64_at(note, 8);
	if (count > (note->size - HEAD) / (ENTRY + 1))
		return;
	core->files =
		arena_array(&core->arena, (size_t)count, sizeof(*core->files));
	core->file_count = 0; /* of a note before: there is to be one */
	size_t name = HEAD + (size_t)count * ENTRY;
	for (size_t i = 0; core->files && i < count; i++) {
		size_t entry = HEAD + i * ENTRY;
		const char *end =
			memchr(note->bytes + name, 0, note->size - name);

		if (!end)
			return;
		core->files[core->file_count++] = (struct core_file){
			.start = u64_at(note, entry),
			.end = u64_at(note, entry + 8),
			.offset = u64_at(note, entry + 16) * page,
			.path = (const char *)note->bytes + name,
		};
		name = (size_t)(end + 1 - (const char *)note->bytes);
	}
}

static void take_vectors(struct core *core, const struct note *note)
{
	if (!core->thread_count)
		return;
	struct dump_thread *thread = &core->threads[core->thread_count - 1];
	if (note->size > thread->fpregs_size) { /* xstate has all of fpregs */
		thread->fpregs = note->bytes;
		thread->fpregs_size = note->size;
	}
}

/* A copy: notes are aligned to 4 bytes. */
static void take_auxv(struct core *core, const struct note *note)
{
	size_t pairs = note->size / (2 * sizeof(uint64_t));
	uint64_t *auxv = arena_array(&core->arena, pairs, 2 * sizeof(uint64_t));

	if (!auxv)
		return;
	memcpy(auxv, note->bytes, pairs * 2 * sizeof(uint64_t));
	core->auxv = auxv;
	core->auxv_count = pairs;
}

static void take_note(struct core *core, const struct note *note)
{
	switch (note->type) {
	case NT_PRSTATUS:
		take_prstatus(core, note);
		break;
	case NT_PRPSINFO:
		take_prpsinfo(core, note);
		break;
	case NT_SIGINFO:
		take_siginfo(core, note);
		break;
	case NT_FILE:
		take_files(core, note);
		break;
	case NT_AUXV:
		take_auxv(core, note);
		break;
	case NT_FPREGSET:
	case NT_X86_XSTATE:
		take_vectors(core, note);
		break;
	default:
		break;
	}
}

static size_t align_note(size_t size)
{
	return (size + NOTE_ALIGN - 1) & ~(size_t)(NOTE_ALIGN - 1);
}

/* The next of the notes in size bytes; false: no more that are whole. */
static bool next_note(const unsigned char **bytes, size_t *size,
		      struct note *note)
{
	Elf64_Nhdr header;

	if (*size < sizeof(header))
		return false;
	memcpy(&header, *bytes, sizeof(header));
	size_t left = *size - sizeof(header);
	size_t name = align_note(header.n_namesz);
	if (header.n_namesz > left || name > left ||
	    header.n_descsz > left - name)
		return false;
	note->owner = (const char *)*bytes + sizeof(header);
	note->type = header.n_type;
	note->bytes = *bytes + sizeof(header) + name;
	note->size = header.n_descsz;
	if (header.n_namesz == 0 || note->owner[header.n_namesz - 1])
		note->owner = "";
	size_t used = sizeof(header) + name + align_note(header.n_descsz);
	if (used > *size)
		used = *size;
	*bytes += used;
	*size -= used;
	return true;
}

static void read_segment(struct core *core, const Elf64_Phdr *header)
{
	const unsigned char *bytes = core->image + header->p_offset;
	size_t size = core->size - header->p_offset;
	struct note note;

	if (size > header->p_filesz)
		size = header->p_filesz;
	while (next_note(&bytes, &size, &note))
		if (strcmp(note.owner, "CORE") == 0 ||
		    strcmp(note.owner, "LINUX") == 0)
			take_note(core, &note);
}

/* What the notes say together. */
static void conclude(struct core *core)
{
	struct dump_process *process = &core->process;

	if (process->signal == SIGSTOP) /* gdb stopped it to write the core */
		process->signal = 0;
	for (size_t i = 0; i < core->thread_count; i++) {
		struct dump_thread *thread = &core->threads[i];

		if (thread->tid == process->pid)
			thread->name = process->executable;
		if (thread->tid == process->crashed_thread && process->signal)
			thread->flags |= DUMP_THREAD_CRASHED;
	}
	process->reason =
		process->signal ? DUMP_REASON_SIGNAL : DUMP_REASON_SNAPSHOT;
}

struct err *core_read_notes(struct core *core)
{
	core->process = (struct dump_process){
		.executable = "",
		.arguments = "",
		.directory = "",
		.hostname = "",
		.kernel = "",
		.writer = "",
		.exit_status = DUMP_EXIT_STATUS_UNKNOWN,
	};
	for (size_t i = 0; i < core->header_count; i++)
		if (core->headers[i].p_type == PT_NOTE &&
		    core->headers[i].p_offset < core->size)
			read_segment(core, &core->headers[i]);
	conclude(core);
	return NULL;
}
