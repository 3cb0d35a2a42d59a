/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which tier a cache's new buffers get: what the environment said, by
 * KMA_DEBUG for all and by KMA_OPTIONS=tier:CACHE=TIER for one, or
 * kma_set_tier(). Buffers keep the tier of their slab, so nothing but this one
 * word, and whether the fast path may serve the cache, changes.
 */
#include "alloc/tier.h"

#include "alloc/client.h"
#include "alloc/dump_signal.h"
#include "alloc/guard.h"
#include "alloc/options.h"
#include "alloc/root.h"

#include "kma/kma.h"

#include <errno.h>
#include <string.h>

bool kma_tier_named(const char *name, size_t size, enum kma_tier *ret)
{
	static const struct {
		const char *name;
		enum kma_tier tier;
	} tiers[] = {
		{ "off", KMA_TIER_OFF },       { "lite", KMA_TIER_LITE },
		{ "audit", KMA_TIER_AUDIT },   { "guard", KMA_TIER_GUARD },
		{ "default", KMA_TIER_AUDIT },
	};

	for (size_t i = 0; i < sizeof(tiers) / sizeof(tiers[0]); i++)
		if (strlen(tiers[i].name) == size &&
		    memcmp(tiers[i].name, name, size) == 0) {
			*ret = tiers[i].tier;
			return true;
		}
	return false;
}

static uint32_t flags_of(enum kma_tier tier)
{
	switch (tier) {
	case KMA_TIER_AUDIT:
		return KMA_CACHE_AUDIT | KMA_CACHE_DEADBEEF | KMA_CACHE_REDZONE;
	case KMA_TIER_GUARD:
		return KMA_CACHE_AUDIT | KMA_CACHE_REDZONE | KMA_CACHE_FIREWALL;
	case KMA_TIER_LITE:
		return KMA_CACHE_LITE;
	default:
		return 0;
	}
}

void kma_tier_set(struct kma_cache *cache, enum kma_tier tier)
{
	if (cache->client && tier > cache->client->tier_max)
		tier = cache->client->tier_max;
	if (cache->client && cache->client->move && tier == KMA_TIER_OFF)
		tier = KMA_TIER_LITE; /* it must be known what is live */

	const uint32_t ours = KMA_CACHE_AUDIT | KMA_CACHE_DEADBEEF |
			      KMA_CACHE_REDZONE | KMA_CACHE_FIREWALL |
			      KMA_CACHE_LITE;

	__atomic_store_n(&cache->flags, (cache->flags & ~ours) | flags_of(tier),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&cache->tier, (uint32_t)tier, __ATOMIC_RELEASE);
	kma_cache_set_fast(cache, kma_options.mtbf ? KMA_TIER_COUNT : tier);
	if (cache->client)
		kma_client_set_fast(cache);
}

void kma_tier_choose(struct kma_cache *cache)
{
	enum kma_tier tier = kma_root.tier;

	if (kma_options.firewall &&
	    (cache->bufsize == 0 || cache->bufsize >= kma_options.firewall))
		tier = KMA_TIER_GUARD;
	for (size_t n = 0; n < kma_options.tier_count; n++)
		if (strcmp(kma_options.tiers[n].cache, cache->name) == 0)
			tier = kma_options.tiers[n].tier;
	kma_tier_set(cache, tier);
}

void kma_tier_init(void)
{
	for (unsigned i = 0; i < kma_cache_count; i++)
		kma_tier_choose(kma_caches[i]);
}

/* What only buffers of tier guard need, where none were foreseen. */
static bool prepare_guards(void)
{
	bool before = kma_options.guards;

	if (before)
		return true;
	kma_options.guards = true;
	if (!kma_guard_init()) {
		kma_options.guards = false;
		return false;
	}
	kma_dump_catch_signals();
	return true;
}

__attribute__((visibility("default"))) int kma_set_tier(const char *cache,
							const char *tier)
{
	enum kma_tier wanted;
	bool found = false;

	if (!kma_init() || !tier ||
	    !kma_tier_named(tier, strlen(tier), &wanted)) {
		errno = EINVAL;
		return -1;
	}
	if (wanted == KMA_TIER_GUARD && !prepare_guards()) {
		errno = ENOMEM;
		return -1;
	}
	for (unsigned i = 0; i < kma_cache_count; i++) {
		if (cache && strcmp(cache, kma_caches[i]->name) != 0)
			continue;
		kma_tier_set(kma_caches[i], wanted);
		found = true;
	}
	if (!cache)
		kma_root.tier = wanted;
	if (!found)
		errno = ENOENT;
	return found ? 0 : -1;
}

__attribute__((visibility("default"))) int kma_is_debugging(void)
{
	return kma_init() && kma_root.tier > KMA_TIER_LITE;
}
