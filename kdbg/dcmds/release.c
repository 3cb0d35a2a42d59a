/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::stop and ::release - when a living process stands still. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/target.h"

#include <inttypes.h>

enum { NS_PER_MS = 1000000, NS_PER_US = 1000 };

static bool moves(const struct target *target, struct sink *out)
{
	if (target && target->ops->release)
		return true;
	sink_note(out, "%s never moves",
		  target ? target->path : "what is not there");
	return false;
}

static struct err *stop_run(const struct dcmd_call *call, struct sink *out)
{
	if (moves(call->session->target, out))
		call->session->held = true;
	return NULL;
}

static struct err *release_run(const struct dcmd_call *call, struct sink *out)
{
	struct target *target = call->session->target;
	uint64_t ns;

	if (!moves(target, out))
		return NULL;
	call->session->held = false;
	if (target_release(target, &ns))
		sink_note(out,
			  "%s goes on; it stood still for %" PRIu64
			  ".%03" PRIu64 " ms",
			  target->path, ns / NS_PER_MS,
			  ns % NS_PER_MS / NS_PER_US);
	return NULL;
}

const struct dcmd dcmd_stop = {
	.name = "stop",
	.summary = "keep a living process stopped between lines",
	.help = "A living process stands still while a line of commands runs "
		"and goes on after it, so each line shows it as it is then. "
		"After ::stop it stands still until ::release, and lines show "
		"one and the same moment. The commands of -e always do.",
	.example = "::stop",
	.run = stop_run,
};

const struct dcmd dcmd_release = {
	.name = "release",
	.aliases = (const char *const[]){ ":R", NULL },
	.summary = "let a living process go on",
	.help = "The opposite of ::stop. What was read of the process stays "
		"until the next line, which stops it anew and reads it as it "
		"is then. Says how long it stood still. When kdbg ends, "
		"however it does, the process goes on, too.",
	.example = "::release",
	.run = release_run,
};
