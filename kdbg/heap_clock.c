/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ticks to nanoseconds, by the pairs that the allocator took: the first at its
 * start, the latest at the dump, at the last report, or in a second in which it
 * worked. Where only one was taken (a core of a program that had hardly begun),
 * a tick counts as a nanosecond and heap_time_known() says that times are not
 * to be trusted.
 */
#include "kdbg/heap_impl.h"

struct clock_pair {
	uint64_t ticks, monotonic_ns, realtime_ns;
};

static struct clock_pair read_pair(const struct instance *part, uint32_t i)
{
	const struct heap_layout *layout = &part->layout;
	const struct field *clock = &layout->kma_root.clock;
	const unsigned char *pair;

	if (!clock->present || i >= clock->count ||
	    layout->kma_clock_pair.self.size > clock->size)
		return (struct clock_pair){ 0 };
	pair = part->root + clock->offset + (size_t)i * clock->stride;
	return (struct clock_pair){
		.ticks = record_uint(pair, &layout->kma_clock_pair.ticks),
		.monotonic_ns =
			record_uint(pair, &layout->kma_clock_pair.monotonic_ns),
		.realtime_ns =
			record_uint(pair, &layout->kma_clock_pair.realtime_ns),
	};
}

static bool rate_known(const struct clock_pair *first,
		       const struct clock_pair *last)
{
	return last->ticks > first->ticks &&
	       last->monotonic_ns > first->monotonic_ns;
}

bool heap_time_known(const struct heap *heap, size_t instance)
{
	struct clock_pair first = read_pair(&heap->parts[instance], 0);
	struct clock_pair last = read_pair(&heap->parts[instance], 1);

	return rate_known(&first, &last);
}

uint64_t heap_time_ns(const struct heap *heap, size_t instance, uint64_t ticks)
{
	struct clock_pair first = read_pair(&heap->parts[instance], 0);
	struct clock_pair last = read_pair(&heap->parts[instance], 1);
	__extension__ typedef __int128 wide;
	wide ns = (wide)ticks - (wide)first.ticks;

	if (rate_known(&first, &last))
		ns = ns * (wide)(last.monotonic_ns - first.monotonic_ns) /
		     (wide)(last.ticks - first.ticks);
	return (uint64_t)(ns + (wide)first.monotonic_ns);
}
