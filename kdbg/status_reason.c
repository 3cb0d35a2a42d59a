/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/status_reason.h"

#include "kdbg/arch.h"
#include "kdbg/heap.h"
#include "kdbg/symbols.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { NULL_PAGES = 0x10000, NAME_SIZE = 512, PAGE_SIZE = 4096 };

struct code_name {
	int signal, code; /* signal 0: any */
	const char *text;
};

static const struct code_name code_names[] = {
	{ SIGSEGV, SEGV_MAPERR, "nothing is mapped there" },
	{ SIGSEGV, SEGV_ACCERR, "the mapping does not allow it" },
	{ SIGBUS, BUS_ADRALN, "wrong alignment" },
	{ SIGBUS, BUS_ADRERR, "no such physical address" },
	{ SIGBUS, BUS_OBJERR, "the mapped file has no byte there" },
	{ SIGFPE, FPE_INTDIV, "integer division by zero" },
	{ SIGFPE, FPE_INTOVF, "integer overflow" },
	{ SIGFPE, FPE_FLTDIV, "division by zero" },
	{ SIGFPE, FPE_FLTINV, "invalid operation" },
	{ SIGILL, ILL_ILLOPC, "illegal instruction" },
	{ SIGILL, ILL_ILLOPN, "illegal operand" },
	{ SIGTRAP, TRAP_BRKPT, "breakpoint" },
	{ 0, SI_USER, "sent by a process" },
	{ 0, SI_TKILL, "sent by a thread" },
	{ 0, SI_QUEUE, "sent by a process" },
	{ 0, SI_KERNEL, "sent by the kernel" },
};

static const char *code_name(int signal, int code)
{
	for (size_t i = 0; i < sizeof(code_names) / sizeof(code_names[0]); i++)
		if (code_names[i].code == code &&
		    (!code_names[i].signal || code_names[i].signal == signal))
			return code_names[i].text;
	return NULL;
}

const char *status_code_name(const struct dump_process *process)
{
	return code_name((int)process->signal, process->signal_code);
}

static void format_signal(const struct dump_process *process, char *buffer,
			  size_t size)
{
	int number = (int)process->signal;
	const char *name = sigabbrev_np(number);
	const char *about = code_name(number, process->signal_code);
	char code[32];

	snprintf(code, sizeof(code), "code %" PRId32, process->signal_code);
	if (name)
		snprintf(buffer, size, "SIG%s (%s)", name,
			 about ? about : code);
	else
		snprintf(buffer, size, "signal %d (%s)", number,
			 about ? about : code);
}

static void format_exit(const struct dump_process *process, char *buffer,
			size_t size)
{
	if (process->exit_status == DUMP_EXIT_STATUS_UNKNOWN)
		snprintf(buffer, size, "exit");
	else
		snprintf(buffer, size, "exit with status %" PRIu32,
			 process->exit_status);
}

static void add_thread(const struct target *target, char *buffer, size_t size)
{
	const struct dump_thread *thread =
		target_thread(target, target->process->crashed_thread);
	size_t used = strlen(buffer);

	if (!target->process->crashed_thread || used >= size)
		return;
	snprintf(buffer + used, size - used, ", thread %" PRIu32 "%s%s%s",
		 target->process->crashed_thread,
		 thread && thread->name && *thread->name ? " (" : "",
		 thread && thread->name ? thread->name : "",
		 thread && thread->name && *thread->name ? ")" : "");
}

void status_reason(const struct target *target, char *buffer, size_t size)
{
	const struct dump_process *process = target->process;

	switch (process->reason) {
	case DUMP_REASON_EXIT:
		format_exit(process, buffer, size);
		return;
	case DUMP_REASON_SIGNAL:
		format_signal(process, buffer, size);
		add_thread(target, buffer, size);
		return;
	case DUMP_REASON_ERROR:
		snprintf(buffer, size, "the heap was misused");
		add_thread(target, buffer, size);
		return;
	case DUMP_REASON_REQUEST:
		snprintf(buffer, size, "the program asked for it");
		add_thread(target, buffer, size);
		return;
	case DUMP_REASON_SNAPSHOT:
		snprintf(buffer, size, "snapshot of a running process");
		return;
	default:
		snprintf(buffer, size, "unknown");
	}
}

/* --- the fault ---------------------------------------------------------- */

static bool is_about_an_address(const struct dump_process *process)
{
	return process->reason == DUMP_REASON_SIGNAL &&
	       (process->signal == SIGSEGV || process->signal == SIGBUS) &&
	       process->signal_code > 0 && process->signal_code != SI_KERNEL;
}

static const char *state_name(const struct heap_buffer *buffer)
{
	switch (buffer->state) {
	case BUFFER_ALLOCATED:
		return "allocated";
	case BUFFER_FREE:
		return "freed";
	case BUFFER_CHANGING:
		return "just being freed or allocated";
	case BUFFER_NEVER:
		return "never used";
	}
	return "unknown";
}

/* The buffer whose guard page holds address: it ends before that page, or
 * begins behind it. */
static bool find_neighbour(struct heap *heap, uint64_t address,
			   struct heap_buffer *ret, char *place, size_t size)
{
	uint64_t page = address & ~(uint64_t)(PAGE_SIZE - 1);

	if (!heap_owns(heap, address))
		return false;
	if (heap_buffer_at(heap, page - 1, ret) &&
	    address >= ret->user + ret->size) {
		snprintf(place, size, "%" PRIu64 " bytes behind",
			 address - (ret->user + ret->size));
		return true;
	}
	if (!heap_buffer_at(heap, page + PAGE_SIZE, ret) ||
	    address >= ret->user)
		return false;
	snprintf(place, size, "%" PRIu64 " bytes before", ret->user - address);
	return true;
}

static bool describe_buffer(struct session *session, uint64_t address,
			    char *text, size_t size)
{
	const struct heap_cache *caches;
	const struct heap_slab *slabs;
	struct heap_buffer buffer;
	char place[64];
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	if (err) {
		err_free(err);
		return false;
	}
	if (heap_buffer_at(heap, address, &buffer))
		snprintf(place, sizeof(place), "in");
	else if (!find_neighbour(heap, address, &buffer, place, sizeof(place)))
		return false;
	heap_caches(heap, &caches);
	heap_slabs(heap, &slabs);
	snprintf(text, size,
		 "%s the %s %" PRIu64 "-byte buffer %#" PRIx64 " of %s", place,
		 state_name(&buffer), buffer.size, buffer.user,
		 caches[slabs[buffer.slab].cache].name);
	return true;
}

/* Of an index far out of its bounds. */
static bool is_in_reserve(struct session *session, uint64_t address)
{
	const struct heap_instance *instances;
	struct heap *heap;
	struct err *err = session_heap(session, &heap);
	size_t count = err ? 0 : heap_instances(heap, &instances);

	err_free(err);
	for (size_t i = 0; i < count; i++)
		if (address >= instances[i].reserve_base &&
		    address < instances[i].reserve_end)
			return true;
	return false;
}

static void describe_address(struct session *session, uint64_t address,
			     char *text, size_t size)
{
	const struct target *target = session->target;
	const struct dump_map *map = target_map_at(target, address);
	const struct dump_thread *thread = target_first_thread(target);

	if (describe_buffer(session, address, text, size))
		return;
	if (address < NULL_PAGES)
		snprintf(text, size, "a null pointer, or near one");
	else if (is_in_reserve(session, address))
		snprintf(text, size,
			 "in the heap's address space, far from any buffer");
	else if (map)
		snprintf(text, size, "in %s (%c%c%c)",
			 *map->path ? map->path : "anonymous memory",
			 map->flags & DUMP_MAP_READ ? 'r' : '-',
			 map->flags & DUMP_MAP_WRITE ? 'w' : '-',
			 map->flags & DUMP_MAP_EXEC ? 'x' : '-');
	else if (thread && thread->stack_low && address < thread->stack_low &&
		 thread->stack_low - address < NULL_PAGES)
		snprintf(text, size,
			 "just below the stack: it has probably overflowed");
	else
		snprintf(text, size, "nothing is mapped there");
}

bool status_fault(struct session *session, char *buffer, size_t size)
{
	const struct dump_process *process = session->target->process;
	char text[NAME_SIZE];

	if (!is_about_an_address(process))
		return false;
	describe_address(session, process->fault_address, text, sizeof(text));
	snprintf(buffer, size, "%#" PRIx64 ": %s", process->fault_address,
		 text);
	return true;
}

bool status_where(struct session *session, char *buffer, size_t size)
{
	const struct dump_process *process = session->target->process;
	const struct dump_thread *thread =
		target_thread(session->target, process->crashed_thread);
	struct symbols *symbols;
	uint64_t pc;

	if (process->reason != DUMP_REASON_SIGNAL || !thread ||
	    !(thread->flags & (DUMP_THREAD_REGISTERS | DUMP_THREAD_SP_PC)) ||
	    !arch_register_get(&thread->registers, "pc", &pc))
		return false;
	struct err *err = session_symbols(session, &symbols);
	if (err) {
		err_free(err);
		return false;
	}
	symbols_format_pc(symbols, pc, buffer, size);
	return true;
}
