/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The private directory of a run: made where there is room, and removed. */
#include "kdbg/supervise.h"
#include "kdbg/supervise_roster.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PARENT_MAX = 200 /* of $TMPDIR, for what libkma has room for */ };

/* What root starts may become another user, who can open by name what is in
 * here, and add a dump; nobody but root can list it. */
static int make_folders(const char *path, bool shared)
{
	char dumps[PATH_MAX];

	snprintf(dumps, sizeof(dumps), "%s/dumps", path);
	if (mkdir(dumps, 0700))
		return -1;
	return shared ? chmod(path, 0711) || chmod(dumps, 01733) : 0;
}

/* A limit of file sizes sends a signal as well as an error. */
static struct err *reserve_roster(const char *path)
{
	const struct timespec now = { 0, 0 };
	sigset_t size_limit, before;

	sigemptyset(&size_limit);
	sigaddset(&size_limit, SIGXFSZ);
	sigprocmask(SIG_BLOCK, &size_limit, &before);
	struct err *err = roster_file_reserve(path);
	while (err && sigtimedwait(&size_limit, NULL, &now) > 0)
		;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

static struct err *directory_in(const char *parent, char **ret)
{
	char *path;

	if (asprintf(&path, "%s/kdbg.XXXXXX", parent) < 0)
		return err_new(ERR_NO_MEMORY, "out of memory");
	struct err *err = NULL;
	if (!mkdtemp(path)) {
		err = err_new(ERR_IO, "no temporary directory in %s: %s",
			      parent, strerror(errno));
		free(path);
		return err;
	}
	if (make_folders(path, geteuid() == 0))
		err = err_new(ERR_IO, "%s: %s", path, strerror(errno));
	if (!err)
		err = reserve_roster(path);
	if (!err) {
		*ret = path;
		return NULL;
	}
	supervise_remove_directory(path);
	free(path);
	return err;
}

struct err *supervise_directory(char **ret)
{
	const char *parents[] = { getenv("TMPDIR"), "/tmp", "/dev/shm" };
	struct err *first = NULL;

	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		const char *parent = parents[i];
		/* What KMA_DUMP and KMA_ROSTER cannot name is of no use. */
		if (!parent || parent[0] != '/' || strchr(parent, ',') ||
		    strlen(parent) > PARENT_MAX)
			continue;
		struct err *err = directory_in(parent, ret);
		if (!err) {
			err_free(first);
			return NULL;
		}
		if (first)
			err_free(err);
		else
			first = err;
	}
	return first;
}

static void remove_entries(int parent, const char *name)
{
	int fd = openat(parent, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			unlinkat(fd, entry->d_name, 0);
	closedir(dir);
}

void supervise_remove_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		remove_entries(fd, "dumps");
		unlinkat(fd, "dumps", AT_REMOVEDIR);
		close(fd);
	}
	remove_entries(AT_FDCWD, directory);
	rmdir(directory);
}
