/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The module registry: which file was mapped where, from when until when, with
 * its build id. A module is entered when the unwinder meets a PC of it for the
 * first time, through _dl_find_object, which takes no lock; never removed, so
 * that a stack of a library closed since can still be named. One that comes
 * again to where it was gets its old record.
 */
#ifndef ALLOC_MODULE_H
#define ALLOC_MODULE_H

#include <stdbool.h>
#include <stdint.h>

enum { KMA_BUILD_ID_MAX = 32 };

struct kma_module {
	struct kma_module *next;
	uintptr_t base,
		end; /* mapped range; base is where its ELF header lies */
	uint64_t from_time, until_time; /* ticks; until 0: still there */
	char *path;
	const void *eh_frame_header;
	uint32_t name_hash; /* of what the linker calls it */
	uint32_t build_id_size;
	uint8_t build_id[KMA_BUILD_ID_MAX];
};

/*
 * Something was closed: end the modules that are no longer there. Without this
 * call an end is noticed when another module is met in the same place.
 */
void kma_module_closed(void);

/* The module that holds pc now, entered if new. NULL: no module (JIT). */
const struct kma_module *kma_module_find(uintptr_t pc);

#endif
