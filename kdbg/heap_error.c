/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What libkma reported before the target was taken: the records in kma_root
 * and the ring of its messages. */
#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdlib.h>

/* The instance's kma_errors, inside the copied root; NULL: not described. */
static const unsigned char *errors_of(const struct instance *part)
{
	const struct field *errors = &part->layout.kma_root.errors;
	const struct field *self = &part->layout.kma_errors.self;

	if (!errors->present || !self->present || self->size > errors->size)
		return NULL;
	return part->root + errors->offset;
}

static struct heap_error read_error(struct heap *heap, size_t instance,
				    const unsigned char *record)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	struct heap_error error = {
		.instance = instance,
		.code = (uint32_t)record_uint(record, &layout->kma_error.code),
		.name = heap_field_text(heap, record, &layout->kma_error.name),
		.message = heap_field_text(heap, record,
					   &layout->kma_error.message),
		.time = record_uint(record, &layout->kma_error.time),
		.thread = (uint32_t)record_uint(record,
						&layout->kma_error.thread),
		.stack =
			(uint32_t)record_uint(record, &layout->kma_error.stack),
		.address = record_uint(record, &layout->kma_error.address),
		.buffer = record_uint(record, &layout->kma_error.buffer),
		.size = record_uint(record, &layout->kma_error.size),
		.offset =
			(int64_t)record_uint(record, &layout->kma_error.offset),
		.bufctl = record_uint(record, &layout->kma_error.bufctl),
		.slab = record_uint(record, &layout->kma_error.slab),
		.cache = record_uint(record, &layout->kma_error.cache),
		.expected = record_uint(record, &layout->kma_error.expected),
		.found = record_uint(record, &layout->kma_error.found),
		.alloc_thread = (uint32_t)record_uint(
			record, &layout->kma_error.alloc_thread),
		.free_thread = (uint32_t)record_uint(
			record, &layout->kma_error.free_thread),
		.alloc_stack = (uint32_t)record_uint(
			record, &layout->kma_error.alloc_stack),
		.free_stack = (uint32_t)record_uint(
			record, &layout->kma_error.free_stack),
	};

	if (error.time)
		error.time_ns = heap_time_ns(heap, instance, error.time);
	return error;
}

static void read_errors(struct heap *heap, size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const struct field *array = &layout->kma_errors.record;
	const unsigned char *errors = errors_of(&heap->parts[instance]);

	if (!errors || !array->present ||
	    layout->kma_error.self.size > array->size)
		return;
	uint64_t count = record_uint(errors, &layout->kma_errors.record_count);
	if (count > array->count) {
		heap_note(heap, heap->instances[instance].root,
			  "kma_errors: %" PRIu64 " records in a table of "
			  "%" PRIu32,
			  count, array->count);
		count = array->count;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct heap_error *all = heap_grow(
			heap->errors, heap->error_count, sizeof(all[0]));

		if (!all)
			return;
		heap->errors = all;
		all[heap->error_count++] = read_error(
			heap, instance,
			errors + array->offset + (size_t)i * array->stride);
	}
}

size_t heap_errors(struct heap *heap, const struct heap_error **ret)
{
	if (!heap->errors_read) {
		heap->errors_read = true;
		for (size_t i = 0; i < heap->instance_count; i++)
			read_errors(heap, i);
	}
	*ret = heap->errors;
	return heap->error_count;
}

uint64_t heap_error_count(struct heap *heap)
{
	uint64_t count = 0;

	for (size_t i = 0; i < heap->instance_count; i++) {
		const struct instance *part = &heap->parts[i];
		const unsigned char *errors = errors_of(part);

		if (errors)
			count += record_uint(errors,
					     &part->layout.kma_errors.count);
	}
	return count;
}

/* The oldest line in a full ring may have lost its head: it begins after the
 * first newline. */
const char *heap_messages(struct heap *heap, size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const struct field *ring = &layout->kma_errors.ring;
	const unsigned char *errors = errors_of(&heap->parts[instance]);
	size_t length = 0, first = 0;
	bool full = false;
	char *text;
	const char *kept;

	if (!errors || !ring->present)
		return "";
	uint64_t position =
		record_uint(errors, &layout->kma_errors.ring_position);
	if (position > ring->size) {
		full = true;
		first = (size_t)(position % ring->size);
		position = ring->size;
	}
	text = malloc((size_t)position + 1);
	if (!text)
		return "";
	for (size_t i = 0; i < position; i++) {
		unsigned char c =
			errors[ring->offset + (first + i) % ring->size];

		if (c != '\0')
			text[length++] = c == '\n' || (c >= 0x20 && c <= 0x7e)
						 ? (char)c
						 : '?';
	}
	text[length] = '\0';
	const char *line = full ? strchr(text, '\n') : NULL;
	kept = heap_text(heap, line ? line + 1 : text);
	free(text);
	return kept;
}
