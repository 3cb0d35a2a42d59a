/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/invoke.h"

#include "kdbg/options.h"
#include "kdbg/progress.h"
#include "kdbg/usage.h"

#include <stdlib.h>

/* A word where the command takes none is what a newcomer means by it. */
static struct err *no_address(const struct dcmd *dcmd, int argc,
			      const char *const *argv)
{
	const char *is = dcmd->address_is ? dcmd->address_is : "thing";

	if (argc == 1 && !dcmd->arguments && *argv[0] != '-')
		return err_new(ERR_USAGE,
			       "needs the address of a %s before ::, as in "
			       "%s::%s",
			       is, argv[0], dcmd->name);
	return err_new(ERR_USAGE, "needs the address of a %s before ::", is);
}

static struct err *check_address(const struct dcmd *dcmd,
				 const struct dcmd_call *call, int argc,
				 const char *const *argv)
{
	if (dcmd->address_use == ADDRESS_REQUIRED && !call->has_address &&
	    !call->list && !(call->piped && dcmd->takes_empty))
		return no_address(dcmd, argc, argv);
	if (dcmd->address_use == ADDRESS_NONE && call->has_address)
		return err_new(ERR_USAGE, "takes no address");
	return NULL;
}

/* An address on the wrong side of the command, most likely. */
static struct err *no_argument(const struct dcmd *dcmd,
			       const struct dcmd_call *call, const char *word)
{
	if (dcmd->address_use == ADDRESS_NONE || call->has_address)
		return err_new(ERR_USAGE, "takes no argument '%s'", word);
	return err_new(ERR_USAGE,
		       "takes no argument '%s': the address of a %s stands "
		       "before ::, as in %s::%s",
		       word, dcmd->address_is, word, dcmd->name);
}

static struct err *run(const struct dcmd *dcmd, struct dcmd_call *call,
		       int argc, const char *const *argv, struct sink *out)
{
	void *options = calloc(1, dcmd->options_size ? dcmd->options_size : 1);
	int used = 0;

	if (!options)
		return err_new(ERR_NO_MEMORY, "out of memory");
	struct err *err =
		options_parse(call->session, dcmd, argc, argv, options, &used);
	if (!err && used < argc && !dcmd->arguments)
		err = no_argument(dcmd, call, argv[used]);
	if (!err) {
		call->dcmd = dcmd;
		call->options = options;
		call->argc = argc - used;
		call->argv = argv + used;
		if (dcmd->table_count)
			sink_table(out, &dcmd->tables[0]);
		err = dcmd->run(call, out);
		progress_clear(call->session);
	}
	free(options);
	return err;
}

struct err *dcmd_invoke(const struct dcmd *dcmd, struct dcmd_call *call,
			int argc, const char *const *argv, struct sink *out)
{
	struct err *err = check_address(dcmd, call, argc, argv);

	if (!err)
		err = run(dcmd, call, argc, argv, out);
	return err_wrap(err, "::%s", dcmd->name);
}
