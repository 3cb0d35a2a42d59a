/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What audit.c, report.c, log.c and dump.c will give, at its least: buffers
 * are recorded without stacks, errors told in one line.
 */
#include "alloc/audit.h"
#include "alloc/dump.h"
#include "alloc/log.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/sys.h"

#include <signal.h>
#include <string.h>

void kma_message(const char *text)
{
	sys_write(2, "kma: ", 5);
	sys_write(2, text, strlen(text));
	sys_write(2, "\n", 1);
}

void kma_report(const struct kma_report *report)
{
	kma_message(report->function);
	raise(SIGABRT);
}

void kma_log_init(void)
{
}

void kma_dump_init(void)
{
}

static void set_word(const struct kma_buffer *buffer, uint64_t state,
		     size_t size, size_t offset)
{
	__atomic_store_n(&buffer->bufctl->word,
			 state | (offset / 16) << KMA_BUFCTL_OFFSET_SHIFT |
				 (uint64_t)size << KMA_BUFCTL_SIZE_SHIFT,
			 __ATOMIC_RELAXED);
}

void *kma_audit_alloc(const struct kma_buffer *buffer, size_t size,
		      size_t align, enum kma_family family, bool zero)
{
	uintptr_t user = (buffer->start + align - 1) & ~(uintptr_t)(align - 1);

	(void)family;
	set_word(buffer, KMA_BUFFER_ALLOCATED, size, user - buffer->start);
	if (zero)
		memset((void *)user, 0, size);
	return (void *)user;
}

bool kma_audit_free(const struct kma_buffer *buffer, uintptr_t user,
		    size_t size, enum kma_family family, const char *function)
{
	struct kma_report report = { .address = user, .function = function };

	(void)size;
	(void)family;
	if ((buffer->bufctl->word & KMA_BUFCTL_STATE_MASK) !=
	    KMA_BUFFER_ALLOCATED) {
		kma_report(&report);
		return false;
	}
	set_word(buffer, KMA_BUFFER_FREE, 0, 0);
	return true;
}

void kma_audit_resize(const struct kma_buffer *buffer, size_t size)
{
	set_word(buffer, KMA_BUFFER_ALLOCATED, size,
		 kma_buffer_user(buffer) - buffer->start);
}

size_t kma_audit_room(const struct kma_buffer *buffer)
{
	return buffer->start + buffer->slab->stride - 16 -
	       kma_buffer_user(buffer);
}
