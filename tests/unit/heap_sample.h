/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A heap laid out by hand with something of everything, to be spoilt. */
#ifndef TESTS_HEAP_SAMPLE_H
#define TESTS_HEAP_SAMPLE_H

#include "tests/unit/heap_image.h"

enum { HEAP_SAMPLE_CHUNK = 4096 };

/* A heap with something of everything. */
struct heap_sample {
	struct heap_image *image;
	struct kma_cache *cache[2];
	struct kma_slab *off, *audit, *large;
	struct kma_thread *thread;
	struct kma_magazine *loaded, *full;
	struct kma_magset *set; /* of loaded */
	struct kma_log *log;
	struct kma_log_chunk *chunk;
};

/* heap_image_finish(image) makes a target of it. */
struct heap_sample heap_sample_make(void);

#endif
