/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kdbg can do, by name. Keep the lines sorted: they are ::dcmds's and
 * ::walkers's order. */
#include "kdbg/dcmds/dcmds.h"

const struct dcmd *const dcmd_table[] = {
	&dcmd_dcmds,
	&dcmd_walkers,
	NULL,
};

const struct walker *const walker_table[] = {
	NULL,
};
