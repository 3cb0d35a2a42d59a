/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/dcmds/age.h"

#include "kdbg/target.h"

enum { NS_PER_MS = 1000000 };

uint64_t age_ms(const struct session *session, uint64_t time_ns)
{
	const struct dump_process *process = session->target->process;
	uint64_t now = process ? process->dump_monotonic_ns : 0;

	if (!time_ns || now < time_ns)
		return UINT64_MAX;
	return (now - time_ns) / NS_PER_MS;
}

struct value age_value(const struct session *session, uint64_t time_ns)
{
	uint64_t age = age_ms(session, time_ns);

	return age == UINT64_MAX ? ABSENT(VALUE_COUNT) : COUNT(age);
}
