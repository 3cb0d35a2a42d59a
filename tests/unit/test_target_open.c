/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is not a dump is refused in one line that says what it is. */
#include "kdbg/target.h"

#include "tests/test_util.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/kdbg-test-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(in_folder(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void assert_refused(const char *name, enum err_code code,
			   const char *reason)
{
	const struct target_options options = { 0 };
	struct target *target = NULL;
	char message[512];

	snprintf(message, sizeof(message), "%s/%s: %s", folder, name, reason);
	assert_err(target_open(in_folder(name), &options, &target), code,
		   message);
	assert_null(target);
}

static void a_missing_file(void **state)
{
	(void)state;
	assert_refused("none", ERR_IO, "No such file or directory");
}

static void a_directory(void **state)
{
	(void)state;
	assert_refused(".", ERR_UNSUPPORTED, "is a directory");
}

static void an_empty_file(void **state)
{
	(void)state;
	write_file("empty", "", 0);
	assert_refused("empty", ERR_UNSUPPORTED, "empty file");
}

static void a_fifo_does_not_block(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	assert_refused("fifo", ERR_UNSUPPORTED, "not a regular file");
}

static void something_else(void **state)
{
	(void)state;
	write_file("text", "hello", 5);
	assert_refused("text", ERR_UNSUPPORTED,
		       "not a dump or core: first bytes are "
		       "68 65 6c 6c 6f 00 00 00");
}

static void a_program(void **state)
{
	(void)state;
	Elf64_Ehdr header = { .e_type = ET_DYN };

	memcpy(header.e_ident, ELFMAG, SELFMAG);
	write_file("program", &header, sizeof(header));
	assert_refused("program", ERR_UNSUPPORTED,
		       "an ELF file, but not a core: give the program by -x "
		       "and a dump as the target");
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "empty", "fifo", "text",
					     "program" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_folder(names[i]));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_file),
		cmocka_unit_test(a_directory),
		cmocka_unit_test(an_empty_file),
		cmocka_unit_test(a_fifo_does_not_block),
		cmocka_unit_test(something_else),
		cmocka_unit_test(a_program),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
