/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/dcmds/thread_choice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Thread ids are shown in decimal, as everywhere on Linux, but typed numbers
 * are hexadecimal unless told otherwise: 1234 may mean either. */
static const struct dump_thread *find(const struct target *target, uint64_t tid)
{
	const struct dump_thread *thread = NULL;
	char digits[32], *end;

	if (tid <= UINT32_MAX)
		thread = target_thread(target, (uint32_t)tid);
	if (thread)
		return thread;
	snprintf(digits, sizeof(digits), "%" PRIx64, tid);
	unsigned long decimal = strtoul(digits, &end, 10);
	return *end || decimal > UINT32_MAX
		       ? NULL
		       : target_thread(target, (uint32_t)decimal);
}

struct err *thread_find(const struct target *target, uint64_t tid,
			const struct dump_thread **ret)
{
	*ret = find(target, tid);
	return *ret ? NULL
		    : err_new(ERR_NOT_FOUND,
			      "there is no thread %" PRIu64
			      "; ::threads lists them",
			      tid);
}

struct err *thread_choose(const struct dcmd_call *call,
			  const struct dump_thread **ret)
{
	const struct session *session = call->session;
	const struct target *target = session->target;

	if (call->has_address)
		return thread_find(target, call->address, ret);
	if (session->thread)
		*ret = target_thread(target, session->thread);
	else
		*ret = target_first_thread(target);
	if (*ret)
		return NULL;
	return err_new(ERR_NOT_FOUND, "the %s has no threads",
		       target->ops->kind);
}

/* Whoever wrote the dump has its mark; only a signal is a crash. */
static const char *marked_state(const struct dump_process *process)
{
	switch (process->reason) {
	case DUMP_REASON_SIGNAL:
		return "crashed";
	case DUMP_REASON_ERROR:
		return "misuse";
	default:
		return "dumping";
	}
}

const char *thread_state(const struct dump_process *process,
			 const struct dump_thread *thread)
{
	if ((thread->flags & DUMP_THREAD_CRASHED) ||
	    thread->tid == process->crashed_thread)
		return marked_state(process);
	if (!(thread->flags & (DUMP_THREAD_REGISTERS | DUMP_THREAD_SP_PC)))
		return "unknown";
	return thread->flags & DUMP_THREAD_NO_STACK ? "no stack" : NULL;
}
