/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the allocator finds of a mapping, beside the list as libc reads it; and
 * what it knows of a thread's stack without a look there. */
#include "tests/test_util.h"

#include "alloc/mapping.h"
#include "alloc/unwind.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PATH = 4096 };

/* The list, read before anything is asked; what changes is made by nobody. */
static void every_mapping_is_found_as_it_is_listed(void **state)
{
	(void)state;
	static char text[256 * 1024];
	FILE *list = fopen("/proc/self/maps", "r");
	size_t found = 0, size;

	assert_non_null(list);
	size = fread(text, 1, sizeof(text) - 1, list);
	fclose(list);
	text[size] = '\0';
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) && *line;) {
		struct kma_mapping mapping = { 0 };
		unsigned long start, end;
		char rights, wanted[PATH] = "", path[PATH] = "?";

		assert_true(sscanf(line, "%lx-%lx %c%*s %*s %*s %*s %4095[^\n]",
				   &start, &end, &rights, wanted) >= 3);
		if (strcmp(wanted, "[vsyscall]") == 0 ||
		    strcmp(wanted, "[heap]") == 0)
			continue; /* of no process; grows */
		assert_true(kma_mapping_find(start, &mapping, path, PATH));
		assert_int_equal(mapping.start, start);
		assert_int_equal(mapping.end, end);
		assert_int_equal(mapping.readable, rights == 'r');
		assert_string_equal(path, wanted);
		assert_true(kma_mapping_find(end - 1, &mapping, NULL, 0));
		assert_int_equal(mapping.start, start);
		found++;
	}
	assert_true(found > 5);
}

static void what_is_not_mapped_is_not_found(void **state)
{
	(void)state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct kma_mapping mapping;
	char path[PATH];
	char *pages = mmap(NULL, 3 * page, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(pages != MAP_FAILED);
	assert_int_equal(munmap(pages + page, page), 0);
	assert_false(kma_mapping_find((uintptr_t)pages + page, &mapping, path,
				      PATH));
	assert_true(kma_mapping_find((uintptr_t)pages, &mapping, path, PATH));
	assert_false(mapping.readable);
	assert_false(kma_mapping_find(0, &mapping, NULL, 0));
	assert_false(kma_mapping_find(UINTPTR_MAX, &mapping, NULL, 0));
}

static void a_long_path_is_cut(void **state)
{
	(void)state;
	struct kma_mapping mapping;
	char whole[PATH], part[5] = "????";

	assert_true(kma_mapping_find((uintptr_t)a_long_path_is_cut, &mapping,
				     whole, PATH));
	assert_true(kma_mapping_find((uintptr_t)a_long_path_is_cut, &mapping,
				     part, sizeof(part)));
	assert_int_equal(strlen(part), 4);
	assert_memory_equal(part, whole, 4);
}

struct started {
	size_t size; /* asked for */
	struct kma_thread self;
	uintptr_t low, here, top; /* as libc has it */
};

static __thread char aligned_variable[1] __attribute__((aligned(4096)));

static void *run_started(void *argument)
{
	struct started *s = argument;
	pthread_attr_t attributes;
	void *start;
	size_t size;

	aligned_variable[0] = 1;
	kma_bounds_started(&s->self, s->size);
	pthread_getattr_np(pthread_self(), &attributes);
	pthread_attr_getstack(&attributes, &start, &size);
	pthread_attr_destroy(&attributes);
	s->low = (uintptr_t)start;
	s->here = (uintptr_t)&size;
	s->top = s->low + size;
	return NULL;
}

static struct started start(size_t size, size_t guard)
{
	struct started s = { .size = size };
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, size);
	pthread_attr_setguardsize(&attributes, guard);
	assert_int_equal(pthread_create(&thread, &attributes, run_started, &s),
			 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
	return s;
}

/* Nothing that is not the stack's, and all but little of what was asked for:
 * libc may have had a larger one. Where it is so small that it could be that
 * little, perhaps nothing. */
static void check_bounds(const struct started *s)
{
	enum { UNSURE = 32 << 10 };
	const struct kma_thread *self = &s->self;

	if (s->size < UNSURE && self->stack_top == 0)
		return;
	assert_in_range(self->stack_low, s->low, s->here);
	assert_in_range(self->stack_low, s->low, s->top - s->size + UNSURE);
	assert_in_range(self->stack_top, s->here, s->top);
	assert_in_range(self->stack_top, s->top - UNSURE, s->top);
	assert_int_equal(self->stack_top % 8, 0);
}

/* Whatever size and guard, and what libc keeps there. */
static void bounds_of_a_started_thread_are_its_stack(void **state)
{
	static const size_t sizes[] = { 20 << 10, 64 << 10, 1 << 20,
					100001,   777777,   8 << 20 };
	static const size_t guards[] = { 0, 1, 4096, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t j = 0; j < sizeof(guards) / sizeof(guards[0]);
		     j++) {
			struct started s = start(sizes[i], guards[j]);

			check_bounds(&s);
		}
}

/* The first thread's stack is no one's to know that way. */
static void impossible_sizes_tell_nothing(void **state)
{
	static const size_t sizes[] = { 0, 1, 16 << 10, SIZE_MAX };
	struct kma_thread self = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		kma_bounds_started(&self, sizes[i]);
		assert_int_equal(self.stack_top, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mapping_is_found_as_it_is_listed),
		cmocka_unit_test(what_is_not_mapped_is_not_found),
		cmocka_unit_test(a_long_path_is_cut),
		cmocka_unit_test(bounds_of_a_started_thread_are_its_stack),
		cmocka_unit_test(impossible_sizes_tell_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
