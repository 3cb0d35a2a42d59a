/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file a dump is written to: made under a temporary name beside its final
 * one, for its owner alone, and renamed when it is complete. So nobody finds
 * half a dump under a dump's name. Async-signal-safe; errors are -errno.
 */
#ifndef DUMPFMT_OUTPUT_H
#define DUMPFMT_OUTPUT_H

enum { DUMP_PATH_MAX = 4096, DUMP_PATH_SUFFIX = 48 };

struct dump_output {
	int fd;
	char path[DUMP_PATH_MAX];
	char temporary[DUMP_PATH_MAX + DUMP_PATH_SUFFIX];
};

/* A path that exists and is no regular file is refused with -EEXIST: what the
 * rename would replace is not a dump. */
int dump_output_open(struct dump_output *output, const char *path);

/* status 0: give it its name. Else remove it, and return status. */
int dump_output_close(struct dump_output *output, int status);

#endif
