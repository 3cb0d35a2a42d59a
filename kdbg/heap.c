/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The heap, opened: one part for each instance of libkma in the target.
 *
 *	kma_root --next--> kma_root ...		heap.c: schema, facts, clocks
 *	  |- caches --> kma_cache ...		heap_cache.c
 *	  |- page map --> kma_slab		heap_slab.c
 *	  |                  |- bitmap, bufctls	heap_buffer.c
 *	  |- threads --> magazines		heap_thread.c, heap_magazine.c
 *	  |- depot --> stacks			heap_stack.c
 *	  |- arenas --> boundary tags		heap_vmem.c, heap_segment.c
 *	  |- logs --> chunks --> records	heap_log.c
 *	  \- errors				heap_error.c
 *
 * Opening reads the roots and their schemas, no more: each of the rest is read
 * when first asked for and kept. Nothing is trusted. Numbers are compared with
 * what surrounds them, lists are followed with a memory of where they have
 * been, and what does not hold is noted (heap_problems) and left out, so that
 * a broken heap shows all that is whole.
 */
#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *heap_grow(void *array, size_t count, size_t element_size)
{
	if (count & (count - 1))
		return array;
	return reallocarray(array, count ? count * 2 : 1, element_size);
}

const char *heap_text(struct heap *heap, const char *text)
{
	char *copy = strdup(text);
	char **strings = heap_grow(heap->strings, heap->string_count,
				   sizeof(heap->strings[0]));

	if (strings)
		heap->strings = strings;
	if (!strings || !copy) {
		free(copy);
		return "";
	}
	heap->strings[heap->string_count++] = copy;
	return copy;
}

const char *heap_field_text(struct heap *heap, const unsigned char *record,
			    const struct field *field)
{
	char text[1024];

	record_text(record, field, text, sizeof(text));
	return heap_text(heap, text);
}

static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619;
	return hash;
}

static bool noted(const struct heap *heap, const char *text, uint32_t hash)
{
	for (size_t i = 0; i < heap->problem_count; i++)
		if (heap->problem_hashes[i] == hash &&
		    strcmp(heap->problems[i].text, text) == 0)
			return true;
	return false;
}

void heap_note(struct heap *heap, uint64_t address, const char *fmt, ...)
{
	struct heap_problem *problems;
	char text[256];
	uint32_t hash;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	hash = hash_of(text);
	if (noted(heap, text, hash))
		return;
	if (heap->problem_count == HEAP_PROBLEMS_MAX) {
		heap->problems_lost++;
		return;
	}
	problems = heap_grow(heap->problems, heap->problem_count,
			     sizeof(problems[0]));
	if (!problems)
		return;
	heap->problems = problems;
	heap->problem_hashes[heap->problem_count] = hash;
	problems[heap->problem_count++] = (struct heap_problem){
		.address = address,
		.text = heap_text(heap, text),
	};
}

void heap_note_err(struct heap *heap, uint64_t address, struct err *err)
{
	char text[256];

	err_describe(err, text, sizeof(text));
	err_free(err);
	heap_note(heap, address, "%s", text);
}

size_t heap_problems(const struct heap *heap, const struct heap_problem **ret)
{
	*ret = heap->problems;
	return heap->problem_count;
}

size_t heap_problems_lost(const struct heap *heap)
{
	return heap->problems_lost;
}

struct err *heap_record(const struct heap *heap, const struct field *self,
			uint64_t address, const unsigned char **ret)
{
	const void *bytes;
	struct err *err;

	if (!self->present)
		return err_new(ERR_UNSUPPORTED,
			       "this target does not describe its structure");
	if (address % sizeof(uint64_t) != 0)
		return err_new(ERR_CORRUPT, "%#" PRIx64 " is misaligned",
			       address);
	err = target_view(heap->target, address, self->size, &bytes);
	if (!err)
		*ret = bytes;
	return err;
}

struct heap_list heap_list_begin(struct heap *heap, const char *what,
				 const struct field *self,
				 const struct field *link, uint64_t first,
				 size_t limit)
{
	return (struct heap_list){
		.heap = heap,
		.what = what,
		.self = self,
		.link = link,
		.next = first,
		.limit = limit,
	};
}

bool heap_list_next(struct heap_list *list, uint64_t *address,
		    const unsigned char **record)
{
	struct heap *heap = list->heap;
	struct err *err;

	if (list->next == 0)
		goto end;
	if (list->seen.count == list->limit) {
		heap_note(heap, list->next,
			  "%s: more than %zu, ended at %#" PRIx64, list->what,
			  list->limit, list->next);
		goto end;
	}
	if (!address_set_add(&list->seen, list->next)) {
		heap_note(heap, list->next, "%s: loops at %#" PRIx64,
			  list->what, list->next);
		goto end;
	}
	err = heap_record(heap, list->self, list->next, record);
	if (err) {
		heap_note_err(
			heap, list->next,
			err_wrap(err, "%s: %#" PRIx64, list->what, list->next));
		goto end;
	}
	*address = list->next;
	list->next = record_uint(*record, list->link);
	return true;
end:
	address_set_deinit(&list->seen);
	return false;
}

static void note_absent(void *context, const char *owner, const char *name)
{
	struct heap *heap = context;
	char text[256];

	snprintf(text, sizeof(text), "%s%s%s", owner,
		 *owner && *name ? "." : "", name);
	if (heap->absent_count++ == 0)
		heap->absent = heap_text(heap, text);
}

size_t heap_absent(const struct heap *heap, const char **first)
{
	*first = heap->absent ? heap->absent : "";
	return heap->absent_count;
}

/* The heap's pages, as far as the bounds make sense. */
static void set_pages(struct heap *heap, struct instance *part,
		      const struct heap_instance *view)
{
	uint64_t page_size;

	part->page_shift =
		(unsigned)part->layout.constants.KMA_PAGE_SHIFT.value;
	page_size = UINT64_C(1) << part->page_shift;
	part->heap_base = view->heap_base;
	if (view->heap_base % page_size != 0 ||
	    view->heap_end < view->heap_base ||
	    (view->heap_end - view->heap_base) >> part->page_shift >
		    HEAP_PAGES_MAX) {
		heap_note(heap, view->root,
			  "kma_root %#" PRIx64 ": a heap from %#" PRIx64
			  " to %#" PRIx64 " cannot be",
			  view->root, view->heap_base, view->heap_end);
		return;
	}
	part->page_count =
		(view->heap_end - view->heap_base) >> part->page_shift;
}

static bool is_constant(const struct constant *constant, uint64_t value)
{
	return constant->present && constant->value == value;
}

enum heap_tier heap_tier_of(const struct heap_layout *layout, uint64_t value)
{
	if (is_constant(&layout->constants.KMA_TIER_LITE, value))
		return TIER_LITE;
	if (is_constant(&layout->constants.KMA_TIER_AUDIT, value))
		return TIER_AUDIT;
	if (is_constant(&layout->constants.KMA_TIER_GUARD, value))
		return TIER_GUARD;
	return TIER_OFF;
}

static void fill_instance(struct heap *heap, uint64_t address,
			  const struct instance *part,
			  struct heap_instance *view)
{
	const struct heap_layout *layout = &part->layout;
	const unsigned char *root = part->root;

	*view = (struct heap_instance){
		.root = address,
		.name = heap_field_text(heap, root, &layout->kma_root.instance),
		.version =
			heap_field_text(heap, root, &layout->kma_root.version),
		.options = heap_field_text(heap, root,
					   &layout->kma_root.options_text),
		.pid = (uint32_t)record_uint(root, &layout->kma_root.pid),
		.tier = heap_tier_of(layout,
				     record_uint(root, &layout->kma_root.tier)),
		.heap_base = record_uint(root, &layout->kma_root.heap_base),
		.heap_end = record_uint(root, &layout->kma_root.heap_committed),
		.reserve_base =
			record_uint(root, &layout->kma_root.reserve_base),
		.reserve_end = record_uint(root, &layout->kma_root.reserve_end),
		.data_base = record_uint(root, &layout->kma_root.data_base),
		.data_end = record_uint(root, &layout->kma_root.data_end),
		.roster_base = record_uint(root, &layout->kma_root.roster_base),
		.roster_end = record_uint(root, &layout->kma_root.roster_end),
		.text_base = record_uint(root, &layout->kma_root.text_base),
		.text_end = record_uint(root, &layout->kma_root.text_end),
		.start_time = record_uint(root, &layout->kma_root.start_time),
		.fork_time = record_uint(root, &layout->kma_root.fork_time),
		.fork_count = record_uint(root, &layout->kma_root.fork_count),
	};
}

static struct err *read_root(struct heap *heap,
			     const struct kma_root_head *head,
			     struct instance *part)
{
	uint32_t size = part->layout.kma_root.self.size;
	struct err *err;

	if (size > head->root_size)
		return err_new(ERR_CORRUPT,
			       "the schema says %" PRIu32
			       " bytes, the head %" PRIu64,
			       size, head->root_size);
	part->root = malloc(size);
	if (!part->root)
		return err_new(ERR_NO_MEMORY, "kma_root");
	err = target_read(heap->target, head->self, part->root, size);
	if (err) {
		free(part->root);
		part->root = NULL;
	}
	return err;
}

static struct err *read_instance(struct heap *heap,
				 const struct kma_root_head *head,
				 struct instance *part)
{
	struct schema *schema;
	struct err *err = schema_read(heap->target, head, &schema);

	if (!err) {
		err = heap_layout_resolve(schema, &part->layout);
		schema_destroy(schema);
	}
	if (!err)
		err = read_root(heap, head, part);
	return err_wrap(err, "kma_root %#" PRIx64, head->self);
}

static struct err *add_instance(struct heap *heap, uint64_t root,
				uint64_t *next)
{
	struct kma_root_head head;
	struct instance part = { 0 };
	struct err *err = schema_read_head(heap->target, root, &head);

	if (err)
		return err;
	*next = head.next;
	err = read_instance(heap, &head, &part);
	if (err)
		return err;
	size_t i = heap->instance_count++;
	heap_layout_absent(&part.layout, note_absent, heap);
	fill_instance(heap, root, &part, &heap->instances[i]);
	set_pages(heap, &part, &heap->instances[i]);
	heap->parts[i] = part;
	return NULL;
}

/* Each root that the target names, and the chain from there. The first error
 * is kept in case that nothing can be opened. */
static struct err *add_instances(struct heap *heap)
{
	struct address_set seen = { 0 };
	struct err *first = NULL;

	for (size_t i = 0; i < heap->target->root_count; i++) {
		uint64_t root = heap->target->roots[i];

		while (heap->instance_count < HEAP_INSTANCES_MAX &&
		       address_set_add(&seen, root)) {
			uint64_t next = 0;
			struct err *err = add_instance(heap, root, &next);

			if (err && !first)
				first = err;
			else if (err)
				heap_note_err(heap, root, err);
			root = next;
		}
	}
	address_set_deinit(&seen);
	if (heap->instance_count && first)
		heap_note_err(heap, 0, first);
	return heap->instance_count ? NULL : first;
}

struct err *heap_open(struct target *target, struct heap **ret)
{
	struct heap *heap;
	struct err *err;

	if (target->root_count == 0)
		return err_new(ERR_NOT_FOUND, "%s: no libkma in this program",
			       target->path);
	heap = calloc(1, sizeof(*heap));
	if (!heap)
		return err_new(ERR_NO_MEMORY, "heap");
	heap->target = target;
	heap->instances =
		calloc(HEAP_INSTANCES_MAX, sizeof(heap->instances[0]));
	heap->parts = calloc(HEAP_INSTANCES_MAX, sizeof(heap->parts[0]));
	heap->pages = calloc(HEAP_INSTANCES_MAX, sizeof(heap->pages[0]));
	if (heap->instances && heap->parts && heap->pages)
		err = add_instances(heap);
	else
		err = err_new(ERR_NO_MEMORY, "heap");
	if (err) {
		heap_close(heap);
		return err;
	}
	*ret = heap;
	return NULL;
}

void heap_close(struct heap *heap)
{
	if (!heap)
		return;
	for (size_t i = 0; i < heap->instance_count; i++) {
		free(heap->parts[i].root);
		free(heap->parts[i].slab_of_page);
	}
	for (size_t i = 0; i < heap->slab_count; i++)
		free(heap->geometry[i].owned);
	for (size_t i = 0; i < heap->string_count; i++)
		free(heap->strings[i]);
	free(heap->instances);
	free(heap->parts);
	free(heap->pages);
	heap_close_foreign(heap);
	free(heap->caches);
	free(heap->caches_by_address);
	free(heap->slabs);
	free(heap->geometry);
	free(heap->bufctl_order);
	free(heap->in_magazine);
	free(heap->magazines);
	free(heap->magsets);
	free(heap->arenas);
	free(heap->arenas_by_address);
	free(heap->side_caches);
	free(heap->threads);
	free(heap->types);
	free(heap->waiters);
	free(heap->percpus);
	free(heap->modules);
	free(heap->logs);
	for (size_t i = 0; i < LOG_UNKNOWN; i++)
		free(heap->log_index[i]);
	free(heap->errors);
	free(heap->regions);
	free(heap->checkpoints);
	free(heap->strings);
	free(heap->problems);
	free(heap);
}

size_t heap_instances(const struct heap *heap, const struct heap_instance **ret)
{
	*ret = heap->instances;
	return heap->instance_count;
}

bool heap_owns(const struct heap *heap, uint64_t address)
{
	for (size_t i = 0; i < heap->instance_count; i++) {
		const struct heap_instance *instance = &heap->instances[i];

		if (address >= instance->reserve_base &&
		    address < instance->reserve_end)
			return true;
		if (address >= instance->data_base &&
		    address < instance->data_end)
			return true;
		if (address >= instance->roster_base &&
		    address < instance->roster_end)
			return true;
	}
	return false;
}
