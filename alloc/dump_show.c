/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that ends lets its supervisor read its memory, instead of writing
 * it to a file (dumpfmt/roster.h has the protocol).
 *
 * All that is done here before the supervisor has looked is a futex, so that it
 * works in a chroot, without descriptors and under a filter of system calls.
 * Only if the supervisor counts other threads are they stopped, each with its
 * registers, which no reader of memory would find.
 */
#include "alloc/dump_impl.h"

#include "alloc/instance.h"
#include "alloc/root.h"
#include "alloc/roster.h"
#include "alloc/sandbox.h"

#include <signal.h>

static struct roster_statement
make_statement(const struct dump_request *request,
	       const struct dump_stopped *self)
{
	struct roster_statement statement = {
		.root = (uintptr_t)&kma_root,
		.self = (uintptr_t)self,
		.exit_status = request->exit_status,
	};

	if (request->info) {
		statement.signal_code = request->info->si_code;
		statement.fault_address = dump_fault_address(request->info);
	}
	return statement;
}

/* With the threads stopped, once more; they go on when all is over. */
static enum roster_reply show_stopped(struct roster_statement *statement)
{
	const struct dump_threads *threads = dump_threads_stop();

	statement->threads = (uintptr_t)threads->slots;
	statement->thread_count = threads->slot_count;
	statement->unrecorded = threads->unrecorded;
	enum roster_reply reply = kma_instance.stopped(statement);
	dump_threads_go();
	return reply;
}

bool dump_show(const struct dump_request *request,
	       const struct dump_stopped *self)
{
	const struct roster_ending ending = {
		.reason = (enum dump_reason)request->reason,
		.status = dump_end_status(request),
		.replaced = request->replaced,
	};
	struct roster_statement statement = make_statement(request, self);

	if (!kma_instance.in_place || !kma_instance.in_place())
		return false;
	/* Of a program that goes on, misuses are kept for its end. */
	if (!request->last && !request->replaced)
		return request->reason == KMA_DUMP_ERROR;
	enum roster_reply reply = kma_instance.show(&ending, &statement);
	if (reply == ROSTER_REPLY_STOP && kma_sandbox_forbids_stop())
		return false;
	if (reply == ROSTER_REPLY_STOP)
		reply = show_stopped(&statement);
	return reply != ROSTER_REPLY_DUMP;
}
