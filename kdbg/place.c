/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/place.h"

#include "kdbg/arch.h"
#include "kdbg/place_frames.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 512 };

struct places {
	struct session *session;
	struct heap *heap;
	struct reach *reach;
	struct symbols *symbols;   /* or NULL: no names */
	const struct root **roots; /* of memory, by address */
	size_t root_count;
	const struct root_gap **stale; /* unused stacks, by address */
	size_t stale_count;
	struct place_frames *frames;
};

const char *place_kind_name(enum place_kind kind)
{
	static const char *const names[PLACE_KIND_COUNT] = {
		[PLACE_NOWHERE] = "none",      [PLACE_DATA] = "data",
		[PLACE_STACK] = "stack",       [PLACE_REGISTERS] = "registers",
		[PLACE_OTHER] = "mapping",     [PLACE_BUFFER] = "buffer",
		[PLACE_POSSIBLE] = "possible", [PLACE_LEAKED] = "leaked",
		[PLACE_SLACK] = "slack",       [PLACE_FREED] = "freed",
		[PLACE_STALE] = "stale",       [PLACE_IGNORED] = "ignored",
	};

	return names[kind];
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_roots(const void *a, const void *b)
{
	return compare((*(const struct root *const *)a)->start,
		       (*(const struct root *const *)b)->start);
}

static int compare_gaps(const void *a, const void *b)
{
	return compare((*(const struct root_gap *const *)a)->start,
		       (*(const struct root_gap *const *)b)->start);
}

/* Sorted, and without the words that are singled out of a larger root. */
static struct err *index_places(struct places *places)
{
	const struct root *roots;
	const struct root_gap *gaps;
	size_t count = roots_list(reach_roots(places->reach), &roots);
	size_t gap_count = roots_gaps(reach_roots(places->reach), &gaps);

	places->roots = calloc(count + 1, sizeof(const struct root *));
	places->stale = calloc(gap_count + 1, sizeof(const struct root_gap *));
	if (!places->roots || !places->stale)
		return err_new(ERR_NO_MEMORY, "no memory for places");
	for (size_t i = 0; i < count; i++)
		if (!roots[i].words && !roots[i].inner_is_plain)
			places->roots[places->root_count++] = &roots[i];
	for (size_t i = 0; i < gap_count; i++)
		if (!gaps[i].missing && gaps[i].end)
			places->stale[places->stale_count++] = &gaps[i];
	if (places->root_count)
		qsort(places->roots, places->root_count,
		      sizeof(const struct root *), compare_roots);
	if (places->stale_count)
		qsort(places->stale, places->stale_count,
		      sizeof(const struct root_gap *), compare_gaps);
	return NULL;
}

struct err *places_create(struct session *session, struct places **ret)
{
	struct places *places = calloc(1, sizeof(*places));
	struct err *err;

	if (!places)
		return err_new(ERR_NO_MEMORY, "no memory for places");
	places->session = session;
	err = session_heap(session, &places->heap);
	if (!err)
		err = session_reach(session, &places->reach);
	if (!err)
		err = index_places(places);
	if (!err)
		err = place_frames_create(session, &places->frames);
	if (err) {
		places_destroy(places);
		return err;
	}
	err_free(session_symbols(session, &places->symbols));
	*ret = places;
	return NULL;
}

void places_destroy(struct places *places)
{
	if (!places)
		return;
	place_frames_destroy(places->frames);
	free(places->roots);
	free(places->stale);
	free(places);
}

static const struct root *root_at(const struct places *places, uint64_t address)
{
	size_t low = 0, high = places->root_count;

	while (low < high) { /* the first that ends after it */
		size_t middle = low + (high - low) / 2;

		if (places->roots[middle]->end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < places->root_count && places->roots[low]->start <= address
		       ? places->roots[low]
		       : NULL;
}

static const struct root_gap *stale_at(const struct places *places,
				       uint64_t address)
{
	size_t low = 0, high = places->stale_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (places->stale[middle]->end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < places->stale_count && places->stale[low]->start <= address
		       ? places->stale[low]
		       : NULL;
}

static enum place_kind root_kind(const struct root *root)
{
	static const enum place_kind kinds[ROOT_KIND_COUNT] = {
		[ROOT_DATA] = PLACE_DATA,           [ROOT_STACK] = PLACE_STACK,
		[ROOT_REGISTERS] = PLACE_REGISTERS, [ROOT_OTHER] = PLACE_OTHER,
		[ROOT_IGNORED] = PLACE_IGNORED,
	};

	return kinds[root->kind];
}

static enum place_kind buffer_kind(const struct places *places,
				   const struct heap_buffer *buffer,
				   uint64_t address)
{
	const struct heap_slab *slabs;

	if (!heap_buffer_live(buffer))
		return PLACE_FREED;
	if (address < buffer->user || address - buffer->user >= buffer->size)
		return PLACE_SLACK;
	heap_slabs(places->heap, &slabs);
	switch (reach_class_of(places->reach, slabs[buffer->slab].first_buffer +
						      buffer->index)) {
	case REACH_PLAIN:
		return PLACE_BUFFER;
	case REACH_POSSIBLE:
		return PLACE_POSSIBLE;
	case REACH_LEAKED:
		return PLACE_LEAKED;
	case REACH_NOT_LIVE:
		break;
	}
	return PLACE_FREED;
}

struct place places_at(struct places *places, uint64_t address)
{
	struct place place = { .address = address };

	place.root = root_at(places, address);
	if (place.root) {
		place.kind = root_kind(place.root);
		return place;
	}
	if (heap_buffer_at(places->heap, address, &place.buffer)) {
		place.kind = buffer_kind(places, &place.buffer, address);
		return place;
	}
	place.gap = stale_at(places, address);
	if (place.gap)
		place.kind = PLACE_STALE;
	return place;
}

bool places_is_storage(struct places *places, uint64_t address)
{
	return place_frames_is_storage(places->frames, address);
}

void places_describe_buffer(struct places *places,
			    const struct heap_buffer *buffer, char *text,
			    size_t size)
{
	const struct heap_event *event =
		buffer->state == BUFFER_FREE && buffer->free.time
			? &buffer->free
			: &buffer->alloc;
	uint64_t caller =
		heap_stack_caller(places->heap, event->instance, event->stack);
	const struct heap_cache *caches;
	const struct heap_slab *slabs;
	char name[TEXT_SIZE] = "";

	heap_caches(places->heap, &caches);
	heap_slabs(places->heap, &slabs);
	if (caller && places->symbols)
		symbols_format_return_then(places->symbols, caller, event->time,
					   name, sizeof(name));
	snprintf(text, size, "%s, %" PRIu64 " bytes%s%s",
		 caches[slabs[buffer->slab].cache].name, buffer->size,
		 !*name                   ? ""
		 : event == &buffer->free ? ", freed by "
					  : ", from ",
		 name);
}

static void describe_registers(const struct place *place, char *buffer,
			       size_t size)
{
	const struct arch_register *registers;
	size_t count = arch_registers(&registers);
	const struct root *root = place->root;

	for (size_t i = 0;
	     root->words_size == sizeof(struct dump_registers) && i < count;
	     i++)
		if (registers[i].offset == place->root_offset) {
			snprintf(buffer, size, "thread %u %s", root->tid,
				 registers[i].name);
			return;
		}
	if (root->words_size == sizeof(uint64_t))
		snprintf(buffer, size, "thread %u signal stack", root->tid);
	else
		snprintf(buffer, size, "thread %u vector registers+%#" PRIx64,
			 root->tid, place->root_offset);
}

static void describe_memory(struct places *places, uint64_t address,
			    char *buffer, size_t size)
{
	const struct dump_map *map =
		target_map_at(places->session->target, address);
	struct symbol symbol;

	if (places->symbols) {
		symbols_at(places->symbols, address, &symbol);
		if (symbol.module) {
			symbols_format(places->symbols, address, buffer, size);
			return;
		}
	}
	if (map)
		snprintf(buffer, size, "%s+%#" PRIx64,
			 *map->path ? map->path : "anonymous mapping",
			 address - map->start);
	else
		snprintf(buffer, size, "%#" PRIx64, address);
}

static void describe_in_buffer(struct places *places, const struct place *place,
			       char *buffer, size_t size)
{
	char text[TEXT_SIZE];

	places_describe_buffer(places, &place->buffer, text, sizeof(text));
	snprintf(buffer, size, "%" PRIx64 "%c%#" PRIx64 " (%s)",
		 place->buffer.user,
		 place->address < place->buffer.user ? '-' : '+',
		 place->address < place->buffer.user
			 ? place->buffer.user - place->address
			 : place->address - place->buffer.user,
		 text);
}

void places_describe(struct places *places, const struct place *place,
		     char *buffer, size_t size)
{
	switch (place->kind) {
	case PLACE_REGISTERS:
		describe_registers(place, buffer, size);
		return;
	case PLACE_IGNORED:
		snprintf(buffer, size, "ignored by the program");
		return;
	case PLACE_STALE:
		if (place->gap->tid)
			snprintf(buffer, size, "%s, thread %u",
				 place->gap->reason, place->gap->tid);
		else
			snprintf(buffer, size, "%s", place->gap->reason);
		return;
	case PLACE_BUFFER:
	case PLACE_POSSIBLE:
	case PLACE_LEAKED:
	case PLACE_SLACK:
	case PLACE_FREED:
		describe_in_buffer(places, place, buffer, size);
		return;
	case PLACE_DATA:
	case PLACE_STACK:
	case PLACE_OTHER:
	case PLACE_NOWHERE:
	case PLACE_KIND_COUNT:
		break;
	}
	if (!place_frames_describe(places->frames, place->address, buffer,
				   size))
		describe_memory(places, place->address, buffer, size);
}

static struct root_holder mapping_of(const struct places *places,
				     uint64_t address)
{
	const struct dump_map *map =
		target_map_at(places->session->target, address);

	return (struct root_holder){ .kind = PLACE_OTHER,
				     .start = map ? map->start : address,
				     .end = map ? map->end : address + 8 };
}

struct root_holder places_holder(struct places *places, const struct root *root,
				 uint64_t address)
{
	struct root_holder holder = { .kind = PLACE_STACK, .tid = root->tid };
	struct symbol symbol = { 0 };

	if (root->kind == ROOT_REGISTERS)
		return holder;
	if (root->kind == ROOT_IGNORED)
		return (struct root_holder){ .kind = PLACE_IGNORED };
	if (!holder.tid)
		holder.tid = place_frames_thread(places->frames, address);
	if (holder.tid || (root->inner_is_plain && root->kind == ROOT_STACK))
		return holder;
	if (root->kind != ROOT_DATA || !places->symbols)
		return mapping_of(places, address);
	symbols_at(places->symbols, address, &symbol);
	if (symbol.name && symbol.offset < symbol.size)
		return (struct root_holder){ .kind = PLACE_DATA,
					     .start = symbol.value,
					     .end = symbol.value +
						    symbol.size };
	if (!symbol.module)
		return mapping_of(places, address);
	return (struct root_holder){ .kind = PLACE_DATA,
				     .start = address,
				     .end = address + 8 };
}

void places_describe_holder(struct places *places,
			    const struct root_holder *holder, char *buffer,
			    size_t size)
{
	if (holder->kind == PLACE_STACK && holder->tid)
		snprintf(buffer, size, "thread %u", holder->tid);
	else if (holder->kind == PLACE_STACK)
		snprintf(buffer, size, "threads that have ended");
	else if (holder->kind == PLACE_IGNORED)
		snprintf(buffer, size, "ignored by the program");
	else
		describe_memory(places, holder->start, buffer, size);
}
