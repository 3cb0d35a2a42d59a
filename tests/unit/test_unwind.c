/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/symbols.h"
#include "kdbg/unwind.h"

#include "tests/test_util.h"
#include "tests/unit/fake_target.h"
#include "tests/unit/self_target.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEP = 5000, KEPT = 32 };

/* What a walk met: the first frames, and how many there were. */
struct walked {
	struct unwind_frame frames[KEPT];
	char names[KEPT][64];
	size_t count, limit;
	struct symbols *symbols;
};

static bool keep(void *context, const struct unwind_frame *frame)
{
	struct walked *walked = context;
	struct symbol symbol = { 0 };

	if (walked->count < KEPT) {
		walked->frames[walked->count] = *frame;
		symbols_at(walked->symbols, frame->pc - !frame->exact, &symbol);
		snprintf(walked->names[walked->count], 64, "%s",
			 symbol.name ? symbol.name : "?");
	}
	walked->count++;
	return !walked->limit || walked->count < walked->limit;
}

/* Must be called by the function whose context it is: its frame must last. */
static struct err *walk_self(const ucontext_t *context, struct walked *walked)
{
	struct target *target = self_target_create(context);

	assert_ok(symbols_create(target, &walked->symbols));
	struct err *err = unwind_thread(target, target->threads, keep, walked);
	symbols_destroy(walked->symbols);
	target_close(target);
	return err;
}

static struct err *walk_error;

__attribute__((noinline)) void test_unwind_leaf(struct walked *walked);
__attribute__((noinline)) void test_unwind_leaf(struct walked *walked)
{
	ucontext_t context;

	getcontext(&context);
	walk_error = walk_self(&context, walked);
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

__attribute__((noinline)) int test_unwind_deep(struct walked *walked, int n);
__attribute__((noinline)) int test_unwind_deep(struct walked *walked, int n)
{
	int depth = 0;

	if (n)
		depth = test_unwind_deep(walked, n - 1) + 1;
	else
		test_unwind_leaf(walked);
	__asm__ volatile("" : "+r"(depth)); /* no loop instead of calls */
	return depth;
}

static void every_frame_of_a_deep_stack_is_met(void **state)
{
	(void)state;
	struct walked walked = { .limit = 0 };

	assert_int_equal(test_unwind_deep(&walked, DEEP), DEEP);
	assert_ok(walk_error);
	assert_string_equal(walked.names[0], "test_unwind_leaf");
	assert_true(walked.frames[0].exact);
	for (size_t i = 1; i < KEPT; i++) {
		assert_string_equal(walked.names[i], "test_unwind_deep");
		assert_false(walked.frames[i].exact);
		assert_false(walked.frames[i].guessed);
		assert_true(walked.frames[i].sp > walked.frames[i - 1].sp);
	}
	/* test_unwind_deep, this function, cmocka, main and what calls it */
	assert_in_range(walked.count, DEEP + 5, DEEP + 20);
}

static void a_walk_stops_when_told(void **state)
{
	(void)state;
	struct walked walked = { .limit = 7 };

	test_unwind_deep(&walked, DEEP);
	assert_ok(walk_error);
	assert_int_equal(walked.count, 7);
}

static struct walked in_handler;

static void handler(int number)
{
	(void)number;
	test_unwind_leaf(&in_handler);
	__asm__ volatile("" ::: "memory");
}

static void signal_frames_are_crossed(void **state)
{
	(void)state;
	bool interrupted = false;

	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	assert_ok(walk_error);
	assert_string_equal(in_handler.names[0], "test_unwind_leaf");
	assert_string_equal(in_handler.names[1], "handler");
	for (size_t i = 3; i < 8; i++) {
		interrupted |= in_handler.frames[i].exact;
		if (strcmp(in_handler.names[i], "signal_frames_are_crossed") ==
		    0) {
			assert_true(interrupted);
			return;
		}
	}
	fail_msg("the test itself is not on its stack");
}

static void *thread_body(void *context)
{
	test_unwind_leaf(context);
	return NULL;
}

static void a_thread_ends_at_its_start(void **state)
{
	(void)state;
	struct walked walked = { .limit = 0 };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, thread_body, &walked),
			 0);
	pthread_join(thread, NULL);
	assert_ok(walk_error);
	assert_in_range(walked.count, 4, 5);
	assert_string_equal(walked.names[1], "thread_body");
}

__attribute__((noinline)) void test_unwind_lost(struct walked *walked);
__attribute__((noinline)) void test_unwind_lost(struct walked *walked)
{
	ucontext_t context;
	uint64_t *frame = __builtin_frame_address(0);

	/* As if the caller had called 0x10 and not this. */
	getcontext(&context);
	context.uc_mcontext.gregs[REG_RIP] = 0x10;
	context.uc_mcontext.gregs[REG_RBP] = (greg_t)frame[0];
	context.uc_mcontext.gregs[REG_RSP] = (greg_t)(frame + 1);
	walk_error = walk_self(&context, walked);
	__asm__ volatile("" ::: "memory");
}

static void a_pc_outside_all_code_is_shown_and_passed(void **state)
{
	(void)state;
	struct walked walked = { .limit = 0 };

	test_unwind_lost(&walked);
	assert_ok(walk_error);
	assert_int_equal(walked.frames[0].pc, 0x10);
	assert_true(walked.count > 2);
	assert_string_equal(walked.names[1],
			    "a_pc_outside_all_code_is_shown_and_passed");
	assert_false(walked.frames[1].exact);
	assert_false(walked.frames[1].guessed);
}

static bool count_frame(void *context, const struct unwind_frame *frame)
{
	(void)frame;
	++*(size_t *)context;
	return true;
}

static void registers_that_point_nowhere_end_the_walk(void **state)
{
	(void)state;
	static const struct dump_registers wild = { .rip = UINT64_MAX,
						    .rsp = UINT64_MAX - 3,
						    .rbp = 1 };
	struct fake_target *fake = fake_target_create();
	size_t count = 0;

	fake_target_thread(fake, 1, "wild", &wild);
	fake_target_thread(fake, 2, "unknown", NULL);
	struct target *target = fake_target_finish(fake);
	struct err *err = unwind_thread(target, target_thread(target, 1),
					count_frame, &count);
	assert_non_null(err);
	err_free(err);
	assert_int_equal(count, 1);
	assert_err(unwind_thread(target, target_thread(target, 2), count_frame,
				 &count),
		   ERR_NOT_FOUND,
		   "the registers of thread 2 are not in the dump");
	target_close(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_frame_of_a_deep_stack_is_met),
		cmocka_unit_test(a_walk_stops_when_told),
		cmocka_unit_test(signal_frames_are_crossed),
		cmocka_unit_test(a_thread_ends_at_its_start),
		cmocka_unit_test(a_pc_outside_all_code_is_shown_and_passed),
		cmocka_unit_test(registers_that_point_nowhere_end_the_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
