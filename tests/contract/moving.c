/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Usage: moving HOW. A large buffer moves where the kernel would take what is
 * at its new place away and then not give it the old pages: "addresses" and
 * "data" are limits lowered to less than the program has; "cut" is what Linux
 * before 6.17 did with a buffer that is several mappings, done by a handler in
 * the kernel's stead.
 */
#include "tests/contract/contract.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>

enum { MIB = 1 << 20, OLD = 4 * MIB, NEW = 8 * MIB, ROOM = 12 * MIB };

static volatile sig_atomic_t refused;

static long raw(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

static void on_mremap(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)number, (void)info;
	refused = 1;
	raw(SYS_munmap, registers[REG_R8], registers[REG_RDX], 0);
	registers[REG_RAX] = -EFAULT;
}

/* Past libkma, which would ask the filter what it does. */
static void cut(void)
{
	static struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mremap, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]),
				      filter };
	struct sigaction action = { .sa_sigaction = on_mremap,
				    .sa_flags = SA_SIGINFO };

	CHECK(sigaction(SIGSYS, &action, NULL) == 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&program) ==
	      0);
}

static void limit(bool of_data)
{
	struct rlimit limit = { MIB, RLIM_INFINITY };

	CHECK((of_data ? setrlimit(RLIMIT_DATA, &limit)
		       : setrlimit(RLIMIT_AS, &limit)) == 0);
}

static unsigned char *allocate(size_t size, int byte)
{
	unsigned char *p = malloc(size);

	CHECK(p);
	memset(p, byte, size);
	return p;
}

static void check(const unsigned char *p)
{
	for (size_t at = 0; at < OLD; at++)
		CHECK(p[at] == 1);
}

int main(int argc, char **argv)
{
	unsigned char *p = allocate(OLD, 1), *behind = allocate(OLD, 2);
	unsigned char *room = allocate(ROOM, 3), *last = allocate(OLD, 4);
	const char *tier = getenv("KMA_DEBUG");
	bool is_off = tier && strcmp(tier, "off") == 0;

	CHECK(argc == 2);
	free(room);
	if (strcmp(argv[1], "cut") == 0)
		cut();
	else
		limit(strcmp(argv[1], "data") == 0);

	unsigned char *moved = realloc(p, NEW);

	if (!moved) { /* what was freed last waits at other tiers */
		CHECK(!is_off && errno == ENOMEM);
		check(p);
		return 0;
	}
	CHECK(!is_off || strcmp(argv[1], "cut") != 0 || refused);
	check(moved);
	memset(moved, 5, NEW);
	CHECK(behind[0] == 2 && behind[OLD - 1] == 2);
	CHECK(last[0] == 4 && last[OLD - 1] == 4);
	free(moved);
	free(behind);
	free(last);
	return 0;
}
