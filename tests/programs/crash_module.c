/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A module that crashes, in each way and in each place that it can. */
#include "kdbg/kdbg_module.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static volatile int zero;

static int overflow(volatile char *above)
{
	volatile char here[4096];

	here[0] = above ? above[0] : 'x';
	return zero ? here[0] : overflow(here) + here[0];
}

static void crash(const char *how)
{
	if (strcmp(how, "null") == 0)
		*(volatile int *)8 = 1;
	else if (strcmp(how, "abort") == 0)
		abort();
	else if (strcmp(how, "divide") == 0)
		raise(SIGFPE);
	else if (strcmp(how, "overflow") == 0)
		zero = overflow(NULL);
}

static bool crash_on_value(void *context, uint64_t value)
{
	(void)value;
	crash(context);
	return true;
}

static int crash_run(struct kdbg *kdbg, const struct kdbg_call *call)
{
	const char *how = call->argc ? call->argv[0] : "";
	const struct kdbg_value row[] = { { .number = 1 } };

	kdbg->api->row(kdbg, row);
	if (call->argc == 2)
		return kdbg->api->walk(kdbg, call->argv[1], NULL,
				       crash_on_value, (void *)how);
	crash(how);
	return kdbg->api->fail(kdbg, "not crashed: %s", how);
}

static int crashing_walk(struct kdbg *kdbg, const uint64_t *address,
			 kdbg_each *each, void *context)
{
	(void)kdbg;
	(void)address;
	each(context, 1);
	crash("null");
	return 0;
}

static const struct kdbg_column columns[] = { { "ONE", KDBG_COUNT } };

static const struct kdbg_command commands[] = {
	{
		.name = "crash",
		.summary = "crash",
		.help = "By null, abort, divide or overflow.",
		.example = "::crash null",
		.arguments = "how [walker]",
		.columns = columns,
		.column_count = 1,
		.run = crash_run,
	},
};

static const struct kdbg_walker walkers[] = {
	{ .name = "crashing", .summary = "a crash", .walk = crashing_walk },
};

const struct kdbg_module kdbg_module = {
	.version = KDBG_MODULE_VERSION,
	.name = "crash",
	.commands = commands,
	.command_count = 1,
	.walkers = walkers,
	.walker_count = 1,
};
