/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/process_refusal.h"

#include "dumpfmt/procfs.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	TEXT_SIZE = 4096,
	NAME_SIZE = 32,
	CAPABILITY_PTRACE = 19,
	THREAD_OF_KERNEL = 0x00200000, /* PF_KTHREAD */
};

/* What /proc/PID/status says of key, as a number; fallback: it is not said. */
static long status_number(const char *status, const char *key, long fallback)
{
	char line[NAME_SIZE];
	const char *at;

	snprintf(line, sizeof(line), "\n%s:", key);
	at = strstr(status, line);
	return at ? strtol(at + strlen(line), NULL, 10) : fallback;
}

static void read_name(pid_t pid, char *name, size_t size)
{
	procfs_read(pid, "comm", name, size);
	name[strcspn(name, "\n")] = '\0';
}

/* What follows the name in /proc/PID/stat, which may itself have spaces and
 * brackets: " S 1 ...". "" when there is none. */
static const char *after_name(const char *stat)
{
	const char *end = strrchr(stat, ')');

	return end ? end + 1 : "";
}

static char state_of(const char *stat)
{
	const char *rest = after_name(stat);

	return rest[0] == ' ' ? rest[1] : '\0';
}

/* The ninth field: flags. */
static bool is_kernel_thread(const char *stat)
{
	unsigned long flags = 0;

	return sscanf(after_name(stat), " %*c %*d %*d %*d %*d %*d %lu",
		      &flags) == 1 &&
	       (flags & THREAD_OF_KERNEL);
}

bool process_thread_ended(pid_t pid, pid_t tid)
{
	char name[64], stat[TEXT_SIZE];

	snprintf(name, sizeof(name), "task/%d/stat", (int)tid);
	if (!procfs_read(pid, name, stat, sizeof(stat)))
		return true;
	return strchr("ZXx", state_of(stat)) != NULL;
}

static struct err *no_process(pid_t pid)
{
	return err_new(ERR_NOT_FOUND,
		       "there is no process %d: see ps -e, or pgrep NAME",
		       (int)pid);
}

static struct err *check_kind(pid_t pid, const char *status, const char *stat)
{
	char name[NAME_SIZE];
	long leader = status_number(status, "Tgid", pid);

	read_name(pid, name, sizeof(name));
	if (leader != pid)
		return err_new(ERR_USAGE,
			       "%d is a thread of process %ld: kdbg -p %ld",
			       (int)pid, leader, leader);
	if (is_kernel_thread(stat))
		return err_new(ERR_UNSUPPORTED,
			       "process %d (%s) is a thread of the kernel: it "
			       "has no memory of its own",
			       (int)pid, name);
	if (strchr("ZXx", state_of(stat)) &&
	    status_number(status, "Threads", 1) <= 1)
		return err_new(ERR_NOT_FOUND,
			       "process %d (%s) is a zombie: it has ended, and "
			       "waits for process %ld to ask how",
			       (int)pid, name,
			       status_number(status, "PPid", 0));
	return NULL;
}

static struct err *check_tracer(pid_t pid, const char *status)
{
	long tracer = status_number(status, "TracerPid", 0);
	char name[NAME_SIZE];

	if (!tracer)
		return NULL;
	read_name((pid_t)tracer, name, sizeof(name));
	return err_new(ERR_UNSUPPORTED,
		       "process %d is traced by process %ld (%s), and one at a "
		       "time can: end that, or use gcore there",
		       (int)pid, tracer, name);
}

/* The program's file: what cannot be read is judged later. */
static struct err *check_machine(pid_t pid)
{
	Elf64_Ehdr header;
	int fd = procfs_open(pid, "exe", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : pread(fd, &header, sizeof(header), 0);

	if (fd >= 0)
		close(fd);
	if (n < (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    (header.e_ident[EI_CLASS] == ELFCLASS64 &&
	     header.e_machine == EM_X86_64))
		return NULL;
	return err_new(ERR_UNSUPPORTED,
		       "process %d runs a program for %s: kdbg reads 64-bit "
		       "x86-64",
		       (int)pid,
		       header.e_ident[EI_CLASS] == ELFCLASS32
			       ? "a 32-bit machine"
			       : "another machine");
}

struct err *process_check(pid_t pid)
{
	char status[TEXT_SIZE], stat[TEXT_SIZE];

	if (pid == getpid())
		return err_new(ERR_UNSUPPORTED,
			       "process %d is kdbg itself: another kdbg can "
			       "look at it",
			       (int)pid);
	if (!procfs_read(pid, "status", status, sizeof(status)) ||
	    !procfs_read(pid, "stat", stat, sizeof(stat)))
		return no_process(pid);
	struct err *err = check_kind(pid, status, stat);
	if (!err)
		err = check_tracer(pid, status);
	if (!err)
		err = check_machine(pid);
	return err;
}

/* May we trace whom we like? */
static bool is_privileged(void)
{
	char status[TEXT_SIZE];
	const char *at;

	procfs_read(0, "status", status, sizeof(status));
	at = strstr(status, "\nCapEff:");
	return at && strtoull(at + strlen("\nCapEff:"), NULL, 16) >>
				     CAPABILITY_PTRACE &
			     1;
}

/* Yama's rule for who may trace; 0: it forbids nothing. */
static long trace_scope(void)
{
	int fd = open("/proc/sys/kernel/yama/ptrace_scope",
		      O_RDONLY | O_CLOEXEC);
	char text[NAME_SIZE] = "";

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtol(text, NULL, 10);
}

static struct err *forbidden(pid_t pid)
{
	char status[TEXT_SIZE];
	long scope = trace_scope();

	if (!procfs_read(pid, "status", status, sizeof(status)))
		return no_process(pid);
	long user = status_number(status, "Uid", -1);
	if (scope == 3)
		return err_new(ERR_UNSUPPORTED,
			       "process %d: this system lets nobody trace "
			       "(kernel.yama.ptrace_scope is 3 until the next "
			       "boot): kdbg run writes a dump",
			       (int)pid);
	if (is_privileged())
		return err_new(ERR_UNSUPPORTED,
			       "process %d cannot be traced: a security module "
			       "or container forbids it",
			       (int)pid);
	if (user != (long)geteuid())
		return err_new(ERR_UNSUPPORTED,
			       "process %d belongs to user %ld: run kdbg as "
			       "that user, or as root",
			       (int)pid, user);
	if (scope)
		return err_new(ERR_UNSUPPORTED,
			       "process %d: kernel.yama.ptrace_scope is %ld: "
			       "run kdbg as root%s",
			       (int)pid, scope,
			       scope == 1 ? ", or sysctl "
					    "kernel.yama.ptrace_scope=0"
					  : "");
	return err_new(ERR_UNSUPPORTED,
		       "process %d has privileges or is not dumpable "
		       "(PR_SET_DUMPABLE): run kdbg as root",
		       (int)pid);
}

struct err *process_refusal(pid_t pid, int error)
{
	switch (error) {
	case ESRCH:
	case ENOENT:
		return no_process(pid);
	case EPERM:
	case EACCES:
		return forbidden(pid);
	default:
		return err_new(ERR_IO, "process %d: %s", (int)pid,
			       strerror(error));
	}
}
