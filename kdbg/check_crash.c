/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Under a shell that runs it itself, a program that crashes is told of by the
 * shell. Under the check nobody would: the status alone would say it.
 */
#include "kdbg/check_judge_internal.h"

#include "kdbg/status_reason.h"
#include "kdbg/target.h"
#include "kdbg/unwind.h"

#include <signal.h>
#include <string.h>

enum { TEXT_SIZE = 512, FRAMES_MAX = 64 };

/* The frames of the thread that took the signal, innermost first. */
struct crash_walk {
	uint64_t pcs[FRAMES_MAX];
	size_t count;
};

/* Those whose default action is a core. The others are ways to ask a program
 * to end. */
static bool is_crash(uint32_t signal)
{
	static const int crashes[] = { SIGSEGV, SIGBUS,  SIGILL, SIGFPE,
				       SIGABRT, SIGTRAP, SIGSYS };

	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		if ((int)signal == crashes[i])
			return true;
	return false;
}

/* A pc that was to be executed is looked up as it is: as return addresses are,
 * it would be one less. */
static bool add_frame(void *context, const struct unwind_frame *frame)
{
	struct crash_walk *walk = context;

	if (frame->guessed)
		return false;
	walk->pcs[walk->count++] = frame->pc + (frame->exact ? 1 : 0);
	return walk->count < FRAMES_MAX;
}

/* "SIGSEGV at 0x8: a null pointer, or near one" */
static const char *describe(struct judge *judge)
{
	const struct dump_process *process = judge->session.target->process;
	const char *name = sigabbrev_np((int)process->signal);
	const char *code = process->signal_code == SI_TKILL
				   ? NULL
				   : status_code_name(process);
	char fault[TEXT_SIZE];
	const char *text;

	if (status_fault(&judge->session, fault, sizeof(fault)))
		text = arena_print(judge->arena, "SIG%s at %s", name, fault);
	else
		text = arena_print(judge->arena, "SIG%s%s%s%s", name,
				   code ? " (" : "", code ? code : "",
				   code ? ")" : "");
	if (!text)
		judge->err = err_new(ERR_NO_MEMORY, "out of memory");
	return text;
}

void judge_crash(struct judge *judge)
{
	struct target *target = judge->session.target;
	const struct dump_process *process = target->process;
	const struct dump_thread *thread =
		target_thread(target, process->crashed_thread);
	struct crash_walk walk = { .count = 0 };
	struct check_crash *crash;

	if (process->reason != DUMP_REASON_SIGNAL ||
	    !is_crash(process->signal) || judge->process->errors_reported)
		return;
	crash = judge_alloc(judge, 1, sizeof(*crash));
	if (!crash)
		return;
	crash->signal = sigabbrev_np((int)process->signal);
	crash->message = describe(judge);
	crash->address = process->fault_address;
	/* A stack that cannot be followed to its end is shown as far as it
	 * can. */
	if (thread)
		err_free(unwind_thread(target, thread, add_frame, &walk));
	crash->stack = judge_stack_of(judge, walk.pcs, walk.count, UINT64_MAX);
	judge->process->crash = crash;
}
