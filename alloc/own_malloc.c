/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The address says it where it is our function's, or a jump through the table
 * of a program that is not position independent (its canonical PLT entry),
 * which ends with us. Where the program defines malloc, that may still be a
 * wrapper of ours: who knows is who asks it for a buffer. It may not be asked
 * here, for it need not work before main (GNU Common Lisp's crashes), so a copy
 * of the process asks.
 */
#include "alloc/own_malloc.h"

#include "alloc/pages.h"
#include "alloc/sys.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

typedef void *allocate_function(size_t size);

/* An undefined symbol with an address: a jump to whoever defines it. */
static bool is_jump(const void *function)
{
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;

	return dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) &&
	       symbol && symbol->st_shndx == SHN_UNDEF;
}

/* Its crash is nobody's business, nor is that it does not come back. */
static void expect_the_worst(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,
				     SIGABRT, SIGTRAP, SIGALRM, SIGSYS };
	const struct itimerval limit = { .it_value = { .tv_sec = 2 } };
	const uint64_t by_default[4] = { 0 }; /* the kernel's sigaction */

	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sys_call(SYS_rt_sigaction, fatal[i],
			 (long)(uintptr_t)by_default, 0, 8, 0, 0);
	sys_call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0, 0);
	sys_call(SYS_close, 1, 0, 0, 0, 0, 0);
	sys_call(SYS_close, 2, 0, 0, 0, 0, 0);
	sys_call(SYS_setitimer, ITIMER_REAL, (long)(uintptr_t)&limit, 0, 0, 0,
		 0);
}

static _Noreturn void ask(allocate_function *allocate)
{
	expect_the_worst();
	bool ours = kma_pages_lookup((uintptr_t)allocate(1)) != 0;

	for (;;)
		sys_call(SYS_exit_group, !ours, 0, 0, 0, 0, 0);
}

/* No exit signal, no fork handlers, no wait() that sees it. */
static bool gives_our_buffers(allocate_function *allocate, void (*quiet)(void))
{
	long pid = sys_call(SYS_clone, 0, 0, 0, 0, 0, 0), waited;
	int status = 0;

	if (pid == 0) {
		quiet();
		ask(allocate);
	}
	do
		waited = pid < 0 ? pid
				 : sys_call(SYS_wait4, pid,
					    (long)(uintptr_t)&status, __WALL, 0,
					    0, 0);
	while (waited == -EINTR);
	return waited == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A tool that runs the program's instructions itself (valgrind's) may have its
 * own malloc run where ours is called, and free likewise. */
static bool is_replaced(allocate_function *allocate)
{
	void *volatile p = allocate(1);
	bool replaced = p && !kma_pages_lookup((uintptr_t)p);

	free(p);
	return replaced;
}

bool kma_malloc_is_ours(void (*quiet)(void))
{
	void *function = dlsym(RTLD_DEFAULT, "malloc");

	if (!function)
		return false;
	if (function == (void *)(uintptr_t)malloc || is_jump(function))
		return !is_replaced((allocate_function *)(uintptr_t)function);
	return gives_our_buffers((allocate_function *)(uintptr_t)function,
				 quiet);
}

kma_realloc_function *kma_program_realloc(void)
{
	static kma_realloc_function *found;
	kma_realloc_function *function =
		__atomic_load_n(&found, __ATOMIC_RELAXED);

	if (!function) {
		function = (kma_realloc_function *)(uintptr_t)dlsym(
			RTLD_DEFAULT, "realloc");
		if (!function)
			function = realloc;
		__atomic_store_n(&found, function, __ATOMIC_RELAXED);
	}
	return function;
}
