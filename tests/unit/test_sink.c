/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/sink.h"
#include "kdbg/sink_values.h"
#include "tests/test_util.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct column record_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "NAME", VALUE_TEXT, .width = 8 },
	{ "buf in use", VALUE_COUNT, .width = 6 },
	{ "%OVER", VALUE_REAL },
	{ "CACHE", VALUE_ADDRESS, .line = 1 },
	{ "MASK", VALUE_HEX, .line = 1 },
	{ "LEVEL", VALUE_SIGNED, .wide = true },
	{ "STACK", VALUE_LINES },
};

static const struct table record_table = { "default", record_columns, 8 };

static const struct column size_columns[] = { { "MEMORY", VALUE_SIZE } };
static const struct table size_table = { "size", size_columns, 1 };

static const struct column name_columns[] = { { "NAME", VALUE_TEXT } };
static const struct table name_table = { "name", name_columns, 1 };

static const struct column folded_columns[] = {
	{ "cache name", VALUE_TEXT, .width = 6 },
	{ "buf in use", VALUE_COUNT, .width = 3 },
	{ "slabs", VALUE_COUNT, .width = 3 },
};
static const struct table folded_table = { "folded", folded_columns, 3,
					   .folded = true };

struct capture {
	struct sink sink;
	char *text, *notes;
	size_t text_size, notes_size;
};

static void begin(struct capture *c, const struct sink_ops *ops)
{
	*c = (struct capture){ .sink = { .ops = ops } };
	c->sink.stream = open_memstream(&c->text, &c->text_size);
	c->sink.notes = open_memstream(&c->notes, &c->notes_size);
}

static void finish(struct capture *c)
{
	fclose(c->sink.stream);
	fclose(c->sink.notes);
}

static void discard(struct capture *c)
{
	free(c->text);
	free(c->notes);
}

static void emit_record(struct sink *sink)
{
	static const char *const lines[] = { "main+0x12", "_start", NULL };

	sink_table(sink, &record_table);
	SINK_ROW(sink, ADDRESS(0x7f0000001000), TEXT("small"), COUNT(7),
		 REAL(12.345), ADDRESS(0x1000), HEX(0x1f), SIGNED(-3),
		 LINES(lines));
	SINK_ROW(sink, ADDRESS(1), TEXT("much longer"), COUNT(12), REAL(0),
		 ABSENT(VALUE_ADDRESS), HEX(0), SIGNED(0), LINES(NULL));
}

static void text_has_a_header_and_aligned_records(void **state)
{
	(void)state;
	struct capture c;

	begin(&c, &text_sink_ops);
	emit_record(&c.sink);
	finish(&c);
	assert_string_equal(c.text,
			    "ADDR             NAME     buf in use   %OVER\n"
			    "                 CACHE                MASK\n"
			    "00007f0000001000 small             7   12.35\n"
			    "                 0000000000001000       1f\n"
			    "                 main+0x12\n"
			    "                 _start\n"
			    "0000000000000001 much longer      12    0.00\n"
			    "                 -                       0\n");
	discard(&c);
}

static void headings_fold_at_their_first_blank(void **state)
{
	(void)state;
	struct capture c;

	begin(&c, &text_sink_ops);
	sink_table(&c.sink, &folded_table);
	SINK_ROW(&c.sink, TEXT("a"), COUNT(1234567), COUNT(2));
	finish(&c);
	assert_string_equal(c.text, "cache     buf\n"
				    "name   in use slabs\n"
				    "a      1234567    2\n");
	discard(&c);
}

static void wide_columns_show_only_where_it_is_wide(void **state)
{
	(void)state;
	struct capture c;

	begin(&c, &text_sink_ops);
	c.sink.wide = true;
	emit_record(&c.sink);
	finish(&c);
	assert_non_null(strstr(c.text, "  %OVER    LEVEL\n"));
	assert_non_null(strstr(c.text, "  12.35       -3\n"));
	discard(&c);
}

static void json_is_one_object_a_line(void **state)
{
	(void)state;
	struct capture c;

	begin(&c, &json_sink_ops);
	emit_record(&c.sink);
	sink_note(&c.sink, "%d \"leaks\"", 2);
	sink_line(&c.sink, "for people");
	finish(&c);
	assert_string_equal(
		c.text,
		"{\"addr\": \"0x7f0000001000\", \"name\": \"small\", "
		"\"buf_in_use\": 7, \"pct_over\": 12.35, "
		"\"cache\": \"0x1000\", \"mask\": \"0x1f\", \"level\": -3, "
		"\"stack\": [\"main+0x12\", \"_start\"]}\n"
		"{\"addr\": \"0x1\", \"name\": \"much longer\", "
		"\"buf_in_use\": 12, \"pct_over\": 0.00, \"cache\": null, "
		"\"mask\": \"0x0\", \"level\": 0, \"stack\": []}\n");
	assert_string_equal(c.notes, "{\"note\": \"2 \\\"leaks\\\"\"}\n");
	discard(&c);
}

static void header_comes_once_for_a_run_of_rows(void **state)
{
	(void)state;
	struct capture c;

	begin(&c, &text_sink_ops);
	for (int i = 0; i < 2; i++) {
		sink_table(&c.sink, &name_table); /* no rows: no header */
		sink_table(&c.sink, &size_table);
		SINK_ROW(&c.sink, SIZE(10));
	}
	sink_table(&c.sink, &name_table);
	SINK_ROW(&c.sink, TEXT(NULL));
	sink_start(&c.sink);
	sink_table(&c.sink, &name_table);
	SINK_ROW_AS(&c.sink, "as itself", TEXT("x"));
	SINK_ROW_AS(&c.sink, "", TEXT("told elsewhere"));
	finish(&c);
	assert_string_equal(c.text, "    MEMORY\n        10\n        10\n"
				    "NAME\n-\nNAME\nas itself\n");
	discard(&c);
}

static void sizes_scale_in_text_only(void **state)
{
	(void)state;
	const struct {
		uint64_t size;
		unsigned scale;
		const char *line;
	} cases[] = {
		{ 1536, 0, "      1536\n" },
		{ 1535, 10, "        1K\n" },
		{ 1536, 10, "        2K\n" },
		{ UINT64_C(5) << 20, 20, "        5M\n" },
		{ UINT64_MAX, 30, "17179869184G\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct capture c;

		begin(&c, &text_sink_ops);
		sink_table(&c.sink, &size_table);
		c.sink.scale = cases[i].scale;
		SINK_ROW(&c.sink, SIZE(cases[i].size));
		finish(&c);
		assert_string_equal(strchr(c.text, '\n') + 1, cases[i].line);
		discard(&c);
	}
}

static void text_cannot_drive_the_terminal(void **state)
{
	(void)state;
	struct capture c;

	begin(&c, &text_sink_ops);
	sink_table(&c.sink, &name_table);
	SINK_ROW(&c.sink,
		 TEXT("\x1b[2J\x7f\n\xff \xc2\x9b gr\xc3\xbc\xc3\x9f"));
	sink_note(&c.sink, "a\rb");
	finish(&c);
	assert_string_equal(c.text, "NAME\n\\x1b[2J\\x7f\\x0a\\xff \\xc2\\x9b "
				    "gr\xc3\xbc\xc3\x9f\na\\x0db\n");
	discard(&c);
}

static void json_strings_are_valid_whatever_the_bytes(void **state)
{
	(void)state;
	const struct {
		const char *bytes, *json;
	} cases[] = {
		{ "", "\"\"" },
		{ "a\"\\\n", "\"a\\\"\\\\\\u000a\"" },
		{ "\xc3\xbc", "\"\xc3\xbc\"" },
		{ "\xc3", "\"\\u00c3\"" },                       /* cut */
		{ "\xc0\xaf", "\"\\u00c0\\u00af\"" },            /* overlong */
		{ "\xed\xa0\x80", "\"\\u00ed\\u00a0\\u0080\"" }, /* surrogate */
		{ "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" },
		{ "\xf5\x80\x80\x80", "\"\\u00f5\\u0080\\u0080\\u0080\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text;
		size_t size;
		FILE *stream = open_memstream(&text, &size);

		sink_json_string(stream, cases[i].bytes);
		fclose(stream);
		assert_string_equal(text, cases[i].json);
		free(text);
	}
}

static void json_keys_are_column_names(void **state)
{
	(void)state;
	const struct {
		const char *name, *key;
	} cases[] = {
		{ "buf in use", "buf_in_use" }, { "%OVER", "pct_over" },
		{ "% cap", "pct_cap" },         { "ADDR", "addr" },
		{ "over%", "over_pct" },        { "--T-minus--", "t_minus" },
		{ "END|SIZE", "end_size" },
	};
	char key[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sink_json_key(cases[i].name, key, sizeof(key));
		assert_string_equal(key, cases[i].key);
	}
	sink_json_key("buf in use", key, 6);
	assert_string_equal(key, "buf_i"); /* cut to fit */
}

static void not_a_number_is_null_in_json(void **state)
{
	(void)state;
	static const struct column columns[] = { { "X", VALUE_REAL } };
	static const struct table table = { "x", columns, 1 };
	struct capture c;

	begin(&c, &json_sink_ops);
	sink_table(&c.sink, &table);
	SINK_ROW(&c.sink, REAL(NAN));
	finish(&c);
	assert_string_equal(c.text, "{\"x\": null}\n");
	discard(&c);
}

struct values {
	uint64_t values[4];
	size_t count, wanted;
};

static bool keep(void *context, uint64_t value)
{
	struct values *values = context;

	values->values[values->count++] = value;
	return values->count < values->wanted;
}

static void pipe_carries_the_first_address_of_each_row(void **state)
{
	(void)state;
	struct values values = { .wanted = 2 };
	struct value_receiver receiver = { &values, keep, NULL };
	struct sink sink;

	values_sink_init(&sink, &receiver);
	sink_table(&sink, &size_table);
	SINK_ROW(&sink, SIZE(1)); /* none there */
	emit_record(&sink);
	assert_int_equal(values.count, 2);
	assert_int_equal(values.values[0], 0x7f0000001000);
	assert_int_equal(values.values[1], 1);
	assert_true(sink.failed); /* the receiver had enough */
	emit_record(&sink);
	assert_int_equal(values.count, 2);
}

static void broken_stream_is_remembered(void **state)
{
	(void)state;
	struct sink sink = { .ops = &text_sink_ops,
			     .stream = fopen("/dev/full", "w") };

	assert_non_null(sink.stream);
	setbuf(sink.stream, NULL);
	sink_table(&sink, &size_table);
	SINK_ROW(&sink, SIZE(1));
	assert_true(sink.failed);
	assert_int_equal(sink.error, 28 /* ENOSPC */);
	fclose(sink.stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_has_a_header_and_aligned_records),
		cmocka_unit_test(headings_fold_at_their_first_blank),
		cmocka_unit_test(wide_columns_show_only_where_it_is_wide),
		cmocka_unit_test(json_is_one_object_a_line),
		cmocka_unit_test(header_comes_once_for_a_run_of_rows),
		cmocka_unit_test(sizes_scale_in_text_only),
		cmocka_unit_test(text_cannot_drive_the_terminal),
		cmocka_unit_test(json_strings_are_valid_whatever_the_bytes),
		cmocka_unit_test(json_keys_are_column_names),
		cmocka_unit_test(not_a_number_is_null_in_json),
		cmocka_unit_test(pipe_carries_the_first_address_of_each_row),
		cmocka_unit_test(broken_stream_is_remembered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
