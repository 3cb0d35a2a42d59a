/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/sandbox.h"

#include "alloc/dump_signal.h"
#include "alloc/filter.h"
#include "alloc/instance.h"
#include "alloc/options.h"
#include "alloc/report.h"
#include "alloc/sys.h"
#include "dumpfmt/line.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

enum { TEXT_SIZE = 128 };

/*
 * The first of them are made before it is known whether there is to be a dump,
 * and to let a supervisor look; the next up to FOR_A_STOP stop other threads;
 * those up to FOR_A_DUMP no dump can do without. Where another is refused, it
 * is told what could not be done.
 */
static const int needed[] = {
	SYS_getpid,
	SYS_gettid,
	SYS_getppid,
	SYS_rt_sigprocmask,
	SYS_futex,
	SYS_rt_sigaction,
	SYS_rt_tgsigqueueinfo,
	SYS_openat,
	SYS_read,
	SYS_pread64,
	SYS_write,
	SYS_writev,
	SYS_close,
	SYS_pwritev,
	SYS_lstat,
	SYS_newfstatat,
	SYS_getdents64,
	SYS_mmap,
	SYS_munmap,
	SYS_mprotect,
	SYS_lseek,
	SYS_ioctl,
	SYS_readlink,
	SYS_rename,
	SYS_unlink,
	SYS_clone,
	SYS_wait4,
	SYS_prctl,
	SYS_uname,
	SYS_madvise,
	SYS_exit_group,
	SYS_close_range,
};

enum { FOR_AN_END = 5, FOR_A_STOP = FOR_AN_END + 2, FOR_A_DUMP = 13 };

enum { ANY = KMA_FILTER_ANY };

/* What is called while the program runs, and can fail. */
static const struct {
	long number, third;
} optional[] = {
	{ SYS_gettid, ANY },
	{ SYS_prctl, ANY },
	{ SYS_sigaltstack, ANY },
	{ SYS_rt_sigaction, ANY },
	{ SYS_openat, ANY },
	{ SYS_read, ANY },
	{ SYS_pread64, ANY },
	{ SYS_close, ANY },
	{ SYS_readlinkat, ANY },
	{ SYS_mincore, ANY },
	{ SYS_membarrier, ANY },
	{ SYS_getcpu, ANY },
	{ SYS_sched_yield, ANY },
	{ SYS_sched_getaffinity, ANY },
	{ SYS_prlimit64, ANY },
	{ SYS_mremap, ANY },
	{ SYS_mlock, ANY },
	{ SYS_munlock, ANY },
	{ SYS_mmap, PROT_NONE },
	{ SYS_mmap, PROT_READ | PROT_WRITE },
	{ SYS_munmap, ANY },
	{ SYS_mprotect, PROT_NONE },
	{ SYS_mprotect, PROT_READ | PROT_WRITE },
	{ SYS_madvise, MADV_DONTNEED },
	{ SYS_madvise, MADV_HUGEPAGE },
	{ SYS_madvise, MADV_DONTDUMP },
	{ SYS_madvise, MADV_DODUMP },
	{ SYS_madvise, MADV_WIPEONFORK },
	{ SYS_madvise, SYS_POPULATE_WRITE },
	{ SYS_madvise, SYS_COLLAPSE },
	{ SYS_madvise, SYS_GUARD_INSTALL },
	{ SYS_madvise, SYS_GUARD_REMOVE },
};

enum {
	OPTIONAL_COUNT = sizeof(optional) / sizeof(optional[0]),
	/* Where struct pthread of glibc has the thread's id: looked for here.
	 */
	TID_FIRST = 640,
	TID_LAST = 800,
};

/* Of any thread. */
struct forbidden {
	bool end, stop, dump, any_optional, everywhere;
	bool optional[OPTIONAL_COUNT];
};

static struct forbidden forbids, before;
static size_t tid_offset; /* 0: not found */

enum { UNTOLD, FREE, FILTERED };

static __thread int here, here_before;

bool kma_sandbox_is_set;

/* --- what a filter forbids ---------------------------------------------------
 */

static bool forbidden(const struct sock_fprog *filter, size_t i)
{
	return kma_filter_ends(filter, needed[i], ANY) ||
	       (i < FOR_A_DUMP && kma_filter_refuses(filter, needed[i]));
}

/* --- what follows ----------------------------------------------------------
 */

/* While it can be said, and only where a dump was asked for, by others than a
 * supervisor that can do without. */
static void tell(int number)
{
	char text[TEXT_SIZE];
	struct line line;

	if (!kma_options.dump.path[0] ||
	    (kma_instance.in_place && kma_instance.in_place()))
		return;
	line_init(&line, text, sizeof(text));
	line_add(&line, "no dump will be written: the program's seccomp filter "
			"does not allow system call ");
	line_add_number(&line, (uint64_t)number, 10);
	kma_message(text);
}

/* libc knows it, too: at an offset that differs from version to version. */
static void find_tid_offset(void)
{
	uint32_t tid = sys_gettid();
	const char *block = (const char *)kma_arch_thread_pointer();

	for (size_t at = TID_FIRST; !tid_offset && at < TID_LAST; at += 4)
		if (*(const uint32_t *)(const void *)(block + at) == tid)
			tid_offset = at;
}

uint32_t kma_sandbox_tid(void)
{
	const char *block = (const char *)kma_arch_thread_pointer();

	return tid_offset
		       ? *(const uint32_t *)(const void *)(block + tid_offset)
		       : 0;
}

bool kma_sandbox_is_here(void)
{
	return forbids.everywhere || here == FILTERED;
}

void kma_sandbox_thread_start(bool is_filtered)
{
	here = is_filtered ? FILTERED : FREE;
}

bool kma_sandbox_forbids_call(long number, long third)
{
	if (here == FREE && !forbids.everywhere)
		return false;
	for (size_t i = 0; i < OPTIONAL_COUNT; i++)
		if (optional[i].number == number &&
		    (optional[i].third == ANY || optional[i].third == third))
			return forbids.optional[i];
	return false;
}

static void enter_daily_life(const struct sock_fprog *filter)
{
	find_tid_offset();
	for (size_t i = 0; i < OPTIONAL_COUNT; i++) {
		forbids.optional[i] |= kma_filter_ends(
			filter, optional[i].number, optional[i].third);
		forbids.any_optional |= forbids.optional[i];
	}
	kma_sandbox_is_set = forbids.any_optional;
}

void kma_sandbox_enter(const struct sock_fprog *filter, bool all_threads)
{
	before = forbids;
	enter_daily_life(filter);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!forbidden(filter, i))
			continue;
		if (!forbids.dump)
			tell(needed[i]);
		forbids.dump = true;
		if (i < FOR_AN_END && !forbids.end && kma_instance.filtered)
			kma_instance.filtered();
		forbids.end |= i < FOR_AN_END;
		if (i >= FOR_A_STOP || forbids.stop)
			continue;
		forbids.stop = true;
		kma_dump_leave_signals();
	}
	forbids.everywhere |= all_threads;
	here_before = here;
	here = FILTERED;
}

void kma_sandbox_refused(void)
{
	bool left_signals = forbids.stop && !before.stop;

	forbids = before;
	kma_sandbox_is_set = forbids.any_optional;
	here = here_before;
	if (left_signals)
		kma_dump_catch_signals();
}

bool kma_sandbox_forbids_end(void)
{
	return forbids.end;
}

bool kma_sandbox_forbids_stop(void)
{
	return forbids.stop;
}

bool kma_sandbox_forbids_dump(void)
{
	return forbids.dump;
}
