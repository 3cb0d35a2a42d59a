/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/wait.h"

#include "alloc/clock.h"
#include "alloc/meta.h"
#include "alloc/reap.h"
#include "alloc/report.h"
#include "alloc/room.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/sys.h"
#include "alloc/text.h"
#include "alloc/thread.h"

#include "kma/kma.h"

#include <fcntl.h>
#include <string.h>

enum { DEADLOCK_MS = 1000 }; /* slept before the others are counted */

struct kma_lock kma_wait_lock;
uint32_t kma_wait_sleepers;
unsigned kma_sleep_report_seconds = 30;

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
	__atomic_sub_fetch(&kma_wait_sleepers, 1, __ATOMIC_SEQ_CST);
	kma_lock_release(&kma_wait_lock);
}

struct kma_waiter *kma_wait_begin(const struct kma_wanted *wanted,
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

void kma_wait_end(struct kma_waiter *waiter, const struct kma_waiter *spare)
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
	       __atomic_load_n(&kma_wait_sleepers, __ATOMIC_SEQ_CST) +
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
		.code = code, .function = wanted->function, .detail = detail });
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

void kma_wait_watch(struct kma_waiter *waiter, const struct kma_wanted *wanted)
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
	struct kma_waiter *waiter = kma_wait_begin(wanted, &spare);
	struct kma_room room = { 0 };
	bool had;

	/* Told only of what is still not to be had. */
	while (!(had = try(wanted)) && wanted->possible(wanted->context)) {
		kma_wait_watch(waiter, wanted);
		kma_room_wait(&room);
	}
	kma_room_leave(&room);
	kma_wait_end(waiter, &spare);
	if (!had)
		report(KMA_ERROR_IMPOSSIBLE, wanted);
	return had;
}
