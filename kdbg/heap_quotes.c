/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/heap_quotes.h"

#include "kdbg/heap_clients.h"
#include "kdbg/heap_impl.h"
#include "kdbg/heap_vmem.h"
#include "kdbg/vector.h"

#include <stdlib.h>
#include <string.h>

/* A target that notes what of some ranges is read. */
struct recorder {
	const struct target_ops *ops;
	void *impl;
	struct heap_quotes *quotes;
	bool full; /* memory is out: the list is not whole */
};

static bool add_range(struct dump_extent **ranges, size_t *count,
		      uint64_t start, uint64_t end)
{
	struct dump_extent *grown =
		vector_grow(*ranges, *count, sizeof(**ranges));

	if (!grown)
		return false;
	*ranges = grown;
	if (start < end)
		grown[(*count)++] = (struct dump_extent){ start, end };
	return true;
}

static struct err *recording_view(void *impl, uint64_t address, size_t size,
				  const void **ret)
{
	struct recorder *recorder = impl;
	struct heap_quotes *quotes = recorder->quotes;

	for (size_t i = 0; i < quotes->data_count; i++)
		if (address < quotes->data[i].end &&
		    address + size > quotes->data[i].start &&
		    !add_range(&quotes->kept, &quotes->kept_count, address,
			       address + size))
			recorder->full = true;
	return recorder->ops->view(recorder->impl, address, size, ret);
}

static bool recording_next_data(void *impl, uint64_t from, uint64_t upto,
				struct dump_extent *ret)
{
	struct recorder *recorder = impl;

	if (recorder->ops->next_data)
		return recorder->ops->next_data(recorder->impl, from, upto,
						ret);
	*ret = (struct dump_extent){ from, upto };
	return from < upto;
}

/* --- what quotes -------------------------------------------------------- */

static bool add_field(struct heap_quotes *quotes, uint64_t record,
		      const struct field *field)
{
	return !field->present ||
	       add_range(&quotes->quotes, &quotes->quote_count,
			 record + field->offset,
			 record + field->offset + field->size);
}

static bool add_errors(struct heap_quotes *quotes, const struct heap *heap,
		       size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const struct field *errors = &layout->kma_root.errors;
	const struct field *array = &layout->kma_errors.record;
	uint64_t at = heap->instances[instance].root + errors->offset;
	bool added = true;

	if (!errors->present || !layout->kma_errors.self.present)
		return true;
	added = add_field(quotes, at, &layout->kma_errors.ring);
	for (uint32_t i = 0; added && array->present && i < array->count; i++) {
		uint64_t record =
			at + array->offset + (uint64_t)i * array->stride;

		added = add_field(quotes, record, &layout->kma_error.message) &&
			add_field(quotes, record,
				  &layout->kma_error.expected) &&
			add_field(quotes, record, &layout->kma_error.found);
	}
	return added;
}

static bool add_logs(struct heap_quotes *quotes, struct heap *heap)
{
	const struct heap_log *logs;
	size_t count = heap_logs(heap, &logs);
	bool added = true;

	for (size_t i = 0; added && i < count; i++) {
		uint64_t size;

		if (logs[i].kind != LOG_CONTENTS && logs[i].kind != LOG_UNKNOWN)
			continue;
		if (__builtin_mul_overflow(logs[i].chunk_size,
					   logs[i].chunk_count, &size) ||
		    size > UINT64_MAX - logs[i].base)
			size = UINT64_MAX - logs[i].base;
		added = add_range(&quotes->quotes, &quotes->quote_count,
				  logs[i].base, logs[i].base + size);
	}
	return added;
}

/* --- what is kept ------------------------------------------------------- */

static bool add_instance(struct heap_quotes *quotes, struct heap *heap,
			 size_t i)
{
	const struct heap_instance *instance = &heap->instances[i];

	return add_range(&quotes->data, &quotes->data_count,
			 instance->data_base, instance->data_end) &&
	       add_range(&quotes->metadata, &quotes->metadata_count,
			 instance->reserve_base, instance->heap_base) &&
	       add_range(&quotes->metadata, &quotes->metadata_count,
			 instance->data_base, instance->data_end) &&
	       add_range(&quotes->reserve, &quotes->reserve_count,
			 instance->reserve_base, instance->reserve_end) &&
	       add_errors(quotes, heap, i);
}

/* Buffers on pages that the program brought are the heap's as well. */
static bool add_foreign(struct heap_quotes *quotes, struct heap *heap)
{
	const struct heap_slab *slabs;
	size_t count = heap_slabs(heap, &slabs);

	while (count-- > 0 && slabs[count].foreign)
		if (!add_range(&quotes->reserve, &quotes->reserve_count,
			       slabs[count].base,
			       slabs[count].base + slabs[count].size))
			return false;
	return true;
}

static void look_at_clients(struct heap *heap)
{
	const struct heap_side_cache *side_caches;
	const struct heap_checkpoint *checkpoints;
	const struct heap_region *regions;
	const struct heap_percpu *percpus;
	const struct heap_waiter *waiters;
	const struct heap_arena *arenas;
	const struct heap_type *types;

	heap_arenas(heap, &arenas);
	heap_side_caches(heap, &side_caches);
	heap_types(heap, &types);
	heap_waiters(heap, &waiters);
	heap_percpus(heap, &percpus);
	heap_regions(heap, &regions);
	heap_checkpoints(heap, &checkpoints);
}

/* All that anybody asks of a heap. */
static void look_at_all(struct heap *heap)
{
	const struct heap_cache *caches;
	const struct heap_thread *threads;
	const struct heap_module *modules;
	const struct heap_error *errors;
	const struct heap_log *logs;
	struct heap_buffer buffer;
	const uint64_t *pcs;
	uint64_t base, end;
	uint32_t flags;

	heap_caches(heap, &caches);
	heap_threads(heap, &threads);
	heap_modules(heap, &modules);
	heap_errors(heap, &errors);
	heap_logs(heap, &logs);
	look_at_clients(heap);
	for (size_t i = 0; i < heap->instance_count; i++) {
		heap_depot(heap, i, &base, &end);
		heap_stack(heap, i, 1, &pcs, &flags);
	}
	for (size_t i = 0; i < heap->slab_count; i++)
		heap_buffer_get(heap, i, 0, &buffer);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct dump_extent *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static void join(struct dump_extent *ranges, size_t *count)
{
	size_t kept = 0;

	if (*count)
		qsort(ranges, *count, sizeof(*ranges), compare_ranges);
	for (size_t i = 0; i < *count; i++)
		if (!kept || ranges[kept - 1].end < ranges[i].start)
			ranges[kept++] = ranges[i];
		else if (ranges[kept - 1].end < ranges[i].end)
			ranges[kept - 1].end = ranges[i].end;
	*count = kept;
}

/* First the heap as it is, to learn where its parts lie; then once more. */
static struct err *find(struct target *target, struct heap_quotes *ret)
{
	struct heap *heap;
	struct err *err = heap_open(target, &heap);
	bool added = true;

	if (err)
		return err;
	for (size_t i = 0; added && i < heap->instance_count; i++)
		added = add_instance(ret, heap, i);
	added = added && add_logs(ret, heap) && add_foreign(ret, heap);
	heap_close(heap);
	return added ? NULL : err_new(ERR_NO_MEMORY, "what to strip");
}

static struct err *record(struct target *target, struct heap_quotes *ret)
{
	static const struct target_ops recording = {
		.kind = "recorder",
		.view = recording_view,
		.next_data = recording_next_data,
	};
	struct recorder recorder = { target->ops, target->impl, ret, false };
	struct heap *heap;

	target->ops = &recording;
	target->impl = &recorder;
	struct err *err = heap_open(target, &heap);
	if (!err) {
		look_at_all(heap);
		heap_close(heap);
	}
	target->ops = recorder.ops;
	target->impl = recorder.impl;
	if (!err && recorder.full)
		err = err_new(ERR_NO_MEMORY, "what to keep");
	return err;
}

struct err *heap_quotes_find(struct target *target, struct heap_quotes *ret)
{
	*ret = (struct heap_quotes){ 0 };
	struct err *err = find(target, ret);
	if (!err)
		err = record(target, ret);
	if (err) {
		heap_quotes_deinit(ret);
		return err;
	}
	join(ret->data, &ret->data_count);
	join(ret->kept, &ret->kept_count);
	join(ret->metadata, &ret->metadata_count);
	join(ret->reserve, &ret->reserve_count);
	return NULL;
}

void heap_quotes_deinit(struct heap_quotes *quotes)
{
	free(quotes->data);
	free(quotes->kept);
	free(quotes->quotes);
	free(quotes->metadata);
	free(quotes->reserve);
	*quotes = (struct heap_quotes){ 0 };
}

/* --- stripping ---------------------------------------------------------- */

struct strip {
	uint64_t address;
	unsigned char *bytes;
	size_t size;
};

static void clear(const struct strip *strip, uint64_t start, uint64_t end)
{
	uint64_t last = strip->address + strip->size;

	if (start < strip->address)
		start = strip->address;
	if (end > last)
		end = last;
	if (start < end)
		memset(strip->bytes + (start - strip->address), 0,
		       (size_t)(end - start));
}

/* The first kept range that ends after address. */
static size_t kept_from(const struct heap_quotes *quotes, uint64_t address)
{
	size_t low = 0, high = quotes->kept_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (quotes->kept[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void clear_unkept(const struct heap_quotes *quotes,
			 const struct strip *strip,
			 const struct dump_extent *data)
{
	uint64_t at =
		data->start > strip->address ? data->start : strip->address;
	uint64_t end = strip->address + strip->size;

	if (end > data->end)
		end = data->end;
	for (size_t i = kept_from(quotes, at);
	     i < quotes->kept_count && quotes->kept[i].start < end; i++) {
		clear(strip, at, quotes->kept[i].start);
		at = quotes->kept[i].end;
	}
	clear(strip, at, end);
}

void heap_quotes_strip(const struct heap_quotes *quotes, uint64_t address,
		       unsigned char *bytes, size_t size)
{
	const struct strip strip = { address, bytes, size };

	for (size_t i = 0; i < quotes->data_count; i++)
		clear_unkept(quotes, &strip, &quotes->data[i]);
	for (size_t i = 0; i < quotes->quote_count; i++)
		clear(&strip, quotes->quotes[i].start, quotes->quotes[i].end);
}
