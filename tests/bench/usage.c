/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Run a command and write what it used to a file.
 *
 *	usage FILE COMMAND ARGUMENT...	"CPU-SECONDS PEAK-KIB"
 *
 * Apart from the script, because the kernel counts to a process's peak what
 * its parent had when it forked, which for an interpreter is more than most
 * loads take.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int write_usage(const char *path, const struct rusage *usage)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return -1;
	fprintf(file, "%.6f %ld\n",
		seconds(usage->ru_utime) + seconds(usage->ru_stime),
		usage->ru_maxrss);
	return fclose(file);
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t child;

	if (argc < 3)
		return 2;
	if (posix_spawnp(&child, argv[2], NULL, NULL, argv + 2, environ) != 0 ||
	    wait4(child, &status, 0, &usage) != child ||
	    write_usage(argv[1], &usage) != 0) {
		perror(argv[2]);
		return 126;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
