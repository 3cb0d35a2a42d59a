/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Statements, words, pipelines and options, seen through commands that say
 * what they were given. */
#include "tests/test_util.h"
#include "tests/unit/session_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ::show tells how it was called. */
struct show_options {
	bool detail, verbose;
	uint64_t caller, number;
	const char *name;
};

#define FIELD(f) offsetof(struct show_options, f)

static const struct option show_options[] = {
	{ 'd', NULL, OPTION_FLAG, FIELD(detail), NULL, "detail" },
	{ 'v', "verbose", OPTION_FLAG, FIELD(verbose), NULL, "verbose" },
	{ 'c', "caller", OPTION_SYMBOL, FIELD(caller), "caller", "caller" },
	{ 'n', NULL, OPTION_NUMBER, FIELD(number), "count", "count" },
	{ 0, "name", OPTION_TEXT, FIELD(name), "name", "name" },
};

static const struct column show_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "TEXT", VALUE_TEXT },
};
static const struct table show_tables[] = {
	{ "default", show_columns, 2, .no_header = true },
};

enum { LINE_SIZE = 256 };

static PRINTF_LIKE(2, 3) void append(char *line, const char *fmt, ...)
{
	size_t used = strlen(line);
	va_list args;

	va_start(args, fmt);
	vsnprintf(line + used, LINE_SIZE - used, fmt, args);
	va_end(args);
}

static struct err *show_run(const struct dcmd_call *call, struct sink *out)
{
	const struct show_options *o = call->options;
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), "%s%s", o->detail ? "d" : "",
		 o->verbose ? "v" : "");
	if (call->has_address)
		append(line, "@%lx", call->address);
	if (call->has_count)
		append(line, ",%lx#%lx", call->count, call->index);
	if (o->caller || o->number)
		append(line, " c=%lx n=%lx", o->caller, o->number);
	if (o->name)
		append(line, "%s", o->name);
	for (int i = 0; i < call->argc; i++)
		append(line, "[%s]", call->argv[i]);
	SINK_ROW_AS(out, line, ADDRESS(call->address), TEXT(line));
	return NULL;
}

static const char *const show_aliases[] = { "sh", "$c", NULL };

static const struct dcmd show = {
	.name = "show",
	.aliases = show_aliases,
	.arguments = "[word ...]",
	.address_use = ADDRESS_OPTIONAL,
	.options = show_options,
	.option_count = 5,
	.options_size = sizeof(struct show_options),
	.tables = show_tables,
	.table_count = 1,
	.run = show_run,
};

static struct err *need_run(const struct dcmd_call *call, struct sink *out)
{
	if (call->address == 3)
		return err_new(ERR_CORRUPT, "three is damaged");
	SINK_ROW_AS(out, "fine", ADDRESS(call->address), TEXT("fine"));
	return NULL;
}

static const struct dcmd need = {
	.name = "need",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "buffer",
	.tables = show_tables,
	.table_count = 1,
	.run = need_run,
};

/* ::count N yields 1 to N, and tells how far it got. */
static struct err *count_run(const struct dcmd_call *call, struct sink *out)
{
	uint64_t last = 0, i = 0;
	struct err *err = session_evaluate(call->session, call->argv[0], &last);

	for (i = 1; !err && i <= last && !out->failed; i++)
		SINK_ROW(out, ADDRESS(i), TEXT("count"));
	sink_note(out, "counted to %lu", i - 1);
	return err;
}

static const struct dcmd count = {
	.name = "count",
	.arguments = "last",
	.tables = show_tables,
	.table_count = 1,
	.run = count_run,
};

/* ::first lets two values through. */
static struct err *first_run(const struct dcmd_call *call, struct sink *out)
{
	SINK_ROW(out, ADDRESS(call->address), TEXT("first"));
	*call->enough = call->index == 1;
	return NULL;
}

static const struct dcmd first = {
	.name = "first",
	.address_use = ADDRESS_REQUIRED,
	.tables = show_tables,
	.table_count = 1,
	.run = first_run,
};

static struct err *list_run(const struct dcmd_call *call, struct sink *out)
{
	for (size_t i = call->list_count; i-- > 0;)
		SINK_ROW(out, ADDRESS(call->list[i]), TEXT("listed"));
	return NULL;
}

static const struct dcmd list = {
	.name = "list",
	.address_use = ADDRESS_REQUIRED,
	.tables = show_tables,
	.table_count = 1,
	.takes_list = true,
	.run = list_run,
};

static const struct column total_columns[] = { { "TOTAL", VALUE_COUNT } };
static const struct table total_tables[] = { { "default", total_columns, 1 } };

static struct err *total_run(const struct dcmd_call *call, struct sink *out)
{
	SINK_ROW(out, COUNT(call->count));
	return NULL;
}

static const struct dcmd total = {
	.name = "total",
	.tables = total_tables,
	.table_count = 1,
	.takes_count = true,
	.run = total_run,
};

static struct err *eval_run(const struct dcmd_call *call, struct sink *out)
{
	return session_eval(call->session, call->argv[0], out);
}

static const struct dcmd eval = {
	.name = "eval",
	.arguments = "commands",
	.address_use = ADDRESS_OPTIONAL,
	.run = eval_run,
};

static struct err *again_run(const struct dcmd_call *call, struct sink *out)
{
	return session_eval(call->session, "::again", out);
}

static const struct dcmd again = { .name = "again", .run = again_run };

static struct err *map_run(const struct dcmd_call *call, struct sink *out)
{
	uint64_t value = 0;
	struct err *err = session_map(call->session, call->argv[0],
				      call->address, &value);

	SINK_ROW(out, ADDRESS(value), TEXT("mapped"));
	return err;
}

static const struct dcmd map = {
	.name = "map",
	.arguments = "expression",
	.address_use = ADDRESS_REQUIRED,
	.tables = show_tables,
	.table_count = 1,
	.run = map_run,
};

static const struct dcmd *const dcmds[] = { &show,  &need,  &count, &first,
					    &list,  &total, &eval,  &map,
					    &again, NULL };
static const struct walker *const walkers[] = { NULL };

static struct fixture fixture;

static int setup(void **state)
{
	(void)state;
	fixture_init(&fixture, dcmds, walkers);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_deinit(&fixture);
	return 0;
}

struct prints_case {
	const char *text, *output;
};

static void assert_all_print(const struct prints_case *cases, size_t number)
{
	for (size_t i = 0; i < number; i++) {
		print_message("%s\n", cases[i].text);
		assert_prints(&fixture, cases[i].text, cases[i].output);
	}
}

static void assert_all_complain(const struct prints_case *cases, size_t number)
{
	for (size_t i = 0; i < number; i++) {
		print_message("%s\n", cases[i].text);
		assert_complains(&fixture, cases[i].text, cases[i].output);
	}
}

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void words_are_quoted_and_computed(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "::show a  b\tc", "[a][b][c]\n" },
		{ "::show 'a b' \"c\\td\"", "[a b][c\td]\n" },
		{ "::show 'a\\n'", "[a\\n]\n" },
		{ "::show \"\\x41\\102\\\"\"", "[AB\"]\n" },
		{ "::show a'b c'd\"e\"", "[ab cde]\n" },
		{ "::show ''", "[]\n" },
		{ "::show a=b a>b a/b a?b x:y $z <w",
		  "[a=b][a>b][a/b][a?b][x:y]"
		  "[$z][<w]\n" },
		{ "::show $[1+2] x$[8*2]y", "[0x3][x0x10y]\n" },
		{ "::show $[(3<4)|8]", "[0x9]\n" },
		{ "::show $[3<4]", "[0x1]\n" },
		{ "::show a//b // c | d", "[a//b]\n" },
		{ "::show 'a;b|c!d'", "[a;b|c!d]\n" },
		{ "::show -- -d", "[-d]\n" },
	};

	assert_all_print(cases, COUNT_OF(cases));
}

static void statements_are_separated(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "", "" },
		{ "  ;; \n ; // nothing\n", "" },
		{ "::show a;::show b", "[a]\n[b]\n" },
		{ "::show a\n::show b // c\n::show d", "[a]\n[b]\n[d]\n" },
		{ "::mod`show a", "[a]\n" },
		{ "$c a", "[a]\n" },
		{ "::sh x", "[x]\n" },
	};

	assert_all_print(cases, COUNT_OF(cases));
}

static void addresses_and_counts(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "10::show", "@10\n" },
		{ "10+8::show", "@18\n" },
		{ "10 ::show", "@10\n" },
		{ "10,3::show", "@10,3#0\n@10,3#1\n@10,3#2\n" },
		{ "10,0::show", "" },
		{ ",2::show", ",2#0\n,2#1\n" },
		{ ",5::total", "   TOTAL\n       5\n" },
		{ "5;.::show", "@5\n" }, /* a value alone sets dot */
		{ "5::show;.+1::show", "@5\n@6\n" }, /* so does an address */
		{ "5::show;&+2::show", "@5\n@7\n" },
		{ "5>x;<x+1::show", "@6\n" },
		{ "12345678>/c/x;<x::show", "@78\n" },
		{ "1234>/2/y;<y::show", "@1234\n" },
	};

	assert_all_print(cases, COUNT_OF(cases));
}

static void pipelines_stream_values(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "::count 2 | ::show", "@1\n@2\ncounted to 2\n" },
		{ "::count 2|::show -d x", "d@1[x]\nd@2[x]\ncounted to 2\n" },
		{ "::count 2 | ::show $[.*10]",
		  "@1[0x10]\n@2[0x20]\ncounted to 2\n" },
		/* the producer stops when there is enough */
		{ "::count ffffffffffff | ::first | ::show", "@1\n@2\n" },
		/* lists run at the end of what comes before them */
		{ "::count 3 | ::list | ::show", "counted to 3\n@3\n@2\n@1\n" },
		{ "::count 0 | ::list | ::show", "counted to 0\n" },
		{ "5 | ::show", "@5\n" },
		{ "5|::show", "@5\n" },
		{ "1|2=K", "3\n" },
		{ "::count 2 | .+10 | ::show", "@11\n@12\ncounted to 2\n" },
		{ "::count 2 | =K", "1\n2\ncounted to 2\n" },
		{ "::count 2 | .+f", "0000000000000010\n0000000000000011\n"
				     "counted to 2\n" },
		{ "7::show; ::count 3 | ::first | ::show; .::show",
		  "@7\n@1\n@2\n@7\n" },
		{ "::count 3 | >last | ::show; <last::show",
		  "counted to 3\n@3\n" },
	};

	assert_all_print(cases, COUNT_OF(cases));
}

static void failures_do_not_stop_the_next(void **state)
{
	(void)state;
	fixture_run(&fixture, "::count 5 | ::need; ::show after");
	assert_string_equal(fixture.text, "fine\nfine\n[after]\n");
	assert_string_equal(fixture.errors, "kdbg: ::need: three is damaged\n");
	assert_int_equal(fixture.session.status, 1);

	/* a mistake in the syntax gives up its line */
	fixture_run(&fixture, "::show a; 1+; ::show b\n::show c");
	assert_string_equal(fixture.text, "[a]\n[c]\n");
	assert_string_equal(fixture.errors,
			    "kdbg: a value is missing at the end\n");
	assert_int_equal(fixture.session.status, 1);
}

static void mistakes_are_told(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "::shwo", "kdbg: unknown command ::shwo (did you mean "
			    "::show?)\n" },
		{ "::xylophone", "kdbg: unknown command ::xylophone\n" },
		{ "$Z", "kdbg: unknown command $Z\n" },
		{ ":y", "kdbg: unknown command :y\n" },
		{ ":z", "kdbg: :z: kdbg looks at programs and does not run "
			"them: gdb -p PID does\n" },
		{ "::need", "kdbg: ::need: needs the address of a buffer "
			    "before ::\nusage: buffer::need\n" },
		{ "::need x",
		  "kdbg: ::need: needs the address of a buffer before ::, as "
		  "in x::need\nusage: buffer::need\n" },
		{ "1::need x", "kdbg: ::need: takes no argument 'x'\n"
			       "usage: buffer::need\n" },
		{ "1::total", "kdbg: ::total: takes no address\n"
			      "usage: ::total\n" },
		{ "::total | ::show",
		  "kdbg: ::total has no address to pass on\n" },
		{ "| ::show",
		  "kdbg: unexpected '|' where a command should be\n" },
		{ "::count 1 |", "kdbg: a command is missing at the end\n" },
		{ "1 2", "kdbg: unexpected '2' where a command should be\n" },
		{ "1 > 2 3", "kdbg: unexpected '3' where the end of the "
			     "command should be\n" },
		{ "1<2", "kdbg: unexpected '<': comparisons go in "
			 "parentheses\n" },
		{ "::show 'a", "kdbg: a quote has no end\n" },
		{ "::show $[1", "kdbg: ']' is missing at the end\n" },
		{ "1>", "kdbg: a variable's name is missing\n" },
		{ "1\\X", "kdbg: '\\' reads physical memory, which no target "
			  "has\n" },
		{ "1/2", "kdbg: a format letter is missing after the count\n" },
		{ "1=k", "kdbg: unknown format letter 'k'\n" },
		{ "1=12345678X", "kdbg: the count is too large\n" },
		{ "::eval '::eval 1+'",
		  "kdbg: ::eval: '::eval 1+': ::eval: '1+': a value is "
		  "missing at the end\nusage: [address]::eval commands\n" },
	};

	assert_all_complain(cases, COUNT_OF(cases));
}

static void options_come_from_the_table(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "::show -dv", "dv\n" },
		{ "::show -d -v x", "dv[x]\n" },
		{ "::show --verbose", "v\n" },
		{ "::show -c 10 -n5", " c=10 n=5\n" },
		{ "::show -dvc 8+8", "dv c=10 n=0\n" },
		{ "::show --caller=20 --name=bob", " c=20 n=0bob\n" },
		{ "::show --caller 20 --name bob x", " c=20 n=0bob[x]\n" },
		{ "::show -c <rax", " c=a n=0\n" },
		{ "::show x -d", "[x][-d]\n" }, /* options come first */
		{ "::show -", "[-]\n" },
		{ "::show -d -- -v", "d[-v]\n" },
		{ "5::show -n .", "@5 c=0 n=5\n" },
	};
	static const struct prints_case mistakes[] = {
		{ "::show -z", "::show: unknown option -z" },
		{ "::show -dz", "::show: unknown option -z" },
		{ "::show --zz=1", "::show: unknown option --zz" },
		{ "::show -c", "::show: option -c needs a caller" },
		{ "::show --caller", "::show: option --caller needs a caller" },
		{ "::show --verbose=1",
		  "::show: option --verbose takes no value" },
		{ "::show -n 1+", "::show: option -n: count '1+': a value is "
				  "missing at the end" },
	};

	assert_all_print(cases, COUNT_OF(cases));
	for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
		char wanted[400];

		snprintf(wanted, sizeof(wanted),
			 "kdbg: %s\nusage: [address]::show [-dv] [-c caller] "
			 "[-n count] [--name name] [word ...]\n",
			 mistakes[i].output);
		print_message("%s\n", mistakes[i].text);
		assert_complains(&fixture, mistakes[i].text, wanted);
	}
}

static void nested_commands_share_the_sink(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "::eval '::show a; ::show b'", "[a]\n[b]\n" },
		{ "::eval '::count 2 | ::show'", "@1\n@2\ncounted to 2\n" },
		{ "::count 2 | ::eval '.::show'", "@1\n@2\ncounted to 2\n" },
		{ "::count 2 | ::map .*10 | ::show",
		  "@10\n@20\ncounted to 2\n" },
		{ "::count 2 | ::map '. | ::first | .+1' | ::show",
		  "@2\n@3\ncounted to 2\n" },
	};

	assert_all_print(cases, COUNT_OF(cases));
}

static void endless_nesting_ends(void **state)
{
	(void)state;
	fixture_run(&fixture, "::again");
	assert_int_equal(fixture.session.status, 1);
	assert_non_null(
		strstr(fixture.errors, "commands are nested too deeply"));
	assert_int_equal(fixture.session.depth, 0);
}

static void endless_pipelines_are_refused(void **state)
{
	(void)state;
	enum { STAGES = 10000 };
	static const char stage[] = "|::sh";
	char *text = calloc(STAGES, sizeof(stage));

	assert_non_null(text);
	strcpy(text, "1");
	for (size_t i = 0; i < STAGES; i++)
		memcpy(text + 1 + i * (sizeof(stage) - 1), stage,
		       sizeof(stage));
	assert_complains(&fixture, text,
			 "kdbg: a pipeline has at most 100 commands\n");
	free(text);
}

static void shell_takes_the_rows(void **state)
{
	(void)state;
	char path[] = "/tmp/kdbg-test-XXXXXX";
	int fd = mkstemp(path);
	char text[200], line[100] = "";

	assert_true(fd >= 0);
	snprintf(text, sizeof(text), "::count 3 ! grep -c '^0' > %s; ::show a",
		 path);
	fixture_run(&fixture, text);
	assert_string_equal(fixture.text, "[a]\n");
	FILE *stream = fdopen(fd, "r");
	assert_non_null(fgets(line, sizeof(line), stream));
	assert_string_equal(line, "3\n");
	fclose(stream);
	remove(path);

	/* a reader that goes away early is no failure */
	fixture_run(&fixture, "::count 0t100000 ! head -1 >/dev/null");
	assert_string_equal(fixture.errors, "");
	assert_int_equal(fixture.session.status, 0);
	fixture_run(&fixture, "! exit 3");
	assert_int_equal(fixture.session.status, 1);
}

static void interrupt_stops_the_line(void **state)
{
	(void)state;
	fixture.session.interrupted = 1;
	fixture_run(&fixture, "::count 3; ::show");
	assert_string_equal(fixture.text, "");
	fixture.session.interrupted = 0;
}

static void value_alone_repeats_at_the_prompt(void **state)
{
	(void)state;
	fixture.session.interactive = true;
	assert_all_print(
		(struct prints_case[]){
			{ "5", "" }, /* nothing to repeat */
			{ ".::show -d", "d@5\n" },
			{ "7", "d@7\n" },
			{ "8,2", "d@8,2#0\nd@8,2#1\n" },
			{ "::count 2 | ::show", "@1\n@2\ncounted to 2\n" },
			{ "10=K", "10\n" },
			{ "20", "20\n" },
			{ ".=K", "20\n" },
		},
		8);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(words_are_quoted_and_computed,
						setup, teardown),
		cmocka_unit_test_setup_teardown(statements_are_separated, setup,
						teardown),
		cmocka_unit_test_setup_teardown(addresses_and_counts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(pipelines_stream_values, setup,
						teardown),
		cmocka_unit_test_setup_teardown(failures_do_not_stop_the_next,
						setup, teardown),
		cmocka_unit_test_setup_teardown(mistakes_are_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(options_come_from_the_table,
						setup, teardown),
		cmocka_unit_test_setup_teardown(nested_commands_share_the_sink,
						setup, teardown),
		cmocka_unit_test_setup_teardown(endless_nesting_ends, setup,
						teardown),
		cmocka_unit_test_setup_teardown(endless_pipelines_are_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(shell_takes_the_rows, setup,
						teardown),
		cmocka_unit_test_setup_teardown(interrupt_stops_the_line, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			value_alone_repeats_at_the_prompt, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
