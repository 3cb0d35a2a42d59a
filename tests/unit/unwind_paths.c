/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unwind_paths.h"

#include <alloca.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

/* Keep the compiler from turning a call into a jump, or a frame into nothing.
 */
#define KEEP(x) __asm__ volatile("" : "+r"(x) : : "memory")

static struct path *current; /* for callbacks that carry no argument */
static int current_result;

static int plain(struct path *path)
{
	int r = path_call(path);
	KEEP(r);
	return r;
}

static int large_frame(struct path *path)
{
	char block[3000];

	__asm__ volatile("" : : "r"(block) : "memory");
	int r = path_call(path);
	KEEP(r);
	return r + block[path->left] * 0;
}

static int with_alloca(struct path *path)
{
	char *block = alloca(16 + (size_t)path->left * 24);

	block[0] = 0;
	__asm__ volatile("" : : "r"(block) : "memory");
	int r = path_call(path);
	KEEP(r);
	return r + block[0];
}

static int aligned_frame(struct path *path)
{
	_Alignas(64) char block[128];

	__asm__ volatile("" : : "r"(block) : "memory");
	int r = path_call(path);
	KEEP(r);
	return r;
}

/* A frame with alignment, alloca and arguments on the stack. */
__attribute__((noinline)) static int
many_arguments_inner(long a, long b, long c, long d, long e, long f, long g,
		     long h, struct path *path)
{
	_Alignas(64) char block[64];
	char *more = alloca((size_t)(a + b + c + d + e + f + g + h));

	__asm__ volatile("" : : "r"(block), "r"(more) : "memory");
	int r = path_call(path);
	KEEP(r);
	return r + (int)(g * 0 + h * 0);
}

static int many_arguments(struct path *path)
{
	int r = many_arguments_inner(1, 2, 3, 4, 5, 6, 7, 8, path);
	KEEP(r);
	return r;
}

#ifdef __clang__ /* has no such attribute: an ordinary frame then */
#define FRAME_POINTER
#else
#define FRAME_POINTER __attribute__((optimize("no-omit-frame-pointer")))
#endif

FRAME_POINTER static int with_frame_pointer(struct path *path)
{
	int r = path_call(path);
	KEEP(r);
	return r;
}

static int compare(const void *a, const void *b)
{
	struct path *path = current;

	if (path) {
		current = NULL;
		current_result = path_call(path);
	}
	return *(const int *)a - *(const int *)b;
}

static int through_qsort(struct path *path)
{
	int numbers[] = { 3, 1, 2 };

	current = path;
	qsort(numbers, 3, sizeof(numbers[0]), compare);
	return current_result;
}

static int through_bsearch(struct path *path)
{
	int numbers[] = { 1, 2, 3 }, wanted = 2;

	current = path;
	void *found = bsearch(&wanted, numbers, 3, sizeof(wanted), compare);
	KEEP(found);
	return current_result;
}

static void on_signal(int signal)
{
	struct path *path = current;

	(void)signal;
	current = NULL;
	current_result = path_call(path);
}

static int through_signal(struct path *path)
{
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = SA_NODEFER };

	sigaction(SIGUSR1, &action, NULL);
	current = path;
	raise(SIGUSR1);
	return current_result;
}

typedef int (*step_fn)(struct path *path);

int path_call(struct path *path)
{
	static const step_fn steps[] = {
		plain,           with_frame_pointer, large_frame,
		with_alloca,     aligned_frame,      many_arguments,
		through_qsort,   through_bsearch,    path_try,
		path_destructor, path_catch,         through_signal,
	};
	int r;

	if (path->left == 0) {
		r = path->bottom(path->argument);
	} else {
		step_fn step =
			steps[*path->step % (sizeof(steps) / sizeof(steps[0]))];
		path->step++;
		path->left--;
		r = step(path);
	}
	KEEP(r);
	return r;
}

unsigned char random_byte(void)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned char)(state >> 24);
}
