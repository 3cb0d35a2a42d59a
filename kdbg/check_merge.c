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

static uint64_t hash_leak(const struct check_leak *leak)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = hash_text(hash, leak->class);
	hash = hash_text(hash, leak->cache);
	hash = hash_text(hash, leak->moment);
	for (size_t i = 0; i < leak->stack.count; i++) {
		hash = hash_text(hash, leak->stack.frames[i].function);
		hash = hash_text(hash, leak->stack.frames[i].file);
		hash ^= leak->stack.frames[i].line;
	}
	return hash;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool reads_the_same(const struct check_leak *a,
			   const struct check_leak *b)
{
	if (!same_text(a->class, b->class) || !same_text(a->cache, b->cache) ||
	    !same_text(a->moment, b->moment) ||
	    a->stack.count != b->stack.count)
		return false;
	for (size_t i = 0; i < a->stack.count; i++) {
		const struct check_frame *x = &a->stack.frames[i];
		const struct check_frame *y = &b->stack.frames[i];
		if (x->line != y->line ||
		    !same_text(x->function, y->function) ||
		    !same_text(x->file, y->file))
			return false;
	}
	return true;
}

static void join(struct check_leak *into, const struct check_leak *leak)
{
	into->leaked += leak->leaked;
	into->bytes += leak->bytes;
	into->retained += leak->retained;
	into->cycle |= leak->cycle;
}

size_t check_merge(struct check_leak *leaks, size_t count)
{
	size_t size = 1, kept = 0;

	while (size < count * 2)
		size *= 2;
	/* Index + 1 of the leaks that are kept, by hash. */
	size_t *table = calloc(size, sizeof(*table));
	if (!table)
		return count;
	for (size_t i = 0; i < count; i++) {
		size_t slot = hash_leak(&leaks[i]) & (size - 1);
		while (table[slot] &&
		       !reads_the_same(&leaks[table[slot] - 1], &leaks[i]))
			slot = (slot + 1) & (size - 1);
		if (table[slot]) {
			join(&leaks[table[slot] - 1], &leaks[i]);
		} else {
			leaks[kept] = leaks[i];
			table[slot] = ++kept;
		}
	}
	free(table);
	return kept;
}
