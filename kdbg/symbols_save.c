/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/symbols_save.h"

#include "kdbg/heap.h"
#include "kdbg/symbols.h"
#include "kdbg/symbols_heap.h"
#include "kdbg/vector.h"

#include <stdlib.h>

enum {
	CHUNK_WORDS = 8192,
	PAGE_SIZE = DUMP_PAGE_SIZE,
	INLINED_MAX = 32,
};

struct saver {
	struct target *target;
	struct symbols_saved *saved;
	uint64_t *addresses; /* of instructions */
	size_t count;
	bool full; /* of memory */
};

static void add_address(struct saver *saver, uint64_t address)
{
	uint64_t *grown;

	if (saver->full)
		return;
	grown = vector_grow(saver->addresses, saver->count, sizeof(*grown));
	if (!grown) {
		saver->full = true;
		return;
	}
	saver->addresses = grown;
	grown[saver->count++] = address;
}

static bool is_code(struct saver *saver, uint64_t address)
{
	struct symbol symbol;

	symbols_at(saver->saved->symbols, address, &symbol);
	return symbol.facts != NULL;
}

/* Each once, though a depot has it a thousand times. */
static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void drop_repeated(struct saver *saver, size_t from)
{
	size_t kept = 0, count = saver->count - from;

	if (count == 0)
		return;
	uint64_t *a = saver->addresses + from;
	qsort(a, count, sizeof(*a), by_number);
	for (size_t i = 0; i < count; i++)
		if (!kept || a[kept - 1] != a[i])
			a[kept++] = a[i];
	saver->count = from + kept;
}

/* The lowest and the highest address of code: most words are elsewhere. */
static struct dump_extent code_range(const struct target *target)
{
	struct dump_extent range = { UINT64_MAX, 0 };

	for (size_t i = 0; i < target->module_count; i++) {
		if (target->modules[i].base < range.start)
			range.start = target->modules[i].base;
		if (target->modules[i].end > range.end)
			range.end = target->modules[i].end;
	}
	return range;
}

/* The instruction before a return address is the call. */
static void add_words(struct saver *saver, uint64_t start, uint64_t end,
		      bool anywhere)
{
	struct dump_extent code = code_range(saver->target);
	uint64_t *words = calloc(CHUNK_WORDS, sizeof(*words));
	size_t first = saver->count;

	if (!words)
		saver->full = true;
	for (start = (start + 7) & ~UINT64_C(7); words && start < end;) {
		uint64_t left = end - start;
		size_t size = left < CHUNK_WORDS * sizeof(*words)
				      ? (size_t)left
				      : CHUNK_WORDS * sizeof(*words);
		size_t done =
			target_read_some(saver->target, start, words, size);

		for (size_t i = 0; i < done / sizeof(*words); i++)
			if (words[i] &&
			    (anywhere ||
			     words[i] - code.start <= code.end - code.start))
				add_address(saver, words[i] - 1);
		start += done < size
				 ? done + PAGE_SIZE - (start + done) % PAGE_SIZE
				 : size;
		drop_repeated(saver, first);
	}
	free(words);
}

/* Closed libraries may have lain anywhere. */
static void add_depots(struct saver *saver)
{
	struct heap *heap = saver->saved->heap;
	const struct heap_instance *instances;
	size_t count = heap ? heap_instances(heap, &instances) : 0;
	uint64_t base, end;

	for (size_t i = 0; i < count; i++)
		if (heap_depot(heap, i, &base, &end))
			add_words(saver, base, end, true);
}

static void add_threads(struct saver *saver)
{
	const struct target *target = saver->target;

	for (size_t i = 0; i < target->thread_count; i++) {
		const struct dump_thread *thread = &target->threads[i];
		uint64_t sp = thread->registers.rsp;

		add_address(saver, thread->registers.rip);
		add_words(saver,
			  sp < thread->stack_low ? thread->stack_low : sp,
			  thread->stack_high, false);
	}
}

/* --- what they are called ------------------------------------------------ */

static struct dump_symbol *add_symbol(struct saver *saver)
{
	struct symbols_saved *saved = saver->saved;
	struct dump_symbol *grown =
		vector_grow(saved->list, saved->count, sizeof(*grown));

	if (!grown) {
		saver->full = true;
		return NULL;
	}
	saved->list = grown;
	return &grown[saved->count++];
}

/* Addresses come in order, so the last function may be this one. */
static bool extends(const struct symbols_saved *saved, size_t last,
		    const struct dump_symbol *symbol)
{
	struct dump_symbol *before =
		last < saved->count ? &saved->list[last] : NULL;

	if (!before || before->module != symbol->module ||
	    before->address != symbol->address)
		return false;
	if (before->size < symbol->size)
		before->size = symbol->size;
	return true;
}

static void save_function(struct saver *saver, const struct symbol *symbol,
			  size_t *last)
{
	struct dump_symbol function = {
		.module = dump_module_key(symbol->facts),
		.address = symbol->module_offset - symbol->offset,
		.size = symbol->size ? symbol->size : symbol->offset + 1,
		.info = (uint32_t)symbol->binding << 4 | symbol->type,
		.name = symbol->linkage,
		.file = "",
	};

	if (extends(saver->saved, *last, &function))
		return;
	struct dump_symbol *added = add_symbol(saver);
	if (!added)
		return;
	*added = function;
	*last = saver->saved->count - 1;
}

static void save_places(struct saver *saver, uint64_t address,
			const struct symbol *symbol)
{
	struct symbol_frame frames[INLINED_MAX];
	size_t count = symbols_frames(saver->saved->symbols, address, frames,
				      INLINED_MAX);
	bool has_source = false;

	for (size_t i = 0; i < count; i++)
		has_source |= frames[i].file != NULL;
	for (size_t i = 0; i < count && has_source; i++) {
		struct dump_symbol *place = add_symbol(saver);

		if (!place)
			return;
		*place = (struct dump_symbol){
			.module = dump_module_key(symbol->facts),
			.address = symbol->module_offset,
			.flags = DUMP_SYMBOL_PLACE,
			.info = (uint32_t)i,
			.line = frames[i].line,
			.name = frames[i].linkage ? frames[i].linkage : "",
			.file = frames[i].file ? frames[i].file : "",
		};
	}
}

static void save_names(struct saver *saver)
{
	size_t last = SIZE_MAX;

	for (size_t i = 0; i < saver->count; i++) {
		struct symbol symbol;
		uint64_t address = saver->addresses[i];

		if (!is_code(saver, address))
			continue;
		if (symbols_at(saver->saved->symbols, address, &symbol) &&
		    symbol.linkage)
			save_function(saver, &symbol, &last);
		save_places(saver, address, &symbol);
	}
}

static struct err *open_names(struct target *target,
			      struct symbols_saved *saved)
{
	struct err *err = heap_open(target, &saved->heap);

	if (err) { /* without libkma there are the threads */
		err_free(err);
		saved->heap = NULL;
	}
	err = symbols_create(target, &saved->symbols);
	if (!err && saved->heap)
		symbols_add_heap(saved->symbols, saved->heap);
	return err;
}

struct err *symbols_save(struct target *target, struct symbols_saved *ret)
{
	struct saver saver = { .target = target, .saved = ret };

	*ret = (struct symbols_saved){ 0 };
	struct err *err = open_names(target, ret);
	if (!err) {
		add_depots(&saver);
		add_threads(&saver);
		drop_repeated(&saver, 0);
		save_names(&saver);
	}
	free(saver.addresses);
	if (!err && saver.full)
		err = err_new(ERR_NO_MEMORY, "names");
	if (err)
		symbols_saved_deinit(ret);
	return err;
}

void symbols_saved_deinit(struct symbols_saved *saved)
{
	symbols_destroy(saved->symbols); /* before the heap */
	heap_close(saved->heap);
	free(saved->list);
	*saved = (struct symbols_saved){ 0 };
}
