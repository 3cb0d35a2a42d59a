/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/check_merge.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; text && *text; text++)
		hash = (hash ^ (unsigned char)*text) *
		       UINT64_C(0x100000001b3); /* FNV-1a */
	return hash;
}

static const uint64_t hash_start = UINT64_C(0xcbf29ce484222325);

uint64_t check_text_hash(const char *text)
{
	return hash_text(hash_start, text);
}

static uint64_t hash_stack(uint64_t hash, const struct check_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++) {
		hash = hash_text(hash, stack->frames[i].function);
		hash = hash_text(hash, stack->frames[i].file);
		hash ^= stack->frames[i].line;
	}
	return hash;
}

static uint64_t hash_leak(const struct check_leak *leak)
{
	uint64_t hash = hash_start;

	hash = hash_text(hash, leak->class);
	hash = hash_text(hash, leak->cache);
	hash = hash_text(hash, leak->malloc_type);
	hash = hash_text(hash, leak->moment);
	return hash_stack(hash, &leak->stack);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_stack(const struct check_stack *a, const struct check_stack *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct check_frame *x = &a->frames[i];
		const struct check_frame *y = &b->frames[i];
		if (x->line != y->line ||
		    !same_text(x->function, y->function) ||
		    !same_text(x->file, y->file))
			return false;
	}
	return true;
}

static bool reads_the_same(const struct check_leak *a,
			   const struct check_leak *b)
{
	return same_text(a->class, b->class) && same_text(a->cache, b->cache) &&
	       same_text(a->malloc_type, b->malloc_type) &&
	       same_text(a->moment, b->moment) &&
	       same_stack(&a->stack, &b->stack);
}

static void join(struct check_leak *into, const struct check_leak *leak)
{
	into->leaked += leak->leaked;
	into->bytes += leak->bytes;
	into->retained += leak->retained;
	into->cycle |= leak->cycle;
}

typedef bool alike_fn(const struct check_leak *a, const struct check_leak *b);
typedef void join_fn(struct check_leak *into, const struct check_leak *leak);

static size_t merge(struct check_leak *leaks, size_t count,
		    uint64_t (*hash)(const struct check_leak *leak),
		    alike_fn *alike, join_fn *join_two)
{
	size_t size = 1, kept = 0;

	while (size < count * 2)
		size *= 2;
	/* Index + 1 of the leaks that are kept, by hash. */
	size_t *table = calloc(size, sizeof(*table));
	if (!table)
		return count;
	for (size_t i = 0; i < count; i++) {
		size_t slot = hash(&leaks[i]) & (size - 1);
		while (table[slot] &&
		       !alike(&leaks[table[slot] - 1], &leaks[i]))
			slot = (slot + 1) & (size - 1);
		if (table[slot]) {
			join_two(&leaks[table[slot] - 1], &leaks[i]);
		} else {
			leaks[kept] = leaks[i];
			table[slot] = ++kept;
		}
	}
	free(table);
	return kept;
}

size_t check_merge(struct check_leak *leaks, size_t count)
{
	return merge(leaks, count, hash_leak, reads_the_same, join);
}

/* "definite" before "indirect", then what holds most. */
static int by_weight(const void *a, const void *b)
{
	const struct check_leak *x = a, *y = b;
	int class = strcmp(x->class, y->class);

	if (class)
		return class;
	if (x->retained != y->retained)
		return x->retained > y->retained ? -1 : 1;
	return (x->address > y->address) - (x->address < y->address);
}

void check_sort(struct check_leak *leaks, size_t count)
{
	if (count)
		qsort(leaks, count, sizeof(*leaks), by_weight);
}

/* --- caches -----------------------------------------------------------------
 */

static uint64_t hash_place(const struct check_leak *leak)
{
	return hash_stack(hash_text(hash_start, leak->class), &leak->stack);
}

/* Without a stack there is only the cache to go by. */
static bool same_place(const struct check_leak *a, const struct check_leak *b)
{
	struct check_leak other = *b;

	if (a->stack.count)
		other.cache = a->cache;
	return reads_the_same(a, &other);
}

static void join_caches(struct check_leak *into, const struct check_leak *leak)
{
	join(into, leak);
	into->more_caches += leak->more_caches + 1;
}

static bool merge_list(struct arena *arena, const struct check_leak **list,
		       size_t *count)
{
	struct check_leak *copy =
		*count ? arena_array(arena, *count, sizeof(*copy)) : NULL;

	if (!copy)
		return *count == 0;
	memcpy(copy, *list, *count * sizeof(*copy));
	*list = copy;
	*count = merge(copy, *count, hash_place, same_place, join_caches);
	check_sort(copy, *count);
	return true;
}

bool check_merge_caches(struct arena *arena, struct check_process *process)
{
	return merge_list(arena, &process->leaks, &process->leak_count) &&
	       merge_list(arena, &process->possible, &process->possible_count);
}

/* --- processes ---------------------------------------------------------------
 */

static bool same_leaks(const struct check_leak *a, size_t count,
		       const struct check_leak *b, size_t other)
{
	if (count != other)
		return false;
	for (size_t i = 0; i < count; i++)
		if (a[i].leaked != b[i].leaked || a[i].bytes != b[i].bytes ||
		    a[i].retained != b[i].retained ||
		    a[i].baseline != b[i].baseline ||
		    !reads_the_same(&a[i], &b[i]))
			return false;
	return true;
}

bool check_errors_alike(const struct check_error *a,
			const struct check_error *b)
{
	return a->size == b->size && same_text(a->name, b->name) &&
	       a->address - a->buffer == b->address - b->buffer &&
	       same_stack(&a->reported, &b->reported) &&
	       same_stack(&a->allocated, &b->allocated) &&
	       same_stack(&a->freed, &b->freed);
}

static bool same_errors(const struct check_process *a,
			const struct check_process *b)
{
	if (a->errors_reported != b->errors_reported ||
	    a->error_count != b->error_count)
		return false;
	for (size_t i = 0; i < a->error_count; i++)
		if (!check_errors_alike(&a->errors[i], &b->errors[i]))
			return false;
	return true;
}

bool check_alike(const struct check_process *a, const struct check_process *b)
{
	return !a->crash && !b->crash && same_text(a->path, b->path) &&
	       a->forked == b->forked && a->replaced == b->replaced &&
	       same_errors(a, b) &&
	       same_leaks(a->leaks, a->leak_count, b->leaks, b->leak_count) &&
	       same_leaks(a->possible, a->possible_count, b->possible,
			  b->possible_count);
}

uint64_t check_alike_hash(const struct check_process *process)
{
	uint64_t hash = hash_text(hash_start, process->path);

	for (size_t i = 0; i < process->leak_count; i++)
		hash = hash * 31 + hash_leak(&process->leaks[i]);
	for (size_t i = 0; i < process->error_count; i++)
		hash = hash_stack(hash, &process->errors[i].allocated);
	return hash;
}
