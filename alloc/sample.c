/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/sample.h"

#include "alloc/options.h"
#include "alloc/root.h"

size_t kma_sample_mask;

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

static int64_t draw(struct kma_thread *thread)
{
	double interval = minus_log(random_next(&thread->sample_random)) *
			  (double)kma_root.sample_rate;

	return interval < (double)never ? (int64_t)interval : never;
}

void kma_sample_init(void)
{
	kma_root.sample_rate = kma_options.sample_rate;
	kma_root.sample_tier = kma_options.sample_tier;
	kma_root.sample_bytes = kma_options.sample_bytes;
	kma_sample_mask = kma_options.sample_bytes ? SIZE_MAX >> 1 : 0;
}

void kma_sample_thread_init(struct kma_thread *thread)
{
	thread->sample_left = never;
	if (kma_root.sample_rate == 0)
		return;
	thread->special |= KMA_THREAD_SAMPLED;
	thread->sample_random = (kma_root.canary_secret ^
				 thread->tid * UINT64_C(0x9e3779b97f4a7c15)) |
				1;
	thread->sample_left = draw(thread);
}

bool kma_sample_take(struct kma_thread *thread, size_t size)
{
	thread->sample_left -= kma_sample_cost(size);
	if (thread->sample_left >= 0)
		return false;
	thread->sample_left = kma_root.sample_rate ? draw(thread) : never;
	return kma_root.sample_rate != 0;
}
