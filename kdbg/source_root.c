/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Debug information has paths of the machine that built the program: absolute
 * ones, ones relative to the folder it was built in ("../src/a.c"), and what
 * -ffile-prefix-map made of either. A path belongs to the source root when it
 * lies in it, or when its end names a file there: then the build was elsewhere.
 * Where nobody said which root, that is believed of files only which this
 * machine has not got where they were compiled.
 */
#include "kdbg/source_root.h"

#include "kdbg/supervise_accounts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_in(const char *folder, const char *path)
{
	char whole[PATH_MAX];

	return (size_t)snprintf(whole, sizeof(whole), "%s/%s", folder, path) <
		       sizeof(whole) &&
	       access(whole, F_OK) == 0;
}

static char *working_tree(void)
{
	char folder[PATH_MAX];

	if (!getcwd(folder, sizeof(folder)))
		return NULL;
	for (char *slash; (slash = strrchr(folder, '/')); *slash = '\0')
		if (is_in(folder, ".git"))
			return strdup(slash > folder || folder[1] ? folder
								  : "/");
	return NULL;
}

static char *current_folder(void)
{
	char *folder = getcwd(NULL, 0);

	if (folder && strcmp(folder, "/") != 0)
		return folder;
	free(folder);
	return NULL;
}

static char *from_environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value == '/' ? realpath(value, NULL) : NULL;
}

struct err *source_root_find(const char *option, struct source_root *ret)
{
	*ret = (struct source_root){ .given = option != NULL,
				     .here = current_folder() };
	if (option) {
		ret->path = realpath(option, NULL);
		if (!ret->path)
			return err_new(ERR_IO, "%s: %s", option,
				       strerror(errno));
		return NULL;
	}
	ret->path = from_environment("GITHUB_WORKSPACE");
	if (!ret->path)
		ret->path = from_environment("CI_PROJECT_DIR");
	if (!ret->path)
		ret->path = working_tree();
	return NULL;
}

void source_root_deinit(struct source_root *root)
{
	free(root->path);
	free(root->here);
}

/* path without ".", "..", and "//", in place; ".." above a relative path's
 * start go as well. */
static void normalise(char *path)
{
	char *floor = path + (*path == '/'), *out = floor;
	const char *in = floor;

	while (*in) {
		size_t length = strcspn(in, "/");
		if (length == 2 && memcmp(in, "..", 2) == 0) {
			while (out > floor && *--out != '/')
				;
		} else if (length && !(length == 1 && *in == '.')) {
			if (out > floor)
				*out++ = '/';
			memmove(out, in, length);
			out += length;
		}
		in += length + (in[length] == '/');
	}
	*out = '\0';
}

/* False: path is longer than size. */
static bool resolve(const char *directory, const char *file, char *path,
		    size_t size)
{
	int length = *file == '/' || !directory || *directory != '/'
			     ? snprintf(path, size, "%s", file)
			     : snprintf(path, size, "%s/%s", directory, file);

	if (length < 0 || (size_t)length >= size)
		return false;
	/* ".." of a folder that is not known leads nowhere. */
	if (*path == '/' || strncmp(path, "../", 3) != 0)
		normalise(path);
	return true;
}

static bool end_names_a_file(const char *root, char *path)
{
	for (const char *end = path; end; end = strchr(end, '/')) {
		end += *end == '/';
		if (strncmp(end, "../", 3) == 0)
			continue;
		if (*end && is_in(root, end)) {
			memmove(path, end, strlen(end) + 1);
			return true;
		}
	}
	return false;
}

/* path relative to folder, in place; false: it lies elsewhere. */
static bool make_relative(const char *folder, char *path)
{
	size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);

	if (strncmp(path, folder, length) != 0 || path[length] != '/')
		return false;
	memmove(path, path + length + 1, strlen(path + length));
	return true;
}

bool source_root_path(const struct source_root *root, const char *directory,
		      const char *file, char *path, size_t size)
{
	if (!resolve(directory, file, path, size)) {
		snprintf(path, size, "%s", file);
		return false;
	}
	if (!root->path)
		return false;
	if (make_relative(root->path, path))
		return true;
	if (path_is_system(path) ||
	    (!root->given && *path == '/' && access(path, F_OK) == 0))
		return false;
	return end_names_a_file(root->path, path);
}

void source_root_name(const struct source_root *root, const char *directory,
		      const char *file, char *path, size_t size)
{
	char below[PATH_MAX];

	if (!source_root_path(root, directory, file, path, size)) {
		if (root->here)
			make_relative(root->here, path);
		return;
	}
	if (root->given)
		return;
	if ((size_t)snprintf(below, sizeof(below), "%s/%s",
			     strcmp(root->path, "/") == 0 ? "" : root->path,
			     path) >= sizeof(below))
		return;
	if (root->here)
		make_relative(root->here, below);
	snprintf(path, size, "%s", below);
}
