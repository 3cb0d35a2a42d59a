/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GitLab's code quality report: an array of findings. Each needs a path and a
 * line; one without a place in the sources is told at its program, line 1.
 * Findings of one signature are one entry: GitLab compares fingerprints.
 */
#include "kdbg/report.h"

#include "kdbg/address_set.h"
#include "kdbg/report_finding.h"
#include "kdbg/sink.h"

#include <inttypes.h>

static const char *severity(const struct report_finding *finding)
{
	if (!finding->fails)
		return "info";
	return finding->error ? "critical" : "major";
}

static void put_entry(FILE *out, const struct report_finding *finding)
{
	fputs("{\"description\": ", out);
	sink_json_string(out, finding->title);
	fprintf(out,
		", \"check_name\": \"%s\", \"fingerprint\": \"%016" PRIx64
		"\", \"severity\": \"%s\", \"location\": {\"path\": ",
		report_rule_name(finding->rule), finding->signature,
		severity(finding));
	sink_json_string(out, finding->line ? finding->path
					    : finding->process->path);
	fprintf(out, ", \"lines\": {\"begin\": %u}}}",
		finding->line ? finding->line : 1);
}

void report_gitlab(const struct check_result *result, FILE *out)
{
	struct report_findings at = { .result = result };
	struct report_finding finding;
	struct address_set told = { NULL };
	const char *comma = "";

	fputc('[', out);
	while (report_findings_next(&at, &finding)) {
		if (!address_set_add(&told, finding.signature | 1))
			continue;
		fprintf(out, "%s\n", comma);
		put_entry(out, &finding);
		comma = ",";
	}
	address_set_deinit(&told);
	fputs("]\n", out);
}
