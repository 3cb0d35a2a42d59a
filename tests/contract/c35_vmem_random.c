/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Contract 35: a million operations, each held against a map of the arena that
 * knows every unit: what is given satisfies what was asked, overlaps nothing,
 * and what is refused is nowhere to be had.
 */
#include "tests/contract/contract.h"

#include "kma/vmem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	QUANTUM = 8,
	UNITS = 2400,
	HELD_MAX = 400,
	OPERATIONS = 1000000,
	OPERATIONS_FEW = 20000, /* where each takes long */
};

/* In units: three spans, the middle two side by side but not one. */
static const struct {
	unsigned start, count;
} spans[] = { { 0, 500 }, { 700, 800 }, { 1500, 600 }, { 2300, 64 } };
enum { SPANS = sizeof(spans) / sizeof(spans[0]) };

static struct {
	uintptr_t at;
	size_t size;
	bool by_xalloc;
} held[HELD_MAX];
static unsigned held_count;

static unsigned char owned[UNITS]; /* a unit of somebody's, or of no span */
static unsigned char span_of[UNITS];
static uint64_t random_state = 0x2545f4914f6cdd1d;

static unsigned random_below(unsigned limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % limit;
}

struct wish {
	size_t size, align, phase, nocross;
	uintptr_t min, max;
};

static bool satisfies(const struct wish *w, uintptr_t at, size_t length)
{
	return at % w->align == w->phase && at >= w->min &&
	       at + (length - 1) <= w->max &&
	       (!w->nocross ||
		at / w->nocross == (at + (length - 1)) / w->nocross);
}

static size_t rounded(size_t size)
{
	return (size + QUANTUM - 1) / QUANTUM * QUANTUM;
}

/* Is there a place? Looked for everywhere. */
static bool could_be_granted(const struct wish *w)
{
	size_t length = rounded(w->size), units = length / QUANTUM;
	unsigned run = 0;

	for (unsigned i = UNITS; i-- > 0;) {
		if (owned[i])
			run = 0;
		else if (run && span_of[i] == span_of[i + 1])
			run++;
		else
			run = 1;
		if (run >= units && satisfies(w, i * QUANTUM, length))
			return true;
	}
	return false;
}

static void mark(uintptr_t at, size_t size, unsigned char value)
{
	size_t first = at / QUANTUM, units = rounded(size) / QUANTUM;

	for (size_t i = first; i < first + units; i++) {
		CHECK(i < UNITS && owned[i] != value);
		CHECK(span_of[i] == span_of[first]);
		owned[i] = value;
	}
}

static unsigned random_fit(void)
{
	static const unsigned fits[] = { 0, KMA_VM_INSTANTFIT, KMA_VM_BESTFIT,
					 KMA_VM_FIRSTFIT, KMA_VM_NEXTFIT };

	return fits[random_below(5)];
}

static struct wish random_wish(void)
{
	struct wish w = { .size = 1 + random_below(QUANTUM * 40),
			  .align = QUANTUM,
			  .max = UINTPTR_MAX };

	if (random_below(50) == 0)
		w.size = 1 + random_below(QUANTUM * 900);
	if (random_below(3) == 0)
		w.align = (size_t)QUANTUM << random_below(8);
	if (random_below(3) == 0)
		w.phase = random_below((unsigned)(w.align / QUANTUM)) * QUANTUM;
	if (random_below(4) == 0)
		w.nocross = (size_t)QUANTUM << random_below(10);
	if (random_below(4) == 0)
		w.min = random_below(UNITS * QUANTUM);
	if (random_below(4) == 0)
		w.max = w.min + random_below(UNITS * QUANTUM);
	if (w.nocross && w.phase % w.nocross + rounded(w.size) > w.nocross)
		w.nocross = 0; /* no such segment exists: misuse */
	return w;
}

static void keep(uintptr_t at, size_t size, bool by_xalloc)
{
	mark(at, size, 1);
	held[held_count].at = at;
	held[held_count].size = size;
	held[held_count++].by_xalloc = by_xalloc;
}

static void xalloc_one(struct kma_vmem *vm)
{
	struct wish w = random_wish();
	uintptr_t at = 1;
	int failed =
		kma_vmem_xalloc(vm, w.size, w.align, w.phase, w.nocross, w.min,
				w.max, KMA_VM_NOSLEEP | random_fit(), &at);

	if (failed) {
		CHECK(failed == ENOMEM && !could_be_granted(&w));
		return;
	}
	CHECK(satisfies(&w, at, rounded(w.size)));
	keep(at, w.size, true);
}

static void alloc_one(struct kma_vmem *vm)
{
	const struct wish w = { .size = 1 + random_below(QUANTUM * 40),
				.align = QUANTUM,
				.max = UINTPTR_MAX };
	uintptr_t at = 1;
	int failed =
		kma_vmem_alloc(vm, w.size, KMA_VM_NOSLEEP | random_fit(), &at);

	if (failed)
		CHECK(failed == ENOMEM && !could_be_granted(&w));
	else
		keep(at, w.size, false);
}

static void free_one(struct kma_vmem *vm)
{
	unsigned i = random_below(held_count);

	mark(held[i].at, held[i].size, 0);
	if (held[i].by_xalloc)
		kma_vmem_xfree(vm, held[i].at, held[i].size);
	else
		kma_vmem_free(vm, held[i].at, held[i].size);
	held[i] = held[--held_count];
}

struct seen {
	size_t free, spans, bytes;
};

static void count_free(void *argument, enum kma_vmem_types type,
		       uintptr_t address, size_t size)
{
	struct seen *seen = argument;

	if (type == KMA_VMEM_SPAN) {
		seen->spans++;
		return;
	}
	CHECK(type == KMA_VMEM_FREE);
	seen->free++;
	seen->bytes += size;
	for (unsigned i = 0; i < SPANS; i++)
		if (address == spans[i].start * QUANTUM)
			CHECK(size == spans[i].count * QUANTUM);
}

static void a_static_arena(void)
{
	struct kma_vmem *vm =
		kma_vmem_create("random", 0, 0, QUANTUM, NULL, 0, 0);
	const unsigned operations =
		getenv("KDBG_TEST_SHORT") ? OPERATIONS_FEW : OPERATIONS;
	struct seen seen = { 0 };
	size_t all = 0;

	memset(owned, 1, sizeof(owned));
	for (unsigned i = 0; i < SPANS; i++) {
		CHECK(kma_vmem_add(vm, spans[i].start * QUANTUM,
				   spans[i].count * QUANTUM, 0) == 0);
		memset(owned + spans[i].start, 0, spans[i].count);
		memset(span_of + spans[i].start, (int)i, spans[i].count);
		all += spans[i].count * QUANTUM;
	}
	for (unsigned n = 0; n < operations; n++) {
		unsigned what = random_below(100);

		if (held_count == HELD_MAX || (held_count && what < 48))
			free_one(vm);
		else if (what < 90)
			xalloc_one(vm);
		else
			alloc_one(vm);
		if (n % 100000 == 0) {
			size_t in_use = 0;

			for (unsigned i = 0; i < held_count; i++)
				in_use += rounded(held[i].size);
			CHECK(kma_vmem_size(vm, KMA_VMEM_ALLOC) == in_use);
		}
	}
	while (held_count)
		free_one(vm);
	CHECK(kma_vmem_walk(vm, KMA_VMEM_ALLOC | KMA_VMEM_FREE | KMA_VMEM_SPAN,
			    count_free, &seen) == 0);
	CHECK(seen.spans == SPANS && seen.free == SPANS && seen.bytes == all);
	kma_vmem_destroy(vm);
}

/* What a child imports it gives back, through two levels, caches and all. */
static void imported_spans_go_back(void)
{
	struct kma_vmem *source =
		kma_vmem_create("source", 1 << 20, 64 << 20, 4096, NULL, 0, 0);
	struct kma_vmem *middle = kma_vmem_create("middle", 0, 0, 4096, source,
						  0, KMA_VMC_LARGEIMPORT);
	struct kma_vmem *child =
		kma_vmem_create("child", 0, 0, 16, middle, 16 * 8, 0);

	CHECK(source && middle && child);
	held_count = 0;
	for (unsigned n = 0; n < 100000; n++) {
		uintptr_t at;
		size_t size = 1 + random_below(n % 10 ? 200 : 20000);

		if (held_count < HELD_MAX && random_below(2)) {
			CHECK(kma_vmem_alloc(child, size, KMA_VM_SLEEP, &at) ==
			      0);
			CHECK(kma_vmem_contains(child, at, size));
			CHECK(kma_vmem_contains(source, at, size));
			held[held_count].at = at;
			held[held_count++].size = size;
		} else if (held_count) {
			unsigned i = random_below(held_count);

			kma_vmem_free(child, held[i].at, held[i].size);
			held[i] = held[--held_count];
		}
	}
	for (unsigned i = 0; i < held_count; i++)
		for (unsigned j = 0; j < i; j++)
			CHECK(held[i].at + held[i].size <= held[j].at ||
			      held[j].at + held[j].size <= held[i].at);
	while (held_count--)
		kma_vmem_free(child, held[held_count].at,
			      held[held_count].size);
	kma_vmem_reap(child);
	CHECK(kma_vmem_size(child, KMA_VMEM_ALLOC | KMA_VMEM_FREE) == 0);
	CHECK(kma_vmem_size(middle, KMA_VMEM_ALLOC | KMA_VMEM_FREE) == 0);
	CHECK(kma_vmem_size(source, KMA_VMEM_ALLOC) == 0);
	kma_vmem_destroy(child);
	kma_vmem_destroy(middle);
	kma_vmem_destroy(source);
}

int main(void)
{
	a_static_arena();
	imported_spans_go_back();
	return 0;
}
