/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program in a cell: what it may not do any more, one word after the other,
 * then what it loses.
 *
 *	confined chroot /var/empty kill-files leak 2
 *	confined no-ptrace COMMAND...	and all it starts may not trace
 *	confined pid-spawn WORD...	by a process started in a new namespace
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS_MAX = 32, STACK = 8192 };

static void must(int failed, const char *what)
{
	if (!failed)
		return;
	perror(what);
	exit(99);
}

/* Answer these calls with action, all others with otherwise. */
static void filter(const int *calls, size_t count, uint32_t action,
		   uint32_t otherwise)
{
	struct sock_filter code[CALLS_MAX + 3];
	struct sock_fprog program = { .filter = code };
	size_t n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < count; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i],
			(uint8_t)(count - i), 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, otherwise);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
	program.len = (unsigned short)n;
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
}

static const int tracing[] = { SYS_ptrace, SYS_process_vm_readv,
			       SYS_process_vm_writev };
static const int files[] = { SYS_open,     SYS_openat, SYS_openat2, SYS_creat,
			     SYS_readlink, SYS_kill,   SYS_tgkill };
static const int for_an_end[] = { SYS_getppid };
/* What a program needs that only computes, and ends. */
static const int little[] = { SYS_read,    SYS_write,          SYS_exit_group,
			      SYS_futex,   SYS_getpid,         SYS_getppid,
			      SYS_gettid,  SYS_rt_sigprocmask, SYS_munmap,
			      SYS_madvise, SYS_mprotect,       SYS_mmap,
			      SYS_brk };

#define FILTER(calls, action, otherwise) \
	filter(calls, sizeof(calls) / sizeof(calls[0]), action, otherwise)

static void *volatile held;

__attribute__((noinline)) static void lose(int count)
{
	for (int i = 0; i < count; i++) {
		held = malloc(100);
		memset(held, 1, 100);
	}
	held = NULL;
}

__attribute__((noinline)) static void wipe_stack(void)
{
	volatile char space[STACK];

	for (size_t i = 0; i < sizeof(space); i++)
		space[i] = 0;
}

/* The only pointer to a buffer is on the stack of a thread that sits there. */
static void *sit(void *barrier)
{
	void *volatile mine = malloc(200);

	pthread_barrier_wait(barrier);
	for (;;)
		pause();
	return mine;
}

static void start_sitters(int count)
{
	static pthread_barrier_t barrier;

	pthread_barrier_init(&barrier, NULL, (unsigned)count + 1);
	for (int i = 0; i < count; i++) {
		pthread_t thread;
		must(pthread_create(&thread, NULL, sit, &barrier), "thread");
	}
	pthread_barrier_wait(&barrier);
}

/* Both go on with the rest of the words. */
static void make_copy(void)
{
	pid_t child = fork();

	must(child < 0, "fork");
	if (child)
		waitpid(child, NULL, 0);
}

static void leave_as(pid_t child)
{
	int status;

	must(waitpid(child, &status, 0) < 0, "wait");
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 98);
}

/* The rest of the words is done by the first process of a namespace. */
static void enter_pid_namespace(void)
{
	must(unshare(CLONE_NEWPID), "pid namespace");
	pid_t child = fork();
	must(child < 0, "fork");
	if (child)
		leave_as(child);
}

static void spawn_in_pid_namespace(char **argv)
{
	pid_t child;

	must(unshare(CLONE_NEWPID), "pid namespace");
	must(posix_spawn(&child, argv[0], NULL, NULL, argv, environ), argv[0]);
	leave_as(child);
}

/* A child that never ends by itself. */
static void abandon_child(void)
{
	int ends[2];
	char byte;

	must(pipe(ends), "pipe");
	pid_t child = fork();
	must(child < 0, "fork");
	if (child) {
		must(read(ends[0], &byte, 1) != 1, "read");
		return;
	}
	must(write(ends[1], "", 1) != 1, "write");
	for (;;)
		pause();
}

static void enter_root(const char *folder)
{
	must(chroot(folder), folder);
	must(chdir("/"), "/");
}

static void become_user(const char *id)
{
	uid_t user = (uid_t)strtoul(id, NULL, 10);

	must(setgroups(0, NULL), "setgroups");
	must(setresgid(user, user, user), "setresgid");
	must(setresuid(user, user, user), "setresuid");
}

/* Words with an argument; false: none of these. */
static int act_on(const char *word, char *argument)
{
	if (strcmp(word, "chroot") == 0)
		enter_root(argument);
	else if (strcmp(word, "user") == 0)
		become_user(argument);
	else if (strcmp(word, "leak") == 0)
		lose(atoi(argument));
	else if (strcmp(word, "sitters") == 0)
		start_sitters(atoi(argument));
	else
		return 0;
	return 1;
}

static void act(const char *word)
{
	if (strcmp(word, "undumpable") == 0)
		must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), word);
	else if (strcmp(word, "pid-namespace") == 0)
		enter_pid_namespace();
	else if (strcmp(word, "abandon") == 0)
		abandon_child();
	else if (strcmp(word, "mount-namespace") == 0)
		must(unshare(CLONE_NEWNS), word);
	else if (strcmp(word, "deny-files") == 0)
		FILTER(files, SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ALLOW);
	else if (strcmp(word, "refuse-end") == 0)
		FILTER(for_an_end, SECCOMP_RET_ERRNO | EPERM,
		       SECCOMP_RET_ALLOW);
	else if (strcmp(word, "copy") == 0)
		make_copy();
	else if (strcmp(word, "kill-all-else") == 0)
		FILTER(little, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS);
	else
		must(1, word);
}

int main(int argc, char **argv)
{
	int i = 1;

	/* Some allocate before they lock themselves in. */
	held = malloc(1);
	free(held);
	held = NULL;
	if (argc > 2 && strcmp(argv[1], "no-ptrace") == 0) {
		FILTER(tracing, SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ALLOW);
		execvp(argv[2], argv + 2);
		must(1, argv[2]);
	}
	if (argc > 1 && strcmp(argv[1], "pid-spawn") == 0) {
		argv[1] = argv[0];
		spawn_in_pid_namespace(argv + 1);
	}
	while (i < argc)
		if (i + 1 < argc && act_on(argv[i], argv[i + 1])) {
			i += 2;
		} else {
			act(argv[i++]);
		}
	wipe_stack();
	return 0;
}
