/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the allocator finds of a mapping, beside the list as libc reads it. */
#include "tests/test_util.h"

#include "alloc/mapping.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mapping_is_found_as_it_is_listed),
		cmocka_unit_test(what_is_not_mapped_is_not_found),
		cmocka_unit_test(a_long_path_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
