/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that shuts itself in and then ends.
 *
 *	sandboxed WAY FILTER END
 *
 * WAY is prctl, seccomp or strict; END exit, crash, thread (it ends once a
 * thread has allocated) or heap (once its heap was large). By FILTER tight all
 * but a few system calls end it; threads: and those by which libc starts
 * threads; loose: one that nobody needs does; pread: pread64 does; errno: they
 * are refused. By advice most of madvise()'s do, by protecting all, by mapping
 * mprotect(), too; by ending all but those by which a thread ends. wrong is
 *none that the kernel takes. WAY asking asks the kernel what it knows of
 *filters, as libseccomp does, and thread shuts in a thread that ends.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

#define HEAP                                                             \
	LOAD(nr), PASS(SYS_write), PASS(SYS_exit_group), PASS(SYS_exit), \
		PASS(SYS_mmap), PASS(SYS_munmap), PASS(SYS_mremap),      \
		PASS(SYS_brk)
#define KILL REST(SECCOMP_RET_KILL_PROCESS)

static struct sock_filter tight[] = { FEW, KILL };
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
	KILL,
};
static struct sock_filter refusing[] = { FEW, REST(SECCOMP_RET_ERRNO | 1) };
#define ALL_BUT(number)                                                       \
	LOAD(arch),                                                           \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0), \
		KILL, LOAD(nr),                                               \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), KILL,      \
		REST(SECCOMP_RET_ALLOW)
static struct sock_filter loose[] = { ALL_BUT(SYS_acct) };
static struct sock_filter pread_kills[] = { ALL_BUT(SYS_pread64) };
/* As sshd's is. */
static struct sock_filter advice[] = {
	HEAP,
	PASS(SYS_mprotect),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
	LOAD(args[2]),
	PASS(MADV_NORMAL),
	PASS(MADV_DONTNEED),
	KILL,
};
static struct sock_filter protecting[] = { HEAP, PASS(SYS_mprotect), KILL };
static struct sock_filter ending[] = {
	LOAD(nr),
	PASS(SYS_exit),
	PASS(SYS_rt_sigprocmask),
	PASS(SYS_madvise),
	PASS(SYS_munmap),
	PASS(SYS_futex),
	KILL,
};
static struct sock_filter wrong[] = { LOAD(nr) };
static struct sock_filter mapping[] = { HEAP, KILL };

#define FILTER(name, filter)                                     \
	{                                                        \
		name, sizeof(filter) / sizeof(filter[0]), filter \
	}

static const struct {
	const char *name;
	unsigned short length;
	struct sock_filter *filter;
} filters[] = {
	FILTER("tight", tight),           FILTER("threads", threads),
	FILTER("loose", loose),           FILTER("pread", pread_kills),
	FILTER("errno", refusing),        FILTER("advice", advice),
	FILTER("protecting", protecting), FILTER("mapping", mapping),
	FILTER("ending", ending),         FILTER("wrong", wrong),
};

static struct sock_fprog filter_named(const char *name)
{
	size_t i = 0;

	while (strcmp(filters[i].name, name) != 0)
		if (++i == sizeof(filters) / sizeof(filters[0]))
			exit(97);
	return (struct sock_fprog){ filters[i].length, filters[i].filter };
}

static int ask(void)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL) != -1 ||
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_TSYNC, NULL) != -1 ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) != -1;
}

static int enter(const char *way, const char *name)
{
	struct sock_fprog filter = filter_named(name);

	if (!strcmp(way, "asking"))
		return ask();
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

/* Small and large ones, that grow and go: 80 MB. */
static int fill_heap(void)
{
	enum { SMALL = 100000, LARGE = 20 };
	static char *small[SMALL], *large[LARGE];

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < SMALL; i++)
			if (!(small[i] = calloc(1, i % 800)))
				return 96;
		for (size_t i = 0; i < LARGE; i++)
			for (size_t size = 1 << 20; size < 3 << 20; size *= 2)
				if (!(large[i] = realloc(large[i], size + i)))
					return 95;
		for (size_t i = 0; i < LARGE; i++) {
			memset(large[i], 1, 1 << 20);
			free(large[i]);
			large[i] = NULL;
		}
		for (size_t i = 0; i < SMALL; i++)
			free(small[i]);
	}
	return 5;
}

static int run_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, allocate, NULL))
		return 98;
	pthread_join(thread, NULL);
	return 5;
}

static void *shut_in(void *name)
{
	allocate(NULL);
	return (void *)(intptr_t)enter("prctl", name);
}

/* That the kernel does not take a wrong one is as it should be. */
static bool begin(const char *way, char *name)
{
	pthread_t thread;
	void *failed;

	if (strcmp(way, "thread") != 0)
		return (enter(way, name) != 0) == !strcmp(name, "wrong");
	return pthread_create(&thread, NULL, shut_in, name) == 0 &&
	       pthread_join(thread, &failed) == 0 && !failed;
}

int main(int argc, char **argv)
{
	volatile int *nowhere = NULL;

	allocate(NULL); /* libc's malloc asks for random numbers once */
	if (argc != 4 || !begin(argv[1], argv[2]))
		return 99;
	allocate(NULL);
	if (!strcmp(argv[3], "heap"))
		return fill_heap();
	if (!strcmp(argv[3], "crash"))
		return *nowhere;
	if (!strcmp(argv[3], "thread"))
		return run_thread();
	return 5;
}
