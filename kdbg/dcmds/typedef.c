/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::typedef - types of one's own, in C. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/types_declare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_SIZE_MAX = 64 << 20 };

struct typedef_options {
	bool forget, list;
	const char *file, *model, *written;
};

static const struct option typedef_options[] = {
	{ 'c', "model", OPTION_TEXT, offsetof(struct typedef_options, model),
	  "model", "the data model of C's own types: lp64, as there is one" },
	{ 'd', "forget", OPTION_FLAG, offsetof(struct typedef_options, forget),
	  NULL, "forget all types that were declared" },
	{ 'l', "list", OPTION_FLAG, offsetof(struct typedef_options, list),
	  NULL, "list the types that were declared" },
	{ 'r', "read", OPTION_TEXT, offsetof(struct typedef_options, file),
	  "file", "declare what a C header declares" },
	{ 'w', "write", OPTION_TEXT, offsetof(struct typedef_options, written),
	  "file", "write what was declared, for -r of another session" },
};

static const struct column typedef_columns[] = {
	{ "NAME", VALUE_TEXT },
	{ "SIZE", VALUE_SIZE },
	{ "TYPE", VALUE_TEXT },
};

static const struct table typedef_tables[] = {
	{ "-l", typedef_columns, 3, false },
};

static void list_one(void *context, const char *name, struct type *type)
{
	struct sink *out = context;
	char text[512];
	uint64_t size;
	bool sized = type_size(type, &size);

	type_format(type->kind == TYPE_TYPEDEF ? type_target(type) : type, text,
		    sizeof(text));
	SINK_ROW(out, TEXT(name), sized ? SIZE(size) : ABSENT(VALUE_SIZE),
		 TEXT(text));
}

static struct err *read_stream(int fd, const char *path, char **ret)
{
	struct stat status;
	FILE *stream;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return err_new(ERR_IO, "%s is no file", path);
	if (status.st_size > FILE_SIZE_MAX)
		return err_new(ERR_UNSUPPORTED, "%s has more than %d bytes",
			       path, FILE_SIZE_MAX);
	size_t size = (size_t)status.st_size;
	char *text = calloc(1, size + 1);
	if (!text)
		return err_new(ERR_NO_MEMORY, "out of memory");
	stream = fdopen(dup(fd), "r");
	if (!stream ||
	    (fread(text, 1, size, stream) < size && ferror(stream))) {
		free(text);
		text = NULL;
	}
	if (stream)
		fclose(stream);
	*ret = text;
	return text ? NULL : err_new(ERR_IO, "%s: %s", path, strerror(errno));
}

static struct err *read_file(const char *path, char **ret)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_new(ERR_IO, "%s: %s", path, strerror(errno));
	struct err *err = read_stream(fd, path, ret);
	close(fd);
	return err;
}

/* "struct foo { ... }" is a declaration as it is; else a new name follows. */
static char *declaration_of(int argc, const char *const *argv)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	size_t last = strlen(argv[argc - 1]);
	while (last && strchr(" ;", argv[argc - 1][last - 1]))
		last--;
	bool whole = last && argv[argc - 1][last - 1] == '}';

	if (!whole)
		fputs("typedef", stream);
	for (int i = 0; i < argc; i++)
		fprintf(stream, " %s", argv[i]);
	fputs(";", stream);
	fclose(stream);
	return text;
}

static struct err *declare_words(const struct dcmd_call *call,
				 struct types *types)
{
	char *text = declaration_of(call->argc, call->argv);
	size_t count;

	if (!text)
		return err_new(ERR_NO_MEMORY, "out of memory");
	struct err *err = types_declare(types, text, &count);
	if (!err && !count)
		err = err_new(ERR_USAGE, "nothing was declared");
	free(text);
	return err;
}

static struct err *declare_file(struct types *types, const char *path,
				struct sink *out)
{
	char *text = NULL;
	size_t count = 0;
	struct err *err = read_file(path, &text);

	if (err)
		return err;
	err = types_declare(types, text, &count);
	free(text);
	if (!err)
		sink_note(out, "%zu types declared", count);
	return err_wrap(err, "%s", path);
}

static struct err *write_file(const struct types *types, const char *path,
			      struct sink *out)
{
	const char *const *texts;
	size_t count = types_declared_texts(types, &texts);
	FILE *stream = fopen(path, "we");

	if (!stream)
		return err_new(ERR_IO, "%s: %s", path, strerror(errno));
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "%s\n", texts[i]);
	bool failed = ferror(stream) != 0;
	if (fclose(stream) != 0 || failed)
		return err_new(ERR_IO, "%s: not written", path);
	sink_note(out, "%s has %zu declarations", path, count);
	return NULL;
}

static struct err *typedef_run(const struct dcmd_call *call, struct sink *out)
{
	const struct typedef_options *options = call->options;
	struct types *types;
	struct err *err = session_types(call->session, &types);

	if (err)
		return err;
	if (options->model && strcmp(options->model, "lp64") != 0)
		return err_new(ERR_USAGE, "-c: targets are lp64, all of them");
	if (options->forget)
		types_forget_declared(types);
	if (options->file)
		err = declare_file(types, options->file, out);
	if (!err && call->argc)
		err = declare_words(call, types);
	if (!err && options->written)
		err = write_file(types, options->written, out);
	if (!err && (options->list || (!options->forget && !options->file &&
				       !options->written && !call->argc)))
		types_each_declared(types, list_one, out);
	return err;
}

const struct dcmd dcmd_typedef = {
	.name = "typedef",
	.summary = "declare types in C, for programs without debug information",
	.help = "A type and a new name for it, as behind C's typedef: a "
		"structure may be written out, quoted. A structure, union or "
		"enumeration with a name of its own needs no other. The new "
		"types serve ::print and all that takes types; they hide what "
		"the debug information calls the same.\n\n"
		"-r takes them from a header: structures, unions, "
		"enumerations, typedefs, bitfields, packed and aligned, and "
		"constants that #define names. Conditional parts are all read "
		"and nothing is included: where that matters, hand over what "
		"cc -E makes of the header. Everything else is passed over.",
	.example = "::typedef 'struct pair { int key; char *value; }' pair_t",
	.arguments = "[type name]",
	.address_use = ADDRESS_NONE,
	.options = typedef_options,
	.option_count = sizeof(typedef_options) / sizeof(typedef_options[0]),
	.options_size = sizeof(struct typedef_options),
	.tables = typedef_tables,
	.table_count = 1,
	.run = typedef_run,
};
