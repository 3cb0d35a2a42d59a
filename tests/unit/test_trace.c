/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A thread's last stacks: what is made of them is what a plain walk finds.
 */
#include "tests/test_util.h"
#include "tests/unit/unwind_paths.h"

#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/thread.h"
#include "alloc/trace.h"
#include "alloc/unwind.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>

enum { FRAMES = 200 };
static int traces_taken, ids_known;

static uint64_t stack_hash(const uint64_t *pc, size_t depth)
{
	uint64_t hash = KMA_STACK_HASH_SEED;

	while (depth-- > 0)
		hash = kma_stack_hash_step(hash, pc[depth]);
	return hash;
}

/* An id that is known already is that of this very stack. */
static bool is_remembered(const struct kma_trace_stack *stack,
			  enum kma_stack_use use)
{
	uint32_t id =
		kma_depot_intern(stack->hash, stack->key, stack->depth, 0);

	if (stack->id == 0)
		kma_trace_name(kma_self, use, id);
	ids_known += stack->id != 0;
	return stack->id == 0 || stack->id == id;
}

/* What the library is here: its frames are cut but for the outermost, so many
 * of them. A plain walk, which begins outside of it, cuts none. */
static size_t frames_cut;

#define INSIDE __attribute__((noinline, section("inside_library")))
extern char __start_inside_library, __stop_inside_library;

/* The same stack as a plain walk finds, whatever the one before was. */
INSIDE static int compare_trace(void *argument)
{
	const char **found = argument;
	struct kma_trace_stack stack;
	uint64_t pc[FRAMES];
	uint16_t flags;
	size_t depth = kma_stack_capture(pc, FRAMES, &flags), i = 1;
	enum kma_stack_use use = random_byte() % KMA_STACK_USES;

	if (!kma_trace_acquire(kma_self, use, &stack))
		return 0; /* a signal frame below */
	while (i < stack.depth && pc[depth - i] == stack.key[stack.depth - i])
		i++;
	/* But for this function's own frame, which two calls leave. */
	if (stack.depth + frames_cut != depth || i + 1 < stack.depth)
		*found = "another stack";
	else if (stack.hash != stack_hash(stack.key, stack.depth))
		*found = "another hash";
	else if (!is_remembered(&stack, use))
		*found = "the id of another stack";
	else
		traces_taken++;
	kma_trace_release(kma_self);
	return 0;
}

/* Frame zero, which leaves the frame pointer alone. */
INSIDE static int enter_library(void *found)
{
	int result = compare_trace(found);

	__asm__ volatile("" : "+r"(result)); /* no jump */
	return result;
}

/* Where enter_library() is called, compare_trace() is cut, and what it calls.
 */
static void set_library(bool exists)
{
	kma_root.text_base = exists ? (uintptr_t)&__start_inside_library : 0;
	kma_root.text_end = exists ? (uintptr_t)&__stop_inside_library : 0;
	frames_cut = exists ? 2 : 0;
}

/* NULL: all of them are the same. */
static const char *compare_stacks(int (*compare)(void *), int count)
{
	const char *found = NULL;
	unsigned char step[32] = { 0 };

	for (int i = 0; i < count && !found; i++) {
		struct path path = { step, 1 + random_byte() % 28, compare,
				     &found };

		/* Signals seldom: a trace rests after one. */
		int kinds = i % 64 ? 11 : 12;

		step[random_byte() % sizeof(step)] =
			(unsigned char)(random_byte() % kinds);
		path_call(&path);
		path_call(&path);
	}
	return found;
}

static void compare_random_stacks(int (*compare)(void *))
{
	const char *found = compare_stacks(compare, 20000);

	if (found)
		fail_msg("%s", found);
	assert_true(traces_taken > 1000);
	assert_true(ids_known > 1000);
	traces_taken = ids_known = 0;
}

static void a_stack_made_from_the_last_is_the_same(void **state)
{
	(void)state;
	compare_random_stacks(compare_trace);
}

/* On a thread, whose outer frames are few: no frame in three stays. */
static void *take_new_stacks(void *compare)
{
	unsigned char step[32];
	const char *found = kma_thread_self() ? NULL : "no thread";

	for (int i = 0; i < 20000 && !found; i++) {
		struct path path = { step, 1 + random_byte() % 28,
				     *(int (**)(void *))compare, &found };

		for (size_t k = 0; k < sizeof(step); k++)
			step[k] = (unsigned char)(random_byte() %
						  (i % 64 ? 11 : 12));
		path_call(&path);
		path_call(&path);
	}
	return (void *)(uintptr_t)found;
}

static void compare_new_stacks(int (*compare)(void *))
{
	pthread_t thread;
	void *found;

	assert_int_equal(
		pthread_create(&thread, NULL, take_new_stacks, &compare), 0);
	assert_int_equal(pthread_join(thread, &found), 0);
	if (found)
		fail_msg("%s", (const char *)found);
	assert_true(traces_taken > 1000);
	assert_true(ids_known > 1000);
	traces_taken = ids_known = 0;
}

static void a_stack_that_is_all_new_is_the_same(void **state)
{
	(void)state;
	compare_new_stacks(compare_trace);
	set_library(true);
	compare_new_stacks(enter_library);
	set_library(false);
}

/* With a way out of the library: those that come again are not walked. */
static void a_stack_seen_before_is_the_same(void **state)
{
	(void)state;
	set_library(true);
	compare_random_stacks(enter_library);
	set_library(false);
}

/*
 * Two functions called from one place, which leave as much room between
 * themselves and the one that they call as makes its frame begin elsewhere and
 * end at the same place. What it left where its return address was the last
 * time still reads as that: only the frame pointer tells that it has moved.
 */
enum { ROOM = 512, SOME = 32 };
typedef int leave_room(const char **found);

/* The same where the one that moves called the library, whose frames all are
 * where they were. */
__attribute__((noinline)) static int call_library(size_t room,
						  const char **found)
{
	volatile char *block = __builtin_alloca(room);

	block[0] = 1;
	return enter_library(found) + block[0];
}

__attribute__((noinline)) static int little_outside(const char **found)
{
	volatile char *block =
		__builtin_alloca((size_t)SOME * (*found == NULL));

	block[0] = 1;
	return call_library(ROOM - SOME, found) + block[0];
}

__attribute__((noinline)) static int much_outside(const char **found)
{
	volatile char *block =
		__builtin_alloca((size_t)(ROOM - SOME) * (*found == NULL));

	block[0] = 1;
	return call_library(SOME, found) - block[0];
}

__attribute__((noinline)) static int keep_fp(size_t room, const char **found)
{
	volatile char *block = __builtin_alloca(room);

	block[0] = 1;
	return compare_trace(found) + block[0];
}

__attribute__((noinline)) static int fill_room(size_t room, const char **found)
{
	volatile char *block = __builtin_alloca(room);

	block[0] = 1;
	return keep_fp(SOME, found) + block[0];
}

__attribute__((noinline)) static int leave_little(const char **found)
{
	volatile char *block =
		__builtin_alloca((size_t)SOME * (*found == NULL));

	block[0] = 1;
	return fill_room(ROOM - SOME, found) + block[0];
}

__attribute__((noinline)) static int leave_much(const char **found)
{
	volatile char *block =
		__builtin_alloca((size_t)(ROOM - SOME) * (*found == NULL));

	block[0] = 1;
	return fill_room(SOME, found) - block[0];
}

static void go_either_way(leave_room *const way[2])
{
	const char *found = NULL;

	for (int i = 0; i < 200 && !found; i++)
		way[random_byte() % 2](&found);
	if (found)
		fail_msg("%s", found);
}

static void a_frame_is_not_where_it_was(void **state)
{
	(void)state;
	go_either_way((leave_room *[]){ leave_little, leave_much });
}

static void the_caller_is_not_where_it_was(void **state)
{
	(void)state;
	set_library(true);
	go_either_way((leave_room *[]){ little_outside, much_outside });
	set_library(false);
}

/* --- threads that have one stack after the other -----------------------------
 */

enum { SMALL = 256 << 10, DEEPER = 4, DEEP = 2 };

/* Of the larger stack DEEPER frames of descend() more: from there on both look
 * the same, the frame pointer included: so many frames are a multiple of what
 * libc aligns stacks to. */
static char *stacks;
static size_t frame_size;

INSIDE static uint32_t intern(void)
{
	uint32_t id = kma_stack_intern(KMA_STACK_OF_ALLOC);

	__asm__ volatile("" : "+r"(id));
	return id;
}

__attribute__((noinline, noclone)) static uint32_t descend(int count,
							   char *last)
{
	char room[(32 << 10) - 8];
	uint32_t id;

	frame_size = (size_t)(last - room);
	__asm__ volatile("" : : "r"(room) : "memory");
	id = count > 0 ? descend(count - 1, room) : intern();
	__asm__ volatile("" : "+r"(id));
	return id;
}

/* From one place, again and again: if the last stack could not be kept, there
 * is a while without. 0: not all are the same. */
__attribute__((noinline, noclone)) static uint32_t descend_often(int count)
{
	uint32_t first = 0, last = 0;
	bool same = true;

	for (int i = 0; i < 24; i++) {
		last = descend(count, NULL);
		__asm__ volatile("" : "+r"(i)); /* not unrolled */
		if (i == 0)
			first = last;
		same &= last == first;
	}
	return same ? first : 0;
}

static void *compare_in_thread(void *argument)
{
	static uint32_t ids[2]; /* the same in all threads of a kind */
	size_t size = *(size_t *)argument;
	bool is_larger = size > SMALL;
	const char *found = NULL;

	kma_bounds_started(kma_thread_self(), size);
	for (int i = 0; i < 2 && !found; i++) {
		uint32_t id = descend_often(is_larger ? DEEP + DEEPER : DEEP);

		__asm__ volatile("" : "+r"(i));
		if (i == 0 &&
		    (id == 0 || (ids[is_larger] && ids[is_larger] != id)))
			found = "another id";
		if (i == 0 && !found) {
			ids[is_larger] = id;
			found = compare_stacks(enter_library, 50);
		}
	}
	return (void *)found;
}

static const char *compare_on_stack_of(size_t size)
{
	pthread_attr_t attributes;
	pthread_t thread;
	void *found;

	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, stacks, size);
	assert_int_equal(
		pthread_create(&thread, &attributes, compare_in_thread, &size),
		0);
	pthread_join(thread, &found);
	pthread_attr_destroy(&attributes);
	return found;
}

/* What one thread saw is there for the next, on the same stack. That of another
 * may be gone. */
static void a_thread_sees_what_the_last_one_saw_on_its_stack(void **state)
{
	(void)state;
	stacks = mmap(NULL, 2 * SMALL, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(stacks != MAP_FAILED);
	set_library(true);
	descend(1, NULL);
	for (int i = 0; i < 60; i++) {
		bool is_small = i % 3 == 0;

		mprotect(stacks + SMALL, SMALL,
			 is_small ? PROT_NONE : PROT_READ | PROT_WRITE);
		const char *found = compare_on_stack_of(
			is_small ? SMALL : SMALL + DEEPER * frame_size);

		if (found)
			fail_msg("thread %d: %s", i, found);
	}
	set_library(false);
	munmap(stacks, 2 * SMALL);
	assert_true(traces_taken > 1000);
	assert_true(ids_known > 1000);
	traces_taken = ids_known = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stack_made_from_the_last_is_the_same),
		cmocka_unit_test(a_stack_seen_before_is_the_same),
		cmocka_unit_test(a_stack_that_is_all_new_is_the_same),
		cmocka_unit_test(a_frame_is_not_where_it_was),
		cmocka_unit_test(the_caller_is_not_where_it_was),
		cmocka_unit_test(
			a_thread_sees_what_the_last_one_saw_on_its_stack),
	};

	if (!kma_init())
		return 2;
	/* The allocator is part of this program: its frames are not cut. */
	set_library(false);
	kma_thread_self();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
