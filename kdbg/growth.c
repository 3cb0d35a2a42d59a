/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two steps, so that names are looked up once for each stack and not for each
 * buffer: count by (instance, stack), cache or label, then merge by name into a
 * hash of all targets' groups.
 */
#include "kdbg/growth.h"

#include "kdbg/symbols.h"
#include "kdbg/target.h"
#include "kdbg/vector.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 1024, NAME_SIZE = 512 };

struct tally { /* of one target; open addressing */
	struct heap_event event;
	size_t cache;   /* where there is no stack */
	uint64_t label; /* by age or type */
	uint64_t buffers, bytes;
	uint64_t example;
};

struct side {
	size_t number;
	enum growth_by by;
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
	       (a->event.stack ||
		(a->cache == b->cache && a->label == b->label));
}

static struct tally *tally_slot(const struct side *side,
				const struct tally *key)
{
	size_t mask = side->capacity - 1;
	size_t at =
		(size_t)mix(mix(key->event.stack, key->event.instance),
			    key->event.stack ? 0 : key->cache ^ key->label) &
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

bool growth_by_name(const char *name, enum growth_by *ret)
{
	static const char *const names[GROWTH_BY_COUNT] = {
		[GROWTH_BY_STACK] = "stack",
		[GROWTH_BY_CACHE] = "cache",
		[GROWTH_BY_TYPE] = "type",
		[GROWTH_BY_AGE] = "age",
	};

	for (int i = 0; i < GROWTH_BY_COUNT; i++)
		if (strcmp(names[i], name) == 0) {
			*ret = (enum growth_by)i;
			return true;
		}
	return false;
}

static const struct {
	uint64_t below_ns; /* 0: no limit */
	const char *label;
} ages[] = {
	{ UINT64_C(1000000000), "less than a second old" },
	{ UINT64_C(10000000000), "less than 10 seconds old" },
	{ UINT64_C(60000000000), "less than a minute old" },
	{ UINT64_C(600000000000), "less than 10 minutes old" },
	{ UINT64_C(3600000000000), "less than an hour old" },
	{ UINT64_C(86400000000000), "less than a day old" },
	{ 0, "a day old or more" },
};

/* Index into ages, from 1; 0: not known. */
static uint64_t age_of(const struct side *side,
		       const struct heap_buffer *buffer)
{
	const struct dump_process *process = side->session->target->process;
	uint64_t now = process ? process->dump_monotonic_ns : 0, i = 0;

	if (!buffer->alloc.time || now < buffer->alloc.time_ns)
		return 0;
	while (ages[i].below_ns &&
	       now - buffer->alloc.time_ns >= ages[i].below_ns)
		i++;
	return i + 1;
}

/* What may be a vtable: the first word, if it leads into a module. */
static uint64_t type_of(const struct side *side,
			const struct heap_buffer *buffer)
{
	struct target *target = side->session->target;
	uint64_t word = 0;

	if (buffer->size < sizeof(word) ||
	    target_read_some(target, buffer->user, &word, sizeof(word)) <
		    sizeof(word))
		return 0;
	return target_module_at(target, word) ? word : 0;
}

static struct tally key_of_buffer(const struct side *side, size_t cache,
				  const struct heap_buffer *buffer)
{
	struct tally key = { .event = buffer->alloc, .cache = cache };

	if (side->by != GROWTH_BY_STACK)
		key.event = (struct heap_event){ 0 };
	if (side->by == GROWTH_BY_AGE) {
		key.label = age_of(side, buffer);
		key.cache = 0;
	}
	if (side->by == GROWTH_BY_TYPE) {
		key.label = type_of(side, buffer);
		if (key.label)
			key.cache = 0;
	}
	return key;
}

static bool add_buffer(struct side *side, size_t cache,
		       const struct heap_buffer *buffer)
{
	struct tally key = key_of_buffer(side, cache, buffer);
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

static void put_label(const struct side *side, FILE *stream,
		      const struct tally *tally)
{
	static const char vtable[] = "vtable for ";
	const struct heap_cache *caches;
	struct symbol symbol = { 0 };

	heap_caches(side->heap, &caches);
	if (side->by == GROWTH_BY_AGE) {
		fputs(tally->label ? ages[tally->label - 1].label
				   : "of an age that is not known",
		      stream);
		return;
	}
	if (side->by == GROWTH_BY_TYPE && tally->label && side->symbols)
		symbols_at(side->symbols, tally->label, &symbol);
	if (symbol.name && strncmp(symbol.name, vtable, strlen(vtable)) == 0)
		fputs(symbol.name + strlen(vtable), stream);
	else if (side->by == GROWTH_BY_TYPE && tally->label)
		fputs("no class", stream);
	else
		fputs(caches[tally->cache].name, stream);
}

/* Free it. NULL: no memory. */
static char *key_of(const struct side *side, const struct tally *tally,
		    bool *frames)
{
	const uint64_t *pcs;
	uint32_t flags;
	size_t depth = heap_stack(side->heap, tally->event.instance,
				  tally->event.stack, &pcs, &flags);
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	*frames = depth >= 2;
	if (!*frames)
		put_label(side, stream, tally);
	for (size_t i = 1; *frames && i < depth && i < HEAP_STACK_TOLD; i++)
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
	grown[growth->count] =
		(struct growth_group){ .key = key,
				       .sides = calloc(growth->sides,
						       sizeof(*grown->sides)) };
	if (!grown[growth->count++].sides)
		return NULL;
	*slot = (uint32_t)growth->count;
	return &grown[growth->count - 1];
}

static bool merge_side(struct merge *merge, const struct side *side)
{
	for (size_t i = 0; i < side->capacity; i++) {
		const struct tally *tally = &side->slots[i];
		struct growth_group *group;
		bool frames;
		char *key;

		if (!tally->buffers)
			continue;
		key = key_of(side, tally, &frames);
		group = find_group(merge, key);
		if (!group)
			return false;
		group->frames = frames;
		group->sides[side->number].buffers += tally->buffers;
		group->sides[side->number].bytes += tally->bytes;
		if (side->number == merge->growth->sides - 1 &&
		    (!group->example || tally->example < group->example))
			group->example = tally->example;
	}
	return true;
}

int64_t growth_bytes(const struct growth *growth,
		     const struct growth_group *group)
{
	return (int64_t)(group->sides[growth->sides - 1].bytes -
			 group->sides[0].bytes);
}

int64_t growth_buffers(const struct growth *growth,
		       const struct growth_group *group)
{
	return (int64_t)(group->sides[growth->sides - 1].buffers -
			 group->sides[0].buffers);
}

/* The line of least squares through the bytes, and the steps upwards. */
static void find_slope(const struct growth *growth, struct growth_group *group)
{
	double middle = (double)(growth->sides - 1) / 2, above = 0, below = 0;

	for (size_t i = 0; i < growth->sides; i++) {
		double distance = (double)i - middle;

		above += distance * (double)group->sides[i].bytes;
		below += distance * distance;
		if (i)
			group->steps += group->sides[i].bytes >
					group->sides[i - 1].bytes;
	}
	group->slope = above / below;
}

static int compare_groups(const void *a, const void *b)
{
	const struct growth_group *x = a, *y = b;

	if (x->slope != y->slope)
		return x->slope > y->slope ? -1 : 1;
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

struct err *growth_find(struct session *const *sessions, size_t count,
			enum growth_by by, struct growth *ret)
{
	struct merge merge = { .growth = ret };
	struct err *err = NULL;

	*ret = (struct growth){ .sides = count };
	for (size_t i = 0; !err && i < count; i++) {
		struct side side = { .number = i,
				     .by = by,
				     .session = sessions[i] };

		err = find_side(&merge, &side);
	}
	free(merge.slots);
	if (err) {
		growth_deinit(ret);
		return err;
	}
	for (size_t i = 0; i < ret->count; i++)
		find_slope(ret, &ret->groups[i]);
	if (ret->count)
		qsort(ret->groups, ret->count, sizeof(*ret->groups),
		      compare_groups);
	return NULL;
}

void growth_deinit(struct growth *growth)
{
	for (size_t i = 0; i < growth->count; i++) {
		free(growth->groups[i].key);
		free(growth->groups[i].sides);
	}
	free(growth->groups);
	*growth = (struct growth){ 0 };
}
