/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libkma.a is one object, made with libkma_static.ld: its code and its data
 * each lie in one section, which stays in one piece in the program.
 */
#include "alloc/instance.h"
#include "alloc/root.h"

extern const char kma_text_start[], kma_text_end[];
extern const char kma_data_start[], kma_data_end[];

static void bounds_of_sections(struct kma_root *root)
{
	root->text_base = (uintptr_t)kma_text_start;
	root->text_end = (uintptr_t)kma_text_end;
	root->data_base = (uintptr_t)kma_data_start;
	root->data_end = (uintptr_t)kma_data_end;
}

/* Sizes and double frees of kmem's calls are always checked. */
const struct kma_instance kma_instance = {
	.name = "libkma.a",
	.default_tier = KMA_TIER_LITE,
	.bounds = bounds_of_sections,
};
