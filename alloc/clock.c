/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/clock.h"

#include "alloc/root.h"
#include "alloc/sys.h"

#include <time.h>

/*
 * Set once, before any record is made. A program that forbids rdtsc later
 * (prctl) must do so before it starts, or it would stop at its own rdtsc too.
 */
bool kma_clock_ticks;

typedef int clock_function(clockid_t id, struct timespec *ret);

/*
 * At start: libc's function would bring in pages of libc that few programs
 * touch otherwise. Later a program's seccomp filter may forbid the call, which
 * libc's does without.
 */
static int clock_by_kernel(clockid_t id, struct timespec *ret)
{
	return (int)sys_call(SYS_clock_gettime, id, (long)(uintptr_t)ret, 0, 0,
			     0, 0);
}

static uint64_t clock_read(clock_function *clock, clockid_t id)
{
	struct timespec t = { 0 };

	clock(id, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

uint64_t kma_clock_nanoseconds(void)
{
	return clock_read(clock_gettime, CLOCK_MONOTONIC);
}

/*
 * Ticks are read on both sides of the monotonic clock and the tightest of a
 * few tries is kept, so that an interrupt in between does not become an error
 * of the pair. Two threads may calibrate at once: either's numbers will do, as
 * they differ by less than what a report shows.
 */
static struct kma_clock_pair pair_take(clock_function *clock)
{
	struct kma_clock_pair best = { 0 };
	uint64_t least = UINT64_MAX;

	for (int try = 0; try < 4; try++) {
		uint64_t before = kma_clock_now();
		uint64_t monotonic = clock_read(clock, CLOCK_MONOTONIC);
		uint64_t after = kma_clock_now();

		if (after - before >= least)
			continue;
		least = after - before;
		best.ticks = before + least / 2;
		best.monotonic_ns = monotonic;
	}
	best.realtime_ns = clock_read(clock, CLOCK_REALTIME);
	return best;
}

void kma_clock_init(void)
{
	kma_clock_ticks = kma_arch_ticks_usable();
	kma_root.clock[KMA_CLOCK_START] = pair_take(clock_by_kernel);
	kma_root.clock[KMA_CLOCK_LATEST] = kma_root.clock[KMA_CLOCK_START];
}

static void keep(struct kma_clock_pair now)
{
	struct kma_clock_pair *latest = &kma_root.clock[KMA_CLOCK_LATEST];

	__atomic_store_n(&latest->ticks, now.ticks, __ATOMIC_RELAXED);
	__atomic_store_n(&latest->monotonic_ns, now.monotonic_ns,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&latest->realtime_ns, now.realtime_ns,
			 __ATOMIC_RELAXED);
}

void kma_clock_calibrate(void)
{
	keep(pair_take(clock_gettime));
}

/*
 * A core of a crash, and whoever looks at a living process, has a pair then by
 * which the rate is known. By the coarse clocks, which are some milliseconds
 * late, little in a second: they alone are never a system call, that a filter
 * may forbid.
 */
static void keep_coarse(uint64_t monotonic)
{
	const uint64_t second = 1000000000;

	if (monotonic < kma_root.clock[KMA_CLOCK_START].monotonic_ns + second)
		return;
	keep((struct kma_clock_pair){
		.ticks = kma_clock_now(),
		.monotonic_ns = monotonic,
		.realtime_ns = clock_read(clock_gettime, CLOCK_REALTIME_COARSE),
	});
}

uint32_t kma_clock_seconds(void)
{
	static uint32_t last;
	uint64_t monotonic = clock_read(clock_gettime, CLOCK_MONOTONIC_COARSE);
	uint32_t now = (uint32_t)(monotonic / 1000000000U);

	if (__atomic_load_n(&last, __ATOMIC_RELAXED) != now) {
		__atomic_store_n(&last, now, __ATOMIC_RELAXED);
		keep_coarse(monotonic);
	}
	return now;
}

uint64_t kma_clock_nanoseconds_between(uint64_t from, uint64_t to)
{
	const struct kma_clock_pair *start = &kma_root.clock[KMA_CLOCK_START];
	const struct kma_clock_pair *latest = &kma_root.clock[KMA_CLOCK_LATEST];
	uint64_t ticks = __atomic_load_n(&latest->ticks, __ATOMIC_RELAXED) -
			 start->ticks;
	uint64_t ns = __atomic_load_n(&latest->monotonic_ns, __ATOMIC_RELAXED) -
		      start->monotonic_ns;

	if (to <= from)
		return 0;
	if (!kma_clock_ticks || ticks == 0)
		return to - from;
	return (uint64_t)((unsigned __int128)(to - from) * ns / ticks);
}
