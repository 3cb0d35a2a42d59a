/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::gcore - save the target as a core or a dump. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/target_save.h"
#include "kdbg/target_source.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct gcore_options {
	const char *prefix, *content;
};

static const struct option gcore_options[] = {
	{ 'c', NULL, OPTION_TEXT, offsetof(struct gcore_options, content),
	  "content",
	  "core (as without), or a dump of a level: full, heap, meta" },
	{ 'o', NULL, OPTION_TEXT, offsetof(struct gcore_options, prefix),
	  "prefix", "the file is prefix.PID; core.PID without" },
};

static const struct column gcore_columns[] = {
	{ "KIND", VALUE_TEXT, .width = 8 },
	{ "SIZE", VALUE_SIZE },
	{ "FILE", VALUE_TEXT },
};

static const struct table gcore_tables[] = { { "default", gcore_columns, 3 } };

static struct err *save(const struct session *session, const char *content,
			const char *path, struct sink *out)
{
	struct target *target = session->target;
	const struct dump_write_options plain = { 0 };
	struct core_written written = { 0 };
	enum dump_level level;

	if (content && target_source_level(content, &level))
		return target_save_dump(target, path, level, false, &plain,
					&session->interrupted);
	if (content && strcmp(content, "core") != 0)
		return err_new(ERR_USAGE, "-c wants core, full, heap or meta");
	struct err *err =
		target_save_core(target, path, &session->interrupted, &written);
	if (!err && written.unreadable)
		sink_note(out, "%llu bytes are damaged and left out",
			  (unsigned long long)written.unreadable);
	return err;
}

static struct err *gcore_run(const struct dcmd_call *call, struct sink *out)
{
	const struct gcore_options *options = call->options;
	struct target *target = call->session->target;
	char path[DUMP_PATH_MAX];
	struct stat file = { 0 };

	if (!target)
		return err_new(ERR_NOT_FOUND, "no target is open");
	int length = snprintf(path, sizeof(path), "%s.%u",
			      options->prefix ? options->prefix : "core",
			      target->process ? target->process->pid : 0);
	if (length < 0 || (size_t)length >= sizeof(path))
		return err_new(ERR_USAGE, "-o: the name is too long");
	struct err *err = save(call->session, options->content, path, out);
	if (err)
		return err;
	if (stat(path, &file) != 0)
		return err_new(ERR_IO, "%s is gone", path);
	SINK_ROW(out, TEXT(options->content ? options->content : "core"),
		 SIZE((uint64_t)file.st_blocks * 512), TEXT(path));
	return NULL;
}

const struct dcmd dcmd_gcore = {
	.name = "gcore",
	.summary = "save the target as an ELF core or a dump",
	.help = "Of a living process, as it stands now, or of a dump or core "
		"that is looked at. gdb opens an ELF core. A dump of level "
		"heap has libkma's memory, stacks and data, one of level meta "
		"no byte of the program's own. SIZE is what the file takes on "
		"disk.",
	.example = "::gcore -c meta -o ticket",
	.options = gcore_options,
	.option_count = sizeof(gcore_options) / sizeof(gcore_options[0]),
	.options_size = sizeof(struct gcore_options),
	.tables = gcore_tables,
	.table_count = 1,
	.run = gcore_run,
};
