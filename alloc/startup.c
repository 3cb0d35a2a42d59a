/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/startup.h"

#include "alloc/sys.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

/* More than this of an environment is not read. */
enum { TEXT_MAX = 1 << 20, STRINGS_MAX = 1 << 14 };

struct copy {
	char *strings[STRINGS_MAX + 1];
	char text[TEXT_MAX + 1];
};

extern char **environ;

static struct copy *copy_create(void)
{
	long page = sys_call(SYS_mmap, 0, sizeof(struct copy),
			     PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page < 0 && page > -4096 ? NULL : (struct copy *)page;
}

static size_t read_text(char *text)
{
	long fd = sys_call(SYS_openat, AT_FDCWD,
			   (long)(uintptr_t) "/proc/self/environ",
			   O_RDONLY | O_CLOEXEC, 0, 0, 0);
	size_t size = 0;
	long got;

	if (fd < 0)
		return 0;
	while ((got = sys_call(SYS_read, fd, (long)(uintptr_t)(text + size),
			       (long)(TEXT_MAX - size), 0, 0, 0)) > 0)
		size += (size_t)got;
	sys_call(SYS_close, fd, 0, 0, 0, 0, 0);
	return size;
}

char *const *kma_startup_environment(void)
{
	static char *const nothing[] = { NULL };
	static struct copy *copy;

	if (environ)
		return environ;
	if (!copy) {
		copy = copy_create();
		if (!copy)
			return nothing;

		size_t size = read_text(copy->text), count = 0;

		for (size_t at = 0; at < size && count < STRINGS_MAX;
		     at += strlen(copy->text + at) + 1)
			copy->strings[count++] = copy->text + at;
	}
	return copy->strings;
}
