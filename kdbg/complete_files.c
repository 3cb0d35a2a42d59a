/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of files that could stand at the end of a line. */
#include "kdbg/complete_impl.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "~/x" as the shell has it. Free it; NULL: no memory. */
static char *without_tilde(const char *path, size_t length)
{
	const char *home = getenv("HOME");
	char *made = NULL;

	if (home && length >= 2 && strncmp(path, "~/", 2) == 0)
		return asprintf(&made, "%s%.*s", home, (int)length - 1,
				path + 1) < 0
			       ? NULL
			       : made;
	return strndup(length ? path : "./", length ? length : 2);
}

/* A name in a directory; of one that is a directory itself, more may follow. */
static void add_entry(const struct completion *completion, size_t at,
		      const struct dirent *entry)
{
	char name[sizeof(entry->d_name) + 1];

	snprintf(name, sizeof(name), "%s%s", entry->d_name,
		 entry->d_type == DT_DIR ? "/" : "");
	complete_add(completion, at, name);
}

void complete_file(const struct completion *completion, size_t at)
{
	const char *path = completion->line + at;
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash + 1 - path) : 0;
	const char *name = path + length;
	char *folder = without_tilde(path, length);
	DIR *directory = folder ? opendir(folder) : NULL;

	for (struct dirent *entry = directory ? readdir(directory) : NULL;
	     entry; entry = readdir(directory))
		if (*entry->d_name != '.' || *name == '.')
			add_entry(completion, at + length, entry);
	if (directory)
		closedir(directory);
	free(folder);
}
