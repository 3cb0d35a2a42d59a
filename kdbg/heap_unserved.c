/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/heap_unserved.h"

#include <string.h>

static bool serves_malloc(const struct heap_instance *instance)
{
	return strcmp(instance->name, "libkma_malloc.so") == 0;
}

/* Caches are asked last, and have no buffers to be counted then. */
static bool was_called(struct heap *heap)
{
	const struct heap_cache *caches;
	const struct heap_slab *slabs;
	size_t count;

	if (heap_slabs(heap, &slabs) || heap_slabs_refused(heap))
		return true;
	count = heap_caches(heap, &caches);
	for (size_t i = 0; i < count; i++)
		if (caches[i].alloc || caches[i].alloc_fail)
			return true;
	return false;
}

const char *heap_unserved(struct heap *heap)
{
	const struct heap_instance *instances;
	size_t count = heap_instances(heap, &instances);

	for (size_t i = 0; i < count; i++)
		if (serves_malloc(&instances[i]))
			return NULL;
	if (!count || was_called(heap))
		return NULL;
	return "the program never called libkma, and its malloc is another's: "
	       "preload libkma_malloc.so";
}
