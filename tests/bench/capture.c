/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one stack costs, beside libunwind's unw_backtrace() on the same ones.
 *
 *	bench_capture [ROUNDS [PATHS]]
 *
 * Stacks lead down PATHS random ways through a tree of functions whose frames
 * differ in size. "new" takes one in each descent, of which every frame from
 * the loop in is another than the last time or elsewhere; what the descent
 * costs by itself is subtracted. "same" is what each further one costs that is
 * taken from where the new one was. Figures are medians of rounds, in which all
 * take turns, in nanoseconds:
 *
 *	FRAMES new TOTAL in all: WHO same new ...
 *
 * capture is the stack alone, intern its name in the depot as well, which is
 * what an audited call pays.
 */
#include "tests/bench/bench.h"

#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/thread.h"
#include "alloc/trace.h"

#include "kma/kma.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DEEPEST = 64, ROUNDS_MAX = 1000, REPEATS = 20 };

typedef int backtrace_function(void **, int);

static backtrace_function *libunwind;
static uint64_t sum; /* so that nothing is left out */
static size_t total; /* frames of the last stack */

/* --- who takes the stack ---------------------------------------------------
 * Their section stands for the library's code: what is in it is cut, but for
 * the outermost, which is frame 0 as malloc() is.
 */
#define LIBRARY __attribute__((noinline, section("bench_library")))

extern const char __start_bench_library[], __stop_bench_library[];

LIBRARY static void nobody(void)
{
	sum++;
}

LIBRARY static void capture(void)
{
	struct kma_trace_stack stack;

	if (!kma_trace_acquire(kma_self, KMA_STACK_OF_ALLOC, &stack))
		return;
	total = stack.depth;
	sum += stack.hash;
	kma_trace_release(kma_self);
}

LIBRARY static void intern(void)
{
	sum += kma_stack_intern(KMA_STACK_OF_ALLOC);
}

LIBRARY static void unwind(void)
{
	void *frames[2 * DEEPEST];

	total = (size_t)libunwind(frames, 2 * DEEPEST);
	sum += (uint64_t)(uintptr_t)frames[0];
}

static struct taker {
	const char *name;
	void (*take)(void);
	double same[ROUNDS_MAX], new[ROUNDS_MAX];
} takers[] = { { .name = "nobody", .take = nobody },
	       { .name = "capture", .take = capture },
	       { .name = "intern", .take = intern },
	       { .name = "unw_backtrace", .take = unwind } };

/* --- where -----------------------------------------------------------------
 */

/* A way down: which function is called at each level. */
struct way {
	unsigned char step[DEEPEST];
};

struct descent {
	void (*take)(void);
	const struct way *way;
	unsigned left, times;
};

typedef int step_function(struct descent *descent);

static step_function *const steps[64];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

__attribute__((noinline)) static int bottom(struct descent *descent)
{
	for (unsigned i = 0; i < descent->times; i++)
		descent->take();
	return 1;
}

static inline int step_down(struct descent *descent)
{
	if (descent->left == 0)
		return bottom(descent);
	return steps[descent->way->step[--descent->left]](descent);
}

#define STEP(n)                                                                \
	__attribute__((noinline)) static int step_##n(struct descent *descent) \
	{                                                                      \
		volatile char block[8 + 16 * ((n) % 11)];                      \
                                                                               \
		block[0] = (n);                                                \
		return step_down(descent) + block[0];                          \
	}
#define EIGHT(what, n)                                                    \
	what(n##0) what(n##1) what(n##2) what(n##3) what(n##4) what(n##5) \
		what(n##6) what(n##7)
#define ALL(what)      \
	EIGHT(what, 1) \
	EIGHT(what, 2) \
	EIGHT(what, 3) \
	EIGHT(what, 4) \
	EIGHT(what, 5) EIGHT(what, 6) EIGHT(what, 7) EIGHT(what, 8)
#define NAME(n) step_##n,

ALL(STEP)
static step_function *const steps[64] = { ALL(NAME) };

/* --- measuring -------------------------------------------------------------
 */

static struct way *ways;
static unsigned long count;

static void make_ways(void)
{
	uint64_t state = bench_seed(0);

	ways = calloc(count, sizeof(*ways));
	if (!ways)
		exit(1);
	for (unsigned long i = 0; i < count; i++)
		for (unsigned k = 0; k < DEEPEST; k++)
			ways[i].step[k] = bench_random(&state) % 64;
}

/* What a descent costs, in each of which so many stacks are taken, of so many
 * frames from the loop in: the taker's and bottom's are two
 * of them. The ways come in no order that a processor could learn. */
__attribute__((noinline)) static double
descend_all(void (*take)(void), unsigned frames, unsigned times)
{
	static uint64_t state = 88172645463325252u;
	struct descent descent = { .take = take, .times = times };
	double start = now();

	for (unsigned long i = 0; i < count; i++) {
		descent.way = &ways[bench_random(&state) % count];
		descent.left = frames - 2;
		sum += (uint64_t)step_down(&descent);
	}
	return (now() - start) / (double)count;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *figures, unsigned rounds)
{
	qsort(figures, rounds, sizeof(*figures), compare);
	return figures[rounds / 2];
}

static void measure(unsigned frames, unsigned rounds)
{
	size_t takers_used = sizeof(takers) / sizeof(takers[0]) - !libunwind;

	for (unsigned i = 0; i < rounds; i++)
		for (struct taker *t = takers; t < takers + takers_used; t++) {
			double all = descend_all(t->take, frames, 1 + REPEATS);

			t->new[i] = descend_all(t->take, frames, 1);
			t->same[i] = (all - t->new[i]) / REPEATS;
		}
	capture();
	double same = median(takers[0].same, rounds);
	double new = median(takers[0].new, rounds);

	printf("%u new, %zu in all:", frames,
	       total + frames - 1); /* capture() is one */
	for (struct taker *t = takers + 1; t < takers + takers_used; t++)
		printf("  %s %.1f %.1f", t->name,
		       median(t->same, rounds) - same,
		       median(t->new, rounds) - new);
	printf("\n");
	fflush(stdout);
}

static bool prepare(void)
{
	void *handle = dlopen("libunwind.so.8", RTLD_NOW);

	if (handle)
		libunwind =
			(backtrace_function *)dlsym(handle, "unw_backtrace");
	if (!libunwind)
		printf("no libunwind.so.8 to compare with\n");
	if (!kma_init() || !kma_thread_self())
		return false;
	kma_root.text_base = (uintptr_t)__start_bench_library;
	kma_root.text_end = (uintptr_t)__stop_bench_library;
	return true;
}

int main(int argc, char **argv)
{
	static const unsigned frames[] = { 4, 8, 12, 16, 32 };
	unsigned long rounds = bench_argument(argv, argc, 1, 51);

	count = bench_argument(argv, argc, 2, 1000);
	if (rounds == 0 || rounds > ROUNDS_MAX || count == 0 || !prepare())
		return 2;
	make_ways();
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		measure(frames[i], (unsigned)rounds);
	return sum == 0;
}
