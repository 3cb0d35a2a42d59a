/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that shuts itself in and then ends.
 *
 *	sandboxed WAY FILTER END
 *
 * WAY is prctl, seccomp or strict; END exit, crash or thread (it ends once a
 * thread has allocated). By FILTER tight all but a few system calls end it;
 * threads: and those by which libc starts threads; loose: one that nobody needs
 * does; pread: pread64 does; errno: they are refused.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(member)                       \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
		 offsetof(struct seccomp_data, member))
#define PASS(number)                                       \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REST(action) BPF_STMT(BPF_RET | BPF_K, action)

#define FEW                                                               \
	LOAD(nr), PASS(SYS_write), PASS(SYS_exit_group), PASS(SYS_exit),  \
		PASS(SYS_rt_sigreturn), PASS(SYS_mmap), PASS(SYS_munmap), \
		PASS(SYS_mprotect), PASS(SYS_madvise), PASS(SYS_brk)

static struct sock_filter tight[] = { FEW, REST(SECCOMP_RET_KILL_PROCESS) };
static struct sock_filter threads[] = {
	FEW,
	PASS(SYS_clone3),
	PASS(SYS_clone),
	PASS(SYS_set_robust_list),
	PASS(SYS_rseq),
	PASS(SYS_rt_sigprocmask),
	PASS(SYS_rt_sigaction),
	PASS(SYS_futex),
	PASS(SYS_getrandom),
	REST(SECCOMP_RET_KILL_PROCESS),
};
static struct sock_filter refusing[] = { FEW, REST(SECCOMP_RET_ERRNO | 1) };
#define ALL_BUT(number)                                                       \
	LOAD(arch),                                                           \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0), \
		REST(SECCOMP_RET_KILL_PROCESS), LOAD(nr),                     \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),            \
		REST(SECCOMP_RET_KILL_PROCESS), REST(SECCOMP_RET_ALLOW)
static struct sock_filter loose[] = { ALL_BUT(SYS_acct) };
static struct sock_filter pread_kills[] = { ALL_BUT(SYS_pread64) };

static struct sock_fprog filter_named(const char *name)
{
	struct sock_fprog filter = { sizeof(loose) / sizeof(loose[0]), loose };

	if (!strcmp(name, "tight"))
		filter = (struct sock_fprog){ sizeof(tight) / sizeof(tight[0]),
					      tight };
	else if (!strcmp(name, "threads"))
		filter = (struct sock_fprog){
			sizeof(threads) / sizeof(threads[0]), threads
		};
	else if (!strcmp(name, "pread"))
		filter.filter = pread_kills; /* as long as loose */
	else if (!strcmp(name, "errno"))
		filter = (struct sock_fprog){
			sizeof(refusing) / sizeof(refusing[0]), refusing
		};
	return filter;
}

static int enter(const char *way, const char *name)
{
	struct sock_fprog filter = filter_named(name);

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!strcmp(way, "strict"))
		return prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	if (!strcmp(way, "prctl"))
		return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

static void *allocate(void *argument)
{
	for (int i = 0; i < 1000; i++) {
		char *volatile buffer = malloc((size_t)i * 10);

		memset(buffer, 1, (size_t)i * 10);
		free(buffer);
	}
	return argument;
}

static int run_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, allocate, NULL))
		return 98;
	pthread_join(thread, NULL);
	return 5;
}

int main(int argc, char **argv)
{
	volatile int *nowhere = NULL;

	if (argc != 4 || enter(argv[1], argv[2]) != 0)
		return 99;
	free(malloc(100));
	if (!strcmp(argv[3], "crash"))
		return *nowhere;
	if (!strcmp(argv[3], "thread"))
		return run_thread();
	return 5;
}
