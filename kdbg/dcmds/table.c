/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kdbg can do, by name. Keep the lines sorted: they are ::dcmds's and
 * ::walkers's order. */
#include "kdbg/dcmds/dcmds.h"

/* clang-format off */
const struct dcmd *const dcmd_table[] = {
	&dcmd_stack_verbose,
	&dcmd_array,
	&dcmd_bufctl,
	&dcmd_cat,
	&dcmd_dcmds,
	&dcmd_dump,
	&dcmd_echo,
	&dcmd_enum,
	&dcmd_eval,
	&dcmd_findleaks,
	&dcmd_formats,
	&dcmd_grep,
	&dcmd_head,
	&dcmd_help,
	&dcmd_kmalog,
	&dcmd_kmastat,
	&dcmd_kmausers,
	&dcmd_kmem_cache,
	&dcmd_kmem_log,
	&dcmd_list,
	&dcmd_map,
	&dcmd_mappings,
	&dcmd_objects,
	&dcmd_offsetof,
	&dcmd_print,
	&dcmd_quit,
	&dcmd_radix,
	&dcmd_regs,
	&dcmd_sizeof,
	&dcmd_source,
	&dcmd_stack,
	&dcmd_status,
	&dcmd_threads,
	&dcmd_unset,
	&dcmd_vars,
	&dcmd_version,
	&dcmd_walk,
	&dcmd_walkers,
	&dcmd_whatis,
	NULL,
};

const struct walker *const walker_table[] = {
	&walker_bufctl,
	&walker_freectl,
	&walker_freemem,
	&walker_kmem,
	&walker_kmem_cache,
	&walker_kmem_log,
	&walker_kmem_slab,
	&walker_leak,
	&walker_leakbuf,
	&walker_thread,
	NULL,
};
/* clang-format on */
