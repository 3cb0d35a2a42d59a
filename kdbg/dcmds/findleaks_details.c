/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ::findleaks tells of one group beyond its row. */
#include "kdbg/dcmds/findleaks.h"
#include "kdbg/leaks_details.h"

#include <inttypes.h>

struct findleaks_details findleaks_details(const struct leaks *leaks,
					   const struct leak_group *group,
					   struct symbols *symbols)
{
	struct findleaks_details ret = { 0 };
	struct leak_details details;
	struct err *err = leaks_details(leaks, group, symbols, &details);

	err_free(err); /* what is known is told */
	ret.threads = details.threads;
	snprintf(ret.hint, sizeof(ret.hint), "%s", details.hint);
	for (size_t i = 0; i < details.sample_count; i++)
		stack_lines_text(&ret.samples, "%#" PRIx64, details.samples[i]);
	for (size_t i = 0; i < details.cycle_count; i++)
		stack_lines_text(&ret.cycle, "%" PRIx64 "+%#" PRIx64,
				 details.cycle[i].buffer,
				 details.cycle[i].address -
					 details.cycle[i].buffer);
	if (details.cycle_length > details.cycle_count)
		stack_lines_text(&ret.cycle, "%zu more",
				 details.cycle_length - details.cycle_count);
	return ret;
}

void findleaks_details_deinit(struct findleaks_details *details)
{
	stack_lines_deinit(&details->samples);
	stack_lines_deinit(&details->cycle);
}
