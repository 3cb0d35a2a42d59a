/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/contract/boxes.h"

#include "tests/contract/contract.h"

#include <malloc.h>
#include <stdatomic.h>
#include <string.h>

enum { BOXES = 4096, LARGEST = 20000, OVERSIZE = 200000 };

/* A buffer starts with its size, and is full with the low byte of that. */
static _Atomic(size_t *) boxes[BOXES];
static atomic_ulong allocated, freed;

uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) +
		 UINT64_C(1442695040888963407);
	return *state >> 33;
}

static size_t size_choose(uint64_t *random)
{
	size_t size = sizeof(size_t) + next_random(random) % LARGEST;

	if (next_random(random) % 1000 == 0)
		return size + OVERSIZE;
	if (next_random(random) % 3 == 0)
		return sizeof(size_t) + size % 200; /* most are small */
	return size;
}

static void *take(size_t size, uint64_t *random)
{
	size_t align = (size_t)16 << next_random(random) % 7;

	switch (next_random(random) % 16) {
	case 0:
		return calloc(1, size);
	case 1:
		return aligned_alloc(align, (size + align - 1) & ~(align - 1));
	case 2:
		return memalign(align, size);
	case 3:
		return realloc(malloc(size / 2 + 1), size);
	case 4:
		return realloc(malloc(size * 2), size);
	default:
		return malloc(size);
	}
}

static size_t *buffer_create(uint64_t *random)
{
	size_t size = size_choose(random);
	size_t *buffer = take(size, random);

	CHECK(buffer && (uintptr_t)buffer % 16 == 0);
	CHECK(malloc_usable_size(buffer) >= size);
	memset(buffer, (int)(size & 0xff), size);
	*buffer = size;
	atomic_fetch_add(&allocated, 1);
	return buffer;
}

static void buffer_check(const size_t *buffer)
{
	const unsigned char *byte = (const unsigned char *)buffer;

	for (size_t i = sizeof(size_t); i < *buffer; i++)
		CHECK(byte[i] == (unsigned char)*buffer);
}

static void buffer_destroy(size_t *buffer)
{
	if (!buffer)
		return;
	buffer_check(buffer);
	free(buffer);
	atomic_fetch_add(&freed, 1);
}

void boxes_trade(uint64_t *random)
{
	size_t box = next_random(random) % BOXES;

	buffer_destroy(atomic_exchange(&boxes[box], buffer_create(random)));
}

void boxes_check(void)
{
	for (size_t i = 0; i < BOXES; i++)
		if (boxes[i])
			buffer_check(boxes[i]);
}

unsigned long boxes_settle(void)
{
	for (size_t i = 0; i < BOXES; i++)
		buffer_destroy(atomic_exchange(&boxes[i], NULL));
	CHECK(allocated == freed);
	return allocated;
}
