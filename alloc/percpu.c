/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records and parts are ordinary buffers, so that who holds the record reaches
 * the parts, and a record that is lost is a leak.
 */
#include "alloc/percpu.h"

#include "alloc/kmem.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/sys.h"
#include "alloc/thread.h"

#include "kma/space.h"

#include <fcntl.h>
#include <string.h>

enum { PART_MAX = 4096, PROCESSORS_MAX = 4096 };

struct kma_lock kma_percpu_lock;

/* --- processors -------------------------------------------------------------
 */

/* The last number of "0-3,5-7", and one more; 0: not to be read. */
static uint32_t parse_count(const char *text, size_t size)
{
	uint32_t number = 0, last = 0;
	bool found = false;

	for (size_t i = 0; i < size; i++) {
		unsigned digit = (unsigned char)text[i] - (unsigned)'0';

		number = digit <= 9 ? number * 10 + digit : 0;
		if (digit <= 9) {
			last = number;
			found = true;
		}
	}
	return found ? last + 1 : 0;
}

/* Processors that there may be, not those that run now. */
static uint32_t count_processors(void)
{
	char text[256];
	uint32_t count = 0;
	long fd = sys_call(SYS_openat, AT_FDCWD,
			   (long)(uintptr_t) "/sys/devices/system/cpu/possible",
			   O_RDONLY | O_CLOEXEC, 0, 0, 0);

	if (fd >= 0) {
		long size = sys_call(SYS_read, fd, (long)(uintptr_t)text,
				     sizeof(text), 0, 0, 0);

		sys_call(SYS_close, fd, 0, 0, 0, 0, 0);
		if (size > 0)
			count = parse_count(text, (size_t)size);
	}
	return count && count <= PROCESSORS_MAX ? count : 64;
}

static uint32_t current_processor(const struct kma_percpu *percpu)
{
	uint32_t processor = 0;

	sys_call(SYS_getcpu, (long)(uintptr_t)&processor, 0, 0, 0, 0, 0);
	return processor % percpu->count;
}

/* --- making -----------------------------------------------------------------
 */

static struct kma_percpu_part *part_at(const struct kma_percpu *percpu,
				       uint32_t processor)
{
	return (struct kma_percpu_part *)(percpu->parts +
					  processor * percpu->stride);
}

static void link_in(struct kma_percpu *percpu)
{
	struct kma_thread *self = kma_thread_enter();

	kma_lock_acquire(&kma_percpu_lock);
	percpu->next = kma_root.percpus;
	if (percpu->next)
		percpu->next->prev = percpu;
	kma_root.percpus = percpu;
	kma_lock_release(&kma_percpu_lock);
	kma_thread_leave(self);
}

static void link_out(struct kma_percpu *percpu)
{
	struct kma_thread *self = kma_thread_enter();

	kma_lock_acquire(&kma_percpu_lock);
	if (percpu->prev)
		percpu->prev->next = percpu->next;
	else
		kma_root.percpus = percpu->next;
	if (percpu->next)
		percpu->next->prev = percpu->prev;
	kma_lock_release(&kma_percpu_lock);
	kma_thread_leave(self);
}

struct kma_percpu *kma_percpu_create(size_t size)
{
	struct kma_percpu *percpu;

	if (size == 0 || size > PART_MAX)
		return NULL;
	percpu = kma_alloc(sizeof(*percpu), KMA_SLEEP | KMA_ZERO);
	if (!percpu)
		return NULL;
	percpu->size = size;
	percpu->stride =
		(sizeof(struct kma_percpu_part) + size + 63) & ~(size_t)63;
	percpu->count = count_processors();
	percpu->parts =
		kma_alloc(percpu->count * percpu->stride, KMA_SLEEP | KMA_ZERO);
	if (!percpu->parts) {
		kma_free(percpu, sizeof(*percpu), 0);
		return NULL;
	}
	link_in(percpu);
	return percpu;
}

void kma_percpu_destroy(struct kma_percpu *percpu, size_t size)
{
	if (!percpu || percpu->size != size) {
		kma_report(&(struct kma_report){
			.code = percpu ? KMA_ERROR_BADSIZE : KMA_ERROR_NULLFREE,
			.address = (uintptr_t)percpu,
			.claimed_size = size,
			.function = "percpu_free" });
		return;
	}
	link_out(percpu);
	kma_free(percpu->parts, percpu->count * percpu->stride, 0);
	kma_free(percpu, sizeof(*percpu), 0);
}

void kma_percpu_set_owner(struct kma_percpu *percpu, void *owner)
{
	percpu->owner = owner;
}

void *kma_percpu_owner(const struct kma_percpu *percpu)
{
	return percpu->owner;
}

/* --- using ------------------------------------------------------------------
 */

void *kma_percpu_get(struct kma_percpu *percpu)
{
	struct kma_percpu_part *part =
		part_at(percpu, current_processor(percpu));

	kma_lock_acquire(&part->lock);
	part->holder = sys_gettid();
	return part + 1;
}

/* The thread may be elsewhere by now: the part that it holds is the one. */
void kma_percpu_put(struct kma_percpu *percpu)
{
	uint32_t self = sys_gettid();

	for (uint32_t i = 0; i < percpu->count; i++) {
		struct kma_percpu_part *part = part_at(percpu, i);

		if (__atomic_load_n(&part->holder, __ATOMIC_RELAXED) != self)
			continue;
		__atomic_store_n(&part->holder, 0, __ATOMIC_RELAXED);
		kma_lock_release(&part->lock);
		return;
	}
	kma_report(&(struct kma_report){ .code = KMA_ERROR_BUSY,
					 .function = "percpu_putref",
					 .detail = "no part is held" });
}

static void part_forked(struct kma_percpu_part *part, uint32_t before)
{
	if (part->holder && part->holder == before) {
		part->holder = sys_gettid();
		return;
	}
	part->holder = 0;
	kma_lock_reset(&part->lock);
}

void kma_percpu_forked(void)
{
	struct kma_percpu *percpu = kma_root.percpus;
	uint32_t before = kma_self ? kma_self->tid : 0;

	for (; percpu; percpu = percpu->next)
		for (uint32_t i = 0; i < percpu->count; i++)
			part_forked(part_at(percpu, i), before);
}

unsigned kma_percpu_count(const struct kma_percpu *percpu)
{
	return percpu->count;
}

void *kma_percpu_at(struct kma_percpu *percpu, unsigned processor)
{
	return processor < percpu->count ? part_at(percpu, processor) + 1
					 : NULL;
}
