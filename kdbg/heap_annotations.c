/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the program told of its own memory: regions, checkpoints, suppressions
 * in LeakSanitizer's form. */
#include "kdbg/heap_impl.h"

#include <stdlib.h>

enum { SUPPRESSIONS_MAX = 1 << 20 };

static void read_regions(struct heap *heap, size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const unsigned char *record;
	uint64_t address;
	struct heap_list list =
		heap_list_begin(heap, "region list", &layout->kma_region.self,
				&layout->kma_region.next,
				record_uint(heap->parts[instance].root,
					    &layout->kma_root.regions),
				HEAP_REGIONS_MAX);

	while (heap_list_next(&list, &address, &record)) {
		uint64_t start = record_uint(record, &layout->kma_region.start);
		uint64_t size = record_uint(record, &layout->kma_region.size);
		struct heap_region *regions;

		if (!start || !size || start + size < start)
			continue; /* removed */
		regions = heap_grow(heap->regions, heap->region_count,
				    sizeof(regions[0]));
		if (!regions) {
			heap_note(heap, 0, "out of memory for regions");
			continue;
		}
		heap->regions = regions;
		regions[heap->region_count++] =
			(struct heap_region){ start, start + size };
	}
}

static void read_checkpoints(struct heap *heap, size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const unsigned char *record;
	uint64_t address;
	struct heap_list list = heap_list_begin(
		heap, "checkpoint list", &layout->kma_checkpoint.self,
		&layout->kma_checkpoint.next,
		record_uint(heap->parts[instance].root,
			    &layout->kma_root.checkpoints),
		HEAP_CHECKPOINTS_MAX);

	while (heap_list_next(&list, &address, &record)) {
		struct heap_checkpoint *checkpoints =
			heap_grow(heap->checkpoints, heap->checkpoint_count,
				  sizeof(checkpoints[0]));
		uint64_t time =
			record_uint(record, &layout->kma_checkpoint.time);

		if (!checkpoints) {
			heap_note(heap, 0, "out of memory for checkpoints");
			continue;
		}
		heap->checkpoints = checkpoints;
		checkpoints[heap->checkpoint_count++] =
			(struct heap_checkpoint){
				.instance = instance,
				.time = time,
				.time_ns = heap_time_ns(heap, instance, time),
				.name = heap_field_text(
					heap, record,
					&layout->kma_checkpoint.name),
			};
	}
}

static void read_annotations(struct heap *heap)
{
	if (heap->annotations_read)
		return;
	heap->annotations_read = true;
	for (size_t i = 0; i < heap->instance_count; i++) {
		read_regions(heap, i);
		read_checkpoints(heap, i);
	}
}

size_t heap_regions(struct heap *heap, const struct heap_region **ret)
{
	read_annotations(heap);
	*ret = heap->regions;
	return heap->region_count;
}

size_t heap_checkpoints(struct heap *heap, const struct heap_checkpoint **ret)
{
	read_annotations(heap);
	*ret = heap->checkpoints;
	return heap->checkpoint_count;
}

struct err *heap_suppressions(struct heap *heap, size_t instance, char **ret)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	uint64_t address = record_uint(heap->parts[instance].root,
				       &layout->kma_root.suppressions);
	struct err *err;

	*ret = NULL;
	if (!address)
		return NULL;
	*ret = malloc(SUPPRESSIONS_MAX);
	if (!*ret)
		return err_new(ERR_NO_MEMORY, "no memory for suppressions");
	err = target_read_text(heap->target, address, *ret, SUPPRESSIONS_MAX);
	if (!err)
		return NULL;
	free(*ret);
	*ret = NULL;
	return err_wrap(err, "the program's __lsan_default_suppressions()");
}
