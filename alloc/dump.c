/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One dump: whose turn it is, where it goes, what is in it.
 *
 * All memory that this needs is in job, in .bss: touched when a dump is
 * written, and left out of it. Of concurrent triggers one writes, the others
 * wait for it; a dump that was a process's last leaves nothing for them to do.
 */
#include "alloc/dump_impl.h"

#include "alloc/arch.h"
#include "alloc/audit.h"
#include "alloc/clock.h"
#include "alloc/fork.h"
#include "alloc/instance.h"
#include "alloc/options.h"
#include "alloc/range.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/sys.h"
#include "dumpfmt/line.h"
#include "dumpfmt/live.h"
#include "dumpfmt/output.h"
#include "dumpfmt/writer.h"
#include "kma/kma.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	ROOTS_MAX = 16,
	MESSAGE_SIZE = 5000,
	STACK_SIZE = 128 << 10,
	OVERFLOW_MAX = 1 << 20, /* a guard, and a frame larger than it */
	TURN_CHECK_NS = 100 * 1000000,
};

/* The source's context: live is its first member (dumpfmt/live.h). */
struct capture {
	struct dump_live live;
	const struct dump_threads *threads;
	const struct dump_request *request;
	struct dump_stopped self;
	size_t next; /* slot to hand out */
	bool self_given;
};

static struct {
	_Alignas(DUMP_PAGE_SIZE) struct dump_writer_space space;
	struct capture capture;
	struct procfs_facts facts;
	struct dump_output output;
	char path[DUMP_PATH_MAX];
	char directory[DUMP_PATH_MAX]; /* where the process was started */
	uint64_t roots[ROOTS_MAX];
	struct dump_extent first[2], heap[1], never[2];
} job __attribute__((aligned(DUMP_PAGE_SIZE)));

/*
 * Whoever has the turn runs on this stack: a thread that dumps may be on a
 * small one, or on what is left of one.
 */
static char stack[STACK_SIZE] __attribute__((aligned(DUMP_PAGE_SIZE)));

static uint32_t writer_tid; /* who writes now; 0 nobody; a futex */
static bool finished;       /* the last dump was written */

/*
 * False: this thread is writing one, or another has written the last: then it
 * keeps the turn, and is given time to end the process its way.
 */
static bool take_turn(void)
{
	const struct timespec limit = { 0, TURN_CHECK_NS };
	uint32_t self = sys_gettid(), holder = 0;

	while (!__atomic_compare_exchange_n(&writer_tid, &holder, self, false,
					    __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE)) {
		if (holder == self)
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
static int expand_template(const char *template)
{
	const struct dump_process *process = &job.facts.process;
	struct line line;

	line_init(&line, job.path, sizeof(job.path));
	if (template[0] != '/') {
		line_add(&line, job.directory);
		line_add(&line, "/");
	}
	for (; *template; template ++) {
		if (template[0] != '%' || !template[1]) {
			line_add_bytes(&line, template, 1);
			continue;
		}
		template ++;
		if (*template == 'p')
			line_add_number(&line, process->pid, 10);
		else if (*template == 'e')
			line_add(&line, base_name(process->executable));
		else if (*template == 't')
			line_add_number(&line,
					process->dump_realtime_ns / 1000000000,
					10);
		else if (*template == 'm')
			line_add_number(&line, process->dump_monotonic_ns, 10);
		else
			line_add_bytes(&line, template, 1);
	}
	return line.full ? -ENAMETOOLONG : 0;
}

static int choose_path(const struct dump_request *request)
{
	struct line line;

	if (!request->path)
		return expand_template(kma_options.dump.path);
	line_init(&line, job.path, sizeof(job.path));
	line_add(&line, request->path);
	return line.full ? -ENAMETOOLONG : 0;
}

static void tell(const char *what, int error)
{
	char text[MESSAGE_SIZE];
	struct line line;

	line_init(&line, text, sizeof(text));
	line_add(&line, what);
	line_add(&line, job.path);
	if (error) {
		const char *reason = strerrordesc_np(error);

		line_add(&line, ": ");
		line_add(&line, reason ? reason : "unknown error");
	}
	kma_message(text);
}

/* --- threads ---------------------------------------------------------------
 */

/*
 * Is this the mapping that holds a thread's stack pointer? A stack that has
 * overflowed points below itself, into its guard or at nothing: then the
 * mapping that comes next is its. The maps are read once, upwards.
 */
static void note_stack(struct dump_stopped *thread, const struct dump_map *map)
{
	uint64_t sp = thread->registers.rsp;

	if (!(thread->flags & DUMP_THREAD_NO_STACK) || sp >= map->end ||
	    !(map->flags & DUMP_MAP_READ))
		return;
	if (sp < map->start && map->start - sp > OVERFLOW_MAX)
		return;
	thread->stack_low = map->start;
	thread->stack_high = map->end;
	thread->flags &= ~(uint32_t)DUMP_THREAD_NO_STACK;
}

static void find_stacks(struct capture *capture)
{
	const struct dump_threads *threads = capture->threads;
	struct dump_map map;

	capture->self.flags |= DUMP_THREAD_NO_STACK;
	for (size_t i = 0; i < threads->slot_count; i++)
		threads->slots[i].flags |= DUMP_THREAD_NO_STACK;
	while (procfs_maps_next(&capture->live.maps, &map)) {
		note_stack(&capture->self, &map);
		for (size_t i = 0; i < threads->slot_count; i++)
			if (threads->slots[i].tid != 0)
				note_stack(&threads->slots[i], &map);
	}
	procfs_maps_rewind(&capture->live.maps);
}

static void give_thread(const struct dump_stopped *from,
			struct dump_thread *ret)
{
	*ret = (struct dump_thread){
		.tid = from->tid,
		.flags = from->flags,
		.name = from->name,
		.registers = from->registers,
		.stack_low = from->stack_low,
		.stack_high = from->stack_high,
		.fpregs = from->fpregs,
		.fpregs_size = from->fpregs_size,
	};
	if (kma_options.dump.level != DUMP_META)
		return;
	ret->registers = (struct dump_registers){
		.rsp = from->registers.rsp,
		.rip = from->registers.rip,
	};
	ret->flags &= ~(uint32_t)DUMP_THREAD_REGISTERS;
	ret->flags |= DUMP_THREAD_SP_PC;
	ret->fpregs = NULL;
}

static bool next_thread(void *context, struct dump_thread *ret)
{
	struct capture *capture = context;
	const struct dump_threads *threads = capture->threads;

	if (!capture->self_given) {
		capture->self_given = true;
		give_thread(&capture->self, ret);
		return true;
	}
	while (capture->next < threads->slot_count) {
		struct dump_stopped *slot = &threads->slots[capture->next++];

		if (slot->tid == 0)
			continue;
		give_thread(slot, ret);
		return true;
	}
	return false;
}

/* Its stack and, at its top, its TLS and its descriptor. */
static bool needed_by(const struct dump_stopped *thread, uint64_t start,
		      uint64_t end)
{
	return thread->registers.rsp - start < end - start ||
	       thread->registers.fs_base - start < end - start;
}

static bool thread_needs(void *context, uint64_t start, uint64_t end)
{
	const struct capture *capture = context;
	const struct dump_threads *threads = capture->threads;

	if (needed_by(&capture->self, start, end))
		return true;
	for (size_t i = 0; i < threads->slot_count; i++)
		if (threads->slots[i].tid != 0 &&
		    needed_by(&threads->slots[i], start, end))
			return true;
	return false;
}

static void add_count(struct line *line, size_t count, const char *what)
{
	if (count == 0)
		return;
	line_add_number(line, count, 10);
	line_add(line, what);
}

static size_t messages(void *context, char *buffer, size_t size)
{
	const struct capture *capture = context;
	const struct dump_threads *threads = capture->threads;
	size_t silent = 0;
	struct line line;

	for (size_t i = 0; i < threads->slot_count; i++)
		silent += threads->slots[i].tid != 0 &&
			  threads->slots[i].state != DUMP_THREAD_STOPPED;
	line_init(&line, buffer, size);
	add_count(&line, silent, " threads did not stop: registers missing\n");
	add_count(&line, threads->unrecorded, " threads are not recorded\n");
	if (kma_options.dump.level != DUMP_META && capture->live.pagemap < 0)
		line_add(&line, "page map unreadable: relocated data of large "
				"files is missing\n");
	return line.used;
}

/* The calling thread, as it is in the function this is inlined into. */
__attribute__((always_inline)) static inline void
capture_self(struct dump_stopped *self, const struct dump_request *request)
{
	struct kma_registers registers;

	memset(self, 0, sizeof(*self));
	if (request->context) {
		dump_threads_from_context(self, request->context);
	} else {
		kma_arch_registers(&registers);
		self->registers = (struct dump_registers){
			.rbx = registers.column[KMA_COLUMN_RBX],
			.rbp = registers.column[KMA_COLUMN_FP],
			.rsp = registers.column[KMA_COLUMN_SP],
			.r12 = registers.column[KMA_COLUMN_R12],
			.r13 = registers.column[KMA_COLUMN_R13],
			.r14 = registers.column[KMA_COLUMN_R14],
			.r15 = registers.column[KMA_COLUMN_R15],
			.rip = registers.column[KMA_COLUMN_PC],
			.fs_base = kma_arch_thread_pointer(),
		};
		self->flags = DUMP_THREAD_REGISTERS;
	}
	self->tid = sys_gettid();
	self->state = DUMP_THREAD_STOPPED;
	self->flags |= DUMP_THREAD_CRASHED;
}

/* --- what is in it ---------------------------------------------------------
 */

static bool has_fault_address(const siginfo_t *info)
{
	int number = info->si_signo;

	return info->si_code > 0 &&
	       (number == SIGSEGV || number == SIGBUS || number == SIGILL ||
		number == SIGFPE || number == SIGTRAP);
}

static void collect_facts(const struct dump_request *request)
{
	struct dump_process *process = &job.facts.process;

	procfs_facts_read(&job.facts, 0);
	process->reason = request->reason;
	process->crashed_thread = job.capture.self.tid;
	process->level = kma_options.dump.level;
	process->exit_status = request->exit_status;
	process->writer = "libkma " KMA_VERSION;
	if (request->info) {
		process->signal = (uint32_t)request->info->si_signo;
		process->signal_code = request->info->si_code;
		if (has_fault_address(request->info))
			process->fault_address =
				(uintptr_t)request->info->si_addr;
	}
	if (kma_options.dump.level == DUMP_META)
		process->arguments = NULL;
}

/* Our own root and those it chains to, read as anything in a broken heap. */
static size_t collect_roots(void)
{
	uint64_t address = (uintptr_t)&kma_root;
	size_t count = 0;

	while (address && count < ROOTS_MAX) {
		struct kma_root_head head;

		if (dump_live_read(&job.capture.live, address, &head,
				   sizeof(head)) < sizeof(head) ||
		    head.magic[0] != KMA_ROOT_MAGIC0 ||
		    head.magic[1] != KMA_ROOT_MAGIC1)
			break;
		job.roots[count++] = address;
		address = head.next;
	}
	return count;
}

static struct dump_live_plan make_plan(int shared_pagemap)
{
	uintptr_t base = 0, end = 0;
	size_t never = 1;

	job.first[0] =
		(struct dump_extent){ kma_reserve.base, kma_reserve.heap.base };
	job.first[1] =
		(struct dump_extent){ kma_root.data_base, kma_root.data_end };
	job.heap[0] = (struct dump_extent){ kma_reserve.heap.base,
					    kma_reserve.heap.end };
	job.never[0] =
		(struct dump_extent){ (uintptr_t)&job, (uintptr_t)(&job + 1) };
	if (kma_instance.private_range &&
	    kma_instance.private_range(&base, &end))
		job.never[never++] = (struct dump_extent){ base, end };
	return (struct dump_live_plan){
		.level = kma_options.dump.level,
		.first = { job.first, 2 },
		.heap = { job.heap, 1 },
		.never = { job.never, never },
		.shared_pagemap = shared_pagemap,
		.thread_needs = thread_needs,
		.context = &job.capture,
	};
}

static int write_file(int shared_pagemap)
{
	struct dump_live_plan plan = make_plan(shared_pagemap);
	struct dump_source source = {
		.process = &job.facts.process,
		.roots = job.roots,
		.auxv = job.facts.auxv,
		.auxv_count = job.facts.auxv_count,
		.next_thread = next_thread,
		.messages = messages,
	};

	int status = dump_output_open(&job.output, job.path);
	if (status < 0)
		return status;
	status = dump_live_open(&job.capture.live, &plan);
	if (status == 0) {
		find_stacks(&job.capture);
		source.root_count = collect_roots();
		dump_live_source(&job.capture.live, &source);
		status = dump_write(&job.space, job.output.fd, &source);
		dump_live_close(&job.capture.live);
	}
	return dump_output_close(&job.output, status);
}

/* --- a copy of a process that goes on --------------------------------------
 */

/*
 * A fork that nobody notices: no exit signal, no fork handlers, invisible to
 * wait(). 0 in the copy, -errno.
 */
static pid_t copy_process(void)
{
	return (pid_t)sys_call(SYS_clone, 0, 0, 0, 0, 0, 0);
}

static void close_all_but(int keep, int keep_too)
{
	unsigned low = 0;
	unsigned kept[2] = { (unsigned)keep, (unsigned)keep_too };

	if (kept[0] > kept[1]) {
		kept[0] = (unsigned)keep_too;
		kept[1] = (unsigned)keep;
	}
	for (int i = 0; i < 2; i++) {
		if (kept[i] > low)
			close_range(low, kept[i] - 1, 0);
		low = kept[i] + 1;
		if (low == 0)
			return;
	}
	close_range(low, ~0u, 0);
}

/* In the copy: the program's files are not ours to keep open. */
static void copy_main(const struct dump_request *request, int shared_pagemap)
{
	if (request->detached && copy_process() > 0)
		sys_call(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	close_all_but(shared_pagemap, request->detached ? 2 : -1);
	int status = write_file(shared_pagemap);
	if (status < 0 && request->detached)
		tell("cannot write dump ", -status);
	sys_call(SYS_exit_group, -status, 0, 0, 0, 0, 0);
}

static int wait_for_copy(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

static int write_snapshot(const struct dump_request *request)
{
	int shared_pagemap = procfs_open(0, "pagemap", O_RDONLY);
	pid_t pid = copy_process();
	int status;

	if (pid == 0)
		copy_main(request, shared_pagemap);
	if (pid < 0) { /* no room for a copy: then the program waits */
		status = write_file(-1);
		dump_threads_go();
	} else {
		dump_threads_go();
		status = wait_for_copy(pid);
	}
	if (shared_pagemap >= 0)
		close(shared_pagemap);
	return status;
}

/* --- all of it -------------------------------------------------------------
 */

static int write_stopped(const struct dump_request *request)
{
	collect_facts(request);
	int status = choose_path(request);
	if (status < 0)
		return status;
	kma_clock_calibrate();
	job.capture.request = request;
	job.capture.next = 0;
	job.capture.self_given = false;
	job.capture.threads = dump_threads_stop();
	procfs_read(0, "comm", job.capture.self.name,
		    sizeof(job.capture.self.name));
	job.capture.self.name[strcspn(job.capture.self.name, "\n")] = '\0';
	if (!request->last)
		return write_snapshot(request);
	status = write_file(-1);
	dump_threads_go();
	return status;
}

/* The process ends with this dump, or without one: its supervisor hears it. */
static void say_bye(const struct dump_request *request, const char *path,
		    int failure)
{
	int status = (int)request->exit_status & 0xff;

	if (request->reason != KMA_DUMP_EXIT)
		status = request->info ? request->info->si_signo : SIGABRT;
	if (kma_instance.ended)
		kma_instance.ended((enum dump_reason)request->reason, status,
				   path, failure);
	finished = request->last;
}

static int write_and_tell(const struct dump_request *request)
{
	int status = write_stopped(request);

	if (status < 0)
		tell("cannot write dump ", -status);
	else if (!kma_options.roster[0] && /* else the supervisor tells */
		 (request->reason == KMA_DUMP_SIGNAL ||
		  request->reason == KMA_DUMP_ERROR))
		tell("dump written to ", 0);
	if (request->last || request->replaced)
		say_bye(request, status < 0 ? NULL : job.path, -status);
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

	if (call->request->none)
		say_bye(call->request, NULL, 0);
	else
		call->status = write_and_tell(call->request);
}

__attribute__((noinline)) int dump_run(const struct dump_request *request)
{
	struct call call = { request, 0 };
	int saved_errno = errno, cancel;
	sigset_t all, before;

	if (is_guest() || !take_turn())
		return -EDEADLK;
	/* No handler and no cancellation while our files are open. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	capture_self(&job.capture.self, request);
	kma_arch_call_on(stack + sizeof(stack), run, &call);
	pthread_setcancelstate(cancel, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!request->last)
		give_turn();
	errno = saved_errno;
	return call.status;
}

void kma_dump_exit(int status)
{
	if (is_guest())
		return;
	kma_audit_verify_all();
	dump_run(&(struct dump_request){
		.reason = KMA_DUMP_EXIT,
		.exit_status = (uint32_t)status,
		.last = true,
		.none = !kma_options.dump.on_exit,
	});
}

void kma_dump_replaced(void)
{
	if (!kma_options.dump.on_exit || !kma_instance.ended ||
	    !kma_root.errors.count || is_guest())
		return;
	dump_run(&(struct dump_request){
		.reason = KMA_DUMP_ERROR,
		.exit_status = DUMP_EXIT_STATUS_UNKNOWN,
		.replaced = true,
	});
}

static bool wanted(enum kma_dump_reason reason)
{
	switch (reason) {
	case KMA_DUMP_EXIT:
		return kma_options.dump.on_exit;
	case KMA_DUMP_SIGNAL:
		return kma_options.dump.on_fatal || kma_options.dump.on_killed;
	case KMA_DUMP_ERROR:
		return kma_options.dump.on_error;
	default:
		return true;
	}
}

int kma_dump_write(enum kma_dump_reason reason, const void *siginfo,
		   const void *ucontext)
{
	struct dump_request request = {
		.reason = reason,
		.info = siginfo,
		.context = ucontext,
		.exit_status = DUMP_EXIT_STATUS_UNKNOWN,
	};

	if (!wanted(reason))
		return 0;
	request.last = reason == KMA_DUMP_SIGNAL ||
		       (reason == KMA_DUMP_ERROR && !kma_options.noabort);
	request.detached = reason == KMA_DUMP_REQUEST && ucontext;
	return dump_run(&request);
}

__attribute__((visibility("default"))) int kma_dump(const char *path)
{
	struct dump_request request = {
		.reason = KMA_DUMP_REQUEST,
		.path = path,
		.exit_status = DUMP_EXIT_STATUS_UNKNOWN,
	};

	if (!kma_init()) {
		errno = ENOMEM;
		return -1;
	}
	int status = dump_run(&request);
	if (status == 0)
		return 0;
	errno = -status;
	return -1;
}

void kma_dump_forked(void)
{
	writer_tid = 0;
	finished = false;
	dump_threads_forked();
}

void kma_dump_init(void)
{
	if (sys_call(SYS_getcwd, (long)(uintptr_t)job.directory,
		     sizeof(job.directory), 0, 0, 0, 0) < 0)
		job.directory[0] = '\0';
	dump_signal_init();
	dump_exit_init();
}
