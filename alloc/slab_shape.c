/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	base            first                             base + pages
 *	| colour | canary | buffer | buffer | ...  | what is left |
 *
 * The first buffers are the ones most used, and slabs begin at whole pages. A
 * slab of small buffers has a colour, therefore, as Bonwick's have: a multiple
 * of the processor's line that its first buffer comes later. Otherwise those
 * of all caches fall on the same few lines of the first cache, and a load from
 * one waits for a store into another, as the processor tells them apart by the
 * low 12 bits of their addresses first.
 */
#include "alloc/slab_shape.h"

#include "alloc/client.h"
#include "alloc/sample.h"

/* A slab has at least this many bytes and at least this many buffers, and
 * wastes at most an eighth. Samples are few: what they leave of a slab would be
 * gone through in vain when the process ends. */
enum {
	SLAB_MIN = 64 * 1024,
	SLAB_OF_SAMPLES_MIN = 16 * 1024,
	SLAB_BUFFERS_MIN = 8,
	SLAB_WASTE_PART = 8,
};

/* What canary and redzone take of a buffer's room. Audited buffers on pages
 * that their client brought go without where there is none. */
static size_t dress_for(const struct kma_cache *cache, enum kma_tier tier)
{
	if (!kma_tier_has_bufctls(tier) ||
	    (cache->client && cache->client->is_bare))
		return 0;
	return 16;
}

/* A class's buffers are aligned within the stride by who asks for them; a
 * client's all are, so the stride is a multiple of its alignment. */
static size_t stride_for(const struct kma_cache *cache, enum kma_tier tier)
{
	size_t stride = cache->bufsize + dress_for(cache, tier);
	size_t unit = cache->client && cache->align > 8 ? cache->align : 8;

	return (stride + unit - 1) / unit * unit;
}

/* KMA_CANARY_SIZE, rounded so that the first buffer is 16-aligned, or as its
 * client wants it. */
static size_t first_for(const struct kma_cache *cache, enum kma_tier tier)
{
	size_t first = dress_for(cache, tier);

	if (!cache->client)
		return first;
	return first +
	       (cache->align - (first + cache->align_offset) % cache->align) %
		       cache->align;
}

/* A slab of buffers up to COLOUR_ROOM bytes goes without a few of them where
 * the others leave no room for colours. */
enum { COLOUR_LINE = 64, COLOUR_ROOM = 512 };

/* Colours keep what a stride of a power of two promises. */
static size_t colour_unit(size_t stride)
{
	size_t natural = stride & -stride;

	return natural > COLOUR_LINE ? natural : COLOUR_LINE;
}

/* How many buffers fit behind first. 0: not one. */
static uint32_t buffers_for(const struct kma_cache *cache, size_t pages,
			    size_t stride, size_t first)
{
	size_t bytes = pages << KMA_PAGE_SHIFT;

	if (first > bytes || stride > bytes - first)
		return 0;
	bytes -= first;
	if (stride > KMA_CACHED_MAX + 64)
		return 1;
	if (bytes % stride < COLOUR_ROOM / 2 &&
	    colour_unit(stride) <= COLOUR_ROOM && !kma_client_is_foreign(cache))
		bytes -= COLOUR_ROOM / stride * stride;
	return (uint32_t)(bytes / stride);
}

/* Of what the buffers leave: each slab takes another than the one before, and
 * caches begin at different ones. Less than a page, so that a slab's first
 * buffers need no page more. */
size_t kma_slab_next_colour(const struct kma_cache *cache,
			    const struct kma_slab_shape *shape)
{
	size_t unit = colour_unit(shape->stride);
	size_t left = (shape->pages << KMA_PAGE_SHIFT) - shape->first -
		      shape->buffers * shape->stride;
	size_t most = left < KMA_PAGE_SIZE ? left : KMA_PAGE_SIZE - 1;

	return (cache->index + cache->slab_create) % (most / unit + 1) * unit;
}

/*
 * Multiplying an offset by this and dropping 64 bits divides by the stride,
 * exactly as long as offset * stride is below 2^64; and what is dropped is less
 * than this for multiples of the stride alone. In a slab of one buffer it is 1,
 * which makes every offset of the first one.
 */
uint64_t kma_slab_reciprocal(size_t stride, uint32_t buffers)
{
	return buffers == 1 ? 1 : UINT64_MAX / stride + 1;
}

static size_t pages_for(size_t stride, size_t first, size_t least)
{
	size_t most = stride > KMA_CACHED_MAX + 64 ? 1 : SLAB_BUFFERS_MIN;
	size_t bytes = stride * most + first;
	size_t pages;

	if (bytes < least)
		bytes = least;
	pages = (bytes + KMA_PAGE_SIZE - 1) >> KMA_PAGE_SHIFT;
	for (;; pages++) {
		size_t size = pages << KMA_PAGE_SHIFT;

		if ((size - first) % stride <= size / SLAB_WASTE_PART)
			return pages;
	}
}

struct kma_slab_shape kma_slab_shape(const struct kma_cache *cache,
				     enum kma_tier tier)
{
	struct kma_slab_shape shape = {
		.stride = stride_for(cache, tier),
		.first = first_for(cache, tier),
		.bare = kma_tier_has_bufctls(tier) && !dress_for(cache, tier),
	};

	shape.pages = kma_client_is_foreign(cache)
			      ? cache->client->slab_size >> KMA_PAGE_SHIFT
			      : pages_for(shape.stride, shape.first,
					  kma_sample_has_alone(cache, tier)
						  ? SLAB_OF_SAMPLES_MIN
						  : SLAB_MIN);
	shape.buffers =
		buffers_for(cache, shape.pages, shape.stride, shape.first);
	shape.reciprocal = kma_slab_reciprocal(shape.stride, shape.buffers);
	return shape;
}
