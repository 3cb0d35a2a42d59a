/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The allocator's records of threads and of modules: who and what its stacks
 * and events name, also when it is gone. */
#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdlib.h>

static struct heap_event read_creation(struct heap *heap, size_t instance,
				       const unsigned char *record)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	struct heap_event event = {
		.time = record_uint(record, &layout->kma_thread.created_time),
		.thread = (uint32_t)record_uint(record,
						&layout->kma_thread.created_by),
		.stack = (uint32_t)record_uint(
			record, &layout->kma_thread.created_stack),
		.instance = instance,
	};

	if (event.time)
		event.time_ns = heap_time_ns(heap, instance, event.time);
	return event;
}

static struct heap_thread read_thread(struct heap *heap, size_t instance,
				      uint64_t address,
				      const unsigned char *record)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	uint64_t state = record_uint(record, &layout->kma_thread.state);

	return (struct heap_thread){
		.address = address,
		.instance = instance,
		.tid = (uint32_t)record_uint(record, &layout->kma_thread.tid),
		.live = layout->constants.KMA_THREAD_LIVE.present &&
			state == layout->constants.KMA_THREAD_LIVE.value,
		.name = heap_field_text(heap, record, &layout->kma_thread.name),
		.start_time =
			record_uint(record, &layout->kma_thread.start_time),
		.end_time = record_uint(record, &layout->kma_thread.end_time),
		.stack_top = record_uint(record, &layout->kma_thread.stack_top),
		.altstack_base =
			record_uint(record, &layout->kma_thread.altstack_base),
		.altstack_size =
			record_uint(record, &layout->kma_thread.altstack_size),
		.signal_stack =
			record_uint(record, &layout->kma_thread.signal_stack),
		.created = read_creation(heap, instance, record),
		.magsets = record_uint(record, &layout->kma_thread.magsets),
		.magset_count =
			record_uint(record, &layout->kma_thread.magset_count),
		.magset_caches =
			record_uint(record, &layout->kma_thread.magset_caches),
	};
}

static void read_threads(struct heap *heap, size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const unsigned char *record;
	uint64_t address;
	struct heap_list list =
		heap_list_begin(heap, "thread list", &layout->kma_thread.self,
				&layout->kma_thread.next,
				record_uint(heap->parts[instance].root,
					    &layout->kma_root.threads),
				HEAP_THREADS_MAX);

	while (heap_list_next(&list, &address, &record)) {
		struct heap_thread *threads = heap_grow(
			heap->threads, heap->thread_count, sizeof(threads[0]));

		if (!threads) {
			heap_note(heap, 0, "out of memory for threads");
			continue;
		}
		heap->threads = threads;
		threads[heap->thread_count++] =
			read_thread(heap, instance, address, record);
	}
}

size_t heap_threads(struct heap *heap, const struct heap_thread **ret)
{
	if (!heap->threads_read) {
		heap->threads_read = true;
		for (size_t i = 0; i < heap->instance_count; i++)
			read_threads(heap, i);
	}
	*ret = heap->threads;
	return heap->thread_count;
}

const struct heap_thread *heap_thread(struct heap *heap, uint32_t tid)
{
	const struct heap_thread *threads, *found = NULL;
	size_t count = heap_threads(heap, &threads);

	for (size_t i = 0; i < count; i++)
		if (threads[i].tid == tid &&
		    (!found || threads[i].start_time > found->start_time))
			found = &threads[i];
	return found;
}

static struct heap_module read_module(struct heap *heap, size_t instance,
				      uint64_t address,
				      const unsigned char *record)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const struct field *id = &layout->kma_module.build_id;
	char path[4096] = "";
	struct heap_module module = {
		.address = address,
		.instance = instance,
		.base = record_uint(record, &layout->kma_module.base),
		.end = record_uint(record, &layout->kma_module.end),
		.from_time = record_uint(record, &layout->kma_module.from_time),
		.until_time =
			record_uint(record, &layout->kma_module.until_time),
		.build_id_size =
			record_uint(record, &layout->kma_module.build_id_size),
	};
	struct err *err = target_read_text(
		heap->target, record_uint(record, &layout->kma_module.path),
		path, sizeof(path));

	if (err)
		path[0] = '\0';
	err_free(err);
	module.path = heap_text(heap, path);
	if (module.build_id_size > sizeof(module.build_id) ||
	    module.build_id_size > id->count)
		module.build_id_size = 0;
	for (uint32_t i = 0; i < module.build_id_size; i++)
		module.build_id[i] = (uint8_t)record_element(record, id, i);
	return module;
}

static void read_modules(struct heap *heap, size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const unsigned char *record;
	uint64_t address;
	struct heap_list list =
		heap_list_begin(heap, "module list", &layout->kma_module.self,
				&layout->kma_module.next,
				record_uint(heap->parts[instance].root,
					    &layout->kma_root.modules),
				HEAP_MODULES_MAX);

	while (heap_list_next(&list, &address, &record)) {
		struct heap_module *modules = heap_grow(
			heap->modules, heap->module_count, sizeof(modules[0]));

		if (!modules) {
			heap_note(heap, 0, "out of memory for modules");
			continue;
		}
		heap->modules = modules;
		modules[heap->module_count++] =
			read_module(heap, instance, address, record);
	}
}

size_t heap_modules(struct heap *heap, const struct heap_module **ret)
{
	if (!heap->modules_read) {
		heap->modules_read = true;
		for (size_t i = 0; i < heap->instance_count; i++)
			read_modules(heap, i);
	}
	*ret = heap->modules;
	return heap->module_count;
}
