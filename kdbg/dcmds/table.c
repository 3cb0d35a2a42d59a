/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kdbg can do, by name. Keep the lines sorted: they are ::dcmds's and
 * ::walkers's order. */
#include "kdbg/dcmds/dcmds.h"

/* clang-format off: one a line */
const struct dcmd *const dcmd_table[] = {
	&dcmd_bufctl,  &dcmd_dcmds,      &dcmd_findleaks,
	&dcmd_kmastat, &dcmd_kmem_cache, &dcmd_walkers,
	NULL,
};

const struct walker *const walker_table[] = {
	&walker_bufctl,     &walker_freectl,
	&walker_freemem,    &walker_kmem,
	&walker_kmem_cache, &walker_kmem_log,
	&walker_kmem_slab,  &walker_leak,
	&walker_leakbuf,    NULL,
};
/* clang-format on */
