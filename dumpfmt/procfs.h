/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What /proc tells of a process, ours or another: facts, mappings. Without
 * malloc or stdio, as the process may be dying. What cannot be read stays
 * empty.
 */
#ifndef DUMPFMT_PROCFS_H
#define DUMPFMT_PROCFS_H

#include "dumpfmt/facts.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
	PROCFS_TEXT = 4096,
	PROCFS_AUXV_PAIRS = 64,
	PROCFS_LINE = 8192,
};

/* "/proc/self/NAME" for pid 0, else "/proc/PID/NAME". -1 and errno. */
int procfs_open(pid_t pid, const char *name, int flags);

/* At most size - 1 bytes, terminated; how many. 0 when unreadable. */
size_t procfs_read(pid_t pid, const char *name, char *buffer, size_t size);

/* "0x..." in hexadecimal, anything else in decimal; 0 when it is no number. */
uint64_t procfs_number(const char *text);

struct procfs_facts {
	struct dump_process process; /* points into what follows */
	uint64_t auxv[2 * PROCFS_AUXV_PAIRS];
	size_t auxv_count; /* of pairs */
	char executable[PROCFS_TEXT], directory[PROCFS_TEXT];
	char arguments[4 * PROCFS_TEXT];
	char hostname[72], kernel[200];
};

/* Fill all but reason, signal, level and writer. */
void procfs_facts_read(struct procfs_facts *facts, pid_t pid);

/* The mappings, one after the other. */
struct procfs_maps {
	int fd;
	size_t start, used; /* of buffer: unread bytes are [start, used) */
	char buffer[PROCFS_LINE];
	char path[PROCFS_LINE];
};

int procfs_maps_open(struct procfs_maps *maps, pid_t pid);
void procfs_maps_close(struct procfs_maps *maps);
void procfs_maps_rewind(struct procfs_maps *maps);

/* False at the end. The path lives until the next call. */
bool procfs_maps_next(struct procfs_maps *maps, struct dump_map *ret);

#endif
