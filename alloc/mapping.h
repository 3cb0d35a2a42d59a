/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which mapping holds an address, asked of the kernel: no lock, no memory, no
 * errno, good in a signal handler. Microseconds, on older kernels tens of them:
 * cache what you learn.
 */
#ifndef ALLOC_MAPPING_H
#define ALLOC_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kma_mapping {
	uintptr_t start, end;
	bool readable;
};

/*
 * path may be NULL; else it receives what is mapped, "" for anonymous memory,
 * cut to path_size. False: not mapped, or /proc cannot be read.
 */
bool kma_mapping_find(uintptr_t address, struct kma_mapping *ret, char *path,
		      size_t path_size);

#endif
