/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/report_text.h"

#include "alloc/clock.h"
#include "alloc/fault.h"
#include "alloc/foreign.h"
#include "alloc/mapping.h"
#include "alloc/module.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/sys.h"
#include "alloc/thread.h"

#include <string.h>

/* --- the parts of a line ----------------------------------------------------
 */

static void line(struct kma_text *text, const char *string)
{
	kma_text_string(text, "kma:   ");
	kma_text_string(text, string);
}

/*
 * The module that held a PC when a stack of that time was taken; or the next
 * that did: it was entered while the stack was taken, a little after its time.
 */
static const struct kma_module *module_at(uint64_t pc, uint64_t time)
{
	const struct kma_module *m = __atomic_load_n(&kma_root.modules,
						     __ATOMIC_ACQUIRE),
				*next = NULL;

	for (; m; m = m->next) {
		if (pc < m->base || pc >= m->end)
			continue;
		if (m->from_time <= time &&
		    (m->until_time == 0 || time < m->until_time))
			return m;
		if (m->from_time > time &&
		    (!next || m->from_time < next->from_time))
			next = m;
	}
	return next ? next : kma_module_find(pc);
}

static void add_module_offset(struct kma_text *text,
			      const struct kma_module *module, uint64_t address)
{
	const char *path = module->path ? module->path : "";
	const char *slash = strrchr(path, '/');

	kma_text_string(text, slash ? slash + 1 : path);
	kma_text_string(text, "+");
	kma_text_hex(text, address - module->base);
}

static void add_place(struct kma_text *text, uint64_t pc, uint64_t time)
{
	const struct kma_module *module = module_at(pc, time);

	kma_text_hex(text, pc);
	if (!module)
		return;
	kma_text_string(text, " ");
	add_module_offset(text, module, pc);
}

/* "allocated by thread 12 (name), 0.001 s ago" */
void kma_report_event(struct kma_text *text, const char *verb, uint32_t tid,
		      uint64_t time, uint64_t now)
{
	kma_text_string(text, verb);
	kma_text_string(text, " by ");
	kma_report_thread(text, tid, time);
	kma_text_string(text, ", ");
	kma_text_seconds(text, kma_clock_nanoseconds_between(time, now));
	kma_text_string(text, " s ago, ");
}

void kma_report_stack(struct kma_text *text, uint32_t id, uint64_t time,
		      void (*write)(struct kma_text *text))
{
	enum { LINE_MOST = 320 };
	const struct kma_stack *stack = kma_stack_get(id);

	kma_text_string(text, stack ? "stack:\n" : "no stack\n");
	for (unsigned i = 0; stack && i < stack->depth; i++) {
		line(text, "  ");
		add_place(text, stack->pc[i], time);
		kma_text_string(text, "\n");
		if (text->size + LINE_MOST > text->capacity)
			write(text);
	}
	if (stack && (stack->flags & KMA_STACK_TRUNCATED))
		line(text, "  ...\n");
	write(text);
}

/* --- what lies at an address -------------------------------------------------
 */

static void add_buffer(struct kma_text *text, const struct kma_buffer *buffer)
{
	kma_text_decimal(text, kma_buffer_size(buffer));
	kma_text_string(text, "-byte buffer ");
	kma_text_hex(text, kma_buffer_user(buffer));
}

/* "1 byte after the ", "2 bytes after the " */
static void add_distance(struct kma_text *text, uintptr_t bytes,
			 const char *where)
{
	kma_text_decimal(text, bytes);
	kma_text_string(text, bytes == 1 ? " byte " : " bytes ");
	kma_text_string(text, where);
	kma_text_string(text, " the ");
}

static void add_position(struct kma_text *text, const struct kma_report *report)
{
	const struct kma_buffer *buffer = report->buffer;
	uintptr_t user = kma_buffer_user(buffer), address = report->address;
	uintptr_t end = user + kma_buffer_size(buffer);
	bool is_byte = report->code == KMA_ERROR_REDZONE ||
		       report->code == KMA_ERROR_GUARDFAULT;

	line(text, "address ");
	kma_text_hex(text, address);
	kma_text_string(text, " is ");
	if (address < user)
		add_distance(text, user - address, "before");
	else if (address >= end && (address > user || is_byte))
		add_distance(text, address - end, "after");
	else
		add_distance(text, address - user, "inside");
	add_buffer(text, buffer);
	kma_text_string(text, " (");
	kma_text_string(text, buffer->slab->cache->name);
	kma_text_string(text, ")\n");
}

static const struct kma_thread *thread_of_stack(uintptr_t address)
{
	const struct kma_thread *t =
		__atomic_load_n(&kma_root.threads, __ATOMIC_ACQUIRE);

	for (; t; t = t->next)
		if (t->state == KMA_THREAD_LIVE && address >= t->stack_low &&
		    address < t->stack_top)
			return t;
	return NULL;
}

static void add_mapping(struct kma_text *text, uintptr_t address)
{
	struct kma_mapping mapping;
	char path[256];

	if (!kma_mapping_find(address, &mapping, path, sizeof(path))) {
		kma_text_string(text, "not mapped");
	} else if (path[0]) {
		kma_text_string(text, "in ");
		kma_text_string(text, path);
	} else {
		kma_text_string(text, "in memory mapped from no file");
	}
}

/* What an address is that is no buffer. */
static void add_foreign(struct kma_text *text, uintptr_t address)
{
	const struct kma_module *module = kma_module_find(address);
	const struct kma_thread *thread = thread_of_stack(address);
	struct kma_buffer object;

	line(text, "address ");
	kma_text_hex(text, address);
	kma_text_string(text, " is ");
	if (kma_foreign_find(address, &object)) {
		kma_text_string(text, "in an object of the cache ");
		kma_text_string(text, object.slab->cache->name);
	} else if (thread) {
		kma_text_string(text, "on the stack of ");
		kma_report_thread(text, thread->tid, thread->start_time);
	} else if (module) {
		kma_text_string(text, "in the module ");
		add_module_offset(text, module, address);
	} else if (address >= kma_reserve.heap.base &&
		   address < kma_reserve.heap.end) {
		kma_text_string(text, "in the heap, where no buffer is now");
	} else if (kma_fill_meaning(address)) {
		kma_text_string(text, kma_fill_meaning(address));
	} else {
		add_mapping(text, address);
	}
	kma_text_string(text, "\n");
}

static void add_bytes(struct kma_text *text, const struct kma_report *report)
{
	int64_t offset =
		(int64_t)(report->address - kma_buffer_user(report->buffer));

	line(text, "expected ");
	kma_text_bytes(text, report->expected, report->count);
	kma_text_string(text, ", found ");
	kma_text_bytes(text, report->found, report->count);
	kma_text_string(text, " at offset ");
	if (offset < 0)
		kma_text_string(text, "-");
	kma_text_decimal(text, (uint64_t)(offset < 0 ? -offset : offset));
	kma_text_string(text, "\n");
}

/* --- the history -------------------------------------------------------------
 */

static bool is_free(const struct kma_buffer *buffer)
{
	uint64_t state = buffer->bufctl->word >> KMA_BUFCTL_STATE_SHIFT &
			 KMA_BUFCTL_STATE_MASK;

	return state == KMA_BUFFER_FREE;
}

static bool was_used(const struct kma_buffer *buffer)
{
	uint64_t state = buffer->bufctl->word >> KMA_BUFCTL_STATE_SHIFT &
			 KMA_BUFCTL_STATE_MASK;

	return state != KMA_BUFFER_NEVER;
}

static void add_history(struct kma_text *text, const struct kma_buffer *buffer,
			uint64_t now, void (*write)(struct kma_text *text))
{
	const struct kma_bufctl *b = buffer->bufctl;

	line(text, "");
	kma_report_event(text, "allocated", b->alloc_thread, b->alloc_time,
			 now);
	kma_report_stack(text, b->alloc_stack, b->alloc_time, write);
	if (!is_free(buffer))
		return;
	line(text, "");
	kma_report_event(text, "freed", b->free_thread, b->free_time, now);
	kma_report_stack(text, b->free_stack, b->free_time, write);
}

/* The caller: frame 0 is the allocation function itself. */
static void add_caller(struct kma_text *text, uint32_t id, uint64_t time)
{
	const struct kma_stack *stack = kma_stack_get(id);

	if (!stack) {
		kma_text_string(text, "no stack");
		return;
	}
	kma_text_string(text, "at ");
	add_place(text, stack->pc[stack->depth > 1 ? 1 : 0], time);
}

static void add_neighbour(struct kma_text *text, const char *where,
			  const struct kma_buffer *buffer, uint64_t now)
{
	const struct kma_bufctl *b = buffer->bufctl;

	if (!was_used(buffer))
		return;
	line(text, where);
	add_buffer(text, buffer);
	kma_text_string(text, ", ");
	if (is_free(buffer)) {
		kma_report_event(text, "freed", b->free_thread, b->free_time,
				 now);
		add_caller(text, b->free_stack, b->free_time);
	} else {
		kma_report_event(text, "allocated", b->alloc_thread,
				 b->alloc_time, now);
		add_caller(text, b->alloc_stack, b->alloc_time);
	}
	kma_text_string(text, "\n");
}

static void add_neighbours(struct kma_text *text,
			   const struct kma_buffer *buffer, uint64_t now)
{
	struct kma_buffer other = *buffer;

	if (buffer->index > 0) {
		other.index = buffer->index - 1;
		other.start = buffer->start - buffer->slab->stride;
		other.bufctl = buffer->bufctl - 1;
		add_neighbour(text, "before it: ", &other, now);
	}
	if (buffer->index + 1 < buffer->slab->buffers) {
		other.index = buffer->index + 1;
		other.start = buffer->start + buffer->slab->stride;
		other.bufctl = buffer->bufctl + 1;
		add_neighbour(text, "after it: ", &other, now);
	}
}

/* Of all threads that were named but in a neighbour's line. */
static void add_creations(struct kma_text *text,
			  const struct kma_report *report, uint64_t now,
			  void (*write)(struct kma_text *text))
{
	const struct kma_buffer *buffer = report->buffer;
	struct kma_report_creations creations = { .count = 0 };

	if (buffer && buffer->bufctl && was_used(buffer)) {
		const struct kma_bufctl *b = buffer->bufctl;

		kma_report_creations_add(&creations, b->alloc_thread,
					 b->alloc_time);
		if (is_free(buffer))
			kma_report_creations_add(&creations, b->free_thread,
						 b->free_time);
	}
	const struct kma_thread *owner =
		buffer || report->vmem ? NULL
				       : thread_of_stack(report->address);

	if (owner)
		kma_report_creations_add(&creations, owner->tid,
					 owner->start_time);
	if (!report->at_exit)
		kma_report_creations_add(&creations, sys_gettid(), now);
	kma_report_creations(text, &creations, now, write);
}

void kma_report_body(struct kma_text *text, const struct kma_report *report,
		     uint64_t now, uint32_t stack,
		     void (*write)(struct kma_text *text))
{
	const struct kma_buffer *buffer = report->buffer;

	if (report->vmem)
		kma_report_vmem(text, report, now, write);
	else if (buffer)
		add_position(text, report);
	else if (report->address)
		add_foreign(text, report->address);
	if (buffer && report->found)
		add_bytes(text, report);
	write(text);
	if (buffer && buffer->bufctl && was_used(buffer))
		add_history(text, buffer, now, write);
	if (!report->at_exit) {
		line(text, "reported by ");
		kma_report_thread(text, sys_gettid(), now);
		kma_text_string(text, ", ");
		kma_report_stack(text, stack, now, write);
	}
	if (buffer && buffer->bufctl)
		add_neighbours(text, buffer, now);
	add_creations(text, report, now, write);
	write(text);
}
