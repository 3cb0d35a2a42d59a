/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stopping the other threads, without ptrace.
 *
 * Each thread is sent SIGSETXID, one of the two signals that libc keeps for
 * itself and so never lets a program block. Its handler writes where the
 * thread was into a slot and waits until the dump is done. libc's own use of
 * the signal goes on: what we did not send is handed to the handler that was
 * there before.
 *
 * Threads are found in /proc/self/task, again and again until there is none
 * that was not asked, as a thread may start another until it stops; where there
 * is no /proc, in the list of threads that libkma keeps. One that
 * blocks the signal by a raw system call, has ended, or waits for a disk, does
 * not answer; after a while its state is asked of the kernel, and if it cannot
 * be waited for it is SILENT: the dump has what /proc tells of it.
 */
#include "alloc/dump_impl.h"

#include "alloc/arch.h"
#include "alloc/root.h"
#include "alloc/sys.h"
#include "alloc/thread.h"
#include "dumpfmt/line.h"
#include "dumpfmt/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	STOP_SIGNAL = DUMP_ASK_SIGNAL, /* libc's SIGSETXID */
	RESTORER_FLAG = 0x04000000,    /* SA_RESTORER, which libc hides */
	FEW_SLOTS = 128,
	SPARE_SLOTS = 32, /* for threads that start meanwhile */
	ROUNDS_MAX = 20,
	PATIENCE_NS = 50 * 1000000, /* then ask the kernel about the silent */
	PATIENCE_ROUNDS = 20,       /* without an answer: give up */
	LEAVING_NS = 100 * 1000000, /* for all to leave the handler, at most */
	NAP_NS = 100 * 1000,        /* between looks whether they have */
	TASK_PATH = 48,
	STATUS_SIZE = 2048,
	DIRECTORY_SIZE = 4096,
};

typedef void signal_handler(int number, siginfo_t *info, void *context);

/* As the kernel has it. */
struct kernel_sigaction {
	signal_handler *handler;
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

/* As getdents64 has it. */
struct directory_entry {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

__thread const ucontext_t *dump_thread_context
	__attribute__((tls_model("initial-exec")));

static struct dump_stopped few_slots[FEW_SLOTS];
static struct dump_threads threads = { .slots = few_slots,
				       .slot_count = FEW_SLOTS };

static uint32_t generation; /* odd: threads are being stopped; a futex */
static uint32_t answers;    /* a futex */
/* Of libc, where it has one. Threads that start at once may each find it. */
static signal_handler *previous;

static long futex_wait(uint32_t *word, uint32_t value, long nanoseconds)
{
	struct timespec limit = { 0, nanoseconds };

	return sys_call(SYS_futex, (long)(uintptr_t)word, FUTEX_WAIT_PRIVATE,
			value, nanoseconds ? (long)(uintptr_t)&limit : 0, 0, 0);
}

static void futex_wake(uint32_t *word)
{
	sys_call(SYS_futex, (long)(uintptr_t)word, FUTEX_WAKE_PRIVATE,
		 INT32_MAX, 0, 0, 0);
}

/* The slot of a thread, or a free one; NULL: neither. */
static struct dump_stopped *find_slot(uint32_t tid)
{
	size_t mask = threads.slot_count - 1;
	size_t at = tid * 2654435761u & mask;

	for (size_t i = 0; i < threads.slot_count; i++, at = (at + 1) & mask)
		if (threads.slots[at].tid == tid || threads.slots[at].tid == 0)
			return &threads.slots[at];
	return NULL;
}

void dump_threads_from_context(struct dump_stopped *thread,
			       const ucontext_t *context)
{
	size_t size;

	kma_arch_dump_registers(context, &thread->registers);
	thread->fpregs = (uintptr_t)kma_arch_vector_state(context, &size);
	thread->fpregs_size = size;
	thread->flags = DUMP_THREAD_REGISTERS;
}

static void answer(const ucontext_t *context, uint32_t stop)
{
	struct dump_stopped *slot = find_slot(sys_gettid());

	if (!slot || slot->tid == 0)
		return;
	dump_threads_from_context(slot, context);
	__atomic_store_n(&slot->state, DUMP_THREAD_STOPPED, __ATOMIC_RELEASE);
	__atomic_fetch_add(&answers, 1, __ATOMIC_RELEASE);
	futex_wake(&answers);
	while (__atomic_load_n(&generation, __ATOMIC_ACQUIRE) == stop)
		futex_wait(&generation, stop, 0);
}

/* NULL: none is known. */
static signal_handler *libc_handler(void)
{
	signal_handler *handler = __atomic_load_n(&previous, __ATOMIC_ACQUIRE);

	return (uintptr_t)handler > (uintptr_t)SIG_IGN ? handler : NULL;
}

static void on_stop(int number, siginfo_t *info, void *context)
{
	uint32_t stop = (uint32_t)info->si_value.sival_int;

	if (dump_ask_is(info)) {
		dump_signal_asked(info, context);
		return;
	}
	if (info->si_code != SI_QUEUE || info->si_pid != getpid()) {
		signal_handler *handler = libc_handler();

		if (handler)
			handler(number, info, context);
		return;
	}
	if (__atomic_load_n(&generation, __ATOMIC_ACQUIRE) == stop)
		answer(dump_thread_context ? dump_thread_context : context,
		       stop);
	dump_resume_call(context);
}

static long kernel_sigaction(const struct kernel_sigaction *action,
			     struct kernel_sigaction *old)
{
	return sys_call(SYS_rt_sigaction, STOP_SIGNAL, (long)(uintptr_t)action,
			(long)(uintptr_t)old, sizeof(action->mask), 0, 0);
}

/*
 * Ours stays once it is there: a stop that is still on its way, or one who asks
 * for a dump (dumpfmt/ask.h), finds it. libc sets its own when the first thread
 * is created, and needs it: it is known before ours takes its place.
 */
static void install_handler(void)
{
	const struct kernel_sigaction action = {
		.handler = on_stop,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | RESTORER_FLAG,
		.restorer = kma_arch_sigreturn,
		.mask = UINT64_MAX,
	};
	struct kernel_sigaction now;

	if (kernel_sigaction(NULL, &now) < 0 || now.handler == on_stop)
		return;
	__atomic_store_n(&previous, now.handler, __ATOMIC_RELEASE);
	kernel_sigaction(&action, NULL);
}

void dump_threads_listen(void)
{
	if (libc_handler())
		return; /* libc's is known: there will be no other */
	install_handler();
	__atomic_store_n(&kma_root.asks, DUMP_ASK_VERSION, __ATOMIC_RELEASE);
}

/* "/proc/self/task/TID/NAME"; what it holds, terminated. */
static size_t read_task(uint32_t tid, const char *name, char *buffer,
			size_t size)
{
	char path[TASK_PATH];
	struct line line;

	line_init(&line, path, sizeof(path));
	line_add(&line, "task/");
	line_add_number(&line, tid, 10);
	line_add(&line, "/");
	line_add(&line, name);
	return procfs_read(0, path, buffer, size);
}

/* Slots for all threads there are now; the few static ones if memory is out. */
static void make_slots(size_t count)
{
	size_t wanted = threads.slot_count;

	while (wanted < 2 * (count + SPARE_SLOTS))
		wanted *= 2;
	if (wanted > threads.slot_count) {
		void *slots = mmap(NULL, wanted * sizeof(*threads.slots),
				   PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (slots != MAP_FAILED) {
			/* The old ones stay: a late signal may look there. */
			threads.slots = slots;
			threads.slot_count = wanted;
		}
	}
	memset(threads.slots, 0, threads.slot_count * sizeof(*threads.slots));
	threads.used = threads.unrecorded = 0;
}

/* True if the signal is on its way. */
static bool send_stop(uint32_t tid, uint32_t stop)
{
	siginfo_t info = { .si_signo = STOP_SIGNAL, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = (int)stop;
	return sys_call(SYS_rt_tgsigqueueinfo, getpid(), tid, STOP_SIGNAL,
			(long)(uintptr_t)&info, 0, 0) == 0;
}

/* Ask a thread that was not asked yet. True: one more answer to wait for. */
static bool ask(uint32_t tid, uint32_t stop)
{
	struct dump_stopped *slot = find_slot(tid);

	if (slot && slot->tid == tid)
		return false;
	if (!slot || threads.used > threads.slot_count / 2) {
		threads.unrecorded++;
		return false;
	}
	threads.used++;
	slot->state = DUMP_THREAD_ASKED;
	__atomic_store_n(&slot->tid, tid, __ATOMIC_RELEASE);
	if (send_stop(tid, stop))
		return true;
	slot->state = DUMP_THREAD_SILENT;
	return false;
}

static uint32_t parse_tid(const char *name)
{
	uint32_t tid = 0;

	for (; *name >= '0' && *name <= '9'; name++)
		tid = tid * 10 + (uint32_t)(*name - '0');
	return *name ? 0 : tid;
}

/* Without /proc, as in a chroot: the threads that are known to libkma, which
 * are all that libc has started. */
static size_t for_each_record(bool (*function)(uint32_t tid, uint32_t argument),
			      uint32_t argument)
{
	size_t sum = 0;

	for (const struct kma_thread *t = kma_root.threads; t; t = t->next)
		if (t->tid && !t->end_time)
			sum += function(t->tid, argument);
	return sum;
}

/* Call function for each thread of the process; the sum of what it returns. */
static size_t for_each_task(bool (*function)(uint32_t tid, uint32_t argument),
			    uint32_t argument)
{
	_Alignas(8) char buffer[DIRECTORY_SIZE];
	int fd = procfs_open(0, "task", O_RDONLY | O_DIRECTORY);
	size_t sum = 0;
	long size;

	if (fd < 0)
		return for_each_record(function, argument);
	while ((size = sys_call(SYS_getdents64, fd, (long)(uintptr_t)buffer,
				sizeof(buffer), 0, 0, 0)) > 0)
		for (long at = 0; at < size;) {
			const struct directory_entry *entry =
				(const void *)(buffer + at);
			uint32_t tid = parse_tid(entry->name);

			if (tid)
				sum += function(tid, argument);
			at += entry->size;
		}
	close(fd);
	return sum;
}

static bool count_task(uint32_t tid, uint32_t argument)
{
	(void)tid;
	(void)argument;
	return true;
}

/* By its status: a thread that blocks the signal by a system call of its own,
 * or is in the handler, where all are blocked. */
static bool is_deaf(const char *status)
{
	const char *blocked = strstr(status, "\nSigBlk:\t");

	if (!blocked)
		return false;
	/* 16 hexadecimal digits; signal 33 is bit 32: the 8th from the left */
	char digit = blocked[sizeof("\nSigBlk:\t") - 1 + 7];
	return strchr("13579bdf", digit) && digit;
}

/* Dead, waiting for a device, or deaf to the signal. */
static bool cannot_answer(uint32_t tid)
{
	char text[STATUS_SIZE];
	const char *state;

	if (read_task(tid, "status", text, sizeof(text)) == 0)
		return true;
	state = strstr(text, "\nState:\t");
	if (state && strchr("ZXD", state[sizeof("\nState:\t") - 1]))
		return true;
	return is_deaf(text);
}

/* How many will never answer, of those that have not. */
static uint32_t give_up_on_silent(bool on_all)
{
	uint32_t count = 0;

	for (size_t i = 0; i < threads.slot_count; i++) {
		struct dump_stopped *slot = &threads.slots[i];
		uint32_t asked = DUMP_THREAD_ASKED;

		if (slot->state == DUMP_THREAD_ASKED &&
		    (on_all || cannot_answer(slot->tid)) &&
		    __atomic_compare_exchange_n(
			    &slot->state, &asked, DUMP_THREAD_SILENT, false,
			    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			count++;
	}
	return count;
}

/* Wait until all that were asked have answered or never will; returns how many
 * never will, those known as silent before among them. */
static uint32_t wait_for_answers(uint32_t asked, uint32_t silent)
{
	int rounds = 0;

	for (;;) {
		uint32_t got = __atomic_load_n(&answers, __ATOMIC_ACQUIRE);

		if (got + silent >= asked)
			return silent;
		if (futex_wait(&answers, got, PATIENCE_NS) != -ETIMEDOUT)
			rounds = 0;
		else
			silent +=
				give_up_on_silent(++rounds == PATIENCE_ROUNDS);
	}
}

/* "NUMBER ARGUMENTS SP PC", or "running": what the kernel tells of a thread. */
static void describe_silent(struct dump_stopped *slot)
{
	char text[STATUS_SIZE];
	uint64_t words[2] = { 0 };
	size_t size = read_task(slot->tid, "syscall", text, sizeof(text));

	for (int i = 1; i >= 0 && size > 0; i--) { /* from the end: pc, sp */
		while (size > 0 && text[size - 1] <= ' ')
			text[--size] = '\0';
		while (size > 0 && text[size - 1] > ' ')
			size--;
		words[i] = procfs_number(text + size);
	}
	if (words[0] == 0 || words[1] == 0)
		return;
	slot->registers.rsp = words[0];
	slot->registers.rip = words[1];
	slot->flags = DUMP_THREAD_SP_PC;
}

static void describe_threads(void)
{
	for (size_t i = 0; i < threads.slot_count; i++) {
		struct dump_stopped *slot = &threads.slots[i];

		if (slot->tid == 0)
			continue;
		size_t size = read_task(slot->tid, "comm", slot->name,
					sizeof(slot->name));
		if (size > 0 && slot->name[size - 1] == '\n')
			slot->name[size - 1] = '\0';
		if (slot->state != DUMP_THREAD_STOPPED)
			describe_silent(slot);
	}
}

static bool ask_other(uint32_t tid, uint32_t stop)
{
	return tid != sys_gettid() && ask(tid, stop);
}

const struct dump_threads *dump_threads_stop(void)
{
	uint32_t stop = generation + 1, asked = 0, silent = 0;

	make_slots(for_each_task(count_task, 0));
	__atomic_store_n(&answers, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&generation, stop, __ATOMIC_RELEASE);
	install_handler();
	for (int round = 0; round < ROUNDS_MAX; round++) {
		uint32_t more = (uint32_t)for_each_task(ask_other, stop);

		if (more == 0)
			break;
		asked += more;
		silent = wait_for_answers(asked, silent);
	}
	describe_threads();
	return &threads;
}

/* What the slots hold is forgotten: in a mapping, registers of then would be
 * taken for pointers that the program has. */
void dump_threads_go(void)
{
	for (size_t i = 0; i < threads.slot_count; i++)
		threads.slots[i] = (struct dump_stopped){
			.tid = threads.slots[i].tid,
			.state = threads.slots[i].state,
		};
	__atomic_store_n(&generation, generation + 1, __ATOMIC_RELEASE);
	futex_wake(&generation);
}

/* How many of those that were stopped are still in the handler. */
static size_t count_leaving(void)
{
	char text[STATUS_SIZE];
	size_t count = 0;

	for (size_t i = 0; i < threads.slot_count; i++) {
		struct dump_stopped *slot = &threads.slots[i];

		if (slot->tid == 0 || slot->state != DUMP_THREAD_STOPPED)
			continue;
		if (read_task(slot->tid, "status", text, sizeof(text)) &&
		    is_deaf(text))
			count++;
		else
			slot->state = DUMP_THREAD_UNUSED;
	}
	return count;
}

void dump_threads_wait_left(void)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	uint64_t end = dump_now_ns() + LEAVING_NS;

	while (count_leaving() && dump_now_ns() < end)
		sys_call(SYS_nanosleep, (long)(uintptr_t)&nap, 0, 0, 0, 0, 0);
}

void dump_threads_forked(void)
{
	generation += generation & 1; /* nobody is stopped in a new process */
}
