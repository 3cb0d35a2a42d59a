/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/test_util.h"

#include "alloc/environment.h"
#include "alloc/meta.h"
#include "alloc/readable.h"
#include "alloc/sandbox.h"
#include "alloc/startup.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* No filter of system calls. */
bool kma_sandbox_is_set;

bool kma_sandbox_forbids_call(long number, long third)
{
	(void)number;
	(void)third;
	return false;
}

/* In the allocator's place: environment.c keeps its copies for ever. */
void *kma_meta_alloc(size_t size)
{
	static char space[4096] __attribute__((aligned(64)));
	static size_t used;
	char *memory = space + used;

	used += (size + 63) / 64 * 64;
	return used <= sizeof(space) ? memory : NULL;
}

char *const *kma_startup_environment(void)
{
	return environ;
}

static int start(void **state)
{
	(void)state;
	clearenv();
	setenv("LD_PRELOAD", "/x/first.so /y/libkma_malloc.so:/z/last.so", 1);
	setenv("KMA_DEBUG", "audit", 1);
	setenv("KMA_ROSTER", "/tmp/roster", 1);
	setenv("KMA_OTHER", "1", 1);
	kma_environment_init();
	return 0;
}

/* Completes envp in memory of just the size that was asked for, and checks
 * that it is wanted, entry for entry. */
static void assert_completed(char *const *envp, char *const *wanted)
{
	size_t size = kma_environment_size(envp);
	void *memory = malloc(size ? size : 1);
	size_t i = 0;

	assert_true(size > 0);
	char **complete = kma_environment_fill(envp, memory);
	for (; complete[i] && wanted[i]; i++)
		assert_string_equal(complete[i], wanted[i]);
	assert_null(complete[i]);
	assert_null(wanted[i]);
	free(memory);
}

static void cleared_environment_is_filled(void **state)
{
	(void)state;
	char *none[] = { NULL };
	char *wanted[] = { "KMA_ROSTER=/tmp/roster", "KMA_DEBUG=audit",
			   "LD_PRELOAD=/y/libkma_malloc.so", NULL };

	assert_completed(none, wanted);
	assert_completed(NULL, wanted);
}

static void whole_environment_is_left_alone(void **state)
{
	(void)state;
	char *whole[] = { "LD_PRELOAD=/elsewhere/libkma_malloc.so",
			  "KMA_ROSTER=/tmp/roster", "KMA_DEBUG=off", NULL };

	assert_int_equal(kma_environment_size(whole), 0);
	assert_int_equal(kma_environment_size(environ), 0);
}

static void another_preload_stays_behind_ours(void **state)
{
	(void)state;
	char *envp[] = { "A=1", "LD_PRELOAD=/x/first.so", "B=2", NULL };
	char *wanted[] = { "A=1",
			   "B=2",
			   "KMA_ROSTER=/tmp/roster",
			   "KMA_DEBUG=audit",
			   "LD_PRELOAD=/y/libkma_malloc.so:/x/first.so",
			   NULL };

	assert_completed(envp, wanted);
}

static void empty_preload_is_replaced(void **state)
{
	(void)state;
	char *envp[] = { "LD_PRELOAD=", "KMA_DEBUG=guard", "KMA_ROSTER=/other",
			 NULL };
	char *wanted[] = { "KMA_DEBUG=guard", "KMA_ROSTER=/other",
			   "LD_PRELOAD=/y/libkma_malloc.so", NULL };

	assert_completed(envp, wanted);
	assert_true(kma_environment_foreign(envp));
	assert_false(kma_environment_foreign(environ));
}

/* A stack is asked for no more than it can be expected to have. */
static void huge_environment_is_left_alone(void **state)
{
	(void)state;
	enum { MANY = KMA_ENVIRONMENT_MAX / sizeof(char *) };
	char **envp = calloc(MANY + 1, sizeof(*envp));

	assert_non_null(envp);
	for (size_t i = 0; i < MANY; i++)
		envp[i] = "X=1";
	assert_int_equal(kma_environment_size(envp), 0);
	free(envp);
}

/* Two pages and a hole; the second page's end. */
static char *before_hole(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(pages != MAP_FAILED);
	assert_int_equal(mprotect(pages + 2 * page, page, PROT_NONE), 0);
	return pages + 2 * page;
}

static void text_is_readable_if_its_end_is(void **state)
{
	(void)state;
	char *end = before_hole();
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	memset(end - 2 * page, 'x', 2 * page);
	assert_false(kma_readable_text(end - 1));
	assert_false(kma_readable_text(end - page - 1));
	assert_false(kma_readable_text(end));
	end[-1] = '\0';
	assert_true(kma_readable_text(end - 1));
	assert_true(kma_readable_text(end - page - 1));
	assert_false(kma_readable_text(NULL));
	assert_false(kma_readable_text((char *)UINTPTR_MAX));
	assert_false(kma_readable_text((char *)((uintptr_t)1 << 63)));
}

static void list_is_readable_with_all_it_points_at(void **state)
{
	(void)state;
	char *end = before_hole();
	char **list = (char **)end - 2;

	list[0] = list[1] = "A=1";
	assert_false(kma_readable_list(list));
	list[1] = NULL;
	assert_true(kma_readable_list(list));
	list[0] = end;
	assert_false(kma_readable_list(list));
	assert_false(kma_readable_list((char **)end));
	assert_true(kma_readable_list(NULL));
}

static void unreadable_environment_is_left_alone(void **state)
{
	(void)state;
	char *end = before_hole();
	char **list = (char **)end - 1;

	list[0] = "KMA_ROSTER=/tmp/other";
	assert_int_equal(kma_environment_size(list), 0);
	assert_false(kma_environment_foreign(list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleared_environment_is_filled),
		cmocka_unit_test(whole_environment_is_left_alone),
		cmocka_unit_test(another_preload_stays_behind_ours),
		cmocka_unit_test(empty_preload_is_replaced),
		cmocka_unit_test(huge_environment_is_left_alone),
		cmocka_unit_test(text_is_readable_if_its_end_is),
		cmocka_unit_test(list_is_readable_with_all_it_points_at),
		cmocka_unit_test(unreadable_environment_is_left_alone),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
