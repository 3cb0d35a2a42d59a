/* SPDX-License-Identifier: BSD-2-Clause */
#include "dumpfmt/procfs.h"

#include "dumpfmt/line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 64, STAT_SIZE = 1024, TICKS_PER_SECOND = 100 };

static void make_path(pid_t pid, const char *name, char path[PATH_SIZE])
{
	struct line line;

	line_init(&line, path, PATH_SIZE);
	line_add(&line, "/proc/");
	if (pid == 0)
		line_add(&line, "self");
	else
		line_add_number(&line, (uint64_t)pid, 10);
	line_add(&line, "/");
	line_add(&line, name);
}

int procfs_open(pid_t pid, const char *name, int flags)
{
	char path[PATH_SIZE];

	make_path(pid, name, path);
	return open(path, flags | O_CLOEXEC);
}

/* Up to size bytes, however many calls that takes. */
static size_t read_some(int fd, char *buffer, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(fd, buffer + used, size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	return used;
}

size_t procfs_read(pid_t pid, const char *name, char *buffer, size_t size)
{
	int fd = procfs_open(pid, name, O_RDONLY);
	size_t used = 0;

	if (fd >= 0) {
		used = read_some(fd, buffer, size - 1);
		close(fd);
	}
	buffer[used] = '\0';
	return used;
}

static void read_link(pid_t pid, const char *name, char *buffer, size_t size)
{
	char path[PATH_SIZE];

	make_path(pid, name, path);
	ssize_t n = readlink(path, buffer, size - 1);
	buffer[n > 0 ? n : 0] = '\0';
}

static const char *parse_number(const char *text, unsigned base,
				uint64_t *value)
{
	*value = 0;
	for (;; text++) {
		unsigned digit;

		if (*text >= '0' && *text <= '9')
			digit = (unsigned)(*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			digit = (unsigned)(*text - 'a') + 10;
		else
			break;
		if (digit >= base)
			break;
		*value = *value * base + digit;
	}
	return text;
}

uint64_t procfs_number(const char *text)
{
	bool hexadecimal = text[0] == '0' && text[1] == 'x';
	uint64_t value;

	parse_number(text + (hexadecimal ? 2 : 0), hexadecimal ? 16 : 10,
		     &value);
	return value;
}

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec now = { 0 };

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * "pid (name) state ppid ..." with the start time, in ticks since boot, as
 * field 22. The name may hold anything: count from the last parenthesis.
 */
static void read_stat(struct dump_process *process, pid_t pid)
{
	char stat[STAT_SIZE];
	uint64_t value = 0, now = nanoseconds(CLOCK_BOOTTIME);

	procfs_read(pid, "stat", stat, sizeof(stat));
	parse_number(stat, 10, &value);
	process->pid = (uint32_t)value;
	const char *field = strrchr(stat, ')');
	for (int i = 3; field && i <= 22; i++) {
		field = strchr(field + 1, ' ');
		if (!field)
			return;
		parse_number(field + 1, 10, &value);
		if (i == 4)
			process->ppid = (uint32_t)value;
	}
	value *= 1000000000 / TICKS_PER_SECOND;
	if (value < now)
		process->start_realtime_ns =
			process->dump_realtime_ns - (now - value);
}

static uint32_t read_status_field(const char *status, const char *name)
{
	const char *line = strstr(status, name);
	uint64_t value = 0;

	if (line)
		parse_number(line + strlen(name), 10, &value);
	return (uint32_t)value;
}

static void read_arguments(struct procfs_facts *facts, pid_t pid)
{
	size_t size = procfs_read(pid, "cmdline", facts->arguments,
				  sizeof(facts->arguments));

	while (size > 0 && facts->arguments[size - 1] == '\0')
		size--;
	for (size_t i = 0; i < size; i++)
		if (facts->arguments[i] == '\0')
			facts->arguments[i] = ' ';
}

static void read_auxv(struct procfs_facts *facts, pid_t pid)
{
	int fd = procfs_open(pid, "auxv", O_RDONLY);
	size_t size = 0;

	if (fd >= 0) {
		size = read_some(fd, (char *)facts->auxv, sizeof(facts->auxv));
		close(fd);
	}
	facts->auxv_count = size / (2 * sizeof(facts->auxv[0]));
	for (size_t i = 0; i < facts->auxv_count; i++)
		if (facts->auxv[2 * i] == 0)
			facts->auxv_count = i; /* AT_NULL ends it */
}

void procfs_facts_read(struct procfs_facts *facts, pid_t pid)
{
	struct dump_process *process = &facts->process;
	struct utsname names;
	struct line kernel;
	char status[STAT_SIZE];

	memset(process, 0, sizeof(*process));
	process->exit_status = DUMP_EXIT_STATUS_UNKNOWN;
	process->dump_realtime_ns = nanoseconds(CLOCK_REALTIME);
	process->dump_monotonic_ns = nanoseconds(CLOCK_MONOTONIC);
	read_stat(process, pid);
	procfs_read(pid, "status", status, sizeof(status));
	process->uid = read_status_field(status, "\nUid:\t");
	process->gid = read_status_field(status, "\nGid:\t");
	read_link(pid, "exe", facts->executable, sizeof(facts->executable));
	read_link(pid, "cwd", facts->directory, sizeof(facts->directory));
	read_arguments(facts, pid);
	read_auxv(facts, pid);

	line_init(&kernel, facts->kernel, sizeof(facts->kernel));
	facts->hostname[0] = '\0';
	if (uname(&names) == 0) {
		struct line host;

		line_init(&host, facts->hostname, sizeof(facts->hostname));
		line_add(&host, names.nodename);
		line_add(&kernel, names.sysname);
		line_add(&kernel, " ");
		line_add(&kernel, names.release);
		line_add(&kernel, " ");
		line_add(&kernel, names.machine);
	}
	process->executable = facts->executable;
	process->directory = facts->directory;
	process->arguments = facts->arguments;
	process->hostname = facts->hostname;
	process->kernel = facts->kernel;
}

int procfs_maps_open(struct procfs_maps *maps, pid_t pid)
{
	maps->start = maps->used = 0;
	maps->fd = procfs_open(pid, "maps", O_RDONLY);
	return maps->fd < 0 ? -errno : 0;
}

void procfs_maps_close(struct procfs_maps *maps)
{
	if (maps->fd >= 0)
		close(maps->fd);
	maps->fd = -1;
}

void procfs_maps_rewind(struct procfs_maps *maps)
{
	lseek(maps->fd, 0, SEEK_SET);
	maps->start = maps->used = 0;
}

/* The next line, terminated, or NULL. A line longer than the buffer is cut. */
static char *next_line(struct procfs_maps *maps)
{
	for (;;) {
		char *line = maps->buffer + maps->start;
		size_t left = maps->used - maps->start;
		char *end = memchr(line, '\n', left);

		if (end) {
			*end = '\0';
			maps->start = (size_t)(end + 1 - maps->buffer);
			return line;
		}
		memmove(maps->buffer, line, left);
		maps->start = 0;
		maps->used = left;
		if (left == sizeof(maps->buffer))
			maps->used = left / 2; /* the middle of a long path */
		ssize_t n = read(maps->fd, maps->buffer + maps->used,
				 sizeof(maps->buffer) - maps->used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return NULL;
		maps->used += (size_t)n;
	}
}

static uint32_t parse_flags(const char *text)
{
	uint32_t flags = 0;

	if (text[0] == 'r')
		flags |= DUMP_MAP_READ;
	if (text[1] == 'w')
		flags |= DUMP_MAP_WRITE;
	if (text[2] == 'x')
		flags |= DUMP_MAP_EXEC;
	if (text[3] == 's')
		flags |= DUMP_MAP_SHARED;
	return flags;
}

/* The kernel writes a newline of a path like that; what a path holds that reads
 * so by itself cannot be told from it. */
static void add_path(struct line *path, const char *text)
{
	static const char newline[] = "\\012";
	const char *found;

	while ((found = strstr(text, newline))) {
		line_add_bytes(path, text, (size_t)(found - text));
		line_add(path, "\n");
		text = found + sizeof(newline) - 1;
	}
	line_add(path, text);
}

/* "start-end rwxp offset device inode   path" */
bool procfs_maps_next(struct procfs_maps *maps, struct dump_map *ret)
{
	const char *at = next_line(maps);
	struct line path;
	uint64_t inode;

	if (!at)
		return false;
	at = parse_number(at, 16, &ret->start);
	at = parse_number(at + (*at == '-'), 16, &ret->end);
	if (strnlen(at, 6) < 6)
		return false;
	ret->flags = parse_flags(at + 1);
	at = parse_number(at + 6, 16, &ret->offset);
	at = strchr(at + (*at == ' '), ' '); /* over the device */
	line_init(&path, maps->path, sizeof(maps->path));
	if (at) {
		at = parse_number(at + 1, 10, &inode);
		while (*at == ' ')
			at++;
		add_path(&path, at);
	}
	ret->path = maps->path;
	return true;
}
