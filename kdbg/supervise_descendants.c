/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/supervise_descendants.h"

#include "dumpfmt/procfs.h"
#include "kdbg/vector.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct process {
	pid_t pid, ppid;
	bool zombie, descends;
};

/* "pid (name) state ppid ...", and the name may hold anything. */
static bool read_process(const char *pid, struct process *ret)
{
	char path[64], text[512];

	if (!isdigit((unsigned char)pid[0]))
		return false;
	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	size_t size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	const char *name_end = strrchr(text, ')');
	if (!name_end || strlen(name_end) < sizeof(") S 1") - 1)
		return false;
	char state = name_end[2];
	*ret = (struct process){
		.pid = (pid_t)strtol(pid, NULL, 10),
		.ppid = (pid_t)strtol(name_end + 4, NULL, 10),
		.zombie = state == 'Z' || state == 'X',
	};
	return true;
}

static struct err *read_processes(struct process **ret, size_t *count)
{
	struct process *list = NULL;
	size_t used = 0;
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (!proc)
		return err_new(ERR_IO, "/proc: %s", strerror(errno));
	while ((entry = readdir(proc))) {
		struct process *grown = vector_grow(list, used, sizeof(*list));
		if (!grown) {
			free(list);
			closedir(proc);
			return err_new(ERR_NO_MEMORY, "out of memory");
		}
		list = grown;
		if (read_process(entry->d_name, &list[used]))
			used++;
	}
	closedir(proc);
	*ret = list;
	*count = used;
	return NULL;
}

static int by_pid(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Spread "descends" from parents to children until nothing changes: as often as
 * the tree is deep, at most once for each process. */
static size_t mark_descendants(struct process *list, size_t count)
{
	size_t marked = 0, before;

	if (!count)
		return 0;
	qsort(list, count, sizeof(*list), by_pid);
	do {
		before = marked;
		for (size_t i = 0; i < count; i++) {
			struct process key = { .pid = list[i].ppid };
			const struct process *parent = bsearch(
				&key, list, count, sizeof(*list), by_pid);
			if (list[i].descends || (list[i].ppid != getpid() &&
						 !(parent && parent->descends)))
				continue;
			list[i].descends = true;
			marked++;
		}
	} while (marked != before);
	return marked;
}

struct err *descendants_find(pid_t **ret, size_t *count)
{
	struct process *list = NULL;
	size_t processes = 0, used = 0;
	struct err *err = read_processes(&list, &processes);

	if (err)
		return err;
	size_t marked = mark_descendants(list, processes);
	pid_t *pids = calloc(marked ? marked : 1, sizeof(*pids));
	for (size_t i = 0; pids && i < processes; i++)
		if (list[i].descends && !list[i].zombie)
			pids[used++] = list[i].pid;
	free(list);
	if (!pids)
		return err_new(ERR_NO_MEMORY, "out of memory");
	*ret = pids;
	*count = used;
	return NULL;
}

pid_t descendant_inner_pid(pid_t pid)
{
	char text[4096];

	procfs_read(pid, "status", text, sizeof(text));
	const char *line = strstr(text, "\nNSpid:");
	if (!line)
		return 0;
	size_t size = strcspn(line + 1, "\n");
	const char *last = memrchr(line + 1, '\t', size);
	return last ? (pid_t)strtol(last, NULL, 10) : 0;
}

void descendant_path(pid_t pid, char *path, size_t size)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	ssize_t length = readlink(link, path, size - 1);
	path[length > 0 ? length : 0] = '\0';
}
