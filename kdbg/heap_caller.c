/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose stack it is: the first frame that is not an allocation function. */
#include "kdbg/heap.h"
#include "kdbg/symbols.h"

#include <string.h>

static bool in_allocator(const struct heap *heap, uint64_t pc)
{
	const struct heap_instance *instances;
	size_t count = heap_instances(heap, &instances);

	for (size_t i = 0; i < count; i++)
		if (pc >= instances[i].text_base && pc < instances[i].text_end)
			return true;
	return false;
}

static bool is_operator_new(struct symbols *symbols, uint64_t pc)
{
	struct symbol symbol;

	return symbols && symbols_at(symbols, pc, &symbol) && symbol.linkage &&
	       (strncmp(symbol.linkage, "_Znw", 4) == 0 ||
		strncmp(symbol.linkage, "_Zna", 4) == 0);
}

uint64_t heap_stack_caller_named(struct heap *heap, struct symbols *symbols,
				 size_t instance, uint32_t id)
{
	const uint64_t *pcs;
	size_t depth = heap_stack(heap, instance, id, &pcs, NULL);

	/* A return address is one past the call: the call may be the last
	 * instruction of its function. */
	for (size_t i = 0; i < depth; i++)
		if (!in_allocator(heap, pcs[i] - 1) &&
		    !is_operator_new(symbols, pcs[i] - 1))
			return pcs[i];
	return 0;
}

uint64_t heap_stack_caller(struct heap *heap, size_t instance, uint32_t id)
{
	return heap_stack_caller_named(heap, NULL, instance, id);
}
