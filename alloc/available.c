/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system's by MemAvailable; the limits of control groups (version 2) from
 * the process's own up to the root, each less what the group has.
 */
#include "alloc/available.h"

#include "alloc/sys.h"
#include "alloc/text.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { PATH_SIZE = 4096, FILE_SIZE = 4096 };

static const char groups[] = "/sys/fs/cgroup";

/* The beginning of a file as a string; "" where there is none. */
static void read_file(const char *path, char *text, size_t size)
{
	long fd = sys_call(SYS_openat, AT_FDCWD, (long)(uintptr_t)path,
			   O_RDONLY | O_CLOEXEC, 0, 0, 0);
	long n = fd < 0 ? 0
			: sys_call(SYS_read, fd, (long)(uintptr_t)text,
				   (long)size - 1, 0, 0, 0);

	if (fd >= 0)
		sys_call(SYS_close, fd, 0, 0, 0, 0, 0);
	text[n > 0 ? n : 0] = '\0';
}

/* SIZE_MAX: it does not begin with a number ("max"). */
static size_t number_at(const char *text)
{
	size_t number = 0;

	while (*text == ' ')
		text++;
	if (*text < '0' || *text > '9')
		return SIZE_MAX;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (size_t)(*text - '0'),
					   &number))
			return SIZE_MAX;
	return number;
}

static size_t of_system(void)
{
	static const char name[] = "MemAvailable:";
	char text[FILE_SIZE];

	read_file("/proc/meminfo", text, sizeof(text));
	const char *line = strstr(text, name);
	size_t kib = line ? number_at(line + sizeof(name) - 1) : SIZE_MAX;

	return kib > SIZE_MAX >> 10 ? SIZE_MAX : kib << 10;
}

/* A number in a file of the group whose folder is the first length bytes. */
static size_t number_of(char *folder, size_t length, const char *file)
{
	char text[64];

	memcpy(folder + length, file, strlen(file) + 1);
	read_file(folder, text, sizeof(text));
	return number_at(text);
}

static size_t of_group(char *folder, size_t length)
{
	size_t limit = number_of(folder, length, "/memory.max");
	size_t used = number_of(folder, length, "/memory.current");

	if (limit == SIZE_MAX || used == SIZE_MAX)
		return SIZE_MAX;
	return limit > used ? limit - used : 0;
}

/* "0::/path" is the line of version 2, the last. */
static size_t of_groups(void)
{
	enum { LONGEST_NAME = 32 };
	char text[FILE_SIZE], folder[PATH_SIZE + LONGEST_NAME];
	size_t room = SIZE_MAX, length = sizeof(groups) - 1;

	read_file("/proc/self/cgroup", text, sizeof(text));
	const char *path = strstr(text, "0::/");
	if (!path || (path != text && path[-1] != '\n'))
		return SIZE_MAX;
	path += strlen("0::");
	size_t size = strcspn(path, "\n");
	if (size > PATH_SIZE - length)
		return SIZE_MAX;
	memcpy(folder, groups, length);
	memcpy(folder + length, path, size);
	length += size;
	while (length >= sizeof(groups) - 1) {
		size_t here = of_group(folder, length);

		if (here < room)
			room = here;
		while (length > 0 && folder[--length] != '/')
			;
	}
	return room;
}

size_t kma_memory_available(void)
{
	size_t system = of_system(), groups_room = of_groups();

	return system < groups_room ? system : groups_room;
}
