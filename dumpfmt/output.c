/* SPDX-License-Identifier: BSD-2-Clause */
#include "dumpfmt/output.h"

#include "dumpfmt/line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_TRIED = 100 };

static int open_temporary(struct dump_output *output, unsigned attempt)
{
	struct line name;

	line_init(&name, output->temporary, sizeof(output->temporary));
	line_add(&name, output->path);
	line_add(&name, ".part-");
	line_add_number(&name, (uint64_t)getpid(), 10);
	if (attempt > 0) {
		line_add(&name, "-");
		line_add_number(&name, attempt, 10);
	}
	return open(output->temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    S_IRUSR | S_IWUSR);
}

int dump_output_open(struct dump_output *output, const char *path)
{
	struct stat status;
	struct line line;

	output->fd = -1;
	line_init(&line, output->path, sizeof(output->path));
	line_add(&line, path);
	if (line.full)
		return -ENAMETOOLONG;
	if (line.used == 0)
		return -ENOENT;
	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode) &&
	    !S_ISLNK(status.st_mode))
		return -EEXIST;

	for (unsigned i = 0; i < NAMES_TRIED; i++) {
		output->fd = open_temporary(output, i);
		if (output->fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return -errno;
}

int dump_output_close(struct dump_output *output, int status)
{
	if (output->fd < 0)
		return status;
	if (close(output->fd) < 0 && status == 0)
		status = -errno;
	output->fd = -1;
	if (status == 0 && rename(output->temporary, output->path) < 0)
		status = -errno;
	if (status < 0)
		unlink(output->temporary);
	return status;
}
