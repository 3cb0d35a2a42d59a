/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every byte of a dump is read and its checksums compared, so that an upload
 * can be trusted before anybody looks at it. A core has no checksums: all that
 * can be said of it is whether everything is there.
 */
#include "kdbg/info.h"

#include "dumpfmt/reader.h"
#include "kdbg/exit_status.h"
#include "kdbg/sink.h"
#include "kdbg/target.h"
#include "kdbg/utf8.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char help_text[] =
	"usage: kdbg info [-j] FILE\n"
	"\n"
	"What a dump or core is made of. Every block of a dump is read and "
	"its\n"
	"checksum compared. Exit status 1: something is damaged or missing.\n"
	"\n"
	"  -j      rows as JSON, one object a line\n"
	"  --help\n"
	"\n"
	"example: kdbg info server.kdump\n";

enum { TEXT_SIZE = 1024, NS_PER_S = 1000000000 };

static const struct column fact_columns[] = {
	{ "FIELD", VALUE_TEXT, .width = 12 },
	{ "VALUE", VALUE_TEXT },
};

static const struct table fact_table = { "facts", fact_columns, 2,
					 .no_header = true };

static const struct column part_columns[] = {
	{ "PART", VALUE_TEXT, .width = 20 },
	{ "COUNT", VALUE_COUNT },
	{ "BYTES", VALUE_SIZE, .width = 14 },
	{ "STORED", VALUE_SIZE, .width = 14 },
	{ "DAMAGED", VALUE_COUNT },
};

static const struct table part_table = { "parts", part_columns, 5 };

struct part {
	const char *name;
	uint64_t count, bytes, stored, damaged;
};

static void show_part(struct sink *out, const struct part *part)
{
	SINK_ROW(out, TEXT(part->name), COUNT(part->count), SIZE(part->bytes),
		 SIZE(part->stored), COUNT(part->damaged));
}

static void fact(struct sink *out, const char *field, const char *value)
{
	char line[TEXT_SIZE];

	if (!value || !*value)
		return;
	snprintf(line, sizeof(line), "%-12s %s", field, value);
	SINK_ROW_AS(out, line, TEXT(field), TEXT(value));
}

static void fact_number(struct sink *out, const char *field, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	fact(out, field, text);
}

static void fact_time(struct sink *out, const char *field, uint64_t ns)
{
	time_t seconds = (time_t)(ns / NS_PER_S);
	struct tm tm;
	char text[64];

	if (ns && gmtime_r(&seconds, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		fact(out, field, text);
}

static const char *level_name(uint32_t level)
{
	static const char *const names[] = {
		[DUMP_FULL] = "full",
		[DUMP_HEAP] = "heap",
		[DUMP_META] = "meta",
	};

	return level < sizeof(names) / sizeof(names[0]) ? names[level]
							: "unknown";
}

static const char *reason_name(uint32_t reason)
{
	static const char *const names[] = {
		[DUMP_REASON_EXIT] = "exit",
		[DUMP_REASON_SIGNAL] = "signal",
		[DUMP_REASON_ERROR] = "misuse of the heap",
		[DUMP_REASON_REQUEST] = "request",
		[DUMP_REASON_SNAPSHOT] = "snapshot",
	};

	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : NULL;
}

static void show_facts(const struct target *target, bool is_dump,
		       struct sink *out)
{
	const struct dump_process *process = target->process;
	struct stat st;

	sink_table(out, &fact_table);
	fact(out, "file", target->path);
	fact(out, "kind", is_dump ? "kdbg dump, version 1" : "ELF core");
	if (stat(target->path, &st) == 0)
		fact_number(out, "size", (uint64_t)st.st_size);
	if (is_dump)
		fact(out, "level", level_name(process->level));
	fact(out, "reason", reason_name(process->reason));
	fact(out, "written by", process->writer);
	fact_time(out, "written", process->dump_realtime_ns);
	fact(out, "program", process->executable);
	fact_number(out, "process", process->pid);
	fact_number(out, "threads", target->thread_count);
	fact_number(out, "mappings", target->map_count);
	fact_number(out, "modules", target->module_count);
	fact_number(out, "allocators", target->root_count);
}

static uint64_t show_sections(const struct dump *dump, struct sink *out)
{
	struct dump_section section;
	uint64_t damaged = 0;

	for (uint32_t kind = 0; dump_section_get(dump, kind, &section);
	     kind++) {
		const struct part part = {
			.name = section.name,
			.count = section.parts,
			.bytes = section.size,
			.stored = section.size,
			.damaged = section.bad_parts,
		};

		if (section.parts)
			show_part(out, &part);
		damaged += section.bad_parts;
	}
	return damaged;
}

static uint64_t show_blocks(struct dump *dump, struct sink *out)
{
	struct part parts[DUMP_CODEC_COUNT] = {
		[DUMP_CODEC_ZERO] = { "blocks, zero" },
		[DUMP_CODEC_STORED] = { "blocks, stored" },
		[DUMP_CODEC_ZLIB] = { "blocks, zlib" },
		[DUMP_CODEC_ZSTD] = { "blocks, zstd" },
	};
	uint64_t damaged = 0;
	char text[TEXT_SIZE];

	for (size_t i = 0; i < dump_block_count(dump); i++) {
		struct dump_page_entry entry;
		struct err *err = dump_block_check(dump, i);

		dump_block_get(dump, i, &entry);
		struct part *part = &parts[entry.codec];
		part->count++;
		part->bytes += entry.size;
		part->stored += entry.stored_size;
		if (!err)
			continue;
		part->damaged++;
		err_describe(err, text, sizeof(text));
		err_free(err);
		sink_note(out, "%s", text);
	}
	for (size_t i = 0; i < DUMP_CODEC_COUNT; i++) {
		if (parts[i].count)
			show_part(out, &parts[i]);
		damaged += parts[i].damaged;
	}
	return damaged;
}

static struct err *show_dump(const char *path, struct sink *out,
			     uint64_t *damaged)
{
	struct dump *dump;
	struct err *err = dump_open(path, &dump);

	if (err)
		return err;
	sink_table(out, &part_table);
	*damaged = show_sections(dump, out) + show_blocks(dump, out);
	dump_close(dump);
	return NULL;
}

static void show_core(const struct target *target, struct sink *out)
{
	struct part part = { .name = "segments",
			     .count = target->extent_count };

	for (size_t i = 0; i < target->extent_count; i++)
		part.bytes += target->extents[i].end - target->extents[i].start;
	part.stored = part.bytes;
	sink_table(out, &part_table);
	show_part(out, &part);
}

static struct err *show(const char *path, struct sink *out, bool *damaged)
{
	struct target *target;
	uint64_t bad = 0;
	struct err *err = target_open(path, NULL, &target);

	if (err)
		return err;
	bool is_dump = strcmp(target->ops->kind, "dump") == 0;
	show_facts(target, is_dump, out);
	if (is_dump)
		err = show_dump(path, out, &bad);
	else
		show_core(target, out);
	for (size_t i = 0; i < target->warning_count; i++)
		sink_note(out, "%s", target->warnings[i]);
	*damaged = bad || target->warning_count;
	if (!err)
		sink_line(out, "%s",
			  *damaged ? "damaged or not complete" : "whole");
	target_close(target);
	return err;
}

static int usage(FILE *stream, int status)
{
	fputs(help_text, stream);
	return status;
}

int info_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct sink out = { .ops = &text_sink_ops,
			    .stream = stdout,
			    .notes = stderr };
	bool damaged = false;
	char text[TEXT_SIZE];
	int code;

	optind = 1;
	while ((code = getopt_long(argc, argv, "jh", options, NULL)) != -1)
		if (code == 'j')
			out.ops = &json_sink_ops;
		else
			return code == 'h' ? usage(stdout, STATUS_FINE)
					   : usage(stderr, STATUS_USAGE);
	if (optind + 1 != argc)
		return usage(stderr, STATUS_USAGE);
	struct err *err = show(argv[optind], &out, &damaged);
	sink_flush(&out);
	if (!err)
		return damaged || out.failed ? STATUS_FAILED : STATUS_FINE;
	err_describe(err, text, sizeof(text));
	err_free(err);
	fputs("kdbg info: ", stderr);
	utf8_put(stderr, text);
	fputc('\n', stderr);
	return STATUS_FAILED;
}
