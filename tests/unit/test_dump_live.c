/* SPDX-License-Identifier: GPL-3.0-or-later */
/* This process dumps itself and finds itself in the dump. */
#include "dumpfmt/live.h"
#include "dumpfmt/reader.h"
#include "tests/test_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t witness = 0x1122334455667788;
static const char *const relocated[] = { "a", "b" };
enum { BIG = 64 << 20 };

static struct dump *dump_self(const struct dump_live_plan *plan)
{
	struct dump_live *live = malloc(sizeof(*live));
	struct procfs_facts *facts = malloc(sizeof(*facts));
	struct dump_writer_space *space =
		aligned_alloc(DUMP_PAGE_SIZE, sizeof(*space));
	struct dump_source source = { 0 };
	int fd = memfd_create("self", 0);
	struct dump *dump;
	char path[64];

	procfs_facts_read(facts, 0);
	source.process = &facts->process;
	source.auxv = facts->auxv;
	source.auxv_count = facts->auxv_count;
	assert_int_equal(dump_live_open(live, plan), 0);
	dump_live_source(live, &source);
	assert_int_equal(dump_write(space, fd, &source, NULL), 0);
	dump_live_close(live);
	free(live);
	free(facts);
	free(space);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_ok(dump_open(path, &dump));
	close(fd);
	return dump;
}

static bool is_saved(struct dump *dump, const void *address)
{
	const void *bytes;
	struct err *err =
		dump_view(dump, (uint64_t)(uintptr_t)address, 8, &bytes);

	err_free(err);
	return !err;
}

static void assert_saved(struct dump *dump, const void *address, size_t size)
{
	const void *bytes;

	assert_ok(dump_view(dump, (uint64_t)(uintptr_t)address, size, &bytes));
	assert_memory_equal(bytes, address, size);
}

static void a_full_dump_holds_what_can_change(void **state)
{
	(void)state;
	struct dump *dump =
		dump_self(&(struct dump_live_plan){ .shared_pagemap = -1 });
	volatile uint64_t on_stack = 0x8877665544332211;

	assert_saved(dump, &witness, sizeof(witness));
	assert_true(is_saved(dump, (const void *)&on_stack));
	assert_saved(dump, relocated, sizeof(relocated));
	assert_false(is_saved(dump, (const void *)(uintptr_t)dump_self));
	dump_close(dump);
}

static void this_program_is_a_module_with_its_facts(void **state)
{
	(void)state;
	struct dump *dump =
		dump_self(&(struct dump_live_plan){ .shared_pagemap = -1 });
	const struct dump_process *process = dump_process(dump);
	const struct dump_module *modules;
	size_t count = dump_modules(dump, &modules);
	uint64_t here = (uint64_t)(uintptr_t)dump_self;
	const uint64_t *auxv;
	char exe[4096] = "";

	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	assert_string_equal(process->executable, exe);
	assert_int_equal(process->pid, getpid());
	assert_int_equal(process->ppid, getppid());
	assert_int_equal(process->uid, getuid());
	assert_true(process->start_realtime_ns > 0);
	assert_true(dump_auxv(dump, &auxv) > 5);
	assert_true(count >= 3);
	for (size_t i = 0; i < count; i++)
		if (modules[i].base <= here && here < modules[i].end) {
			assert_string_equal(modules[i].path, exe);
			assert_true(modules[i].build_id_size > 0);
			assert_true(modules[i].end >
				    (uint64_t)(uintptr_t)&witness);
			assert_saved(dump,
				     (const void *)(uintptr_t)modules[i].base,
				     64);
			dump_close(dump);
			return;
		}
	fail_msg("this program is not among the modules");
}

static void untouched_memory_costs_nothing(void **state)
{
	(void)state;
	char *big = mmap(NULL, BIG, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start = (uint64_t)(uintptr_t)big;
	struct dump_extent run;

	big[BIG / 2] = 1;
	struct dump *dump =
		dump_self(&(struct dump_live_plan){ .shared_pagemap = -1 });
	assert_saved(dump, big + BIG / 2, 1);
	assert_true(is_saved(dump, big));
	assert_true(dump_next_data(dump, start, start + BIG, &run));
	assert_int_equal(run.start, start + BIG / 2);
	assert_true(run.end - run.start <= 2 << 20); /* a huge page at most */
	dump_close(dump);
	munmap(big, BIG);
}

static void unreadable_memory_is_left_out(void **state)
{
	(void)state;
	char *none =
		mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct dump *dump =
		dump_self(&(struct dump_live_plan){ .shared_pagemap = -1 });

	assert_false(is_saved(dump, none));
	dump_close(dump);
	munmap(none, 4096);
}

static void a_meta_dump_holds_the_metadata_alone(void **state)
{
	(void)state;
	uint64_t at = (uint64_t)(uintptr_t)&witness;
	const struct dump_extent metadata = { at, at + 8 };
	struct dump *dump = dump_self(&(struct dump_live_plan){
		.level = DUMP_META,
		.first = { &metadata, 1 },
		.shared_pagemap = -1,
	});
	const struct dump_extent *extents;
	const char *environment;

	assert_saved(dump, &witness, 8);
	assert_int_equal(dump_extents(dump, &extents), 1);
	assert_int_equal(extents[0].end - extents[0].start, 4096);
	assert_int_equal(dump_environment(dump, &environment), 0);
	dump_close(dump);
}

static void what_is_never_saved_divides_an_extent(void **state)
{
	(void)state;
	char *three = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start = (uint64_t)(uintptr_t)three;
	const struct dump_extent middle = { start + 4096, start + 8192 };

	memset(three, 7, 3 * 4096);
	struct dump *dump = dump_self(&(struct dump_live_plan){
		.never = { &middle, 1 },
		.shared_pagemap = -1,
	});
	assert_saved(dump, three, 4096);
	assert_false(is_saved(dump, three + 4096));
	assert_saved(dump, three + 8192, 4096);
	dump_close(dump);
	munmap(three, 3 * 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_dump_holds_what_can_change),
		cmocka_unit_test(this_program_is_a_module_with_its_facts),
		cmocka_unit_test(untouched_memory_costs_nothing),
		cmocka_unit_test(unreadable_memory_is_left_out),
		cmocka_unit_test(a_meta_dump_holds_the_metadata_alone),
		cmocka_unit_test(what_is_never_saved_divides_an_extent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
