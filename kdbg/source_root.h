/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The folder of the sources that a check is about, and the paths of source
 * files as reports for machines have them: relative to it, as the pages that
 * show them know the repository alone.
 */
#ifndef KDBG_SOURCE_ROOT_H
#define KDBG_SOURCE_ROOT_H

#include "dumpfmt/err.h"

#include <stdbool.h>
#include <stddef.h>

struct source_root {
	char *path; /* NULL: not known */
	bool given; /* by the user */
	char *here; /* the current folder; NULL: not known, or / */
};

/* option, or NULL: then what the CI tells of its checkout ($GITHUB_WORKSPACE,
 * $CI_PROJECT_DIR), else the git working tree around the current folder. */
struct err *source_root_find(const char *option,
			     struct source_root *ret) MUST_USE;
void source_root_deinit(struct source_root *root);

/*
 * The path of a source file, in size bytes; true: relative to the root, which
 * has the file. directory: where it was compiled, or NULL.
 */
bool source_root_path(const struct source_root *root, const char *directory,
		      const char *file, char *path, size_t size);

/* The same as one would type it: relative to a root that was given, else to the
 * current folder; absolute where it lies in neither. */
void source_root_name(const struct source_root *root, const char *directory,
		      const char *file, char *path, size_t size);

#endif
