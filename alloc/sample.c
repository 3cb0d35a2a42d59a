/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/sample.h"

#include "alloc/fast_audit.h"
#include "alloc/options.h"
#include "alloc/root.h"

/* Never reached by counting. */
static const int64_t never = INT64_MAX / 2;

static uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

/*
 * -ln(u) of u = (n + 1/2) / 2^64: the exponent by counting zeros, the rest by
 * the series of the area tangent, which is exact to 1e-6 here. No libm.
 */
static double minus_log(uint64_t n)
{
	static const double ln2 = 0.69314718055994531;
	unsigned zeros = n ? (unsigned)__builtin_clzl(n) : 64;
	uint64_t mantissa = zeros < 63 ? n << (zeros + 1) : 0;
	double f = 1.0 + (double)(mantissa >> 11) / 9007199254740992.0;
	double t = (f - 1.0) / (f + 1.0), t2 = t * t;
	double ln_f =
		2.0 * t *
		(1.0 + t2 * (1.0 / 3 +
			     t2 * (1.0 / 5 + t2 * (1.0 / 7 + t2 * (1.0 / 9)))));

	return (zeros + 1) * ln2 - ln_f;
}

/* Of the intervals that are drawn. */
static double mean;

/*
 * Of requests that are counted one in rate is to be a sample, so the whole part
 * of an interval has to be geometric: -1 / ln(1 - 1 / rate), by its series.
 */
static double mean_of(double rate)
{
	double x = 1 / rate;

	return rate <= 1 ? 0
			 : rate - 1.0 / 2 -
				   x * (1.0 / 12 +
					x * (1.0 / 24 + x * (19.0 / 720)));
}

/* Of exponential distribution. */
static double draw(struct kma_thread *thread)
{
	return minus_log(random_next(&thread->sample_random)) * mean;
}

static int64_t draw_interval(struct kma_thread *thread)
{
	double interval = draw(thread);

	return interval < (double)never ? (int64_t)interval : never;
}

void kma_sample_init(void)
{
	kma_root.sample_rate = kma_options.sample_rate;
	kma_root.sample_tier = kma_options.sample_tier;
	kma_root.sample_bytes = kma_options.sample_bytes;
	mean = kma_root.sample_bytes ? (double)kma_root.sample_rate
				     : mean_of((double)kma_root.sample_rate);
}

void kma_sample_thread_init(struct kma_thread *thread)
{
	if (kma_root.sample_rate == 0)
		return;
	kma_thread_special_add(thread, KMA_THREAD_SAMPLED);
	thread->sample_random = (kma_root.canary_secret ^
				 thread->tid * UINT64_C(0x9e3779b97f4a7c15)) |
				1;
	thread->sample_left = draw_interval(thread);
}

static int64_t cost_of(size_t size)
{
	if (!kma_root.sample_bytes)
		return 1;
	return size < PTRDIFF_MAX ? (int64_t)size + 1 : PTRDIFF_MAX;
}

/* Of a request that no magazine set serves. */
static bool take_counted(struct kma_thread *thread, size_t size)
{
	thread->sample_left -= cost_of(size);
	if (thread->sample_left >= 0)
		return false;
	thread->sample_left = draw_interval(thread);
	return true;
}

bool kma_sample_takes_growth(struct kma_thread *thread, size_t bytes)
{
	return kma_root.sample_bytes && take_counted(thread, bytes - 1);
}

void kma_sample_returns_growth(struct kma_thread *thread, size_t bytes)
{
	if (kma_root.sample_bytes)
		thread->sample_left += cost_of(bytes - 1);
}

static double even(struct kma_thread *thread)
{
	return (double)(random_next(&thread->sample_random) >> 11) /
	       9007199254740992.0;
}

/* 1 - exp(-x) of x up to a quarter, to 2e-6 of it. */
static double minus_expm1(double x)
{
	return x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5))));
}

/*
 * Of a request that is due as one of cost whole: would it be with its own? If
 * the interval that ended within the whole did so within the cost. Where most
 * end behind the whole, those that do not are not waited for.
 */
static bool is_within(struct kma_thread *thread, double cost, double whole)
{
	double rate = (double)kma_root.sample_rate, interval;

	if (cost >= whole)
		return true;
	if (whole < rate / 4)
		return even(thread) * minus_expm1(whole / rate) <
		       minus_expm1(cost / rate);
	do
		interval = draw(thread);
	while (interval >= whole);
	return interval < cost;
}

bool kma_sample_keeps(struct kma_thread *thread, size_t old, size_t size)
{
	return is_within(thread, (double)cost_of(size), (double)cost_of(old));
}

/* How many of a set come before the one that is due. */
static uint64_t draw_gap(struct kma_thread *thread, double whole)
{
	double gap = draw(thread) / whole;

	return gap < (double)never ? (uint64_t)gap : (uint64_t)never;
}

/* The buffer it would get has left the processor's cache since the last. */
static void foresee(struct kma_thread *thread, const struct kma_cache *cache)
{
	const struct kma_magset *set =
		kma_thread_magset(thread, cache, KMA_TIER_AUDIT);

	if (kma_root.sample_tier == KMA_TIER_AUDIT && set && set->hot)
		fast_foresee(fast_round_of(set->hot));
}

/* Nothing comes here where nothing is sampled: the first of a set alone goes
 * the slow way then. */
bool kma_sample_is_due(struct kma_thread *thread, const struct kma_cache *cache,
		       enum kma_tier tier, size_t size)
{
	struct kma_magset *set =
		cache->bufsize ? kma_thread_magset(thread, cache, tier) : NULL;

	if (!set)
		return take_counted(thread, size);
	if (!kma_magset_is_sample(set))
		return false;
	foresee(thread, cache);

	double whole = (double)cost_of(cache->bufsize);
	bool is_due = set->sample_at != 0; /* else nothing was drawn yet */
	uint64_t gap = draw_gap(thread, whole);

	if (!is_due && gap == 0) { /* its very first is due */
		is_due = true;
		gap = draw_gap(thread, whole);
	}
	set->sample_at = set->alloc + gap;
	if (!is_due)
		return false;
	if (is_within(thread, (double)cost_of(size), whole))
		return true;
	set->sample_at++; /* this request is one of the set's all the same */
	return false;
}
