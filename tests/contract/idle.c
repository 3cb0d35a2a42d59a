/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that frees what it had and then only waits gives the memory back
 * where KMA_OPTIONS=reap_interval asks for it; a child of a fork has no thread
 * for that, and a program that did not ask has none either.
 */
#include "tests/contract/contract.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { SMALL = 200, COUNT = 200000, LARGE = 6 << 20 };

static void *small[COUNT];

/* Neither may allocate: nothing but the library's thread is to touch the heap.
 */
static long resident_kib(void)
{
	char text[128] = "";
	int fd = open("/proc/self/statm", O_RDONLY);

	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return strtol(strchr(text, ' '), NULL, 10) *
	       (sysconf(_SC_PAGESIZE) / 1024);
}

static void wait_until_below(long kib)
{
	while (resident_kib() > kib)
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
}

static int threads(void)
{
	DIR *folder = opendir("/proc/self/task");
	int count = -2; /* . and .. */

	CHECK(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void fill_and_free(void)
{
	char *large = opaque(malloc(LARGE));

	for (int i = 0; i < COUNT; i++)
		memset(small[i] = malloc(SMALL), 1, SMALL);
	memset(large, 1, LARGE);
	for (int i = 0; i < COUNT; i++)
		free(small[i]);
	free(large);
}

int main(void)
{
	bool asked = getenv("KMA_OPTIONS") != NULL;
	int status;

	CHECK(threads() == (asked ? 2 : 1));

	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		fill_and_free();
		CHECK(threads() == 1);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	if (!asked)
		return 0;

	memset(small, 0, sizeof(small)); /* whose pages stay */

	long before = resident_kib();

	fill_and_free();
	wait_until_below(before + 1024);
	return 0;
}
