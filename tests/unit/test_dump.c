/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the writer wrote, the reader gives back. */
#include "dumpfmt/reader.h"
#include "tests/test_util.h"
#include "tests/unit/dump_sample.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TERABYTE (UINT64_C(1) << 40)

struct opened {
	struct sample *sample;
	struct dump *dump;
	int fd;
};

static struct dump *open_fd(int fd)
{
	char path[64];
	struct dump *dump;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_ok(dump_open(path, &dump));
	return dump;
}

static int setup(void **state)
{
	struct opened *o = calloc(1, sizeof(*o));

	o->sample = malloc(sizeof(*o->sample));
	sample_init(o->sample);
	o->fd = sample_write(o->sample);
	o->dump = open_fd(o->fd);
	*state = o;
	return 0;
}

static int teardown(void **state)
{
	struct opened *o = *state;

	dump_close(o->dump);
	close(o->fd);
	free(o->sample);
	free(o);
	return 0;
}

static void process_comes_back(void **state)
{
	const struct opened *o = *state;
	const struct dump_process *p = dump_process(o->dump);

	assert_int_equal(p->pid, SAMPLE_TID);
	assert_int_equal(p->reason, DUMP_REASON_SIGNAL);
	assert_int_equal(p->signal, 11);
	assert_int_equal(p->fault_address, 8);
	assert_string_equal(p->arguments, "sample -x");
	assert_string_equal(p->directory, ""); /* was NULL */
	assert_string_equal(p->writer, "test");
}

static void threads_come_back(void **state)
{
	const struct opened *o = *state;
	const struct dump_thread *threads;

	assert_int_equal(dump_threads(o->dump, &threads), 2);
	assert_int_equal(threads[0].tid, SAMPLE_TID);
	assert_int_equal(threads[0].flags,
			 DUMP_THREAD_CRASHED | DUMP_THREAD_REGISTERS);
	assert_int_equal(threads[0].fpregs_size, 512);
	assert_memory_equal(threads[0].fpregs, o->sample->text, 512);
	assert_int_equal(threads[1].registers.rip, SAMPLE_TEXT + 1);
	assert_string_equal(threads[1].name, "other");
	assert_null(threads[1].fpregs);
}

static void the_rest_of_the_facts_comes_back(void **state)
{
	const struct opened *o = *state;
	const struct dump_map *maps;
	const struct dump_module *modules;
	const uint64_t *roots, *auxv;
	const char *environment;

	assert_int_equal(dump_maps(o->dump, &maps), 3);
	assert_string_equal(maps[2].path, "[stack]");
	assert_int_equal(dump_modules(o->dump, &modules), 1);
	assert_int_equal(modules[0].build_id_size, 4);
	assert_int_equal(modules[0].build_id[3], 0xef);
	assert_int_equal(dump_roots(o->dump, &roots), 1);
	assert_int_equal(roots[0], SAMPLE_DATA);
	assert_int_equal(dump_auxv(o->dump, &auxv), 2);
	assert_int_equal(auxv[3], SAMPLE_TEXT);
	assert_int_equal(dump_environment(o->dump, &environment), 8);
	assert_memory_equal(environment, "A=1\0B=2", 8);
}

static void names_come_back_in_order(void **state)
{
	const struct opened *o = *state;
	const struct dump_symbol *symbols;

	assert_int_equal(dump_symbols(o->dump, &symbols), 4);
	assert_string_equal(symbols[0].name, "other");
	assert_string_equal(symbols[0].file, ""); /* was NULL */
	assert_string_equal(symbols[1].name, "main");
	assert_int_equal(symbols[1].size, 32);
	assert_int_equal(symbols[1].info, 0x12);
	assert_string_equal(symbols[2].name, "inlined");
	assert_string_equal(symbols[3].file, "sample.c");
	assert_int_equal(symbols[3].line, 42);
	assert_int_equal(symbols[3].address, 0x17);
}

static void every_readable_byte_comes_back(void **state)
{
	const struct opened *o = *state;
	const struct dump_extent *extents;
	size_t count = dump_extents(o->dump, &extents);

	assert_int_equal(count, 4); /* the unreadable page divides one */
	for (size_t i = 0; i < count; i++) {
		uint64_t size = extents[i].end - extents[i].start;
		const void *bytes;

		assert_ok(dump_view(o->dump, extents[i].start, (size_t)size,
				    &bytes));
		assert_memory_equal(bytes,
				    sample_bytes(o->sample, extents[i].start),
				    (size_t)size);
	}
}

static void a_view_may_begin_anywhere(void **state)
{
	const struct opened *o = *state;
	uint64_t address = SAMPLE_DATA + 5 * DUMP_PAGE_SIZE - 3;
	const void *bytes;

	assert_ok(dump_view(o->dump, address, 10, &bytes));
	assert_memory_equal(bytes, sample_bytes(o->sample, address), 10);
}

static void a_view_must_lie_in_one_extent(void **state)
{
	const struct opened *o = *state;
	const void *bytes;

	assert_err(dump_view(o->dump, 0, 1, &bytes), ERR_NOT_FOUND,
		   "memory 0 is not in the dump");
	assert_err(dump_view(o->dump, SAMPLE_DATA, 11 * DUMP_PAGE_SIZE, &bytes),
		   ERR_NOT_FOUND, "memory 0x1000a000 is not in the dump");
	assert_err(dump_view(o->dump, SAMPLE_DATA + 1, SIZE_MAX, &bytes),
		   ERR_NOT_FOUND, "memory 0x1000a000 is not in the dump");
}

static void the_unreadable_page_is_told_of(void **state)
{
	const struct opened *o = *state;
	const char *const *warnings;

	assert_true(dump_warnings(o->dump, &warnings) >= 1);
	assert_string_equal(
		warnings[0],
		"writer: 1 pages could not be read, the first at 0x1000a000");
}

static void untouched_pages_are_skipped_by_next_data(void **state)
{
	const struct opened *o = *state;
	uint64_t start = SAMPLE_DATA + 12 * DUMP_PAGE_SIZE;
	uint64_t end = SAMPLE_DATA + SAMPLE_DATA_PAGES * DUMP_PAGE_SIZE;
	struct dump_extent run;

	assert_true(dump_next_data(o->dump, start, end, &run));
	assert_int_equal(run.start, start);
	assert_int_equal(run.end,
			 SAMPLE_DATA + SAMPLE_ZERO_PAGE * DUMP_PAGE_SIZE);
	assert_true(dump_next_data(o->dump, run.end, end, &run));
	assert_int_equal(run.start,
			 SAMPLE_DATA + SAMPLE_ZERO_END * DUMP_PAGE_SIZE);
	assert_int_equal(run.end, end);
	assert_false(dump_next_data(o->dump, run.end, end, &run));
}

static bool next_terabyte(void *context, struct dump_extent *ret)
{
	bool *given = context;

	*ret = (struct dump_extent){ TERABYTE, 2 * TERABYTE };
	return !*given && (*given = true);
}

static uint64_t all_untouched(void *context, uint64_t address, uint64_t end,
			      unsigned char *state)
{
	(void)context;
	(void)address;
	*state = DUMP_PAGE_ZERO;
	return end;
}

static size_t resident_pages(void)
{
	FILE *stream = fopen("/proc/self/statm", "r");
	size_t total = 0, resident = 0;

	assert_int_equal(fscanf(stream, "%zu %zu", &total, &resident), 2);
	fclose(stream);
	return resident;
}

/* Neither written, nor scanned, nor held in memory by who reads it. */
static void a_terabyte_never_touched_costs_nothing(void **state)
{
	const struct opened *o = *state;
	bool given = false;
	const struct dump_source source = {
		.context = &given,
		.process = &o->sample->process,
		.next_extent = next_terabyte,
		.untouched = all_untouched,
	};
	struct dump_writer_space *space =
		aligned_alloc(DUMP_PAGE_SIZE, sizeof(*space));
	int fd = memfd_create("terabyte", 0);
	size_t before = resident_pages();
	struct dump_extent run;
	const void *bytes;

	assert_int_equal(dump_write(space, fd, &source, NULL), 0);
	assert_true(lseek(fd, 0, SEEK_END) < 2048);
	struct dump *dump = open_fd(fd);
	assert_ok(dump_view(dump, TERABYTE, (size_t)TERABYTE, &bytes));
	assert_int_equal(((const char *)bytes)[TERABYTE / 2], 0);
	assert_false(dump_next_data(dump, 0, UINT64_MAX, &run));
	assert_true(resident_pages() - before < 1024);
	dump_close(dump);
	close(fd);
	free(space);
}

static void a_full_disk_is_an_error(void **state)
{
	(void)state;
	struct sample *sample = malloc(sizeof(*sample));
	struct dump_writer_space *space =
		aligned_alloc(DUMP_PAGE_SIZE, sizeof(*space));
	int fd = open("/dev/full", O_WRONLY);

	sample_init(sample);
	assert_int_equal(dump_write(space, fd, &sample->source, NULL), -ENOSPC);
	close(fd);
	free(space);
	free(sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(process_comes_back),
		cmocka_unit_test(threads_come_back),
		cmocka_unit_test(the_rest_of_the_facts_comes_back),
		cmocka_unit_test(names_come_back_in_order),
		cmocka_unit_test(every_readable_byte_comes_back),
		cmocka_unit_test(a_view_may_begin_anywhere),
		cmocka_unit_test(a_view_must_lie_in_one_extent),
		cmocka_unit_test(the_unreadable_page_is_told_of),
		cmocka_unit_test(untouched_pages_are_skipped_by_next_data),
		cmocka_unit_test(a_terabyte_never_touched_costs_nothing),
		cmocka_unit_test(a_full_disk_is_an_error),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
