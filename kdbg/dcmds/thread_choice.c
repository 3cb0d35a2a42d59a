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

struct err *thread_choose(const struct dcmd_call *call,
			  const struct dump_thread **ret)
{
	const struct session *session = call->session;
	const struct target *target = session->target;

	if (call->has_address)
		*ret = find(target, call->address);
	else if (session->thread)
		*ret = target_thread(target, session->thread);
	else
		*ret = target_first_thread(target);
	if (*ret)
		return NULL;
	if (!call->has_address)
		return err_new(ERR_NOT_FOUND, "the %s has no threads",
			       target->ops->kind);
	return err_new(ERR_NOT_FOUND, "there is no thread %" PRIu64,
		       call->address);
}
