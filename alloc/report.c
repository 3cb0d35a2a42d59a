/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One report at a time. The thread that reports is named, so that a report
 * from within a report (a signal handler, or damage that our own reading
 * meets) is told in one line and does not wait for itself. Other threads wait:
 * either this one ends the process, or they get their turn.
 */
#include "alloc/report.h"

#include "alloc/clock.h"
#include "alloc/dump.h"
#include "alloc/lock.h"
#include "alloc/options.h"
#include "alloc/report_text.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/sys.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KMA_PREFIX "kma: "

static struct kma_lock report_lock;
static uint32_t reporter;       /* tid of who holds it */
static char text_buffer[8192];  /* of the reporter */
static uint64_t told_by_parent; /* of kma_root.errors.count */

static void ring_add(const char *bytes, size_t size)
{
	struct kma_errors *errors = &kma_root.errors;
	uint64_t at = __atomic_fetch_add(&errors->ring_position, size,
					 __ATOMIC_RELAXED);

	for (size_t i = 0; i < size; i++)
		errors->ring[(at + i) % KMA_MESSAGE_RING] = bytes[i];
}

static uint64_t signal_bit(int number)
{
	return UINT64_C(1) << (number - 1);
}

/*
 * A write to stderr, which may be a pipe that nobody reads: the report and the
 * dump matter more than the SIGPIPE that would end them.
 */
static long write_quietly(const char *bytes, size_t size)
{
	const uint64_t pipe_only = signal_bit(SIGPIPE);
	const struct timespec at_once = { 0 };
	uint64_t before;

	sys_call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&pipe_only, (long)&before,
		 sizeof(before), 0, 0);
	long n = sys_write(STDERR_FILENO, bytes, size);
	if (n == -EPIPE)
		sys_call(SYS_rt_sigtimedwait, (long)&pipe_only, 0,
			 (long)&at_once, sizeof(pipe_only), 0, 0);
	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0,
		 sizeof(before), 0, 0);
	return n;
}

/* To stderr and to the ring; what stderr does not take is lost there only. */
static void put(const char *bytes, size_t size)
{
	ring_add(bytes, size);
	while (size > 0) {
		long n = write_quietly(bytes, size);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return;
		bytes += n;
		size -= (size_t)n;
	}
}

static void put_text(struct kma_text *block)
{
	put(block->at, block->size);
	kma_text_clear(block);
}

void kma_message(const char *message)
{
	char buffer[512];
	struct kma_text one;

	kma_text_init(&one, buffer, sizeof(buffer));
	kma_text_string(&one, KMA_PREFIX);
	kma_text_string(&one, message);
	kma_text_string(&one, "\n");
	put_text(&one);
}

static uint64_t first_bytes(const unsigned char *bytes, size_t count)
{
	uint64_t value = 0;

	if (bytes)
		memcpy(&value, bytes,
		       count < sizeof(value) ? count : sizeof(value));
	return value;
}

static void record_buffer(struct kma_error *error,
			  const struct kma_buffer *buffer)
{
	const struct kma_bufctl *bufctl = buffer->bufctl;

	error->buffer = kma_buffer_user(buffer);
	error->size = kma_buffer_size(buffer);
	error->offset = (int64_t)(error->address - error->buffer);
	error->slab = buffer->slab;
	error->cache = buffer->slab->cache;
	error->bufctl = buffer->bufctl;
	if (!bufctl)
		return;
	error->alloc_stack = bufctl->alloc_stack;
	error->free_stack = bufctl->free_stack;
	error->alloc_thread = bufctl->alloc_thread;
	error->free_thread = bufctl->free_thread;
}

/* Keep it for the debugger. */
static void record(const struct kma_report *report, const char *sentence,
		   uint64_t now, uint32_t stack)
{
	struct kma_errors *errors = &kma_root.errors;

	errors->count++;
	if (errors->record_count == KMA_ERROR_RECORDS)
		return;
	struct kma_error *error = &errors->record[errors->record_count];

	error->code = report->code;
	error->thread = sys_gettid();
	strncpy(error->name, kma_error_name(report->code),
		sizeof(error->name) - 1);
	error->time = now;
	error->address = report->address;
	error->stack = stack;
	error->expected = first_bytes(report->expected, report->count);
	error->found = first_bytes(report->found, report->count);
	strncpy(error->message, sentence, sizeof(error->message) - 1);
	if (report->buffer)
		record_buffer(error, report->buffer);
	__atomic_store_n(&errors->record_count, errors->record_count + 1,
			 __ATOMIC_RELEASE);
}

/* Has the same been reported of this place, for a buffer from the same one? A
 * program that goes on does it again and again. */
static bool is_known(const struct kma_report *report, uint32_t stack)
{
	const struct kma_errors *errors = &kma_root.errors;
	const struct kma_bufctl *bufctl =
		report->buffer ? report->buffer->bufctl : NULL;

	for (uint32_t i = 0; stack && bufctl && i < errors->record_count; i++)
		if (errors->record[i].code == (uint32_t)report->code &&
		    errors->record[i].stack == stack &&
		    errors->record[i].alloc_stack == bufctl->alloc_stack)
			return true;
	return false;
}

static void tell(const struct kma_report *report)
{
	uint64_t now = kma_clock_now();
	uint32_t stack = kma_stack_intern(KMA_STACK_OF_FREE);
	bool known = is_known(report, stack);

	struct kma_text text;

	kma_clock_calibrate();
	kma_text_init(&text, text_buffer, sizeof(text_buffer));
	kma_text_string(&text, KMA_PREFIX);
	kma_report_sentence(&text, report);
	record(report, text.at + strlen(KMA_PREFIX), now, stack);
	if (known) {
		kma_text_string(&text, " (as before)\n");
		put_text(&text);
		return;
	}
	kma_text_string(&text, "\n");
	kma_report_body(&text, report, now, stack, put_text);
}

static void tell_nested(const struct kma_report *report)
{
	char buffer[256];
	struct kma_text text;

	kma_text_init(&text, buffer, sizeof(buffer));
	kma_report_sentence(&text, report);
	kma_text_string(&text, " (found while reporting)");
	kma_message(text.at);
}

/* As the kernel has it; libc's may be the program's idea of a disposition. */
struct kernel_sigaction {
	uintptr_t handler;
	unsigned long flags;
	uintptr_t restorer;
	uint64_t mask;
};

static void raise_abort(void)
{
	uint64_t abort_only = signal_bit(SIGABRT);

	sys_call(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&abort_only, 0,
		 sizeof(abort_only), 0, 0);
	sys_call(SYS_tgkill, sys_getpid(), sys_gettid(), SIGABRT, 0, 0, 0);
}

/*
 * Not abort(): that may flush files and call what allocates. The program's own
 * handler has its turn, once; if it returns, the signal kills.
 */
__attribute__((noreturn)) static void stop(void)
{
	struct kernel_sigaction action = { 0 };

	raise_abort();
	sys_call(SYS_rt_sigaction, SIGABRT, (long)&action, 0,
		 sizeof(action.mask), 0, 0);
	raise_abort();
	for (;;)
		sys_call(SYS_exit_group, 128 + SIGABRT, 0, 0, 0, 0, 0);
}

static bool is_fatal(const struct kma_report *report)
{
	return !report->at_exit && !report->may_go_on &&
	       report->code != KMA_ERROR_BADFAMILY &&
	       report->code != KMA_ERROR_GUARDFAULT &&
	       report->code != KMA_ERROR_FILLFAULT && !kma_options.noabort;
}

void kma_report(const struct kma_report *report)
{
	uint32_t self = sys_gettid();

	if (__atomic_load_n(&reporter, __ATOMIC_RELAXED) == self) {
		tell_nested(report);
		return;
	}
	kma_lock_acquire(&report_lock);
	__atomic_store_n(&reporter, self, __ATOMIC_RELAXED);
	tell(report);
	if (is_fatal(report) && kma_options.dump.on_error)
		kma_dump_write(KMA_DUMP_ERROR, NULL, NULL);
	__atomic_store_n(&reporter, 0, __ATOMIC_RELAXED);
	kma_lock_release(&report_lock);
	if (is_fatal(report))
		stop();
}

bool kma_report_told(void)
{
	return kma_root.errors.count != told_by_parent;
}

void kma_report_fork_child(void)
{
	told_by_parent = kma_root.errors.count;
	kma_lock_reset(&report_lock);
	reporter = 0;
}
