/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The XML of valgrind's memcheck, protocol 4, which Jenkins, CDash and IDEs
 * read. The protocol has one process to a file; here the findings of all
 * processes are in one, under the pid of the command, and each says whose it
 * is.
 */
#include "kdbg/report.h"

#include "kdbg/report_finding.h"
#include "kdbg/report_xml.h"

#include <inttypes.h>
#include <string.h>

/* Heap errors by the kind that memcheck would report. */
static const char *error_kind(const struct check_error *error)
{
	static const struct {
		const char *name, *kind;
	} kinds[] = {
		{ "DUPFREE", "InvalidFree" },
		{ "BADADDR", "InvalidFree" },
		{ "BADBASE", "InvalidFree" },
		{ "BADSIZE", "InvalidFree" },
		{ "BADCACHE", "MismatchedFree" },
		{ "BADFAMILY", "MismatchedFree" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(error->name, kinds[i].name) == 0)
			return kinds[i].kind;
	return "InvalidWrite";
}

static const char *finding_kind(const struct report_finding *finding)
{
	switch (finding->rule) {
	case RULE_DEFINITE:
		return "Leak_DefinitelyLost";
	case RULE_INDIRECT:
		return "Leak_IndirectlyLost";
	case RULE_POSSIBLE:
		return "Leak_PossiblyLost";
	default:
		return error_kind(finding->error);
	}
}

/* dir and file: apart, as the protocol has them. */
static void put_place(FILE *out, const struct check_result *result,
		      const struct check_frame *frame)
{
	char path[PATH_MAX];

	report_path(result, frame, path, sizeof(path));
	char *slash = strrchr(path, '/');
	if (slash) {
		*slash = '\0';
		report_xml_element(out, "dir", slash == path ? "/" : path);
	}
	report_xml_element(out, "file", slash ? slash + 1 : path);
	fprintf(out, "<line>%u</line>", frame->line);
}

static void put_stack(FILE *out, const struct check_result *result,
		      const struct check_stack *stack)
{
	fputs("  <stack>\n", out);
	for (size_t i = 0; i < stack->count; i++) {
		const struct check_frame *frame = &stack->frames[i];
		fprintf(out, "    <frame><ip>0x%" PRIX64 "</ip>", frame->pc);
		if (frame->module)
			report_xml_element(out, "obj", frame->module);
		if (frame->function)
			report_xml_element(out, "fn", frame->function);
		if (frame->file)
			put_place(out, result, frame);
		fputs("</frame>\n", out);
	}
	fputs("  </stack>\n", out);
}

static void put_other_stack(FILE *out, const struct check_result *result,
			    const char *title, const struct check_stack *stack)
{
	if (!stack->count)
		return;
	fprintf(out, "  <auxwhat>%s</auxwhat>\n", title);
	put_stack(out, result, stack);
}

static void put_leak(FILE *out, const struct check_result *result,
		     const struct report_finding *finding)
{
	fputs("  <xwhat><text>", out);
	report_xml_text(out, finding->title);
	fprintf(out,
		"; pid %u</text><leakedbytes>%" PRIu64
		"</leakedbytes><leakedblocks>%" PRIu64
		"</leakedblocks></xwhat>\n",
		finding->process->pid, finding->leak->bytes,
		finding->leak->leaked);
	put_stack(out, result, &finding->leak->stack);
}

static void put_error(FILE *out, const struct check_result *result,
		      const struct report_finding *finding)
{
	const struct check_error *error = finding->error;

	fputs("  <what>", out);
	report_xml_text(out, error->message);
	fprintf(out, "; pid %u</what>\n", finding->process->pid);
	put_stack(out, result, &error->reported);
	put_other_stack(out, result, "freed by", &error->freed);
	put_other_stack(out, result, "allocated by", &error->allocated);
}

static size_t put_findings(FILE *out, const struct check_result *result,
			   bool heap_errors, size_t unique)
{
	struct report_findings at = { .result = result };
	struct report_finding finding;

	while (report_findings_next(&at, &finding)) {
		if (!finding.error == heap_errors)
			continue;
		fprintf(out,
			"<error>\n  <unique>0x%zx</unique>\n  <tid>1</tid>\n"
			"  <kind>%s</kind>\n",
			unique++, finding_kind(&finding));
		if (finding.error)
			put_error(out, result, &finding);
		else
			put_leak(out, result, &finding);
		fputs("</error>\n\n", out);
	}
	return unique;
}

static void put_counts(FILE *out, size_t count)
{
	fputs("<errorcounts>\n", out);
	for (size_t i = 0; i < count; i++)
		fprintf(out,
			"  <pair><count>1</count><unique>0x%zx</unique>"
			"</pair>\n",
			i);
	fputs("</errorcounts>\n\n", out);
}

static void put_arguments(FILE *out, const struct check_result *result)
{
	fputs("<args>\n  <vargv><exe>kdbg</exe><arg>check</arg></vargv>\n"
	      "  <argv>",
	      out);
	report_xml_element(out, "exe", result->argv[0]);
	for (char *const *word = result->argv + 1; *word; word++)
		report_xml_element(out, "arg", *word);
	fputs("</argv>\n</args>\n\n", out);
}

static void put_status(FILE *out, const char *state, double seconds)
{
	long milliseconds = (long)(seconds * 1000);

	fprintf(out,
		"<status><state>%s</state><time>%02ld:%02ld:%02ld:%02ld.%03ld"
		" </time></status>\n\n",
		state, milliseconds / 86400000, milliseconds / 3600000 % 24,
		milliseconds / 60000 % 60, milliseconds / 1000 % 60,
		milliseconds % 1000);
}

void report_valgrind(const struct check_result *result, FILE *out)
{
	unsigned pid = result->count ? result->processes[0].pid : 0;
	unsigned ppid = result->count ? result->processes[0].ppid : 0;

	fprintf(out,
		"<?xml version=\"1.0\"?>\n\n<valgrindoutput>\n\n"
		"<protocolversion>4</protocolversion>\n"
		"<protocoltool>memcheck</protocoltool>\n\n"
		"<preamble><line>kdbg check " KMA_VERSION
		"</line></preamble>\n\n<pid>%u</pid>\n<ppid>%u</ppid>\n"
		"<tool>memcheck</tool>\n\n",
		pid, ppid);
	put_arguments(out, result);
	put_status(out, "RUNNING", 0);
	size_t errors = put_findings(out, result, true, 0);
	put_status(out, "FINISHED", result->seconds);
	size_t count = put_findings(out, result, false, errors);
	put_counts(out, count);
	fputs("<suppcounts>\n</suppcounts>\n\n</valgrindoutput>\n", out);
}
