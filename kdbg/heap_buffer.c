/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Buffers: from an address to a slab to a number, and what state it is in.
 *
 * An audited slab has a bufctl for each buffer, and its word says whether the
 * program has it; a slab of tier lite has the words alone. A slab of tier off
 * has a bitmap of what the slab itself has free; of the rest, what lies in a
 * magazine is free too (heap_magazine.c).
 */
#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdlib.h>

enum { OFFSET_UNIT = 16, BITS = 64 };

/* A copy of what is there, piece by piece, zeros for the rest: an array that
 * does not lie in one extent. */
static unsigned char *copy_array(struct heap *heap, uint64_t address,
				 size_t size)
{
	unsigned char *copy = calloc(1, size);
	size_t done = 0, missing = 0;

	while (copy && done < size) {
		size_t room = 4096 - (address + done) % 4096;
		size_t piece = size - done < room ? size - done : room;
		size_t got = target_read_some(heap->target, address + done,
					      copy + done, piece);

		missing += piece - got;
		done += piece;
	}
	if (missing)
		heap_note(heap, address,
			  "%#" PRIx64 ": %zu of %zu bytes of a slab's records "
			  "are missing",
			  address, missing, size);
	if (missing == size) {
		free(copy);
		return NULL;
	}
	return copy;
}

/* offset and size of one array in geometry->owned, where views fail. */
static const unsigned char *view_array(struct heap *heap,
				       struct slab_geometry *geometry,
				       uint64_t address, size_t size)
{
	const void *bytes;
	struct err *err;

	if (address == 0 || address % sizeof(uint64_t) != 0)
		return NULL;
	err = target_view(heap->target, address, size, &bytes);
	if (!err)
		return bytes;
	err_free(err);
	if (geometry->owned)
		return NULL;
	geometry->owned = copy_array(heap, address, size);
	return geometry->owned;
}

static const struct heap_layout *layout_of(const struct heap *heap, size_t slab)
{
	const struct heap_cache *cache = &heap->caches[heap->slabs[slab].cache];

	return &heap->parts[cache->instance].layout;
}

const struct slab_geometry *heap_slab_views(struct heap *heap, size_t number)
{
	const struct heap_slab *slab = &heap->slabs[number];
	struct slab_geometry *geometry = &heap->geometry[number];
	const struct field *bufctl = &layout_of(heap, number)->kma_bufctl.self;
	size_t words = ((size_t)slab->buffers + BITS - 1) / BITS;

	if (geometry->viewed)
		return geometry;
	geometry->viewed = true;
	if (slab->bufctls != 0 && bufctl->present)
		geometry->bufctls =
			view_array(heap, geometry, slab->bufctls,
				   (size_t)slab->buffers * bufctl->size);
	else if (slab->words != 0)
		geometry->words =
			view_array(heap, geometry, slab->words,
				   (size_t)slab->buffers * sizeof(uint64_t));
	else
		geometry->free_bits =
			view_array(heap, geometry, slab->free_bits,
				   words * sizeof(uint64_t));
	if (!geometry->bufctls && !geometry->words && !geometry->free_bits)
		heap_note(heap, slab->address,
			  "slab %#" PRIx64
			  ": which of its buffers are free cannot be told",
			  slab->address);
	return geometry;
}

bool heap_find(struct heap *heap, uint64_t address, size_t *slab,
	       uint32_t *index)
{
	const struct slab_geometry *geometry;

	if (!heap_slab_at(heap, address, slab))
		return false;
	geometry = &heap->geometry[*slab];
	if (address < geometry->start || address >= geometry->end)
		return false;
	uint64_t offset = address - geometry->start;
	__extension__ typedef unsigned __int128 wide;
	if (geometry->end - geometry->start <= UINT32_MAX)
		*index = (uint32_t)((wide)offset * geometry->reciprocal >> 64);
	else
		*index = (uint32_t)(offset / geometry->stride);
	return true;
}

static bool in_magazine(struct heap *heap, uint64_t number)
{
	heap_read_magazines(heap);
	return heap->in_magazine &&
	       (heap->in_magazine[number / BITS] >> number % BITS & 1);
}

static bool in_free_bits(const struct slab_geometry *geometry, uint32_t index)
{
	uint64_t word;

	if (!geometry->free_bits)
		return false;
	memcpy(&word, geometry->free_bits + index / BITS * sizeof(word),
	       sizeof(word));
	return word >> index % BITS & 1;
}

static enum buffer_state state_of(const struct heap_layout *layout,
				  uint64_t word)
{
	uint64_t state =
		word >> layout->constants.KMA_BUFCTL_STATE_SHIFT.value &
		layout->constants.KMA_BUFCTL_STATE_MASK.value;

	if (state == layout->constants.KMA_BUFFER_ALLOCATED.value)
		return BUFFER_ALLOCATED;
	if (state == layout->constants.KMA_BUFFER_FREE.value)
		return BUFFER_FREE;
	if (layout->constants.KMA_BUFFER_CHANGING.present &&
	    state == layout->constants.KMA_BUFFER_CHANGING.value)
		return BUFFER_CHANGING;
	return BUFFER_NEVER;
}

static struct heap_event read_event(const struct heap *heap, size_t instance,
				    const unsigned char *bufctl,
				    const struct field *time,
				    const struct field *thread,
				    const struct field *stack)
{
	struct heap_event event = {
		.time = record_uint(bufctl, time),
		.thread = (uint32_t)record_uint(bufctl, thread),
		.stack = (uint32_t)record_uint(bufctl, stack),
		.instance = instance,
	};

	if (event.time)
		event.time_ns = heap_time_ns(heap, instance, event.time);
	return event;
}

/* What the bufctl says of the program's part, cut to what the buffer holds. */
static void read_word(const struct heap_layout *layout, uint64_t word,
		      uint64_t stride, struct heap_buffer *ret)
{
	uint64_t offset =
		(word >> layout->constants.KMA_BUFCTL_OFFSET_SHIFT.value &
		 layout->constants.KMA_BUFCTL_OFFSET_MASK.value) *
		OFFSET_UNIT;

	ret->state = state_of(layout, word);
	ret->family =
		(unsigned)(word >> layout->constants.KMA_BUFCTL_FAMILY_SHIFT
					   .value &
			   layout->constants.KMA_BUFCTL_FAMILY_MASK.value);
	if (offset >= stride)
		offset = 0;
	ret->user = ret->start + offset;
	ret->size = word >> layout->constants.KMA_BUFCTL_SIZE_SHIFT.value;
	if (ret->size > stride - offset)
		ret->size = stride - offset;
}

static void read_bufctl(struct heap *heap, struct heap_buffer *ret)
{
	const struct heap_layout *layout = layout_of(heap, ret->slab);
	const struct heap_slab *slab = &heap->slabs[ret->slab];
	size_t instance = heap->caches[slab->cache].instance;
	size_t at = (size_t)ret->index * layout->kma_bufctl.self.size;
	const unsigned char *bufctl = heap->geometry[ret->slab].bufctls + at;

	ret->bufctl = slab->bufctls + at;
	read_word(layout, record_uint(bufctl, &layout->kma_bufctl.word),
		  slab->stride, ret);
	ret->alloc = read_event(heap, instance, bufctl,
				&layout->kma_bufctl.alloc_time,
				&layout->kma_bufctl.alloc_thread,
				&layout->kma_bufctl.alloc_stack);
	ret->free = read_event(heap, instance, bufctl,
			       &layout->kma_bufctl.free_time,
			       &layout->kma_bufctl.free_thread,
			       &layout->kma_bufctl.free_stack);
}

bool heap_buffer_get(struct heap *heap, size_t number, uint32_t index,
		     struct heap_buffer *ret)
{
	const struct slab_geometry *geometry;
	const struct heap_slab *slab;

	heap_read_slabs(heap);
	if (number >= heap->slab_count || index >= heap->slabs[number].buffers)
		return false;
	slab = &heap->slabs[number];
	geometry = heap_slab_views(heap, number);
	*ret = (struct heap_buffer){
		.slab = number,
		.index = index,
		.start = geometry->start + index * slab->stride,
		.size = slab->stride,
		.cached = in_magazine(heap, slab->first_buffer + index),
	};
	ret->user = ret->start;
	if (geometry->bufctls)
		read_bufctl(heap, ret);
	else if (geometry->words)
		read_word(
			layout_of(heap, number),
			record_integer(geometry->words +
					       (size_t)index * sizeof(uint64_t),
				       sizeof(uint64_t)),
			slab->stride, ret);
	else if (ret->cached || in_free_bits(geometry, index))
		ret->state = BUFFER_FREE;
	return true;
}

bool heap_buffer_at(struct heap *heap, uint64_t address,
		    struct heap_buffer *ret)
{
	size_t slab;
	uint32_t index;

	return heap_find(heap, address, &slab, &index) &&
	       heap_buffer_get(heap, slab, index, ret);
}

uint64_t heap_buffer_count(struct heap *heap)
{
	heap_read_slabs(heap);
	return heap->buffer_count;
}

bool heap_bufctl_layout(const struct heap *heap, size_t instance,
			struct heap_bufctl_layout *ret)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;

	if (!layout->kma_bufctl.word.present ||
	    layout->kma_bufctl.word.size != sizeof(uint64_t))
		return false;
	*ret = (struct heap_bufctl_layout){
		.stride = layout->kma_bufctl.self.size,
		.word_offset = layout->kma_bufctl.word.offset,
		.state_shift = (uint32_t)layout->constants
				       .KMA_BUFCTL_STATE_SHIFT.value,
		.state_mask =
			(uint32_t)layout->constants.KMA_BUFCTL_STATE_MASK.value,
		.state_allocated =
			(uint32_t)layout->constants.KMA_BUFFER_ALLOCATED.value,
		.offset_shift = (uint32_t)layout->constants
					.KMA_BUFCTL_OFFSET_SHIFT.value,
		.offset_mask = (uint32_t)layout->constants
				       .KMA_BUFCTL_OFFSET_MASK.value,
		.ignored = layout->constants.KMA_BUFCTL_IGNORED.value,
		.size_shift =
			(uint32_t)layout->constants.KMA_BUFCTL_SIZE_SHIFT.value,
	};
	return true;
}
