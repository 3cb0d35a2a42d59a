/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/whatis.h"

#include "kdbg/heap_clients.h"
#include "kdbg/heap_vmem.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CANARY_SIZE = 8, RED_ZONE = 128 /* below sp, by the ABI */ };

struct question {
	struct session *session;
	struct heap *heap;       /* or NULL */
	struct symbols *symbols; /* or NULL */
	uint64_t address;
};

/* False: not mine. */
typedef bool provider(const struct question *q, struct whatis_answer *ret);

static const char *state_text(const struct heap_buffer *buffer)
{
	switch (buffer->state) {
	case BUFFER_ALLOCATED:
		return "allocated from";
	case BUFFER_FREE:
		return "freed from";
	case BUFFER_CHANGING: /* a free is recorded when it has been checked */
		return buffer->alloc.time > buffer->free.time
			       ? "being freed to"
			       : "being allocated from";
	case BUFFER_NEVER:
		break;
	}
	return "never allocated from";
}

/* Where in the buffer's share of the slab, if not in the program's bytes.
 * stride 0: there are no canaries. */
static const char *part_text(const struct question *q,
			     const struct heap_buffer *buffer, uint64_t stride)
{
	if (!buffer->bufctl || buffer->state == BUFFER_NEVER)
		return "";
	if (q->address < buffer->user)
		return "before the start of a buffer ";
	if (q->address - buffer->user < buffer->size)
		return "";
	if (stride && q->address - buffer->start >= stride - CANARY_SIZE)
		return "canary after a buffer ";
	return "redzone of a buffer ";
}

static bool is_buffer(const struct question *q, struct whatis_answer *ret)
{
	const struct heap_slab *slabs;
	struct heap_buffer *buffer = &ret->buffer;

	if (!q->heap || !heap_buffer_at(q->heap, q->address, buffer))
		return false;
	heap_slabs(q->heap, &slabs);
	ret->base = buffer->user;
	ret->cache = heap_cache_of(q->heap, buffer->slab)->name;
	const struct heap_type *type = heap_type_of(q->heap, buffer);

	snprintf(ret->what, sizeof(ret->what), "%s%s %s%s%s",
		 part_text(q, buffer,
			   slabs[buffer->slab].bare
				   ? 0
				   : slabs[buffer->slab].stride),
		 state_text(buffer), ret->cache, type ? ", type " : "",
		 type ? type->name : "");
	return true;
}

static bool is_slab(const struct question *q, struct whatis_answer *ret)
{
	const struct heap_slab *slabs;
	size_t slab;

	if (!q->heap || !heap_slab_at(q->heap, q->address, &slab))
		return false;
	heap_slabs(q->heap, &slabs);
	ret->base = slabs[slab].base;
	ret->cache = heap_cache_of(q->heap, slab)->name;
	snprintf(ret->what, sizeof(ret->what), "in a slab of %s", ret->cache);
	return true;
}

static void tell_segment(const struct heap_segment *segment,
			 const struct heap_arena *arena, const char *unit,
			 struct whatis_answer *ret)
{
	ret->base = segment->start;
	snprintf(ret->what, sizeof(ret->what),
		 "%s from the arena %s (%" PRIu64 " %s, vmem_seg %" PRIx64 ")",
		 segment->cached ? "in a slab of a quantum cache, allocated"
				 : "allocated",
		 arena->name, segment->size, unit, segment->address);
}

/* What brought a cache's pages has something to say of them, too. */
static bool is_pages_of_heap(const struct question *q)
{
	const struct heap_slab *slabs;
	size_t slab;

	if (!heap_slab_at(q->heap, q->address, &slab))
		return false;
	heap_slabs(q->heap, &slabs);
	return !slabs[slab].foreign;
}

/* The buffer that a cache was brought for pages. */
static bool is_carrier(const struct question *q, struct whatis_answer *ret)
{
	const struct heap_slab *slabs, *slab;
	size_t number;

	if (!q->heap || !heap_slab_at(q->heap, q->address, &number))
		return false;
	heap_slabs(q->heap, &slabs);
	slab = &slabs[number];
	if (!slab->has_carrier ||
	    !heap_buffer_get(q->heap, slab->carrier_slab, slab->carrier_index,
			     &ret->buffer))
		return false;
	ret->base = ret->buffer.user;
	ret->cache = heap_cache_of(q->heap, slab->carrier_slab)->name;
	snprintf(ret->what, sizeof(ret->what), "%s %s, as pages of %s",
		 state_text(&ret->buffer), ret->cache,
		 heap_cache_of(q->heap, number)->name);
	return true;
}

static bool is_segment(const struct question *q, struct whatis_answer *ret)
{
	const struct heap_arena *arena;
	struct heap_segment segment;

	if (!q->heap || is_pages_of_heap(q) ||
	    !heap_segment_holding(q->heap, q->address, false, &segment, &arena))
		return false;
	tell_segment(&segment, arena, "bytes", ret);
	return true;
}

static bool is_identifier(const struct question *q, struct whatis_answer *ret)
{
	const struct heap_arena *arena;
	struct heap_segment segment;

	if (!q->heap ||
	    !heap_segment_holding(q->heap, q->address, true, &segment, &arena))
		return false;
	tell_segment(&segment, arena, "numbers", ret);
	return true;
}

static bool is_thread(const struct question *q, struct whatis_answer *ret)
{
	const struct target *target = q->session->target;
	const struct dump_thread *thread =
		q->address <= UINT32_MAX
			? target_thread(target, (uint32_t)q->address)
			: NULL;

	if (!thread)
		return false;
	ret->base = q->address;
	snprintf(ret->what, sizeof(ret->what), "the id of a thread (%s)",
		 thread->name ? thread->name : "without a name");
	return true;
}

static bool is_allocator(const struct question *q, struct whatis_answer *ret)
{
	struct heap_description description;
	size_t slab;

	if (!q->heap || heap_slab_at(q->heap, q->address, &slab) ||
	    !heap_describe(q->heap, q->address, &description))
		return false;
	ret->base = description.base;
	snprintf(ret->what, sizeof(ret->what), "%s", description.what);
	return true;
}

static const char *protection_text(const struct dump_map *map)
{
	if (!map)
		return "memory";
	if (map->flags & DUMP_MAP_EXEC)
		return "code";
	return map->flags & DUMP_MAP_WRITE ? "data" : "read-only data";
}

static bool is_symbol(const struct question *q, struct whatis_answer *ret)
{
	const struct dump_map *map =
		target_map_at(q->session->target, q->address);
	struct symbol symbol = { 0 };

	if (!q->symbols)
		return false;
	symbols_at(q->symbols, q->address, &symbol);
	if (!symbol.module)
		return false;
	if (symbol.name) {
		ret->base = symbol.value;
		snprintf(ret->name, sizeof(ret->name), "%s`%s", symbol.module,
			 symbol.name);
	} else {
		ret->base = q->address - symbol.module_offset;
		snprintf(ret->name, sizeof(ret->name), "%s", symbol.module);
	}
	snprintf(ret->what, sizeof(ret->what), "%s of %s", protection_text(map),
		 symbol.module_path ? symbol.module_path : symbol.module);
	return true;
}

static bool is_stack(const struct question *q, struct whatis_answer *ret)
{
	const struct target *target = q->session->target;

	for (size_t i = 0; i < target->thread_count; i++) {
		const struct dump_thread *thread = &target->threads[i];
		uint64_t sp = thread->registers.rsp;

		if (q->address < thread->stack_low ||
		    q->address >= thread->stack_high)
			continue;
		ret->base = thread->stack_low;
		snprintf(ret->what, sizeof(ret->what),
			 "stack of the thread %u (%s)%s", thread->tid,
			 thread->name ? thread->name : "",
			 sp >= thread->stack_low && q->address < sp - RED_ZONE
				 ? ", below its stack pointer"
				 : "");
		return true;
	}
	return false;
}

static bool is_mapping(const struct question *q, struct whatis_answer *ret)
{
	const struct dump_map *map =
		target_map_at(q->session->target, q->address);

	if (!map)
		return false;
	ret->base = map->start;
	snprintf(ret->what, sizeof(ret->what), "mapping %c%c%c of %s",
		 map->flags & DUMP_MAP_READ ? 'r' : '-',
		 map->flags & DUMP_MAP_WRITE ? 'w' : '-',
		 map->flags & DUMP_MAP_EXEC ? 'x' : '-',
		 map->path && *map->path ? map->path : "anonymous memory");
	return true;
}

static const struct {
	const char *name, *summary;
	provider *ask;
} providers[WHATIS_KIND_COUNT] = {
	[WHATIS_BUFFER] = { "buffer",
			    "buffers of caches: allocated, freed, or never "
			    "handed out",
			    is_buffer },
	[WHATIS_SLAB] = { "slab", "what is left of slabs", is_slab },
	[WHATIS_CARRIER] = { "carrier", "buffers that caches have for pages",
			     is_carrier },
	[WHATIS_SEGMENT] = { "segment", "segments of arenas of memory",
			     is_segment },
	[WHATIS_ALLOCATOR] = { "allocator", "the allocator's own structures",
			       is_allocator },
	[WHATIS_SYMBOL] = { "symbol", "symbols and sections of modules",
			    is_symbol },
	[WHATIS_STACK] = { "stack", "stacks of threads", is_stack },
	[WHATIS_MAPPING] = { "mapping", "mappings", is_mapping },
	[WHATIS_THREAD] = { "thread", "ids of threads (-i)", is_thread },
	[WHATIS_IDENTIFIER] = { "identifier",
				"segments of arenas of identifiers (-i)",
				is_identifier },
};

const char *whatis_kind_name(enum whatis_kind kind)
{
	return providers[kind].name;
}

const char *whatis_kind_summary(enum whatis_kind kind)
{
	return providers[kind].summary;
}

/* Ask the providers of the kinds from first to before last. */
static size_t find(struct session *session, uint64_t address, unsigned first,
		   unsigned last, struct whatis_answer *answers, size_t max)
{
	struct question q = { .session = session, .address = address };
	size_t count = 0;

	/* Either may be missing; what is left can still answer. */
	err_free(session_heap(session, &q.heap));
	err_free(session_symbols(session, &q.symbols));
	if (!session->target)
		return 0;
	for (unsigned i = first; i < last && count < max; i++) {
		answers[count] = (struct whatis_answer){
			.kind = (enum whatis_kind)i,
		};
		if (providers[i].ask(&q, &answers[count]))
			count++;
	}
	return count;
}

size_t whatis_find(struct session *session, uint64_t address,
		   struct whatis_answer *answers, size_t max)
{
	return find(session, address, 0, WHATIS_ADDRESS_KINDS, answers, max);
}

size_t whatis_find_identifier(struct session *session, uint64_t number,
			      struct whatis_answer *answers, size_t max)
{
	return find(session, number, WHATIS_ADDRESS_KINDS, WHATIS_KIND_COUNT,
		    answers, max);
}
