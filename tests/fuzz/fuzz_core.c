/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as a core, packed or not: opened, its facts and memory looked at,
 * and the heap that it may claim to have. The bytes are tried twice: as they
 * are, and with the first ones those of a core, so that the reader gets
 * further.
 */
#include "kdbg/heap.h"
#include "kdbg/target.h"
#include "tests/fuzz/fuzz.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LOOKED_AT = 1 << 16, MAX_SIZE = 8 << 20 };

static void look_at_memory(struct target *target)
{
	static unsigned char bytes[LOOKED_AT];
	struct dump_extent run;

	for (size_t i = 0; i < target->extent_count; i++) {
		const struct dump_extent *e = &target->extents[i];

		target_read_some(target, e->start, bytes, sizeof(bytes));
		target_next_data(target, e->start, e->end, &run);
	}
	for (size_t i = 0; i < target->thread_count; i++) {
		const struct dump_thread *thread = &target->threads[i];

		target_read_some(target, thread->registers.rsp, bytes, 64);
		if (thread->fpregs_size)
			bytes[0] ^= ((const unsigned char *)thread
					     ->fpregs)[thread->fpregs_size - 1];
	}
}

static void look_at_heap(struct target *target)
{
	const struct heap_cache *caches;
	const struct heap_error *errors;
	struct heap *heap;
	struct err *err = heap_open(target, &heap);

	if (!err) {
		heap_caches(heap, &caches);
		heap_errors(heap, &errors);
		heap_close(heap);
	}
	err_free(err);
}

static void try_bytes(const uint8_t *data, size_t size)
{
	const struct target_options options = { .max_size = MAX_SIZE };
	int fd = memfd_create("fuzz", 0);
	struct target *target;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct err *err = target_open(path, &options, &target);
	if (!err) {
		look_at_memory(target);
		look_at_heap(target);
		target_close(target);
	}
	err_free(err);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
	};
	const size_t fixed = offsetof(Elf64_Ehdr, e_entry);

	try_bytes(data, size);
	if (size < sizeof(header))
		return 0;
	uint8_t *copy = malloc(size);
	memcpy(copy, data, size);
	memcpy(copy, &header, fixed);
	try_bytes(copy, size);
	free(copy);
	return 0;
}
