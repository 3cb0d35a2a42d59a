/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/instance.h"

/* Sizes and double frees of kmem's calls are always checked. */
const struct kma_instance kma_instance = {
	.name = "libkma.so",
	.default_tier = KMA_TIER_LITE,
	.bounds = kma_bounds_of_segments,
};
