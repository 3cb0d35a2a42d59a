/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/symbols_heap.h"

#include "kdbg/heap.h"
#include "kdbg/symbols.h"

void symbols_add_heap(struct symbols *symbols, struct heap *heap)
{
	const struct heap_module *modules;
	size_t count = heap_modules(heap, &modules);

	for (size_t i = 0; i < count; i++) {
		const struct dump_module module = {
			.base = modules[i].base,
			.end = modules[i].end,
			.path = modules[i].path,
			.build_id = modules[i].build_id,
			.build_id_size = modules[i].build_id_size,
		};

		err_free(symbols_add_module(symbols, &module,
					    modules[i].from_time,
					    modules[i].until_time));
	}
}
