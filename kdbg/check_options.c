/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/check_options.h"

#include "kdbg/supervise_environment.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help_text[] =
	"usage: kdbg check [OPTION]... -- CMD ARG...\n"
	"\n"
	"Run CMD and all it starts under libkma; fail if a process leaves "
	"leaked\n"
	"buffers or a damaged heap. A forked child is judged on what it "
	"allocated\n"
	"itself, an image replaced by exec for heap errors alone. CMD behaves "
	"as\n"
	"it would without kdbg; when all is well nothing is printed.\n"
	"\n"
	"      --children=all|none    check children too (default all)\n"
	"      --skip PATTERN         run these programs, do not check them\n"
	"      --allow-unchecked PATTERN\n"
	"                             programs that cannot be checked "
	"(static,\n"
	"                             set-user-ID, own malloc) and need not "
	"be\n"
	"      --strict-children      programs of the system run as children "
	"fail\n"
	"                             the check too\n"
	"      --timeout SEC          end what runs longer; what CMD leaves\n"
	"                             running is waited for ten seconds and "
	"named\n"
	"      --tier T               off, lite, audit or guard (default:\n"
	"                             KMA_DEBUG's, or audit)\n"
	"      --keep-going           do not stop at a misuse of the heap\n"
	"      --fail-on=possible     fail on buffers too that are referred to "
	"from\n"
	"                             inside only\n"
	"      --error-exitcode N     the status for findings (default 23)\n"
	"      --dump-dir DIR         keep dumps in DIR (with --keep: here)\n"
	"      --keep=always|findings|never\n"
	"                             which dumps (with --dump-dir: findings)\n"
	"      --log-file FILE        the report, with a summary even when all "
	"is\n"
	"                             well (default: stderr, findings only)\n"
	"      --quiet                no report, only the exit status\n"
	"      --jsonl FILE           findings and processes as JSON lines\n"
	"      --junit FILE           JUnit XML: a test case for each process\n"
	"      --sarif FILE           SARIF 2.1.0, for code scanning pages\n"
	"      --gitlab FILE          GitLab's code quality report\n"
	"      --valgrind-xml FILE    as valgrind --xml=yes writes it\n"
	"      --github               annotations on stderr, and a summary in\n"
	"                             $GITHUB_STEP_SUMMARY\n"
	"      --suppressions FILE    leaks that are known (LeakSanitizer's "
	"form,\n"
	"                             valgrind's, or ours; repeatable)\n"
	"      --gen-suppressions     print a suppression for each leak\n"
	"      --baseline FILE        fail only on leaks that are not in FILE, "
	"or\n"
	"                             have grown\n"
	"      --update-baseline      add the leaks of this run to FILE\n"
	"      --src-root DIR         tell places in the sources below DIR, "
	"by\n"
	"                             paths relative to it\n"
	"      --help                 this text\n"
	"      --version              the version\n"
	"\n"
	"In the name of a report %p is the pid of kdbg check.\n"
	"A PATTERN is compared with a program's path, or its last part when "
	"the\n"
	"pattern has no '/'; * and ? are wild.\n"
	"\n"
	"exit status: 23 for leaks or heap errors; else 3 when not all could "
	"be\n"
	"checked; else CMD's own (128 and the signal when killed, 127 not "
	"found,\n"
	"126 not executable); 2 for usage.\n"
	"\n"
	"example: kdbg check --dump-dir dumps -- make test\n";

enum option_code {
	OPTION_CHILDREN = 256,
	OPTION_SKIP,
	OPTION_ALLOW,
	OPTION_STRICT,
	OPTION_TIMEOUT,
	OPTION_TIER,
	OPTION_KEEP_GOING,
	OPTION_FAIL_ON,
	OPTION_EXITCODE,
	OPTION_DUMP_DIR,
	OPTION_KEEP,
	OPTION_QUIET,
	OPTION_GITHUB,
	OPTION_SUPPRESSIONS,
	OPTION_GENERATE,
	OPTION_SRC_ROOT,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_BASELINE,
	OPTION_UPDATE,
	OPTION_REPORT, /* the first of CHECK_REPORTS */
};

static const struct option options_table[] = {
	{ "children", required_argument, NULL, OPTION_CHILDREN },
	{ "skip", required_argument, NULL, OPTION_SKIP },
	{ "allow-unchecked", required_argument, NULL, OPTION_ALLOW },
	{ "strict-children", no_argument, NULL, OPTION_STRICT },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "tier", required_argument, NULL, OPTION_TIER },
	{ "keep-going", no_argument, NULL, OPTION_KEEP_GOING },
	{ "fail-on", required_argument, NULL, OPTION_FAIL_ON },
	{ "error-exitcode", required_argument, NULL, OPTION_EXITCODE },
	{ "dump-dir", required_argument, NULL, OPTION_DUMP_DIR },
	{ "keep", required_argument, NULL, OPTION_KEEP },
	{ "log-file", required_argument, NULL, OPTION_REPORT + REPORT_LOG },
	{ "quiet", no_argument, NULL, OPTION_QUIET },
	{ "jsonl", required_argument, NULL, OPTION_REPORT + REPORT_JSONL },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "suppressions", required_argument, NULL, OPTION_SUPPRESSIONS },
	{ "gen-suppressions", no_argument, NULL, OPTION_GENERATE },
	{ "baseline", required_argument, NULL, OPTION_BASELINE },
	{ "update-baseline", no_argument, NULL, OPTION_UPDATE },
	{ "junit", required_argument, NULL, OPTION_REPORT + REPORT_JUNIT },
	{ "sarif", required_argument, NULL, OPTION_REPORT + REPORT_SARIF },
	{ "valgrind-xml", required_argument, NULL,
	  OPTION_REPORT + REPORT_VALGRIND },
	{ "gitlab", required_argument, NULL, OPTION_REPORT + REPORT_GITLAB },
	{ "github", no_argument, NULL, OPTION_GITHUB },
	{ "src-root", required_argument, NULL, OPTION_SRC_ROOT },
	{ NULL, 0, NULL, 0 },
};

static bool refuse(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "kdbg check: --%s %s: %s\n", option, value, wanted);
	return false;
}

static bool parse_number(const char *text, unsigned long least,
			 unsigned long most, unsigned long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoul(text, &end, 10);
	return !errno && end != text && !*end && *text != '-' &&
	       *ret >= least && *ret <= most;
}

static bool parse_keep(const char *text, enum check_keep *ret)
{
	static const char *const names[] = {
		[KEEP_NEVER] = "never",
		[KEEP_FINDINGS] = "findings",
		[KEEP_ALWAYS] = "always",
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum check_keep)i;
			return true;
		}
	return refuse("keep", text, "is one of always, findings, never");
}

static bool parse_children(const char *text, struct check_options *ret)
{
	ret->no_children = strcmp(text, "none") == 0;
	return ret->no_children || strcmp(text, "all") == 0 ||
	       refuse("children", text, "is all or none");
}

static bool parse_fail_on(const char *text, struct check_options *ret)
{
	ret->possible_fails = strcmp(text, "possible") == 0;
	return ret->possible_fails || refuse("fail-on", text, "is possible");
}

static bool parse_timeout(const char *text, struct check_options *ret)
{
	unsigned long number;

	if (!parse_number(text, 1, INT_MAX, &number))
		return refuse("timeout", text, "is a number of seconds");
	ret->timeout = (unsigned)number;
	return true;
}

static bool parse_exitcode(const char *text, struct check_options *ret)
{
	unsigned long number;

	if (!parse_number(text, 0, 255, &number))
		return refuse("error-exitcode", text, "is 0 to 255");
	ret->findings_status = (int)number;
	return true;
}

static bool parse_tier(const char *text, struct check_options *ret)
{
	ret->tier = text;
	return supervise_is_tier(text) ||
	       refuse("tier", text,
		      "is one of off, lite, audit, default, guard");
}

/* Options that take any text, or none. */
static void set_option(int code, struct check_options *ret)
{
	if (code == OPTION_SKIP)
		ret->skip[ret->skip_count++] = optarg;
	else if (code == OPTION_ALLOW)
		ret->allow[ret->allow_count++] = optarg;
	else if (code == OPTION_SUPPRESSIONS)
		ret->suppressions[ret->suppression_count++] = optarg;
	else if (code == OPTION_BASELINE)
		ret->baseline = optarg;
	else if (code == OPTION_UPDATE)
		ret->update_baseline = true;
	else if (code == OPTION_GENERATE)
		ret->gen_suppressions = true;
	else if (code == OPTION_STRICT)
		ret->strict_children = true;
	else if (code == OPTION_KEEP_GOING)
		ret->keep_going = true;
	else if (code == OPTION_DUMP_DIR)
		ret->dump_dir = optarg;
	else if (code == OPTION_SRC_ROOT)
		ret->src_root = optarg;
	else if (code == OPTION_GITHUB)
		ret->github = true;
	else if (code == OPTION_QUIET)
		ret->quiet = true;
	else if (code >= OPTION_REPORT)
		ret->reports[code - OPTION_REPORT] = optarg;
}

/* False: a value that is none, --help. */
static bool parse_option(int code, struct check_options *ret, bool *keep_given,
			 int *status)
{
	switch (code) {
	case OPTION_HELP:
		*status = fputs(help_text, stdout) < 0;
		return false;
	case OPTION_VERSION:
		*status = puts("kdbg " KMA_VERSION) < 0;
		return false;
	case OPTION_CHILDREN:
		return parse_children(optarg, ret);
	case OPTION_TIMEOUT:
		return parse_timeout(optarg, ret);
	case OPTION_FAIL_ON:
		return parse_fail_on(optarg, ret);
	case OPTION_EXITCODE:
		return parse_exitcode(optarg, ret);
	case OPTION_TIER:
		return parse_tier(optarg, ret);
	case OPTION_KEEP:
		*keep_given = true;
		return parse_keep(optarg, &ret->keep);
	case '?':
		return false;
	default:
		set_option(code, ret);
		return true;
	}
}

static bool parse_all(int argc, char **argv, struct check_options *ret,
		      int *status)
{
	bool keep_given = false;
	int code;

	optind = 1;
	while ((code = getopt_long(argc, argv, "+", options_table, NULL)) != -1)
		if (!parse_option(code, ret, &keep_given, status))
			return false;
	if (ret->dump_dir && !keep_given)
		ret->keep = KEEP_FINDINGS;
	ret->argv = argv + optind;
	if (!ret->argv[0])
		fputs("kdbg check: no command; see kdbg check --help\n",
		      stderr);
	else if (ret->update_baseline && !ret->baseline)
		fputs("kdbg check: --update-baseline needs --baseline FILE\n",
		      stderr);
	else if (ret->keep != KEEP_NEVER && !ret->dump_dir)
		fputs("kdbg check: --keep needs --dump-dir\n", stderr);
	else
		return true;
	return false;
}

bool check_options_parse(int argc, char **argv, struct check_options *ret,
			 int *status)
{
	size_t patterns = (size_t)argc;

	*ret = (struct check_options){ .findings_status = CHECK_FINDINGS };
	*status = CHECK_USAGE;
	ret->skip = calloc(patterns, sizeof(*ret->skip));
	ret->allow = calloc(patterns, sizeof(*ret->allow));
	ret->suppressions = calloc(patterns, sizeof(*ret->suppressions));
	if (ret->skip && ret->allow && ret->suppressions &&
	    parse_all(argc, argv, ret, status))
		return true;
	check_options_deinit(ret);
	return false;
}

void check_options_deinit(struct check_options *options)
{
	free(options->skip);
	free(options->allow);
	free(options->suppressions);
}
