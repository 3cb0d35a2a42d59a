/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sleeps, looks again and frees things on the way: what it could not use,
 * or what it drained. It takes those events of its own as seen, or it would
 * wake itself for ever; others hear of them.
 */
#include "alloc/wait.h"

#include "alloc/clock.h"
#include "alloc/meta.h"
#include "alloc/reap.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/sys.h"
#include "alloc/text.h"
#include "alloc/thread.h"

#include "kma/kma.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <time.h>

enum {
	DEADLOCK_MS = 1000, /* slept before the others are counted */
	DELAY_FIRST_MS = 100,
	DELAY_MAX_MS = 5000,
};

struct kma_lock kma_wait_lock;
uint32_t kma_wait_sleepers;
unsigned kma_sleep_report_seconds = 30;

static uint32_t event;              /* a futex: rises when there is more */
static __thread uint32_t made_here; /* events that this thread caused */
static __thread uint32_t depth;     /* sleeps for one that it sleeps for */
static uint32_t threads;            /* that sleep */

/* --- the list ---------------------------------------------------------------
 */

static void enlist(struct kma_waiter *waiter)
{
	kma_lock_acquire(&kma_wait_lock);
	waiter->next = kma_root.waiters;
	if (waiter->next)
		waiter->next->prev = waiter;
	kma_root.waiters = waiter;
	kma_root.wait_count++;
	__atomic_add_fetch(&kma_wait_sleepers, 1, __ATOMIC_SEQ_CST);
	if (depth++ == 0)
		__atomic_add_fetch(&threads, 1, __ATOMIC_SEQ_CST);
	kma_attention_add();
	kma_lock_release(&kma_wait_lock);
}

static void delist(struct kma_waiter *waiter)
{
	kma_lock_acquire(&kma_wait_lock);
	if (waiter->prev)
		waiter->prev->next = waiter->next;
	else
		kma_root.waiters = waiter->next;
	if (waiter->next)
		waiter->next->prev = waiter->prev;
	kma_attention_end();
	if (--depth == 0)
		__atomic_sub_fetch(&threads, 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&kma_wait_sleepers, 1, __ATOMIC_SEQ_CST);
	kma_lock_release(&kma_wait_lock);
}

/* Listed with a record in metadata, so that every dump has it, or in spare
 * where there is no memory. */
static struct kma_waiter *begin(const struct kma_wanted *wanted,
				struct kma_waiter *spare)
{
	struct kma_thread *self = kma_thread_enter();
	struct kma_waiter *waiter = kma_meta_alloc(sizeof(*waiter));

	if (!waiter)
		waiter = spare;
	waiter->thread = sys_gettid();
	waiter->kind = wanted->kind;
	waiter->size = wanted->size;
	waiter->since = kma_clock_now();
	waiter->stack = kma_stack_intern(KMA_STACK_OF_FREE);
	strncpy(waiter->name, wanted->name, sizeof(waiter->name) - 1);
	enlist(waiter);
	kma_thread_leave(self);
	return waiter;
}

static void end(struct kma_waiter *waiter, const struct kma_waiter *spare)
{
	struct kma_thread *self = kma_thread_enter();

	delist(waiter);
	if (waiter != spare)
		kma_meta_free(waiter, sizeof(*waiter));
	kma_thread_leave(self);
}

void kma_wait_forked(void)
{
	kma_root.waiters = NULL; /* theirs, who are not in this process */
	kma_wait_sleepers = 0;
	threads = 0;
}

/* --- sleeping for ever --------------------------------------------------- */

/* Threads of the process, as the system counts them; 0: it does not say. */
static unsigned count_tasks(void)
{
	enum { NAME_AT = 19, LENGTH_AT = 16 };
	char entries[1024];
	unsigned count = 0;
	long size;
	long fd = sys_call(SYS_openat, AT_FDCWD,
			   (long)(uintptr_t) "/proc/self/task",
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);

	if (fd < 0)
		return 0;
	while ((size = sys_call(SYS_getdents64, fd, (long)(uintptr_t)entries,
				sizeof(entries), 0, 0, 0)) > 0)
		for (long at = 0; at < size;) {
			uint16_t length;

			memcpy(&length, entries + at + LENGTH_AT,
			       sizeof(length));
			count += entries[at + NAME_AT] != '.';
			at += length;
		}
	sys_call(SYS_close, fd, 0, 0, 0, 0, 0);
	return count;
}

static bool all_sleep(void)
{
	unsigned tasks = count_tasks();

	return tasks && kma_reap_is_idle() &&
	       __atomic_load_n(&threads, __ATOMIC_SEQ_CST) +
			       kma_reap_threads() >=
		       tasks;
}

static void report(enum kma_error_code code, const struct kma_wanted *wanted)
{
	char detail[128];
	struct kma_text text;

	kma_text_init(&text, detail, sizeof(detail));
	kma_text_decimal(&text, wanted->size);
	kma_text_string(&text, " bytes of ");
	kma_text_string(&text, wanted->name);
	kma_report(&(struct kma_report){
		.code = code,
		.function = wanted->function,
		.detail = wanted->vmem ? NULL : detail,
		.vmem = wanted->vmem,
		.claimed_size = wanted->vmem ? wanted->size : 0,
	});
}

static void tell_wait(struct kma_waiter *waiter)
{
	char line[160];
	struct kma_text text;

	waiter->told = 1;
	kma_text_init(&text, line, sizeof(line));
	kma_text_string(&text, "thread ");
	kma_text_decimal(&text, waiter->thread);
	kma_text_string(&text, " sleeps for ");
	kma_text_decimal(&text, waiter->size);
	kma_text_string(&text, " bytes of ");
	kma_text_string(&text, waiter->name);
	kma_message(line);
}

/* Tell of a sleep that is long, or that nobody can end. */
static void watch(struct kma_waiter *waiter, const struct kma_wanted *wanted)
{
	uint64_t slept =
		kma_clock_nanoseconds_between(waiter->since, kma_clock_now()) /
		1000000;

	if (!waiter->told && slept >= DEADLOCK_MS && all_sleep()) {
		waiter->told = 1;
		report(KMA_ERROR_DEADLOCK, wanted);
	}
	if (!waiter->told && slept >= (uint64_t)kma_sleep_report_seconds * 1000)
		tell_wait(waiter);
}

/* --- sleeping ---------------------------------------------------------------
 */

void kma_wait_wake_all(void)
{
	made_here++;
	__atomic_add_fetch(&event, 1, __ATOMIC_SEQ_CST);
	sys_call(SYS_futex, (long)(uintptr_t)&event, FUTEX_WAKE_PRIVATE,
		 INT_MAX, 0, 0, 0);
}

struct sleep {
	uint32_t seen;        /* the event that it knows of */
	uint32_t made_before; /* of the events of its own, those in seen */
	unsigned delay_ms;
};

/* What happens from now on ends the next sleep. */
static void look_from_here(struct sleep *sleep)
{
	sleep->made_before = made_here;
	sleep->seen = __atomic_load_n(&event, __ATOMIC_SEQ_CST);
}

static void go_to_sleep(struct sleep *sleep)
{
	const struct timespec delay = {
		.tv_sec = sleep->delay_ms / 1000,
		.tv_nsec = sleep->delay_ms % 1000 * 1000000L,
	};

	sys_call(SYS_futex, (long)(uintptr_t)&event, FUTEX_WAIT_PRIVATE,
		 sleep->seen + (made_here - sleep->made_before),
		 (long)(uintptr_t)&delay, 0, 0);
	sleep->delay_ms = sleep->delay_ms * 2 < DELAY_MAX_MS
				  ? sleep->delay_ms * 2
				  : DELAY_MAX_MS;
}

static bool try(const struct kma_wanted *wanted)
{
	if (wanted->attempt(wanted->context))
		return true;
	wanted->relieve(wanted->context);
	return wanted->attempt(wanted->context);
}

bool kma_wait_until(const struct kma_wanted *wanted)
{
	struct kma_waiter spare = { 0 };
	struct kma_waiter *waiter = begin(wanted, &spare);
	struct sleep sleep = { .delay_ms = DELAY_FIRST_MS };
	bool had;

	look_from_here(&sleep);
	while (!(had = try(wanted)) && wanted->possible(wanted->context)) {
		watch(waiter, wanted);
		go_to_sleep(&sleep);
		look_from_here(&sleep);
	}
	end(waiter, &spare);
	if (!had && !wanted->may_fail)
		report(KMA_ERROR_IMPOSSIBLE, wanted);
	return had;
}
