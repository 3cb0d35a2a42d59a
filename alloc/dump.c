/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One dump: whose turn it is, where it goes, whether the program waits.
 *
 * Of concurrent triggers one writes, the others wait for it; a dump that was a
 * process's last leaves nothing for them to do.
 */
#include "alloc/dump_impl.h"

#include "alloc/arch.h"
#include "alloc/audit.h"
#include "alloc/clock.h"
#include "alloc/fork.h"
#include "alloc/instance.h"
#include "alloc/options.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/sandbox.h"
#include "alloc/sys.h"
#include "dumpfmt/line.h"
#include "dumpfmt/output.h"
#include "dumpfmt/procfs.h"
#include "kma/kma.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
	MESSAGE_SIZE = 5000,
	STACK_SIZE = 128 << 10,
	TURN_CHECK_NS = 100 * 1000000,
};

/*
 * Whoever has the turn runs on this stack: a thread that dumps may be on a
 * small one, or on what is left of one.
 */
static char stack[STACK_SIZE] __attribute__((aligned(DUMP_PAGE_SIZE)));

/* Where the process was started; "" where that has no path that fits. */
static char start_directory[DUMP_PATH_MAX];
static char dump_path[DUMP_PATH_MAX];
static struct dump_stopped self; /* the thread that has the turn */

static uint32_t writer_tid; /* who writes now; 0 nobody; a futex */
static bool finished;       /* the last dump was written */

/*
 * False: this thread is writing one, or another has written the last: then it
 * keeps the turn, and is given time to end the process its way.
 */
static bool take_turn(void)
{
	const struct timespec limit = { 0, TURN_CHECK_NS };
	uint32_t caller = sys_gettid(), holder = 0;

	while (!__atomic_compare_exchange_n(&writer_tid, &holder, caller, false,
					    __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE)) {
		if (holder == caller)
			return false;
		if (sys_call(SYS_futex, (long)(uintptr_t)&writer_tid,
			     FUTEX_WAIT_PRIVATE, holder,
			     (long)(uintptr_t)&limit, 0, 0) == -ETIMEDOUT &&
		    __atomic_load_n(&finished, __ATOMIC_RELAXED))
			return false;
		holder = 0;
	}
	return true;
}

static void give_turn(void)
{
	__atomic_store_n(&writer_tid, 0, __ATOMIC_RELEASE);
	sys_call(SYS_futex, (long)(uintptr_t)&writer_tid, FUTEX_WAKE_PRIVATE,
		 INT32_MAX, 0, 0, 0);
}

/* --- where it goes ---------------------------------------------------------
 */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* %p, %e, %t, %m and %% of the template; its directory is that of the start. */
static int expand_template(const char *form, const struct dump_process *process)
{
	struct line line;

	line_init(&line, dump_path, sizeof(dump_path));
	if (form[0] != '/' && start_directory[0]) {
		line_add(&line, start_directory);
		line_add(&line, "/");
	}
	for (; *form; form++) {
		if (form[0] != '%' || !form[1]) {
			line_add_bytes(&line, form, 1);
			continue;
		}
		form++;
		if (*form == 'p')
			line_add_number(&line, process->pid, 10);
		else if (*form == 'e')
			line_add(&line, base_name(process->executable));
		else if (*form == 't')
			line_add_number(&line,
					process->dump_realtime_ns / 1000000000,
					10);
		else if (*form == 'm')
			line_add_number(&line, process->dump_monotonic_ns, 10);
		else
			line_add_bytes(&line, form, 1);
	}
	return line.full ? -ENAMETOOLONG : 0;
}

static int choose_path(const struct dump_request *request,
		       const struct dump_process *process)
{
	struct line line;

	if (request->asked)
		return 0;
	if (!request->path)
		return expand_template(kma_options.dump.path, process);
	line_init(&line, dump_path, sizeof(dump_path));
	line_add(&line, request->path);
	return line.full ? -ENAMETOOLONG : 0;
}

void dump_tell(const char *what, int error)
{
	char text[MESSAGE_SIZE];
	struct line line;

	line_init(&line, text, sizeof(text));
	line_add(&line, what);
	line_add(&line, dump_path);
	if (error) {
		const char *reason = strerrordesc_np(error);

		line_add(&line, ": ");
		line_add(&line, reason ? reason : "unknown error");
	}
	kma_message(text);
}

/* The calling thread. */
static void capture_self(const struct dump_request *request)
{
	memset(&self, 0, sizeof(self));
	if (request->context) {
		dump_threads_from_context(&self, request->context);
	} else {
		const uintptr_t *column = request->here->column;

		self.registers = (struct dump_registers){
			.rbx = column[KMA_COLUMN_RBX],
			.rbp = column[KMA_COLUMN_FP],
			.rsp = column[KMA_COLUMN_SP],
			.r12 = column[KMA_COLUMN_R12],
			.r13 = column[KMA_COLUMN_R13],
			.r14 = column[KMA_COLUMN_R14],
			.r15 = column[KMA_COLUMN_R15],
			.rip = column[KMA_COLUMN_PC],
			.fs_base = kma_arch_thread_pointer(),
		};
		self.flags = DUMP_THREAD_REGISTERS;
	}
	self.tid = sys_gettid();
	self.state = DUMP_THREAD_STOPPED;
	self.flags |= DUMP_THREAD_CRASHED;
}

/* --- all of it -------------------------------------------------------------
 */

static int write_stopped(const struct dump_request *request)
{
	const struct dump_process *process =
		dump_contents_facts(request, &self);
	int status = choose_path(request, process);

	if (status < 0)
		return status;
	sys_call(SYS_prctl, PR_GET_NAME, (long)(uintptr_t)self.name, 0, 0, 0,
		 0);
	uint64_t since = dump_now_ns();
	dump_contents_threads(dump_threads_stop(), &self);
	if (!request->last)
		return dump_copy_write(request, dump_path, since);
	status = dump_contents_write(request, dump_path, -1);
	dump_threads_go();
	if (request->reason != KMA_DUMP_EXIT)
		dump_threads_wait_left(); /* the kernel's core is next */
	return status;
}

int dump_end_status(const struct dump_request *request)
{
	if (request->reason == KMA_DUMP_EXIT)
		return (int)request->exit_status & 0xff;
	return request->info ? request->info->si_signo : SIGABRT;
}

/* The process ends with this dump, or without one: its supervisor hears it. */
static void say_bye(const struct dump_request *request, const char *path,
		    int failure)
{
	if (kma_instance.ended)
		kma_instance.ended((enum dump_reason)request->reason,
				   dump_end_status(request), path, failure);
	finished = request->last;
}

static void tell_outcome(const struct dump_request *request, int status)
{
	if (status < 0)
		dump_tell("cannot write dump ", -status);
	else if (!kma_options.roster[0] && /* else the supervisor tells */
		 (request->reason == KMA_DUMP_SIGNAL ||
		  request->reason == KMA_DUMP_ERROR ||
		  (request->reason == KMA_DUMP_EXIT &&
		   !kma_options.dump.on_exit))) /* not each end has one */
		dump_tell("dump written to ", 0);
}

static int write_and_tell(const struct dump_request *request)
{
	int status = -EPERM;

	kma_clock_calibrate();
	if (dump_show(request, &self)) {
		finished = request->last;
		return 0;
	}
	if (!kma_sandbox_forbids_dump()) { /* else that was told */
		status = write_stopped(request);
		if (!request->asked) /* else who asked is told */
			tell_outcome(request, status);
	}
	if (request->last || request->replaced)
		say_bye(request, status < 0 ? NULL : dump_path, -status);
	return status;
}

/* True in the child of a vfork: this memory is its parent's. */
static bool is_guest(void)
{
	kma_fork_check();
	return sys_getpid() != kma_root.pid;
}

struct call {
	const struct dump_request *request;
	int status;
};

/* On the stack of our own. */
static void run(void *argument)
{
	struct call *call = argument;

	if (call->request->asked && !dump_ask_accept(call->request->asked))
		call->status = -ECANCELED;
	else
		call->status = write_and_tell(call->request);
}

/* A file size limit sends a signal for what is our write, not the program's. */
static void forget_size_limit(void)
{
	const uint64_t mask = UINT64_C(1) << (SIGXFSZ - 1);
	const struct timespec now = { 0, 0 };

	sys_call(SYS_rt_sigtimedwait, (long)(uintptr_t)&mask, 0,
		 (long)(uintptr_t)&now, sizeof(mask), 0, 0);
}

int dump_run(const struct dump_request *request)
{
	struct call call = { request, 0 };
	int saved_errno = errno, cancel;
	sigset_t all, before;

	if (kma_sandbox_forbids_end())
		return -EPERM;
	if (is_guest() || !take_turn())
		return -EDEADLK;
	/* No handler and no cancellation while our files are open. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	if (request->none) {
		say_bye(request, NULL, 0);
	} else {
		capture_self(request);
		kma_arch_call_on(stack + sizeof(stack), run, &call);
	}
	if (call.status == -EFBIG)
		forget_size_limit();
	pthread_setcancelstate(cancel, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!request->last)
		give_turn();
	errno = saved_errno;
	return call.status;
}

/*
 * A stack that the program made itself (a coroutine's, clone()'s) is memory as
 * any other, and read whole: pointers that looking at every buffer left behind
 * would pass for references there.
 */
__attribute__((noinline)) static void wipe_stack(void)
{
	enum { AS_DEEP = 1024 }; /* as that goes, and any stack has left */
	char space[AS_DEEP];

	memset(space, 0, sizeof(space));
	__asm__ volatile("" : : "r"(space) : "memory");
}

/* Of an error that did not end the process, too, or that only the end found. */
static bool wanted_at_exit(void)
{
	return kma_options.dump.on_exit ||
	       (kma_options.dump.on_error && kma_report_told());
}

void kma_dump_exit(int status, const struct kma_registers *here)
{
	if (kma_sandbox_forbids_end() || is_guest())
		return;
	kma_audit_verify_all();
	wipe_stack();
	dump_run(&(struct dump_request){
		.reason = KMA_DUMP_EXIT,
		.here = here,
		.exit_status = (uint32_t)status,
		.last = true,
		.none = !wanted_at_exit(),
	});
}

void kma_dump_replaced(void)
{
	struct kma_registers here;

	if (!kma_options.dump.on_exit || !kma_instance.ended ||
	    !kma_root.errors.count || kma_sandbox_forbids_end() || is_guest())
		return;
	kma_arch_registers(&here);
	dump_run(&(struct dump_request){
		.reason = KMA_DUMP_ERROR,
		.here = &here,
		.exit_status = DUMP_EXIT_STATUS_UNKNOWN,
		.replaced = true,
	});
}

static bool wanted(enum kma_dump_reason reason)
{
	switch (reason) {
	case KMA_DUMP_EXIT:
		return kma_options.dump.on_exit;
	case KMA_DUMP_ERROR:
		return kma_options.dump.on_error;
	default: /* a signal's handler knows which it is for */
		return true;
	}
}

int kma_dump_write(enum kma_dump_reason reason, const void *siginfo,
		   const void *ucontext)
{
	struct kma_registers here;
	struct dump_request request = {
		.reason = reason,
		.info = siginfo,
		.context = ucontext,
		.here = &here,
		.exit_status = DUMP_EXIT_STATUS_UNKNOWN,
	};

	if (!wanted(reason))
		return 0;
	kma_arch_registers(&here);
	request.last = reason == KMA_DUMP_SIGNAL ||
		       (reason == KMA_DUMP_ERROR && !kma_options.noabort);
	request.detached = reason == KMA_DUMP_REQUEST && ucontext;
	return dump_run(&request);
}

__attribute__((visibility("default"))) int kma_dump(const char *path)
{
	struct kma_registers here;
	struct dump_request request = {
		.reason = KMA_DUMP_REQUEST,
		.here = &here,
		.path = path,
		.exit_status = DUMP_EXIT_STATUS_UNKNOWN,
	};

	if (!kma_init()) {
		errno = ENOMEM;
		return -1;
	}
	kma_arch_registers(&here);
	int status = dump_run(&request);
	if (status == 0)
		return 0;
	errno = -status;
	return -1;
}

void dump_asked(const siginfo_t *info, const ucontext_t *context)
{
	struct dump_asked asked;

	if (kma_sandbox_forbids_dump() || !dump_ask_open(info, &asked))
		return;
	dump_run(&(struct dump_request){
		.reason = (enum kma_dump_reason)DUMP_REASON_SNAPSHOT,
		.context = context,
		.detached = true,
		.asked = &asked,
		.exit_status = DUMP_EXIT_STATUS_UNKNOWN,
	});
	dump_ask_close(&asked);
}

void kma_dump_forked(void)
{
	writer_tid = 0;
	finished = false;
	dump_threads_forked();
}

/* Is that the file of a library that has its place under a supervisor? */
static bool is_preload(const char *path)
{
	static const char name[] = "/libkma_malloc.so";
	size_t length = strlen(path);

	return length >= sizeof(name) - 1 &&
	       strcmp(path + length - (sizeof(name) - 1), name) == 0;
}

/* Under a supervisor the preload tells of the whole process, and of us. */
static bool another_dumps(void)
{
	static struct procfs_maps maps;
	struct dump_map map;
	bool found = false;

	if (!kma_options.roster[0] || kma_instance.ended ||
	    procfs_maps_open(&maps, 0) != 0)
		return false;
	while (!found && procfs_maps_next(&maps, &map))
		found = is_preload(map.path);
	procfs_maps_close(&maps);
	return found;
}

void kma_dump_init(void)
{
	if (another_dumps())
		kma_options.dump.on_exit = kma_options.dump.on_fatal =
			kma_options.dump.on_killed = kma_options.dump.on_error =
				false;
	if (sys_call(SYS_getcwd, (long)(uintptr_t)start_directory,
		     sizeof(start_directory), 0, 0, 0, 0) < 0)
		start_directory[0] = '\0';
	dump_signal_init();
	dump_exit_init();
}
