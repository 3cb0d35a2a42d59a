/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two steps, so that names are looked up once for each stack and not for each
 * buffer: count by (instance, stack) or cache, then merge by name into a hash
 * of both targets' groups.
 */
#include "kdbg/growth.h"

#include "kdbg/symbols.h"
#include "kdbg/vector.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 1024, NAME_SIZE = 512 };

struct tally { /* of one target; open addressing */
	struct heap_event event;
	size_t cache; /* where there is no stack */
	uint64_t buffers, bytes;
	uint64_t example;
};

struct side {
	enum growth_side side;
	struct session *session;
	struct heap *heap;
	struct symbols *symbols; /* or NULL */
	struct tally *slots;
	size_t count, capacity;
};

struct merge {
	struct growth *growth;
	uint32_t *slots; /* index + 1 */
	size_t slot_count;
};

static struct err *no_memory(void)
{
	return err_new(ERR_NO_MEMORY, "no memory to compare heaps");
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static bool same_tally(const struct tally *a, const struct tally *b)
{
	return a->event.stack == b->event.stack &&
	       a->event.instance == b->event.instance &&
	       (a->event.stack || a->cache == b->cache);
}

static struct tally *tally_slot(const struct side *side,
				const struct tally *key)
{
	size_t mask = side->capacity - 1;
	size_t at = (size_t)mix(mix(key->event.stack, key->event.instance),
				key->event.stack ? 0 : key->cache) &
		    mask;

	while (side->slots[at].buffers && !same_tally(&side->slots[at], key))
		at = (at + 1) & mask;
	return &side->slots[at];
}

static bool grow_tallies(struct side *side)
{
	struct side larger = *side;

	if (2 * (side->count + 1) <= side->capacity)
		return true;
	larger.capacity = side->capacity ? 2 * side->capacity : SLOTS_MIN;
	larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < side->capacity; i++)
		if (side->slots[i].buffers)
			*tally_slot(&larger, &side->slots[i]) = side->slots[i];
	free(side->slots);
	*side = larger;
	return true;
}

static bool add_buffer(struct side *side, size_t cache,
		       const struct heap_buffer *buffer)
{
	struct tally key = { .event = buffer->alloc, .cache = cache };
	struct tally *tally;

	if (!grow_tallies(side))
		return false;
	tally = tally_slot(side, &key);
	if (!tally->buffers) {
		*tally = key;
		tally->example = buffer->user;
		side->count++;
	}
	tally->buffers++;
	tally->bytes += buffer->size;
	return true;
}

static struct err *count_side(struct side *side)
{
	const struct heap_slab *slabs;
	size_t count = heap_slabs(side->heap, &slabs);
	struct heap_buffer buffer;

	for (size_t i = 0; i < count; i++) {
		if (session_interrupted(side->session))
			return err_new(ERR_IO, "interrupted while counting");
		for (uint32_t j = 0; j < slabs[i].buffers; j++)
			if (heap_buffer_get(side->heap, i, j, &buffer) &&
			    heap_buffer_live(&buffer) &&
			    !add_buffer(side, slabs[i].cache, &buffer))
				return no_memory();
	}
	return NULL;
}

static void put_frame(const struct side *side, FILE *stream, uint64_t pc,
		      uint64_t time)
{
	struct symbol symbol = { 0 };
	char name[NAME_SIZE];

	if (side->symbols)
		symbols_at_then(side->symbols, pc - 1, time, &symbol);
	if (symbol.module && symbol.name)
		snprintf(name, sizeof(name), "%s`%s", symbol.module,
			 symbol.name);
	else if (symbol.module)
		snprintf(name, sizeof(name), "%s+%#" PRIx64, symbol.module,
			 symbol.module_offset);
	else
		snprintf(name, sizeof(name), "%#" PRIx64, pc);
	fprintf(stream, "%s\n", name);
}

/* Free it. NULL: no memory. */
static char *key_of(const struct side *side, const struct tally *tally,
		    bool *cache)
{
	const struct heap_cache *caches;
	const uint64_t *pcs;
	uint32_t flags;
	size_t depth = heap_stack(side->heap, tally->event.instance,
				  tally->event.stack, &pcs, &flags);
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	*cache = depth < 2;
	if (*cache) {
		heap_caches(side->heap, &caches);
		fputs(caches[tally->cache].name, stream);
	}
	for (size_t i = 1; !*cache && i < depth; i++)
		put_frame(side, stream, pcs[i], tally->event.time);
	if (fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}

static uint64_t text_hash(const char *text)
{
	uint64_t hash = 0;

	for (; *text; text++)
		hash = mix(hash, (unsigned char)*text);
	return hash;
}

static uint32_t *merge_slot(const struct merge *merge, const char *key)
{
	size_t mask = merge->slot_count - 1;
	size_t at = (size_t)text_hash(key) & mask;

	while (merge->slots[at] &&
	       strcmp(merge->growth->groups[merge->slots[at] - 1].key, key) !=
		       0)
		at = (at + 1) & mask;
	return &merge->slots[at];
}

static bool grow_merge(struct merge *merge)
{
	struct growth *growth = merge->growth;

	if (2 * (growth->count + 1) <= merge->slot_count)
		return true;
	free(merge->slots);
	merge->slot_count =
		merge->slot_count ? 2 * merge->slot_count : SLOTS_MIN;
	merge->slots = calloc(merge->slot_count, sizeof(*merge->slots));
	for (size_t i = 0; merge->slots && i < growth->count; i++)
		*merge_slot(merge, growth->groups[i].key) = (uint32_t)i + 1;
	return merge->slots;
}

/* The group of that key, which it takes. */
static struct growth_group *find_group(struct merge *merge, char *key)
{
	struct growth *growth = merge->growth;
	struct growth_group *grown;
	uint32_t *slot;

	if (!key || !grow_merge(merge)) {
		free(key);
		return NULL;
	}
	slot = merge_slot(merge, key);
	if (*slot) {
		free(key);
		return &growth->groups[*slot - 1];
	}
	grown = vector_grow(growth->groups, growth->count, sizeof(*grown));
	if (!grown) {
		free(key);
		return NULL;
	}
	growth->groups = grown;
	grown[growth->count++] = (struct growth_group){ .key = key };
	*slot = (uint32_t)growth->count;
	return &grown[growth->count - 1];
}

static bool merge_side(struct merge *merge, const struct side *side)
{
	for (size_t i = 0; i < side->capacity; i++) {
		const struct tally *tally = &side->slots[i];
		struct growth_group *group;
		bool cache;
		char *key;

		if (!tally->buffers)
			continue;
		key = key_of(side, tally, &cache);
		group = find_group(merge, key);
		if (!group)
			return false;
		group->cache = cache;
		group->buffers[side->side] += tally->buffers;
		group->bytes[side->side] += tally->bytes;
		if (side->side == GROWTH_NEW &&
		    (!group->example || tally->example < group->example))
			group->example = tally->example;
	}
	return true;
}

int64_t growth_bytes(const struct growth_group *group)
{
	return (int64_t)(group->bytes[GROWTH_NEW] - group->bytes[GROWTH_OLD]);
}

static int compare_groups(const void *a, const void *b)
{
	const struct growth_group *x = a, *y = b;
	int64_t more = growth_bytes(x), other = growth_bytes(y);

	if (more != other)
		return more > other ? -1 : 1;
	return strcmp(x->key, y->key);
}

static struct err *find_side(struct merge *merge, struct side *side)
{
	struct err *err = session_heap(side->session, &side->heap);

	if (err)
		return err;
	err_free(session_symbols(side->session, &side->symbols));
	err = count_side(side);
	if (!err && !merge_side(merge, side))
		err = no_memory();
	free(side->slots);
	return err;
}

struct err *growth_find(struct session *old, struct session *new,
			struct growth *ret)
{
	struct merge merge = { .growth = ret };
	struct side before = { .side = GROWTH_OLD, .session = old };
	struct side after = { .side = GROWTH_NEW, .session = new };
	struct err *err;

	*ret = (struct growth){ 0 };
	err = find_side(&merge, &before);
	if (!err)
		err = find_side(&merge, &after);
	free(merge.slots);
	if (err) {
		growth_deinit(ret);
		return err;
	}
	if (ret->count)
		qsort(ret->groups, ret->count, sizeof(*ret->groups),
		      compare_groups);
	return NULL;
}

void growth_deinit(struct growth *growth)
{
	for (size_t i = 0; i < growth->count; i++)
		free(growth->groups[i].key);
	free(growth->groups);
	*growth = (struct growth){ 0 };
}
