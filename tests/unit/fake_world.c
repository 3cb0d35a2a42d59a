/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/fake_world.h"

#include "tests/test_util.h"

#include <stdlib.h>
#include <string.h>

char *world_memory(struct world *w, uint64_t address, size_t size,
		   uint32_t flags, const char *path)
{
	char *zeros = calloc(1, size);
	char *memory = fake_target_memory(w->parts, address, zeros, size);

	fake_target_map(w->parts, address, address + size, flags, path);
	free(zeros);
	return memory;
}

void world_setup(struct world *w)
{
	world_setup_pages(w, 512);
}

void world_setup_pages(struct world *w, size_t pages)
{
	memset(w, 0, sizeof(*w));
	w->parts = fake_target_create();
	w->heap = fake_heap_create(w->parts, pages);
	w->audited =
		fake_heap_slab(w->heap, &(struct fake_slab){ .pages = 2,
							     .first = 16,
							     .stride = 80,
							     .buffers = 100,
							     .audited = true });
	w->plain = fake_heap_slab(
		w->heap,
		&(struct fake_slab){
			.page = 3, .pages = 1, .stride = 64, .buffers = 64 });
	w->data = world_memory(w, DATA_BASE, FAKE_PAGE, RW, "");
}

void world_mark(struct world *w)
{
	if (!w->session.target) {
		w->session.target = fake_target_finish(w->parts);
		w->session.heap = fake_heap_finish(w->heap);
	}
	reach_destroy(w->reach);
	w->reach = NULL;
	assert_ok(reach_create(&w->session, &w->options, &w->reach));
}

enum reach_class world_class(struct world *w, uint64_t user)
{
	return reach_class_of(w->reach, fake_heap_number(w->heap, user));
}

void world_teardown(struct world *w)
{
	reach_destroy(w->reach);
	target_close(w->session.target);
	fake_heap_destroy(w->heap);
}
