/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/environment.h"
#include "alloc/instance.h"
#include "alloc/roster.h"

static void start(void)
{
	kma_environment_init();
	kma_roster_init();
}

const struct kma_instance kma_instance = {
	.name = "libkma_malloc.so",
	.default_tier = KMA_TIER_OFF,
	.interposes = true,
	.bounds = kma_bounds_of_segments,
	.start = start,
	.forked = kma_roster_forked,
	.ended = kma_roster_bye,
	.private_range = kma_roster_range,
	.filtered = kma_roster_filtered,
	.in_place = kma_roster_in_place,
	.show = kma_roster_show,
	.stopped = kma_roster_stopped,
};
