/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A damaged dump is refused, or opened with a warning that says what is
 * missing; never silently less than the whole one, never a crash.
 *
 * With an argument, every byte is flipped; else one in SAMPLED.
 */
#include "dumpfmt/reader.h"
#include "tests/test_util.h"
#include "tests/unit/dump_sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { SAMPLED = 7, PATH_SIZE = 64 };

static size_t flip_step = SAMPLED;

/* What a reader can see of a dump, as one number. */
struct sight {
	bool opened;
	size_t warnings;
	uint32_t warnings_digest;
	uint32_t digest;   /* of facts and memory */
	size_t unreadable; /* blocks that could not be viewed */
};

struct whole {
	struct sample *sample;
	int fd;
	size_t size;
	char path[PATH_SIZE];
	struct sight sight;
};

static uint32_t add(uint32_t digest, const void *bytes, size_t size)
{
	return size > 0 ? (uint32_t)crc32_z(digest, bytes, size) : digest;
}

static uint32_t add_text(uint32_t digest, const char *text)
{
	return add(digest, text, strlen(text) + 1);
}

static uint32_t add_process(uint32_t digest, const struct dump_process *p)
{
	digest = add(digest, p, offsetof(struct dump_process, executable));
	digest = add_text(digest, p->executable);
	digest = add_text(digest, p->arguments);
	return add_text(digest, p->writer);
}

static uint32_t add_threads(uint32_t digest, const struct dump *dump)
{
	const struct dump_thread *threads;
	size_t count = dump_threads(dump, &threads);

	for (size_t i = 0; i < count; i++) {
		const struct dump_thread *t = &threads[i];

		digest = add(digest, &t->tid, sizeof(t->tid));
		digest = add(digest, &t->flags, sizeof(t->flags));
		digest = add_text(digest, t->name);
		digest = add(digest, &t->registers, sizeof(t->registers));
		digest = add(digest, &t->stack_low, 2 * sizeof(t->stack_low));
		digest = add(digest, t->fpregs, t->fpregs_size);
	}
	return digest;
}

static uint32_t add_lists(uint32_t digest, const struct dump *dump)
{
	const struct dump_map *maps;
	const struct dump_module *modules;
	const struct dump_symbol *symbols;
	const uint64_t *numbers;
	const char *environment;
	size_t count = dump_maps(dump, &maps);

	for (size_t i = 0; i < count; i++) {
		digest = add(digest, &maps[i].start, 3 * sizeof(uint64_t));
		digest = add(digest, &maps[i].flags, sizeof(maps[i].flags));
		digest = add_text(digest, maps[i].path);
	}
	count = dump_modules(dump, &modules);
	for (size_t i = 0; i < count; i++) {
		digest = add(digest, &modules[i].base, 16);
		digest = add_text(digest, modules[i].path);
		digest = add(digest, modules[i].build_id,
			     modules[i].build_id_size);
	}
	count = dump_symbols(dump, &symbols);
	for (size_t i = 0; i < count; i++) {
		digest = add(digest, &symbols[i].module, 24);
		digest = add(digest, &symbols[i].flags, 12);
		digest = add_text(digest, symbols[i].name);
		digest = add_text(digest, symbols[i].file);
	}
	count = dump_roots(dump, &numbers);
	digest = add(digest, numbers, 8 * count);
	count = dump_auxv(dump, &numbers);
	digest = add(digest, numbers, 16 * count);
	count = dump_environment(dump, &environment);
	return add(digest, environment, count);
}

/* Page by page, so that one bad block hides nothing else. */
static void add_memory(struct sight *sight, struct dump *dump)
{
	const struct dump_extent *extents;
	size_t count = dump_extents(dump, &extents);
	const void *bytes;

	for (size_t i = 0; i < count; i++)
		for (uint64_t at = extents[i].start; at < extents[i].end;
		     at += DUMP_PAGE_SIZE) {
			struct err *err =
				dump_view(dump, at, DUMP_PAGE_SIZE, &bytes);

			sight->unreadable += err != NULL;
			sight->digest = add(sight->digest, &at, sizeof(at));
			if (!err)
				sight->digest = add(sight->digest, bytes,
						    DUMP_PAGE_SIZE);
			err_free(err);
		}
}

static struct sight look(const char *path)
{
	struct sight sight = { 0 };
	const char *const *warnings;
	struct dump *dump;

	struct err *err = dump_open(path, &dump);
	if (err) {
		char text[512] = "";

		err_describe(err, text, sizeof(text));
		assert_true(strlen(text) > strlen(path));
		assert_null(strchr(text, '\n'));
		err_free(err);
		return sight;
	}
	sight.opened = true;
	sight.warnings = dump_warnings(dump, &warnings);
	for (size_t i = 0; i < sight.warnings; i++)
		sight.warnings_digest =
			add_text(sight.warnings_digest, warnings[i]);
	sight.digest = add_process(0, dump_process(dump));
	sight.digest = add_threads(sight.digest, dump);
	sight.digest = add_lists(sight.digest, dump);
	add_memory(&sight, dump);
	dump_close(dump);
	return sight;
}

/* Refused, warned of, refused when looked at, or no damage at all. */
static bool is_honest(const struct sight *sight, const struct sight *whole)
{
	return !sight->opened ||
	       sight->warnings_digest != whole->warnings_digest ||
	       sight->unreadable > 0 || sight->digest == whole->digest;
}

static int setup(void **state)
{
	struct whole *whole = calloc(1, sizeof(*whole));
	struct stat status;

	whole->sample = malloc(sizeof(*whole->sample));
	sample_init(whole->sample);
	whole->fd = sample_write(whole->sample);
	fstat(whole->fd, &status);
	whole->size = (size_t)status.st_size;
	snprintf(whole->path, sizeof(whole->path), "/proc/self/fd/%d",
		 whole->fd);
	whole->sight = look(whole->path);
	*state = whole;
	return 0;
}

static int teardown(void **state)
{
	struct whole *whole = *state;

	close(whole->fd);
	free(whole->sample);
	free(whole);
	return 0;
}

static void the_whole_dump_is_read_whole(void **state)
{
	const struct whole *whole = *state;

	assert_true(whole->sight.opened);
	assert_int_equal(whole->sight.warnings, 1); /* the unreadable page */
	assert_int_equal(whole->sight.unreadable, 0);
}

static void every_truncation_is_told(void **state)
{
	struct whole *whole = *state;
	unsigned char *bytes = malloc(whole->size);

	assert_int_equal(pread(whole->fd, bytes, whole->size, 0), whole->size);
	for (size_t cut = whole->size; cut-- > 0;) {
		assert_int_equal(ftruncate(whole->fd, (off_t)cut), 0);
		struct sight sight = look(whole->path);
		if (sight.opened &&
		    sight.warnings_digest == whole->sight.warnings_digest)
			fail_msg("cut at %zu of %zu goes unnoticed", cut,
				 whole->size);
	}
	assert_int_equal(pwrite(whole->fd, bytes, whole->size, 0), whole->size);
	free(bytes);
}

static void every_flipped_byte_is_told_or_harmless(void **state)
{
	struct whole *whole = *state;

	for (size_t at = 0; at < whole->size; at += flip_step) {
		unsigned char byte, flipped;

		assert_int_equal(pread(whole->fd, &byte, 1, (off_t)at), 1);
		flipped = byte ^ (unsigned char)(1u << (at / flip_step % 8));
		assert_int_equal(pwrite(whole->fd, &flipped, 1, (off_t)at), 1);
		struct sight sight = look(whole->path);
		assert_int_equal(pwrite(whole->fd, &byte, 1, (off_t)at), 1);
		if (!is_honest(&sight, &whole->sight))
			fail_msg("byte %zu of %zu flipped goes unnoticed", at,
				 whole->size);
	}
}

/* The facts come first: half a file still tells who crashed where. */
static void half_a_dump_still_has_its_facts(void **state)
{
	struct whole *whole = *state;
	unsigned char *bytes = malloc(whole->size);
	const struct dump_thread *threads;
	const char *const *warnings;
	struct dump *dump;

	assert_int_equal(pread(whole->fd, bytes, whole->size, 0), whole->size);
	assert_int_equal(ftruncate(whole->fd, (off_t)(whole->size / 2)), 0);
	assert_ok(dump_open(whole->path, &dump));
	assert_int_equal(dump_process(dump)->signal, 11);
	assert_int_equal(dump_threads(dump, &threads), 2);
	size_t count = dump_warnings(dump, &warnings);
	assert_true(count >= 3);
	assert_non_null(strstr(warnings[0], "no trailer: file is cut at byte"));
	assert_non_null(strstr(warnings[count - 1],
			       "KiB of writable memory are missing"));
	dump_close(dump);
	assert_int_equal(pwrite(whole->fd, bytes, whole->size, 0), whole->size);
	free(bytes);
}

/* Bytes after the trailer: it is not where it should be. */
static void a_longer_file_is_told(void **state)
{
	struct whole *whole = *state;

	assert_int_equal(ftruncate(whole->fd, (off_t)whole->size + 8), 0);
	struct sight sight = look(whole->path);
	assert_int_equal(ftruncate(whole->fd, (off_t)whole->size), 0);
	assert_true(sight.opened);
	assert_true(sight.warnings > whole->sight.warnings);
	assert_int_equal(sight.digest, whole->sight.digest);
}

static void assert_refused(const void *bytes, size_t size, enum err_code code,
			   const char *message)
{
	char path[] = "/tmp/test-dump-XXXXXX", expected[256];
	int fd = mkstemp(path);
	struct dump *dump;

	assert_int_equal(write(fd, bytes, size), size);
	snprintf(expected, sizeof(expected), "%s: %s", path, message);
	assert_err(dump_open(path, &dump), code, expected);
	close(fd);
	unlink(path);
}

static void what_is_no_dump_is_refused_by_name(void **state)
{
	const struct whole *whole = *state;
	unsigned char header[sizeof(struct dump_header)];
	struct dump *dump;

	assert_refused("", 0, ERR_CORRUPT, "empty file");
	assert_refused("hello", 5, ERR_UNSUPPORTED, "not a kdbg dump");
	assert_refused("\x7f"
		       "ELF\2\1",
		       6, ERR_UNSUPPORTED, "is an ELF file, not a dump");
	assert_err(dump_open("/", &dump), ERR_IO, "/: is a directory");
	assert_err(dump_open("/no/such", &dump), ERR_IO,
		   "/no/such: No such file or directory");
	assert_err(dump_open("/dev/zero", &dump), ERR_IO,
		   "/dev/zero: not a regular file");

	assert_int_equal(pread(whole->fd, header, sizeof(header), 0),
			 sizeof(header));
	assert_refused(header, 20, ERR_CORRUPT,
		       "file header: truncated at byte 20 of 64");
	assert_refused(header, sizeof(header), ERR_CORRUPT,
		       "file is cut or damaged: no section found in 64 bytes");
	header[12] = 9;
	assert_refused(header, sizeof(header), ERR_UNSUPPORTED,
		       "file header: version 9 at byte 12, this kdbg reads "
		       "version 1");
	header[8] = 1;
	assert_refused(header, sizeof(header), ERR_UNSUPPORTED,
		       "file header: byte order at byte 8 is not "
		       "little-endian");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_dump_is_read_whole),
		cmocka_unit_test(every_truncation_is_told),
		cmocka_unit_test(every_flipped_byte_is_told_or_harmless),
		cmocka_unit_test(half_a_dump_still_has_its_facts),
		cmocka_unit_test(a_longer_file_is_told),
		cmocka_unit_test(what_is_no_dump_is_refused_by_name),
	};

	(void)argv;
	if (argc > 1)
		flip_step = 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
