/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes back does not depend on the codec, nor on who wrote it. */
#include "dumpfmt/reader.h"
#include "dumpfmt/writer.h"
#include "tests/test_util.h"

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	BASE = 0x10000000,
	PAGES = 20000, /* more stretches than a queue holds */
	BAD_PAGE = 7777,
};

struct process {
	struct dump_process facts;
	pid_t home;
	bool given;
	uint32_t *deaths; /* shared: helpers that may still be killed */
};

/* Nothing, text or noise, by the page. */
static void make_page(size_t page, unsigned char *bytes)
{
	uint32_t random = (uint32_t)page + 1;

	memset(bytes, page % 5 ? (int)(page % 251) : 0, DUMP_PAGE_SIZE);
	if (page % 7)
		return;
	for (size_t i = 0; i < DUMP_PAGE_SIZE; i++) {
		random = random * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(random >> 24);
	}
}

static bool next_extent(void *context, struct dump_extent *ret)
{
	struct process *process = context;

	*ret = (struct dump_extent){ BASE,
				     BASE + (uint64_t)PAGES * DUMP_PAGE_SIZE };
	return !process->given && (process->given = true);
}

static size_t read_memory(void *context, uint64_t address, void *buffer,
			  size_t size)
{
	const struct process *process = context;
	unsigned char page[DUMP_PAGE_SIZE];

	if (getpid() != process->home &&
	    __atomic_load_n(process->deaths, __ATOMIC_RELAXED) > 0) {
		__atomic_fetch_sub(process->deaths, 1, __ATOMIC_RELAXED);
		kill(getpid(), SIGKILL);
	}
	for (size_t done = 0; done < size; done += sizeof(page)) {
		size_t number = (size_t)(address + done - BASE) / sizeof(page);

		if (number == BAD_PAGE)
			return done;
		make_page(number, page);
		memcpy((char *)buffer + done, page, sizeof(page));
	}
	return size;
}

static int write_dump(const struct dump_write_options *options, uint32_t deaths,
		      int fd)
{
	struct dump_writer_space *space =
		aligned_alloc(DUMP_PAGE_SIZE, sizeof(*space));
	struct process process = {
		.home = getpid(),
		.deaths = mmap(NULL, sizeof(deaths), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	};
	const struct dump_source source = {
		.context = &process,
		.process = &process.facts,
		.next_extent = next_extent,
		.read = read_memory,
	};

	*process.deaths = deaths;
	int status = dump_write(space, fd, &source, options);
	munmap(process.deaths, sizeof(deaths));
	free(space);
	return status;
}

static struct dump *open_fd(int fd)
{
	char path[64];
	struct dump *dump;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_ok(dump_open(path, &dump));
	return dump;
}

static void check_memory(struct dump *dump)
{
	const char *const *warnings;
	unsigned char page[DUMP_PAGE_SIZE];
	const void *bytes;

	assert_int_equal(dump_warnings(dump, &warnings), 1);
	assert_non_null(strstr(warnings[0], "1 pages could not be read, the "
					    "first at 0x11e61000"));
	for (size_t i = 0; i < PAGES; i++) {
		uint64_t address = BASE + i * DUMP_PAGE_SIZE;
		struct err *err =
			dump_view(dump, address, DUMP_PAGE_SIZE, &bytes);

		assert_int_equal(err != NULL, i == BAD_PAGE);
		err_free(err);
		if (i == BAD_PAGE)
			continue;
		make_page(i, page);
		assert_memory_equal(bytes, page, sizeof(page));
	}
	for (size_t i = 0; i < dump_block_count(dump); i++)
		assert_ok(dump_block_check(dump, i));
}

static void check_write(enum dump_codec codec, unsigned workers,
			uint32_t deaths)
{
	const struct dump_write_options options = { codec, workers };
	int fd = memfd_create("dump", 0);

	assert_int_equal(write_dump(&options, deaths, fd), 0);
	struct dump *dump = open_fd(fd);
	check_memory(dump);
	dump_close(dump);
	close(fd);
	/* No helper is left, and none was anybody's child. */
	assert_int_equal(waitpid(-1, NULL, __WALL | WNOHANG), -1);
}

static void every_codec_alone_and_with_workers(void **state)
{
	static const char *const names[] = { "none", "zlib", "zstd" };
	enum dump_codec codec;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!dump_codec_named(names[i], strlen(names[i]), &codec)) {
			assert_string_equal(names[i], "zstd");
			continue; /* not built in */
		}
		check_write(codec, 1, 0);
		check_write(codec, 3, 0);
	}
	assert_false(dump_codec_named("zlibs", 5, &codec));
	assert_false(dump_codec_named("", 0, &codec));
}

static void a_worker_that_is_killed_costs_nothing(void **state)
{
	(void)state;
	check_write(dump_codec_default(), 2, 1);
	check_write(dump_codec_default(), 4, 3);
}

static void a_pipe_is_written_alone(void **state)
{
	const struct dump_write_options options = { dump_codec_default(), 4 };
	int ends[2], fd = memfd_create("dump", 0);
	char bytes[4096];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(write_dump(&options, 0, ends[1]) != 0);
	}
	close(ends[1]);
	for (ssize_t n; (n = read(ends[0], bytes, sizeof(bytes))) > 0;)
		assert_int_equal(write(fd, bytes, (size_t)n), n);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	struct dump *dump = open_fd(fd);
	check_memory(dump);
	dump_close(dump);
	close(ends[0]);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_codec_alone_and_with_workers),
		cmocka_unit_test(a_worker_that_is_killed_costs_nothing),
		cmocka_unit_test(a_pipe_is_written_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
