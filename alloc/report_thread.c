/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of a report: what they are called, and who created them where. */
#include "alloc/report_text.h"

#include "alloc/root.h"
#include "alloc/sys.h"
#include "alloc/thread.h"

#include <fcntl.h>

/* What a thread that runs calls itself now; its record has its first name. */
static bool read_name(uint32_t tid, char *name, size_t size)
{
	char buffer[64];
	struct kma_text path;

	kma_text_init(&path, buffer, sizeof(buffer));
	kma_text_string(&path, "/proc/self/task/");
	kma_text_decimal(&path, tid);
	kma_text_string(&path, "/comm");
	long fd = sys_call(SYS_openat, AT_FDCWD, (long)path.at,
			   O_RDONLY | O_CLOEXEC, 0, 0, 0);
	if (fd < 0)
		return false;
	long n = sys_call(SYS_read, fd, (long)name, (long)size, 0, 0, 0);
	sys_call(SYS_close, fd, 0, 0, 0, 0, 0);
	if (n < 1)
		return false;
	name[n - 1] = '\0'; /* the end of the line */
	return true;
}

static const struct kma_thread *thread_find(uint32_t tid, uint64_t time)
{
	const struct kma_thread *t =
		__atomic_load_n(&kma_root.threads, __ATOMIC_ACQUIRE);

	while (t && !(t->tid == tid && t->start_time <= time &&
		      (t->state == KMA_THREAD_LIVE || time <= t->end_time)))
		t = t->next;
	return t;
}

void kma_report_thread(struct kma_text *text, uint32_t tid, uint64_t time)
{
	const struct kma_thread *thread = thread_find(tid, time);
	char live[32];

	kma_text_string(text, "thread ");
	kma_text_decimal(text, tid);
	if (!thread)
		return;
	bool known = thread->state == KMA_THREAD_LIVE &&
		     read_name(tid, live, sizeof(live));

	kma_text_string(text, " (");
	kma_text_string(text, known ? live : thread->name);
	kma_text_string(text, ")");
}

void kma_report_creations_add(struct kma_report_creations *creations,
			      uint32_t tid, uint64_t time)
{
	const struct kma_thread *thread = thread_find(tid, time);

	if (!thread || !thread->created_stack ||
	    creations->count == KMA_REPORT_CREATIONS_MAX)
		return;
	for (unsigned i = 0; i < creations->count; i++)
		if (creations->thread[i] == thread)
			return;
	creations->thread[creations->count++] = thread;
}

void kma_report_creations(struct kma_text *text,
			  struct kma_report_creations *creations, uint64_t now,
			  void (*write)(struct kma_text *text))
{
	for (unsigned i = 0; i < creations->count; i++) {
		const struct kma_thread *t = creations->thread[i];

		kma_text_string(text, "kma:   ");
		kma_report_thread(text, t->tid, t->start_time);
		kma_report_event(text, " was created", t->created_by,
				 t->created_time, now);
		kma_report_stack(text, t->created_stack, t->created_time,
				 write);
		kma_report_creations_add(creations, t->created_by,
					 t->created_time);
	}
}
